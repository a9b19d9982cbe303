"""`moabot init`: from nothing to a config.toml that answers."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moabot.cli.options import spread

if TYPE_CHECKING:
    from moabot.plugins import Plugins

__all__ = ["EXAMPLES", "InitOptions", "init"]

EXAMPLES = """\b
Examples:
  moabot init
  OPENAI_API_KEY=… moabot init --yes
  moabot init --yes --platform slack

\b
Without any key, the small local model of `moabot demo` is fetched (127 MB),
so that everything can be tried; its answers are not good."""

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Take what is there, and ask nothing.")]
Force = Annotated[bool, typer.Option("--force", help="Write over a config.toml that is there.")]
Platforms = Annotated[
    list[str] | None,
    typer.Option("--platform", metavar="NAME", help="A chat to live in. Repeatable."),
]


@dataclass(frozen=True)
class InitOptions:
    """What `moabot init` can be told."""

    yes: Yes = False
    force: Force = False
    platform: Platforms = None


@spread(InitOptions)
def init(context: typer.Context, options: InitOptions) -> None:
    """Write a config.toml for the keys and chats found here."""
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot.errors import ConfigError  # noqa: PLC0415 - as above
    from moabot.plugins import Plugins  # noqa: PLC0415 - as above
    from moabot.starting import written  # noqa: PLC0415 - as above

    path = context.obj if isinstance(context.obj, Path) else Path("config.toml")
    with running.told():
        if path.exists() and not options.force:
            raise ConfigError(
                f"There is a {str(path)!r} already.",
                fix="Keep it, name another with --config, or write over it with --force.",
            )
        asks = not options.yes
        if asks and not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise ConfigError("There is no terminal to ask on.", fix="Use `moabot init --yes`.")
        plugins = Plugins()
        has_key = _tell_keys(plugins)
        platforms = _platforms(plugins, options.platform or [], asks=asks)
        _write(path, written(plugins, platforms=platforms))
        able = has_key or _weights(yes=options.yes)
        _next(path, platforms, able=able)


def _tell_keys(plugins: "Plugins") -> bool:
    from moabot.app import keys  # noqa: PLC0415 - `--help` must stay fast

    found = keys(plugins)
    for variable, is_set in found.items():
        typer.echo(f"{variable}: {'found' if is_set else 'not set'}")
    if not any(found.values()):
        typer.echo("No key is set, so the small local model will answer.")
    return any(found.values())


def _platforms(plugins: "Plugins", wanted: list[str], *, asks: bool) -> list[str]:
    """The chats to live in: those named, those whose tokens are all set, those said yes to."""
    from moabot.config import is_set  # noqa: PLC0415 - `--help` must stay fast
    from moabot.starting import tokens  # noqa: PLC0415 - as above

    for name in wanted:
        plugins.offer("platform", name, where="--platform")
    chosen: list[str] = []
    for name, variables in tokens(plugins).items():
        there = bool(variables) and all(map(is_set, variables))
        question = f"Live in {name}?" + (" Its tokens are set." if there else "")
        if name in wanted or (typer.confirm(question, default=there) if asks else there):
            chosen.append(name)
            missing = [each for each in variables if not is_set(each)]
            if missing:
                typer.echo(f"{name}: set {' and '.join(missing)} before `moabot run`.")
    return chosen


def _write(path: Path, text: str) -> None:
    from moabot.errors import ConfigError  # noqa: PLC0415 - `--help` must stay fast

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{str(path)!r} cannot be written: {error.strerror}.", fix="Choose another --config."
        ) from error
    typer.echo(f"Written: {path}")


def _weights(*, yes: bool) -> bool:
    """Whether the local model is there now."""
    from moabot.cli.demo import fetched  # noqa: PLC0415 - `--help` must stay fast

    return fetched(Path("data/local"), yes=yes)


def _next(path: Path, platforms: list[str], *, able: bool) -> None:
    from moabot.cli.demo import this_command  # noqa: PLC0415 - `--help` must stay fast

    command = this_command() + ("" if path == Path("config.toml") else f" --config {path}")
    typer.echo("\nNext:")
    typer.echo(f"  {command} check")
    if not able:
        typer.echo("  (after you have set a key and made this file anew)")
    elif platforms:
        typer.echo(f"  {command} run")
    else:
        typer.echo(f'  {command} ask "Why is the sky blue?"')
