"""An event loop whose clock jumps to the next timer."""

from __future__ import annotations

import asyncio
import selectors

__all__ = ["VirtualTimeLoop"]


class _Leap(selectors.DefaultSelector):
    """Waits for no real time: moves the loop's clock on instead, when nothing else is ready."""

    def __init__(self) -> None:
        super().__init__()
        self.leapt = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise RuntimeError("Deadlock: nothing is ready and nothing is scheduled.")
        self.leapt += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer: 900 seconds pass in milliseconds.

    For code without sockets, threads or subprocesses. A deadlock is an error, not a hang.
    """

    def __init__(self) -> None:
        self._leap = _Leap()
        super().__init__(self._leap)

    def time(self) -> float:
        """Virtual seconds since the loop began."""
        return self._leap.leapt
