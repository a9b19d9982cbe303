"""`moabot erase`: forget all that a user or a channel said and was told."""

import re
from typing import Annotated

import typer

__all__ = ["EXAMPLES", "erase"]

EXAMPLES = """\b
Examples:
  moabot erase --user slack:T0123/U0456
  moabot erase --channel discord:8100/9200 --yes

\b
Messages, answers, remembered calls, feedback and files are deleted, also from
the file on disk. Rows of the ledger stay, as nobody's, so that sums stay true.
Backups are not reached."""

User = Annotated[
    str | None,
    typer.Option("--user", metavar="KEY", help="platform:workspace/user", show_default=False),
]
Channel = Annotated[
    str | None,
    typer.Option("--channel", metavar="KEY", help="platform:workspace/channel", show_default=False),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def erase(
    context: typer.Context, *, user: User = None, channel: Channel = None, yes: Yes = False
) -> None:
    """Forget all of a user or a channel.

    Asks before it does.
    """
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot.cli.storing import read_config, with_store  # noqa: PLC0415 - as above
    from moabot_platforms.console.screen import HISTORY  # noqa: PLC0415 - as above
    from moabot_platforms.words import counted  # noqa: PLC0415 - as above

    with running.told():
        key = _key(user, channel)
        config = read_config(context)
        if not yes and not typer.confirm(f"Erase all of {key}? It cannot be undone"):
            raise typer.Exit(running.NO_ANSWER)
        left = with_store(config, lambda store: store.erase(user=user, channel=channel))
        if key.startswith("console:"):
            (config.data_dir / HISTORY).unlink(missing_ok=True)
        typer.echo(
            f"Erased {key}: {counted(left.rows, 'row')} and {counted(left.vectors, 'vector')} left."
        )
        if any(left):
            raise typer.Exit(running.NO_ANSWER)
        typer.echo("Nothing of it is left.")


def _key(user: str | None, channel: str | None) -> str:
    """Whose memory is meant; raises `ConfigError`."""
    from moabot.errors import ConfigError  # noqa: PLC0415 - `--help` must stay fast

    if (user is None) == (channel is None):
        raise ConfigError("Say whose memory is to be erased.", fix="Give --user or --channel.")
    option, key = ("--user", user) if user is not None else ("--channel", channel or "")
    if re.fullmatch(r"[^:/]+:[^/]*/.+", key) is None:
        raise ConfigError(
            f"{option}: {key!r} is not a key.",
            fix=f"Write platform:workspace/id, as `moabot usage --by {option[2:]}` lists them.",
        )
    return key
