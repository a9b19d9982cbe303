"""One thread that writes: what is asked while a commit runs goes into the next one, together.

A commit waits for the disk, so its price is shared by all that waited (group commit).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from moabot.errors import StoreError

__all__ = ["Writer"]

T = TypeVar("T")
MOST_AT_ONCE = 1000
"""Jobs of one commit, so that nobody waits for a giant one."""
HOPELESS = (
    ValueError,
    ArithmeticError,
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)
"""What a row raises that can never be written: a text that is no Unicode, a number beyond 64 bits."""
UNWRITABLE = (sqlite3.Error, *HOPELESS)
SOON_S = 0.005
"""How long a job that nobody waits for may wait for company: about as long as a commit takes."""


@dataclass(frozen=True, slots=True)
class _Job:
    """Work on the connection, which may be run again after a failure, and how to tell who waits."""

    run: Callable[[sqlite3.Connection], None]
    tell: Callable[[BaseException | None], None]


class Writer:
    """Runs jobs in order, in transactions of as many as there are; `explain` words the errors."""

    def __init__(
        self, connection: sqlite3.Connection, explain: Callable[[sqlite3.Error], StoreError]
    ) -> None:
        self._connection = connection
        self._explain = explain
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="moabot-store")
        self._waiting: list[_Job] = []
        self._urgent = False
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[list[StoreError | None]] | None = None

    def write(
        self, work: Callable[[sqlite3.Connection], T], *, soon: bool = False
    ) -> asyncio.Future[T]:
        """Have `work` done and committed; the future ends after the disk has it.

        With `soon` it may wait a moment for others, behind which it is not put.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._closed:
            done.set_exception(self._explain(sqlite3.ProgrammingError("it is closed")))
            done.exception()  # as below
            return done
        results: list[T] = []

        def run(connection: sqlite3.Connection) -> None:
            results[:] = [work(connection)]

        def tell(error: BaseException | None) -> None:
            if done.done():
                return  # who waited was cancelled; the row is written all the same
            if error is None:
                done.set_result(results[0])
            else:
                done.set_exception(error)
                done.exception()  # nobody has to wait, so nobody has to hear

        self._waiting.append(_Job(run, tell))
        self._urgent = self._urgent or not soon
        self._begin()
        return done

    async def aside(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Have `work` done by the same thread, outside of any transaction."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, work, self._connection)
        except sqlite3.Error as error:
            raise self._explain(error) from error

    async def close(self) -> None:
        """Write what is waiting, then close the connection."""
        while self._waiting or self._writing is not None:
            self._urgent = True
            self._begin()
            if self._writing is not None:
                await asyncio.wait([self._writing])
            await asyncio.sleep(0)  # its callback starts the next
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()

    def _begin(self) -> None:
        """Commit now what is urgent; let the rest wait a moment."""
        if self._writing is not None or not self._waiting:
            return
        if self._urgent:
            self._next()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SOON_S, self._next)

    def _next(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is not None or not self._waiting:
            return
        jobs, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
        self._urgent = self._urgent and bool(self._waiting)
        loop = asyncio.get_running_loop()
        self._writing = loop.run_in_executor(self._thread, self._commit, jobs)
        self._writing.add_done_callback(lambda written: self._told(jobs, written))

    def _told(self, jobs: list[_Job], written: asyncio.Future[list[StoreError | None]]) -> None:
        self._writing = None
        self._begin()
        broken = written.exception()
        errors = [broken] * len(jobs) if broken is not None else written.result()
        for job, error in zip(jobs, errors, strict=True):
            job.tell(error)

    def _commit(self, jobs: list[_Job]) -> list[StoreError | None]:
        """Commit all together; after a failure each alone, since one must not cost the others."""
        try:
            self._together(jobs)
        except UNWRITABLE as error:
            if len(jobs) == 1:
                return [self._told_why(error)]
            return [failed for job in jobs for failed in self._commit([job])]
        return [None] * len(jobs)

    def _told_why(self, error: Exception) -> StoreError:
        if isinstance(error, sqlite3.Error) and not isinstance(error, HOPELESS):
            return self._explain(error)
        return StoreError(
            f"A row cannot be written: {error}.",
            fix="Ask again in other words, or report this.",
            hopeless=True,
        )

    def _together(self, jobs: list[_Job]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for job in jobs:
                job.run(self._connection)
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
