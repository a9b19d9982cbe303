"""One request to Discord: its errors become ours, and hopeless ones are not repeated.

Discord bans an address that made 10,000 invalid requests (401, 403, 429) within 10 minutes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp
import discord

from moabot.errors import PlatformError
from moabot_platforms.discord.places import DEAD_TOKEN, Right
from moabot_platforms.edits import TryLater

__all__ = ["Doors", "Forbidden", "Gone", "persist"]

T = TypeVar("T")
log = logging.getLogger("moabot")

REST_S = 600.0
"""Seconds for which a channel that refused us is left alone."""
REQUEST_S = 120.0
"""Seconds after which a request is taken for lost, with the waiting for its turn."""
TRIES = 8
TOO_FAST = 40003
"""Discord's word, with the status 403, for direct messages that are opened too fast."""
TOO_FAST_S = 30.0
WINDOW_S = 5.0
EDITS = 4
"""Edits of one channel in a window of seconds; Discord allows 5, the last is for a final text."""


class Gone(PlatformError):
    """The message, channel or interaction does not exist any more."""


class Forbidden(PlatformError):
    """The bot may not do that there."""


class Doors:
    """Which channels take our requests, and how often they may be edited now.

    Requests wait until `there` is set: until the client is logged in. `revoked` is set once Discord
    does not know the token any more. `clock` gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._closed: dict[tuple[int, Right], float] = {}
        self._edits: dict[int, deque[float]] = {}
        self.revoked = asyncio.Event()
        self.there = asyncio.Event()

    def are_open(self, channel: int) -> bool:
        """Whether there is any use in writing there."""
        return self._is_open((channel, "write"))

    def _is_open(self, door: tuple[int, Right]) -> bool:
        return not self.revoked.is_set() and self._closed.get(door, 0.0) <= self._clock()

    def take_edit(self, channel: int) -> None:
        """Count an edit of what is not final; raises `TryLater` when there were enough."""
        now = self._clock()
        edits = self._edits.setdefault(channel, deque())
        while edits and edits[0] <= now - WINDOW_S:
            edits.popleft()
        if len(edits) >= EDITS:
            later_s = edits[0] + WINDOW_S - now
            raise TryLater("This channel was edited enough.", retry_after_s=later_s)
        edits.append(now)
        if len(self._edits) > 1000:
            self._edits = {c: e for c, e in self._edits.items() if e and e[-1] > now - WINDOW_S}

    async def sent(
        self, channel: int, request: Callable[[], Awaitable[T]], *, to: Right = "write"
    ) -> T:
        """Make one request about a channel; raises `TryLater`, or another `PlatformError`.

        A person's id stands for opening direct messages with them.
        """
        await self.there.wait()
        if not self._is_open((channel, to)):
            raise _forbidden(channel, revoked=self.revoked.is_set())
        try:
            async with asyncio.timeout(REQUEST_S):
                return await request()
        except discord.HTTPException as error:
            raise self._told(error, (channel, to)) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise TryLater(f"Discord cannot be reached: {error!r}.", retry_after_s=1.0) from error

    def _told(self, error: discord.HTTPException, door: tuple[int, Right]) -> PlatformError:
        if error.status == 404 or error.code == DEAD_TOKEN:
            return Gone(f"It is gone from Discord: {error.text}.", fix="Ask again.")
        if error.status == 401:
            self.revoked.set()
            return _forbidden(door[0], revoked=True)
        if error.code == TOO_FAST:
            return TryLater("Too many direct messages are being opened.", retry_after_s=TOO_FAST_S)
        if error.status == 403:
            self._closed = {each: at for each, at in self._closed.items() if at > self._clock()}
            self._closed[door] = self._clock() + REST_S
            return _forbidden(door[0], revoked=False)
        if error.status == 429 or error.status >= 500:
            return TryLater(f"Discord says {error.status}.", retry_after_s=5.0)
        return PlatformError(f"Discord refused a message: {error}.", fix="Ask again.")


async def persist(request: Callable[[], Awaitable[T]]) -> T:
    """Repeat what may work later; the last error is raised.

    Two minutes of pauses, or more where Discord asked for more, lie between the first try and the
    last; each try may take `REQUEST_S`.
    """
    for tried in range(1, TRIES):
        try:
            return await request()
        except TryLater as later:
            log.info("discord later", extra={"error": str(later), "tried": tried})
            await asyncio.sleep(max(later.retry_after_s, min(2.0**tried, 30.0)))
    return await request()


def _forbidden(channel: int, *, revoked: bool) -> Forbidden:
    if revoked:
        return Forbidden(
            "Discord does not know the bot's token any more.",
            fix="Put a new one into the environment, and start the bot again.",
        )
    return Forbidden(
        f"Discord forbids that to the bot in channel {channel}.",
        fix="Give it the permissions that `moabot discord invite` names.",
    )
