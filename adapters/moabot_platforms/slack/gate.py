"""Acknowledging comes first: answers begin while no crowd of events waits to be heard."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress

__all__ = ["Gate"]

FLOOD = 10
"""Events heard at once; fewer are no flood, and may wait for a file and not for a processor."""
TRICKLE_S = 0.25
"""In a flood that does not end, an answer begins each time."""


class Gate:
    """Events come in by `hearing`; answers that want to begin wait in `passed`, in order."""

    def __init__(self) -> None:
        self._heard = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._turn = asyncio.Lock()

    @contextmanager
    def hearing(self) -> Generator[None]:
        """Around all that is done before an event is acknowledged."""
        self._heard += 1
        if self._heard >= FLOOD:
            self._quiet.clear()
        try:
            yield
        finally:
            self._heard -= 1
            if self._heard < FLOOD:
                self._quiet.set()

    async def passed(self) -> None:
        """Wait until an answer may begin."""
        async with self._turn:
            with suppress(TimeoutError):
                async with asyncio.timeout(TRICKLE_S):
                    await self._quiet.wait()
            # What has arrived meanwhile is heard before the next one begins.
            await asyncio.sleep(0)
