"""`moabot ask`: one question, one answer."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from moabot.cli.options import QuestionOptions, spread

if TYPE_CHECKING:
    from moabot.app import App
    from moabot.config import ChannelSettings
    from moabot.contract import Message
    from moabot_platforms.console.plain import ConsoleReply

__all__ = ["EXAMPLES", "AskOptions", "ask"]

EXAMPLES = """\b
Examples:
  moabot ask "Why is the sky blue?"
  moabot ask --preset thorough --show-proposals "Is 91 a prime?"
  moabot ask "What is wrong here?" --file app.log --file screen.png
  git diff | moabot ask --strategy single
  moabot ask --json "2 + 2?" | jq .agreement

\b
Exit codes:
  0    answered
  1    no answer could be given
  2    wrong usage or configuration
  130  stopped by Ctrl-C"""

ShowProposals = Annotated[
    bool, typer.Option("--show-proposals", help="Show what each model had proposed.")
]
NoStream = Annotated[bool, typer.Option("--no-stream", help="Show the text only when it is whole.")]
NoDraft = Annotated[
    bool, typer.Option("--no-draft", help="Do not show the first proposal meanwhile.")
]


@dataclass(frozen=True)
class AskOptions(QuestionOptions):
    """What `moabot ask` can be told."""

    show_proposals: ShowProposals = False
    no_stream: NoStream = False
    no_draft: NoDraft = False


@spread(AskOptions)
def ask(context: typer.Context, options: AskOptions) -> None:
    """Ask several models one question; one writes the answer.

    On a terminal you see the models at work. In a pipe, stdout gets the text alone and stderr
    one line for each event.
    """
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot.cli.question import gathered  # noqa: PLC0415 - as above
    from moabot_platforms.console.chat import terminal_message  # noqa: PLC0415 - as above

    with running.told():
        config, plugins = running.setup(context)
        wish = running.wished(
            options.strategy, options.preset, options.panel, quiet=options.json or options.no_stream
        )
        if options.no_draft:
            wish = wish.model_copy(update={"draft": False})
        limit = config.limits.question_chars
        asked = gathered(options.words or [], options.file or [], limit=limit)
        message = replace(terminal_message(asked.text), attachments=asked.attachments)
        with _reply(options) as reply:
            running.run(
                config,
                plugins,
                lambda app: _answer(app, message, reply, wish=wish),
                keep="spending",
            )
        raise typer.Exit(_ended(reply, as_json=options.json))


def _reply(options: AskOptions) -> "AbstractContextManager[ConsoleReply]":
    from moabot_platforms.console.plain import KeptReply  # noqa: PLC0415 - as above
    from moabot_platforms.console.screen import Screen  # noqa: PLC0415 - as above

    if options.json:
        return nullcontext(KeptReply())
    return Screen.here().reply(stream=not options.no_stream, proposals=options.show_proposals)


async def _answer(
    app: "App", message: "Message", reply: "ConsoleReply", *, wish: "ChannelSettings"
) -> None:
    """Answer into `reply`; what came before a Ctrl-C is shown."""
    import asyncio  # noqa: PLC0415 - a third of what `--help` takes

    try:
        await app.answering.handle(message, reply, wish=wish)
    except asyncio.CancelledError:
        reply.stop()
        raise


def _ended(reply: "ConsoleReply", *, as_json: bool) -> int:
    """The exit code, after the record was printed if that is wanted."""
    from moabot.cli.running import OK, code  # noqa: PLC0415 - as above
    from moabot.record import record  # noqa: PLC0415 - as above
    from moabot_platforms.console.screen import complain, print_json  # noqa: PLC0415 - as above

    if reply.broken is not None:
        raise reply.broken
    if as_json and reply.error is not None:
        complain(str(reply.error))
    if as_json and reply.answer is not None:
        print_json(record(reply.answer))
    return OK if reply.error is None else code(reply.error)
