"""Showing what changes faster than a chat may be edited: only the newest state is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from moabot.errors import PlatformError

__all__ = ["LatestWins", "TryLater"]


class TryLater(PlatformError):
    """The platform takes no edit now; it asked us to wait `retry_after_s` seconds."""

    def __init__(self, what: str, *, retry_after_s: float) -> None:
        super().__init__(what, fix="Nothing is to be done; it is shown a little later.")
        self.retry_after_s = retry_after_s


class LatestWins:
    """Awaits `show` after changes, at most every `every_s` seconds, in a task of its own.

    `show` draws whatever is newest when it is called. `changed` returns at once, so an answer
    never waits for a platform. When `show` raises `TryLater`, it is asked again after that time;
    after any other `PlatformError` nothing is shown any more, and `close` hands the error over.

        async with asyncio.TaskGroup() as group:
            group.create_task(edits.run())
            ...                    # edits.changed(), as often as you like
            await edits.close()    # then post what is final; no edit comes after it
    """

    def __init__(self, show: Callable[[], Awaitable[None]], *, every_s: float) -> None:
        self._show = show
        self._every_s = every_s
        self._stirred = asyncio.Event()
        self._closed = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._problem: PlatformError | None = None

    def changed(self) -> None:
        """There is something new to show."""
        self._stirred.set()

    async def run(self) -> None:
        """Show what changes until `close` is called."""
        while await self._stir():
            shown_at = _now()
            self._stirred.clear()
            pause_s = await self._shown()
            if pause_s is None:
                return
            await _wait(self._closed, until=max(shown_at + self._every_s, _now() + pause_s))

    async def close(self) -> PlatformError | None:
        """Show nothing more; returns when an edit under way has ended, with what went wrong."""
        self._closed.set()
        self._stirred.set()
        await self._idle.wait()
        return self._problem

    async def _stir(self) -> bool:
        await self._stirred.wait()
        return not self._closed.is_set()

    async def _shown(self) -> float | None:
        """Seconds that the platform wants us to wait; None when there is no use in going on."""
        self._idle.clear()
        try:
            await self._show()
        except TryLater as later:
            self._stirred.set()
            return later.retry_after_s
        except PlatformError as problem:
            self._problem = problem
            return None
        finally:
            self._idle.set()
        return 0.0


async def _wait(event: asyncio.Event, *, until: float) -> None:
    try:
        async with asyncio.timeout_at(until):
            await event.wait()
    except TimeoutError:
        pass


def _now() -> float:
    return asyncio.get_running_loop().time()
