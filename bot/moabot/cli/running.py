"""Runs one command with the app open, and turns how it ended into an exit code."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar, get_args

import typer

from moabot import config as configuration
from moabot.app import App, let_in, load, opened
from moabot.config import ChannelSettings, Config
from moabot.config import Preset as PresetName
from moabot.errors import ConfigError, MoabotError, PluginError, QuestionRejected
from moabot.memory import Keep
from moabot.plugins import Plugins, nearest
from moabot_platforms.console.ctrlc import INTERRUPTED, ctrl_c
from moabot_platforms.console.screen import complain

__all__ = [
    "LOST",
    "NO_ANSWER",
    "OK",
    "USAGE",
    "code",
    "path_of",
    "plugged",
    "run",
    "setup",
    "told",
    "wished",
]

T = TypeVar("T")

OK = 0
NO_ANSWER = 1
USAGE = 2
LOST = 3


def code(error: MoabotError) -> int:
    """The exit code for an error: 2 when the person can mend the command or its configuration."""
    return USAGE if isinstance(error, ConfigError | PluginError | QuestionRejected) else NO_ANSWER


@contextmanager
def told() -> Generator[None]:
    """Whatever we foresaw becomes one sentence on stderr and an exit code."""
    try:
        yield
    except MoabotError as error:
        complain(str(error))
        raise typer.Exit(code(error)) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise typer.Exit(INTERRUPTED) from None
    except typer.Abort as stopped:  # at a question: Ctrl-C, or the end of the input
        if not isinstance(stopped.__context__, KeyboardInterrupt):
            raise
        typer.echo(err=True)
        raise typer.Exit(INTERRUPTED) from None
    except OSError as error:
        if error.errno != errno.EPIPE:  # the reader of a pipe may go when it has enough
            complain(f"The output cannot be written: {error.strerror or error}.")
        # What is still buffered would fail once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(NO_ANSWER) from None


def setup(context: typer.Context) -> tuple[Config, Plugins]:
    """The configuration chosen by `--config`, and the plugins; what is wrong with one is said."""
    config, plugins = load(context.obj if isinstance(context.obj, Path) else None)
    for problem in plugins.problems:
        complain(problem)
    return config, plugins


def plugged(context: typer.Context) -> tuple[Config, Plugins]:
    """The configuration and the plugins as `setup` gives them, where no panel is needed."""
    config = configuration.load(context.obj if isinstance(context.obj, Path) else None)
    plugins = let_in(config)
    for problem in plugins.problems:
        complain(problem)
    return config, plugins


def path_of(context: typer.Context) -> Path:
    """Where the configuration stands, or is to stand."""
    return context.obj if isinstance(context.obj, Path) else Path("config.toml")


def run(
    config: Config,
    plugins: Plugins,
    work: Callable[[App], Awaitable[T]],
    *,
    keep: Keep = "nothing",
    asks: bool = True,
) -> T:
    """Open the app, do the work in it, close it; returns what the work returned.

    `keep` says what is to outlive the process; when it cannot, that is said, and work goes on.
    Work that asks no model needs no key.

    The first Ctrl-C cancels the work and closes what is open, the second ends the process. What
    plugins did wrong meanwhile is said in the end.
    """
    before = len(plugins.problems)

    async def whole() -> T:
        with ctrl_c():
            async with opened(config, plugins, keep=keep, asks=asks) as app:
                if app.memory.problem is not None:
                    complain(f"Going on without memory. {app.memory.problem}")
                return await work(app)

    try:
        return asyncio.run(whole())
    finally:
        for problem in plugins.problems[before:]:
            complain(problem)


def wished(
    strategy: str | None, preset: str | None, panel: str | None, *, quiet: bool = False
) -> ChannelSettings:
    """What the options ask for; `quiet` wants neither a stream nor a draft.

    A preset is checked here; the names of strategies and panels are known to the app alone.
    """
    presets: tuple[str, ...] = get_args(PresetName)
    if preset is not None and preset not in presets:
        raise ConfigError(
            f"--preset: there is no preset {preset!r}{nearest(preset, presets)}.",
            fix=f"Choose one of {', '.join(presets)}.",
        )
    wish: dict[str, object] = {"strategy": strategy, "preset": preset, "panel": panel}
    return ChannelSettings.model_validate(wish | ({"stream": False} if quiet else {}))
