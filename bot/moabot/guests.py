"""How other people's code is called: for a bounded time, and with a name on whatever it raises."""

from __future__ import annotations

import asyncio
import ctypes
import dis
import signal
import sys
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread, current_thread, main_thread
from traceback import walk_tb
from typing import Generic, TypeGuard, TypeVar

from moabot.errors import MoabotError, PluginError

__all__ = ["UPDATE", "USUAL", "Bounds", "Line", "blamed", "is_ours", "within"]

T = TypeVar("T")
UPDATE = "Update or remove it."
MOMENT_S = 0.01
"""In which a thread that runs Python comes to its turn: twice the switch interval."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many seconds a plugin of a third party may take to be imported or opened, and for a hook."""

    load_s: float = 30.0
    hook_s: float = 1.0


USUAL = Bounds()


@contextmanager
def blamed(what: str, *, fix: str = UPDATE) -> Generator[None]:
    """Whatever is raised in the block, but our own errors, becomes a `PluginError`.

    `what` is its subject, such as "The hook moabot_register". Of a group the first error counts.
    """
    try:
        yield
    except BaseException as error:
        if is_ours(error):
            raise
        first = _first(error)
        if isinstance(first, MoabotError):
            raise first from first.__cause__
        said = " ".join(str(first).split())  # pluggy's errors have several lines
        told = f"{what} raised {type(first).__name__}{said and f': {said}'}."
        raise PluginError(told, fix=fix) from error


def within(seconds: float | None, what: str, work: Callable[[], T], *, key: str) -> T:
    """What `work` returns, called here when `seconds` is None, else in a thread and at most so long.

    Raises `PluginError` for whatever it does instead; `key` is the setting that bounds the time.
    """
    if seconds is None:
        with blamed(what):
            return work()
    call = _Call(what, work)
    try:
        return call.outcome.result(seconds)
    except TimeoutError:
        raise call.given_up(seconds, key=key) from None


def is_ours(error: BaseException) -> bool:
    """Whether it stops us, as it was meant to; else a plugin let it out, of whatever kind it is.

    We are stopped by a cancellation, by Ctrl-C, or closed when no loop runs any more.
    """
    try:
        task = asyncio.current_task()
    except RuntimeError:  # a thread, or the end
        task = None
    if isinstance(error, asyncio.CancelledError):
        return task is not None and task.cancelling() > 0
    if current_thread() is not main_thread():  # nobody stops it, and Ctrl-C goes elsewhere
        return False
    if isinstance(error, GeneratorExit):
        return task is None
    return isinstance(error, KeyboardInterrupt) and _is_typed(error)


def _is_typed(interrupt: KeyboardInterrupt) -> bool:
    """Whether Ctrl-C raised it, as Python's own handler would anywhere, and asyncio's in a frame.

    Those that `serve` and the console set raise nothing.
    """
    frames = [frame.f_code.co_name for frame, _ in walk_tb(interrupt.__traceback__)]
    plain = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return plain or frames[-1:] == ["_on_sigint"]


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if _is_group(error) else error


def _is_group(error: BaseException) -> TypeGuard[BaseExceptionGroup[BaseException]]:
    return isinstance(error, BaseExceptionGroup)


class Line:
    """The line to one plugin's hooks: one call at a time, and no more after one that hung."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._free = asyncio.Lock()
        self.dead = False

    async def call(self, what: str, work: Callable[[], T]) -> T | None:
        """What `work` returned, None when nobody is called any more; raises `PluginError`.

        The event loop goes on meanwhile: the call has a thread of its own. It waits its turn for
        as long as it may then take; who waited in vain is not called.
        """
        call = None
        try:
            async with asyncio.timeout(self._seconds) as limit, self._free:
                if self.dead:
                    return None
                call = _Call(what, work)
                limit.reschedule(asyncio.get_running_loop().time() + self._seconds)
                return await asyncio.wrap_future(call.outcome)
        except TimeoutError:
            if call is None:
                told = f"{what} is called more often than it can return, so calls are left out."
                raise PluginError(told, fix=UPDATE) from None
            self.dead = True
            raise call.given_up(self._seconds, key="hook_s") from None


def _runs_python(ident: int) -> bool:
    """Whether a thread gets on in its Python code, looked at a few times."""
    seen: set[tuple[int, int]] = set()
    for _ in range(5):
        # There is no public way to look.
        frame = sys._current_frames().get(ident)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - as it says
        if frame is None:
            return False
        # Python lets other threads run between two turns of a loop, always at the same place.
        if "JUMP" in dis.opname[frame.f_code.co_code[max(frame.f_lasti, 0)]]:
            return True
        seen.add((id(frame), frame.f_lasti))
        time.sleep(MOMENT_S)  # noqa: TID251 - the thread must come to its turn
    return len(seen) > 1


class _Call(Generic[T]):
    """One call in a thread of its own, which keeps no process from ending."""

    def __init__(self, what: str, work: Callable[[], T]) -> None:
        self.outcome: Future[T] = Future()
        # Who no longer waits for it cancels nothing: the thread alone says how it ended.
        self.outcome.set_running_or_notify_cancel()
        self._what = what
        self._work = work
        self._thread = Thread(target=self._run, name=f"moabot: {what}", daemon=True)
        self._thread.start()

    def given_up(self, seconds: float, *, key: str) -> PluginError:
        """Nobody waits any more: stop it, as far as that can be done, and say so.

        A thread cannot be killed. One that runs Python gets an exception there; one that waits in
        C costs nothing and is left alone. For that one the exception would stay pending, which
        Python 3.11 then looks for at every call of every thread, and under a tracer for ever.
        """
        ident = self._thread.ident
        if ident is not None and _runs_python(ident):
            raising = ctypes.pythonapi.PyThreadState_SetAsyncExc
            raising(ctypes.c_ulong(ident), ctypes.py_object(SystemExit))
        return PluginError(
            f"{self._what} did not return within {seconds:g} s.",
            fix=f"Update or remove it, or raise [plugins] {key}.",
        )

    def _run(self) -> None:
        try:
            with blamed(self._what):
                self.outcome.set_result(self._work())
        except MoabotError as error:
            self.outcome.set_exception(error)
