"""`moabot explain`: which calls a question would make, and what they would cost."""

import sys
from itertools import groupby
from typing import TYPE_CHECKING

import typer

from moabot.cli.options import QuestionOptions, spread

if TYPE_CHECKING:
    from rich.text import Text

    from moabot.explaining import Plan, PlannedCall
    from moabot.memory import Keep

__all__ = ["EXAMPLES", "explain"]

EXAMPLES = """\b
Examples:
  moabot explain "Why is the sky blue?"
  moabot explain --strategy mixture --preset deep "Prove it."
  moabot explain --json "2 + 2?" | jq .usage.cost_usd"""
PIPE_COLUMNS = 1000


@spread(QuestionOptions)
def explain(context: typer.Context, options: QuestionOptions) -> None:
    """Show the calls that a question would make, and their cost.

    Nobody is asked. Tokens read are estimated from the texts, tokens written from [models]
    expect_tokens, and the time from the calls of `moabot run` and `moabot chat` of the last days.
    """
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot.cli.question import gathered  # noqa: PLC0415 - as above
    from moabot.contract import Question  # noqa: PLC0415 - as above
    from moabot_platforms.console.screen import print_json  # noqa: PLC0415 - as above

    with running.told():
        config, plugins = running.setup(context)
        wish = running.wished(options.strategy, options.preset, options.panel)
        limit = config.limits.question_chars
        asked = gathered(options.words or [], options.file or [], limit=limit)
        question = Question(asked.text, images=asked.attachments)
        # What calls took lately is read from the database of the bot; none is made for that.
        keep: Keep = "spending" if (config.data_dir / "moabot.db").exists() else "nothing"
        plan = running.run(
            config, plugins, lambda app: app.explain(question, wish=wish), keep=keep, asks=False
        )
        if options.json:
            print_json(_record(plan))
        else:
            _draw(plan)


def _record(plan: "Plan") -> dict[str, object]:
    from moabot.record import usage_record  # noqa: PLC0415 - `--help` must stay fast

    calls = [
        {
            "stage": call.stage,
            "slot": call.slot,
            "model": call.model,
            "role": call.role,
            "seconds": call.seconds,
            "usage": usage_record(call.usage),
        }
        for call in plan.calls
    ]
    return {
        "strategy": plan.strategy,
        "preset": plan.preset,
        "via": plan.via,
        "seconds": plan.seconds,
        "calls": calls,
        "usage": usage_record(plan.usage),
    }


def _draw(plan: "Plan") -> None:
    """One branch a stage, one leaf a call, and the sum below."""
    from rich.console import Console  # noqa: PLC0415 - `--help` must stay fast
    from rich.text import Text  # noqa: PLC0415 - as above
    from rich.tree import Tree  # noqa: PLC0415 - as above

    from moabot_platforms.words import cost, counted, printable, tokens  # noqa: PLC0415 - as above

    title = " · ".join(word for word in (plan.strategy, plan.preset, plan.via) if word)
    tree = Tree(Text(printable(title), style="bold"), guide_style="dim")
    for stage, calls in groupby(plan.calls, key=lambda call: call.stage):
        branch = tree.add(Text(f"stage {stage}", style="dim"))
        for call in calls:
            branch.add(_leaf(call))
    # In a pipe a line is a line, however long.
    console = Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)
    console.print(tree)
    seconds = "time unknown" if plan.seconds is None else f"about {plan.seconds:.1f} s"
    sums = (counted(plan.usage.calls, "call"), tokens(plan.usage), cost(plan.usage), seconds)
    console.print(Text(" · ".join(sums)))


def _leaf(call: "PlannedCall") -> "Text":
    from rich.text import Text  # noqa: PLC0415 - `--help` must stay fast

    from moabot_platforms.words import cost, printable  # noqa: PLC0415 - as above

    named = [word for word in (call.slot, call.model) if word != call.role]
    used = f"{call.usage.input_tokens:,} in, {call.usage.output_tokens:,} out"
    return Text.assemble(
        printable(f"{' '.join(named)} "),
        (printable(f"({call.role}) "), "cyan"),
        (f"{used}, {cost(call.usage)}", "dim"),
    )
