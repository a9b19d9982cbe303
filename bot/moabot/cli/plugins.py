"""`moabot plugins`: what is installed, and what of it may run."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moabot.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.metadata import Distribution

    from moabot.cli.offered import Row
    from moabot.cli.verifying import Kept

__all__ = ["plugins"]

EXAMPLES = """\b
Examples:
  moabot plugins list
  moabot plugins install moabot-acme
  moabot plugins new provider acme
  moabot plugins COMMAND --help"""
PIPE_COLUMNS = 1000

plugins = typer.Typer(no_args_is_help=True, epilog=EXAMPLES)

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The distribution's name.")]
Maybe = Annotated[str, typer.Argument(metavar="[NAME]", help="Only this one.", show_default=False)]
Spec = Annotated[
    str,
    typer.Argument(metavar="NAME|FOLDER|WHEEL", help="From the index, or from a folder or file."),
]
Ask = Annotated[
    bool, typer.Option("--ask", help="Let providers make real calls, which may cost money.")
]
KindOf = Annotated[
    str, typer.Argument(metavar="KIND", help="provider, strategy, platform or cache.")
]


@plugins.callback()
def about() -> None:
    """Plugins: install, allow, verify and begin them."""


@plugins.command("list")
def list_(context: typer.Context, *, json: Json = False) -> None:
    """Show each plugin, what it offers, and whether it may run.

    What is not allowed is not loaded; of it, only the names of its entry points are known.
    """
    from dataclasses import asdict  # noqa: PLC0415 - `--help` must stay fast

    from moabot.cli import offered, running  # noqa: PLC0415 - as above
    from moabot_platforms.console.screen import print_json  # noqa: PLC0415 - as above

    with running.told():
        config, found = running.plugged(context)
        table = offered.rows(found, config.plugins.allow)
        if json:
            print_json({"plugins": [asdict(row) for row in table], "problems": found.problems})
        else:
            _draw(table)


@plugins.command("install")
def install(context: typer.Context, spec: Spec, *, yes: Yes = False) -> None:
    """Install a plugin beside moabot, and allow exactly that.

    Shows what it is before it is allowed; nothing of it is loaded before. But to build a folder or
    an sdist, its own build code runs: only a wheel runs nothing. What it offers is tried in a
    process of its own, and one that breaks there is not allowed.
    """
    from moabot.cli import allowing, installing, offered, running  # noqa: PLC0415 - as above
    from moabot.cli.storing import read_config  # noqa: PLC0415 - as above
    from moabot.errors import PluginError  # noqa: PLC0415 - as above
    from moabot.guests import Bounds  # noqa: PLC0415 - as above
    from moabot.pins import Pin, pin_of  # noqa: PLC0415 - as above

    with running.told():
        own, path = read_config(context).plugins, running.path_of(context)
        installed = installing.install(installing.Source.read(spec))
        for line in _introduced(installed):
            typer.echo(line)
        if not yes and not typer.confirm("Let it run in this bot, with all that the bot may do?"):
            allowing.forbid(path, installed.name)  # an earlier version may have been allowed
            typer.echo(
                f"It is not allowed. To be rid of it: moabot plugins remove {installed.name}"
            )
            raise typer.Exit(running.NO_ANSWER)
        pin = pin_of(installed) or Pin(installed.name)
        try:
            offers = offered.tried(installed.name, Bounds(own.load_s, own.hook_s))
        except PluginError:
            allowing.forbid(path, installed.name)
            raise
        allowing.allow(path, pin)
        typer.echo(f"{installed.name} {installed.version} is allowed in {path}, and offers:")
        for offer in offers:
            typer.echo(f"  {offer}{_next_step(offer)}")


@plugins.command("remove")
def remove(context: typer.Context, name: Name) -> None:
    """Forbid a plugin, and uninstall it."""
    from moabot.cli import allowing, installing, offered, running  # noqa: PLC0415 - as above
    from moabot.cli.storing import read_config  # noqa: PLC0415 - as above
    from moabot.errors import ConfigError  # noqa: PLC0415 - as above
    from moabot.pins import normal  # noqa: PLC0415 - as above
    from moabot.plugins import nearest  # noqa: PLC0415 - as above

    with running.told():
        read_config(context)  # what is wrong with it is told before anything is done
        path = running.path_of(context)
        forbidden = allowing.forbid(path, name)
        names = {normal(each.name): each.name for each in offered.installed_plugins()}
        installed = names.get(normal(name))
        if not forbidden and installed is None:
            raise ConfigError(
                f"There is no plugin {name!r}{nearest(name, names)}.",
                fix="`moabot plugins list` shows them.",
            )
        if installed is not None:
            installing.uninstall(installed)
        typer.echo(f"{name} is removed{f', and no longer allowed in {path}' if forbidden else ''}.")
        for key in offered.orphans(read_config(context)):
            typer.echo(f"{path} still has {key}, which no plugin offers now. Remove it too.")


@plugins.command("verify")
def verify(context: typer.Context, name: Maybe = "", *, ask: Ask = False) -> None:
    """Check that plugins are as allowed, and keep their contracts.

    Strategies and caches are tested whole, on scripted models. A provider's answers are tested
    with --ask and a configured model of it. The exit code is 1 when something is wrong.
    """
    from moabot.cli import offered, running, verifying  # noqa: PLC0415 - as above
    from moabot.errors import ConfigError  # noqa: PLC0415 - as above
    from moabot.pins import normal  # noqa: PLC0415 - as above
    from moabot.plugins import nearest  # noqa: PLC0415 - as above

    with running.told():
        config, found = running.plugged(context)
        allowed = [
            row
            for row in offered.rows(found, config.plugins.allow)
            if row.files and row.allowed != "no"
        ]
        names = [row.plugin for row in allowed]
        wanted = [row for row in allowed if normal(name or row.plugin) == normal(row.plugin)]
        if name and not wanted:
            raise ConfigError(
                f"There is no allowed plugin {name!r}{nearest(name, names)}.",
                fix=f"Install and allow it: moabot plugins install {name}",
            )
        wrong = bool(found.problems)
        for row in wanted:
            typer.echo(f"{row.plugin} {row.version}: files {row.files}")
            for kept in verifying.kept(config, found, row.plugin, ask=ask):
                wrong |= bool(kept.broken)
                _tell(kept)
        if not allowed:
            typer.echo("No plugin of a third party is allowed.")
        raise typer.Exit(running.NO_ANSWER if wrong else running.OK)


@plugins.command("new")
def new(kind: KindOf, name: Name) -> None:
    """Begin a plugin: a distribution with code, and tests that pass."""
    from moabot.cli import beginning, running  # noqa: PLC0415 - as above

    with running.told():
        written = beginning.begun(beginning.known(kind), name, below=Path())
        for file in written:
            typer.echo(str(file))
        folder = written[0].parent
        python = os.path.relpath(sys.executable)
        typer.echo(f"\nFor tests:  {python} -m pip install pytest")
        typer.echo(f"Test it:    {python} -m pytest {folder}")
        typer.echo(f"Install it: moabot plugins install ./{folder}")


def _introduced(installed: "Distribution") -> list[str]:
    """What a distribution says of itself; nothing of it is imported."""
    from moabot_platforms.words import printable  # noqa: PLC0415 - `--help` must stay fast

    summary = installed.metadata["Summary"] or "It says nothing about itself."
    needs = [each for each in installed.requires or () if "extra ==" not in each]
    entries = installed.entry_points.select(group="moabot")
    lines = (
        f"{installed.name} {installed.version}: {summary}",
        f"  plugins: {', '.join(f'{each.name} ({each.value})' for each in entries)}",
        f"  needs:   {', '.join(needs) or 'nothing'}",
        f"  files:   {len(installed.files or ())}",
    )
    return [printable(" ".join(line.splitlines())) for line in lines]


def _next_step(offer: str) -> str:
    kind, _, name = offer.partition(" ")
    return {
        "provider": f': use it with [providers.NAME] plugin = "{name}"',
        "strategy": f": choose it with --strategy {name}",
    }.get(kind, "")


def _tell(kept: "Kept") -> None:
    count = f"{kept.held} of {kept.held + len(kept.broken)} kept"
    typer.echo(f"  {kept.kind} {kept.name}: {count}{f'; {kept.skipped}' if kept.skipped else ''}")
    for broken in kept.broken:
        typer.echo(f"    {broken}")


def _draw(rows: "Sequence[Row]") -> None:
    from rich.console import Console  # noqa: PLC0415 - `--help` must stay fast
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("plugin", "version", "allowed", "files", "offers"):
        table.add_column(column, overflow="fold")
    for row in rows:
        offers = ", ".join(row.offers) or "nothing"
        # Ours differ in what they offer; the names of their modules leave no room on 80 columns.
        name = "moabot" if row.allowed == "built in" else row.plugin
        cells = (name, row.version, row.allowed, row.files, offers)
        style = "red" if row.files in {"changed", "no record"} else ""
        table.add_row(*(Text(cell, style) for cell in cells))
    Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS).print(table)
