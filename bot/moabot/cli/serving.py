"""What `moabot run` does: the app and its platforms, opened, served and closed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping

from moabot.app import App, opened
from moabot.cli.running import LOST, NO_ANSWER, OK
from moabot.config import Config
from moabot.desk import Desk
from moabot.errors import ConfigError, MoabotError, PlatformError
from moabot.plugins import Plugins
from moabot.reloading import reload
from moabot.serving import opened_platforms, require_platforms, serve
from moabot_platforms.console.screen import complain

__all__ = ["served"]


async def served(config: Config, plugins: Plugins, *, reread: Callable[[], Config]) -> int:
    """Serve until told to stop; the exit code. At SIGHUP, go on with what `reread` returns."""
    require_platforms(config, plugins)  # before a key is asked for that may not be needed at all
    before, loop, early = len(plugins.problems), asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, early.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    async with (
        opened(config, plugins, keep="all") as app,
        opened_platforms(config, plugins) as platforms,
    ):
        for problem in plugins.problems[before:]:
            complain(problem)
        desk = Desk(app.answering, app.memory)
        loop.add_signal_handler(signal.SIGHUP, _reload, app, reread)
        if early.is_set():
            _reload(app, reread)
        complain(f"Listening on {' and '.join(platforms)}; Ctrl-C stops.")
        lost = await serve(platforms, desk, drain_s=config.store.drain_s)
    for name, error in lost.items():
        complain(f"{name}: {error}")
    return _code(lost)


def _code(lost: Mapping[str, MoabotError]) -> int:
    """Who starts us anew must not do so for ever where it cannot help, and should after a crash."""
    if not lost:
        return OK
    for_good = all(isinstance(error, PlatformError | ConfigError) for error in lost.values())
    return LOST if for_good else NO_ANSWER


def _reload(app: App, reread: Callable[[], Config]) -> None:
    """Say what changed, or why all stays as it was."""
    try:
        lines = reload(app, reread())
    except MoabotError as error:
        complain(f"The configuration stays as it was. {error}")
        return
    for line in lines or ["The configuration has not changed."]:
        complain(line)
