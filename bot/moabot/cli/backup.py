"""`moabot backup`: a whole copy of the database, while the bot runs."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["EXAMPLES", "backup"]

EXAMPLES = """\b
Examples:
  moabot backup before-update.db
  moabot backup "$(date +%F).db"

\b
To restore: stop the bot, put the copy in place of moabot.db in data_dir, and
remove moabot.db-wal and moabot.db-shm beside it."""

File = Annotated[Path, typer.Argument(metavar="FILE", help="A file that does not exist yet.")]


def backup(context: typer.Context, file: File) -> None:
    """Copy the database to FILE; the bot goes on.

    The copy is checked before it gets its name.
    """
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot.cli.storing import read_config, with_store  # noqa: PLC0415 - as above

    with running.told():
        with_store(read_config(context), lambda store: store.back_up(file))
        typer.echo(f"{file}: {file.stat().st_size:,} bytes, checked.")
