"""Runs the platforms: what a crash left is finished first, and a stop loses nothing.

SIGTERM or Ctrl-C: no new message is taken, answers under way have `drain_s` to end, the rest is
left in the journal for the next process. A second Ctrl-C ends the process at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from moabot.config import Config
from moabot.contract import Platform
from moabot.desk import Desk
from moabot.errors import ConfigError, PlatformError
from moabot.journal import DurableJournal
from moabot.plugins import Plugins
from moabot.validation import validated

__all__ = ["opened_platforms", "require_platforms", "serve"]

log = logging.getLogger("moabot")
INTERRUPTED = 130


def require_platforms(config: Config, plugins: Plugins) -> None:
    """Raise `ConfigError` when there is nothing to serve."""
    if not config.platforms:
        names = ", ".join(f"[platforms.{name}]" for name in plugins.offers("platform"))
        raise ConfigError(
            "No platform is configured, so there is nothing to run.",
            fix=f"Write one of {names or '(no plugin offers any)'} into config.toml, "
            "or let `moabot init` write one.",
        )


@asynccontextmanager
async def opened_platforms(
    config: Config, plugins: Plugins
) -> AsyncGenerator[Mapping[str, Platform]]:
    """Every platform of `[platforms]`, by name, until the end.

    Raises `ConfigError` when there is none, or a key of one is wrong.
    """
    require_platforms(config, plugins)
    async with AsyncExitStack() as stack:
        platforms: dict[str, Platform] = {}
        for name, chosen in config.platforms.items():
            where = f"[platforms.{name}]"
            offer = plugins.offer("platform", name, where=where)
            settings = validated(offer.settings, chosen.own(), where=where)
            platforms[name] = await offer.opened(stack, settings, where=where)
        yield platforms


async def serve(
    platforms: Mapping[str, Platform], desk: Desk, *, journal: DurableJournal, drain_s: float
) -> Mapping[str, PlatformError]:
    """Run `platforms`, by name, until all have ended or the process is told to stop.

    A platform that is lost leaves the others alone; returns why each such was.
    """
    stop = asyncio.Event()
    lost: dict[str, PlatformError] = {}
    async with _signals(stop):
        async with asyncio.TaskGroup() as group:
            running = [
                group.create_task(_run(name, platform, desk, journal, lost))
                for name, platform in platforms.items()
            ]
            ended = group.create_task(_ended(running, stop))
            await stop.wait()
            await desk.close(within_s=drain_s)
            for task in (*running, ended):
                task.cancel()
        for name in platforms:
            await journal.lay_down(name)
    return lost


async def _run(
    name: str,
    platform: Platform,
    desk: Desk,
    journal: DurableJournal,
    lost: dict[str, PlatformError],
) -> None:
    left = await journal.resume(name)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(desk.finish_all(left, platform.reply_to))
            await platform.run(desk)
    except* PlatformError as errors:
        lost[name] = _first(errors)
        log.exception("platform lost", extra={"platform": name, "error": str(lost[name])})


def _first(errors: ExceptionGroup[PlatformError]) -> PlatformError:
    first = errors.exceptions[0]
    return first if isinstance(first, PlatformError) else _first(first)


async def _ended(running: list[asyncio.Task[None]], stop: asyncio.Event) -> None:
    """Platforms that all end by themselves end the serving."""
    await asyncio.wait(running)
    stop.set()


@asynccontextmanager
async def _signals(stop: asyncio.Event) -> AsyncGenerator[None]:
    loop = asyncio.get_running_loop()

    def told() -> None:
        if stop.is_set():
            os._exit(INTERRUPTED)  # the journal has what matters
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
