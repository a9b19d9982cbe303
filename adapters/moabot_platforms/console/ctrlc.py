"""What Ctrl-C does while something runs: the first stops it, the second ends the process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from types import FrameType

__all__ = ["INTERRUPTED", "CtrlC", "ctrl_c", "raising", "stopping"]

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 and the number of the signal."""
SHOW_CURSOR = b"\x1b[?25h"


class CtrlC:
    """Cancels a task at the first signal; `pressed` tells a cancellation by hand from others.

    `late` says that there was nothing left to stop.
    """

    def __init__(self, task: asyncio.Task[object], loop: asyncio.AbstractEventLoop) -> None:
        self._task = task
        self._loop = loop
        self.pressed = False
        self.late = False

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        """The handler; it runs between two bytecodes of the main thread."""
        if self.pressed:
            if sys.stdout.isatty():
                os.write(sys.stdout.fileno(), SHOW_CURSOR)  # a live view may have hidden it
            os._exit(INTERRUPTED)
        self.pressed = True
        self._loop.call_soon_threadsafe(self._task.cancel)

    def forgive(self) -> None:
        """The cancellation did its work: the task goes on."""
        self._task.uncancel()


@contextmanager
def ctrl_c() -> Generator[CtrlC]:
    """Ctrl-C inside the block cancels the current task; must be entered in the main thread."""
    task = asyncio.current_task()
    if task is None:  # pragma: no cover - without a task there is no running loop either
        raise RuntimeError("ctrl_c needs a running task")
    handler = CtrlC(task, asyncio.get_running_loop())
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield handler
    finally:
        signal.signal(signal.SIGINT, before)


@asynccontextmanager
async def stopping() -> AsyncGenerator[CtrlC]:
    """Ctrl-C inside the block ends the block and not the task; `pressed` tells that it did."""
    with ctrl_c() as stop:
        try:
            yield stop
        except asyncio.CancelledError:
            if not stop.pressed:
                raise
            stop.forgive()
            return
    if stop.pressed:  # the cancellation is still on its way
        stop.late = True
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        stop.forgive()


@contextmanager
def raising() -> Generator[None]:
    """Ctrl-C inside the block raises `KeyboardInterrupt`, as a blocking read needs it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
