"""`moabot dead-letters`: questions that stopped the bot again and again."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from moabot.store.rows import Accepted

__all__ = ["EXAMPLES", "letters"]

EXAMPLES = """\b
Examples:
  moabot dead-letters list
  moabot dead-letters retry slack:Ev0123"""
SHOWN_CHARS = 60

letters = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List questions that were given up, or retry.",
    epilog=EXAMPLES,
)


@letters.command("list")
def listed(context: typer.Context) -> None:
    """List them, oldest first: when, where, what was asked, and why it was given up."""
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot.cli.storing import read_config, with_store  # noqa: PLC0415 - as above

    with running.told():
        rows = with_store(read_config(context), lambda store: store.dead())
        for row in rows:
            typer.echo(_line(row))
        if not rows:
            typer.echo("There are none.")


def _line(row: "Accepted") -> str:
    from moabot_platforms.words import printable  # noqa: PLC0415 - `--help` must stay fast

    scope, at = row.scope, datetime.fromtimestamp(row.at, UTC)
    text = " ".join(row.text.split())
    shown = text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
    where = f"{scope.platform}:{scope.workspace}/{scope.channel}"
    return printable(f"{row.event}  {at:%Y-%m-%d %H:%M}  {where}  {shown!r}  ({row.error})")


@letters.command("retry")
def retry(context: typer.Context, event: str = typer.Argument(metavar="ID")) -> None:
    """Let the bot answer one of them when it starts again; calls that were paid stay paid."""
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot.cli.storing import read_config, with_store  # noqa: PLC0415 - as above
    from moabot.errors import ConfigError  # noqa: PLC0415 - as above
    from moabot.store import Store  # noqa: PLC0415 - as above

    async def revive(store: Store) -> bool:
        return await store.revive(event)

    with running.told():
        if not with_store(read_config(context), revive):
            raise ConfigError(
                f"There is no dead letter {event!r}.", fix="`moabot dead-letters list` has them."
            )
        typer.echo(f"{event} will be answered when the bot starts again.")
