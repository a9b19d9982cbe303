"""`moabot dead-letters`: questions that stopped the bot again and again."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from moabot.store import Store
    from moabot.store.rows import Accepted

__all__ = ["EXAMPLES", "dead_letters"]

EXAMPLES = """\b
Examples:
  moabot dead-letters
  moabot dead-letters retry slack:Ev0123"""
SHOWN_CHARS = 60

What = Annotated[str, typer.Argument(metavar="[list|retry]", help="What to do with them.")]
Letter = Annotated[
    str, typer.Argument(metavar="[ID]", help="Which one to retry.", show_default=False)
]


def dead_letters(context: typer.Context, what: What = "list", letter: Letter = "") -> None:
    """List questions that were given up, or retry one.

    A question is given up when three processes ended while they answered it. One that is retried
    is answered when the bot starts again; calls that were paid are not paid again.
    """
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot.cli.storing import read_config, with_store  # noqa: PLC0415 - as above
    from moabot.errors import ConfigError  # noqa: PLC0415 - as above

    with running.told():
        if what not in {"list", "retry"} or (what == "retry") != bool(letter):
            raise ConfigError(
                f"There is nothing to do for {f'{what} {letter}'.strip()!r}.",
                fix="Write: moabot dead-letters list, or: moabot dead-letters retry ID",
            )
        config = read_config(context)
        if what == "list":
            for line in [_line(row) for row in with_store(config, _dead)] or ["There are none."]:
                typer.echo(line)
        elif with_store(config, lambda store: _revived(store, letter)):
            typer.echo(f"{letter} will be answered when the bot starts again.")
        else:
            raise ConfigError(
                f"There is no dead letter {letter!r}.", fix="`moabot dead-letters` lists them."
            )


async def _dead(store: "Store") -> "list[Accepted]":
    return list(await store.dead())


async def _revived(store: "Store", letter: str) -> bool:
    return await store.revive(letter)


def _line(row: "Accepted") -> str:
    from moabot_platforms.words import printable  # noqa: PLC0415 - `--help` must stay fast

    scope, at = row.scope, datetime.fromtimestamp(row.at, UTC)
    text = " ".join(row.text.split())
    shown = text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
    where = f"{scope.platform}:{scope.workspace}/{scope.channel}"
    return printable(f"{row.event}  {at:%Y-%m-%d %H:%M}  {where}  {shown!r}  ({row.error})")
