"""What time it is at Slack: the event loop's clock, faster if asked, and moved on by tests."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field

EPOCH = 1_790_000_000.0
"""When each fake begins: seconds since 1970."""

Waking = asyncio.Future[None]


def _wake(waking: Waking) -> None:
    if not waking.done():
        waking.set_result(None)


@dataclass(slots=True)
class Clock:
    """Seconds since 1970; `speed` of them pass in one of the event loop's. 0: only by leaps."""

    speed: float = 1.0
    leapt: float = 0.0
    _began: float | None = None
    _waking: set[Waking] = field(default_factory=set[Waking])

    def now(self) -> float:
        """The time."""
        at = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = at
        return EPOCH + self.leapt + (at - self._began) * self.speed

    def leap(self, seconds: float) -> None:
        """Move on; who sleeps until then wakes."""
        self.leapt += seconds
        for waking in self._waking:
            _wake(waking)

    def client_seconds(self, seconds: float) -> int:
        """How long that is for a client, whose clock is the event loop's; at least 1."""
        return max(1, math.ceil(seconds / (self.speed or 1.0)))

    async def sleep(self, seconds: float) -> None:
        """Return when that has passed, or was leapt over."""
        await self.within(seconds, None)

    async def within(self, seconds: float, awaited: asyncio.Future[str] | None) -> bool:
        """Whether that comes about before so much time has passed."""
        loop, until = asyncio.get_running_loop(), self.now() + seconds
        while (left := until - self.now()) > 1e-6 and not (awaited and awaited.done()):
            waking: Waking = loop.create_future()
            self._waking.add(waking)

            def came(_: object, waking: Waking = waking) -> None:
                _wake(waking)

            timer = loop.call_later(left / self.speed, _wake, waking) if self.speed else None
            if awaited is not None:
                awaited.add_done_callback(came)
            try:
                await waking
            finally:
                self._waking.discard(waking)
                if timer is not None:
                    timer.cancel()
                if awaited is not None:
                    awaited.remove_done_callback(came)
        return awaited is not None and awaited.done()
