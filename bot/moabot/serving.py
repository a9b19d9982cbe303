"""Runs the platforms: what a crash left is finished first, and a stop loses nothing.

SIGTERM or Ctrl-C: no new message is taken, answers under way have `drain_s` to end, the rest is
left in the journal for the next process. A second Ctrl-C ends the process at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from moabot.config import Config
from moabot.contract import Platform
from moabot.desk import Desk
from moabot.errors import ConfigError, MoabotError, PluginError
from moabot.guests import blamed
from moabot.journal import Entry
from moabot.opening import settings_of
from moabot.plugins import Plugins

__all__ = ["open_platform", "opened_platforms", "require_platforms", "serve"]

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

    A third party's that breaks is left out. Raises `ConfigError` when none is there then, or a key
    of one is wrong.
    """
    require_platforms(config, plugins)
    async with AsyncExitStack() as stack:
        platforms: dict[str, Platform] = {}
        lacking: list[str] = []
        for name in config.platforms:
            try:
                platforms[name] = await open_platform(stack, config, plugins, name)
            except PluginError as error:
                plugins.do_without("platform", name, error)
                lacking.append(str(error))
        if not platforms:
            why = " ".join(lacking)
            raise ConfigError(f"No platform is there, so there is nothing to run. {why}", fix="")
        yield platforms


async def open_platform(
    stack: AsyncExitStack, config: Config, plugins: Plugins, name: str
) -> Platform:
    """The platform of `[platforms.name]`, until `stack` closes."""
    where = f"[platforms.{name}]"
    offer = plugins.offer("platform", name, where=where)
    settings = settings_of(offer, config.platforms[name].own(), where=where)
    platform: Platform = await offer.opened(stack, settings, where=where)
    return platform


async def serve(
    platforms: Mapping[str, Platform], desk: Desk, *, drain_s: float
) -> Mapping[str, MoabotError]:
    """Run `platforms`, by name, until all have ended or the process is told to stop.

    A platform that is lost leaves the others alone; returns why each such was. Raises `StoreError`
    when what was left unfinished cannot be read.
    """
    stop = asyncio.Event()
    lost: dict[str, MoabotError] = {}
    async with _signals(stop):
        left = {name: await desk.left(name) for name in platforms}
        async with asyncio.TaskGroup() as group:
            running = [
                group.create_task(_run(name, platform, desk, left[name], lost))
                for name, platform in platforms.items()
            ]
            ended = group.create_task(_ended(running, stop))
            await stop.wait()
            await desk.close(within_s=drain_s)
            for task in (*running, ended):
                task.cancel()
        for name in platforms:
            await desk.lay_down(name)
    return lost


async def _run(
    name: str,
    platform: Platform,
    desk: Desk,
    left: Sequence[Entry],
    lost: dict[str, MoabotError],
) -> None:
    """Run one platform; whatever it raises ends it alone."""
    try:
        with blamed(f"The platform {name!r}"):
            async with asyncio.TaskGroup() as group:
                group.create_task(desk.finish_all(left, platform.reply_to))
                await asyncio.sleep(0)  # until it holds its places, before anything new comes
                await platform.run(desk)
    except MoabotError as error:
        lost[name] = error
        desk.lost(name)
        log.exception("platform lost", extra={"platform": name, "error": str(error)})


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
