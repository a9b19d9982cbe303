"""The commands of `moabot`: what stands here loads no SDK, so that --help is there at once."""

import io
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from moabot.cli import (
    ask,
    backup,
    batch,
    caching,
    chat,
    check,
    dead_letters,
    demo,
    discord,
    erase,
    explain,
    init,
    plugins,
    run,
    schema,
    slack,
    usage,
)

__all__ = ["app", "main"]

EXAMPLES = """\b
Examples:
  moabot demo
  moabot ask "Why is the sky blue?"
  moabot --config team.toml chat
  moabot COMMAND --help"""

WHAT_MATTERS = "openai anthropic google-genai slack-bolt discord.py faiss-cpu onnxruntime pydantic pluggy".split()
"""The distributions whose versions a report of a defect should name."""

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,  # typer's rich help costs 0.25 s and draws boxes into pipes
    pretty_exceptions_enable=False,
    context_settings={
        "help_option_names": ["--help", "-h"],
        # typer alone would never go below 50 columns.
        "terminal_width": max(20, min(80, shutil.get_terminal_size().columns) - 2),
    },
)
app.command("init", epilog=init.EXAMPLES)(init.init)
app.command("ask", epilog=ask.EXAMPLES)(ask.ask)
app.command("chat", epilog=chat.EXAMPLES)(chat.chat)
app.command("explain", epilog=explain.EXAMPLES)(explain.explain)
app.command("batch", epilog=batch.EXAMPLES)(batch.batch)
app.command("demo", epilog=demo.EXAMPLES)(demo.demo)
app.command("run", epilog=run.EXAMPLES)(run.run)
app.command("usage", epilog=usage.EXAMPLES)(usage.usage)
app.command("check", epilog=check.EXAMPLES)(check.check)
app.command("schema", epilog=schema.EXAMPLES)(schema.schema)
app.command("backup", epilog=backup.EXAMPLES)(backup.backup)
app.command("erase", epilog=erase.EXAMPLES)(erase.erase)
app.add_typer(discord.discord, name="discord")
app.add_typer(slack.slack, name="slack")
app.command("dead-letters", epilog=dead_letters.EXAMPLES)(dead_letters.dead_letters)
app.add_typer(caching.cache, name="cache")
app.add_typer(plugins.plugins, name="plugins")


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        from importlib import metadata  # noqa: PLC0415 - a third of what `--help` takes

        python = ".".join(map(str, sys.version_info[:3]))
        typer.echo(f"moabot {metadata.version('moabot')} (Python {python})")
        for name in WHAT_MATTERS:
            with suppress(metadata.PackageNotFoundError):
                typer.echo(f"{name} {metadata.version(name)}")
        raise typer.Exit


@app.callback(epilog=EXAMPLES)
def moabot(
    context: typer.Context,
    *,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The configuration (default: config.toml here, else built-in).",
            show_default=False,
        ),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Append what happens inside, one JSON object a line.",
            show_default=False,
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Ask several models at once; they propose, one writes the answer."""
    context.obj = config
    if log is not None:
        from moabot.cli.logs import write_log  # noqa: PLC0415 - `--help` must stay fast
        from moabot.cli.running import told  # noqa: PLC0415 - as above

        with told():
            write_log(log)


def main() -> None:
    """The program `moabot`."""
    # A closed stream is None here, and the next file to be opened would get its number.
    nowhere = Path(os.devnull)
    sys.stdin = sys.stdin or nowhere.open(encoding="utf-8")
    sys.stdout = sys.stdout or nowhere.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or nowhere.open("w", encoding="utf-8")
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal or locale that cannot show a character shows "?", and goes on.
            stream.reconfigure(errors="replace")
    app()
