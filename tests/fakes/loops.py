"""Virtual time for tests whose both ends of each socket are in this process, and their threads too.

A 429's `Retry-After: 30`, a stream's five minutes, a redelivery after one: all pass at once, and in
the right order. The clock is moved only when nothing is ready, no work is in a thread, and the
kernel had a moment to hand over what was sent. What another process does takes no time here, so
there must be none.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

MOMENT_S = 0.001
"""Real time for the kernel, before each leap."""
THREAD_S = 30.0
"""Real time after which a thread's work counts as stuck."""
UNTOLD_S = 5.0
"""The same, where the loop was told of no thread, such as the one that closes its threads."""


class _Leap(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.leapt = 0.0
        self.in_threads = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.in_threads:
            # The thread's end wakes the loop through its own socket, which is ready then.
            return super().select(THREAD_S)
        ready = super().select(UNTOLD_S if timeout is None else MOMENT_S)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("Deadlock: nothing is ready and nothing is scheduled.")
        self.leapt += timeout
        return []


class LoopbackTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock leaps to the next timer, with sockets on loopback and threads."""

    def __init__(self) -> None:
        self._leap = _Leap()
        super().__init__(self._leap)
        self.set_default_executor(ThreadPoolExecutor(2))

    def time(self) -> float:
        """Virtual seconds since the loop began."""
        return self._leap.leapt

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Time stands while a thread works."""
        self._leap.in_threads += 1
        try:
            future = super().run_in_executor(executor, func, *args)
        except BaseException:
            self._leap.in_threads -= 1
            raise
        future.add_done_callback(self._came_back)
        return future

    def _came_back(self, _: asyncio.Future[T] | Future[T]) -> None:
        self._leap.in_threads -= 1
