"""The store on SQLite: one thread writes and commits in groups, another reads beside it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import TypeVar

from moabot.contract import Scope
from moabot.errors import StoreError
from moabot.store import queries, statements
from moabot.store.answers import Answers, SqliteAnswers
from moabot.store.files import connected, explained, held, migrate, prepared
from moabot.store.rows import (
    Accepted,
    By,
    Change,
    Installation,
    Kind,
    Left,
    Opinion,
    Said,
    Spending,
    Spent,
    Step,
)
from moabot.store.writer import Writer

__all__ = ["SqliteStore", "opened"]

T = TypeVar("T")
MEGABYTE = 1_000_000
FREE_LOOK_S = 0.2
"""How old the last look at the free space of the disk may be."""

OF_WRITING = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
}
OF_READING = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ}
"""These are of SQLITE_IOERR too."""


class SqliteStore:
    """A store in one file; made by `opened`."""

    def __init__(self, path: Path, *, write: sqlite3.Connection, read: sqlite3.Connection) -> None:
        self.path = path
        self.keep_free_mb = 0
        self._explain = partial(explained, path)
        self._writer = Writer(write, self._explain)
        self.answers: Answers = SqliteAnswers(self)
        self._reading = read
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="moabot-read")
        self._closed = False
        self._looked_at = float("-inf")
        self._free_mb = float("inf")

    async def close(self) -> None:
        """Write what is waiting, then close the file."""
        await self._writer.close()
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._reader, self._reading.close)
        self._reader.shutdown()

    def accept(self, entry: Accepted) -> asyncio.Future[bool]:
        """Insert by event id, unless the disk is nearly full."""
        if self.keep_free_mb and self._free() < self.keep_free_mb:
            raise StoreError(
                f"The disk of {str(self.path)!r} has {self._free_mb:.0f} MB left, less than "
                f"[store] keep_free_mb = {self.keep_free_mb}, so no new question is taken.",
                fix="Make room on it, then ask again.",
            )
        return self.writing(partial(statements.accept, entry=entry))

    def begin(self, event: str, *, plan: str, horizon: int) -> asyncio.Future[None]:
        """Note plan and horizon, once."""
        work = partial(statements.begin, event=event, plan=plan, horizon=horizon)
        return self._writer.write(work, soon=True)

    def keep(self, step: Step | None, spent: Spent | None) -> asyncio.Future[None]:
        """Insert into memo and ledger in one transaction."""
        return self._writer.write(partial(statements.keep, step=step, spent=spent), soon=True)

    def posted(self, event: str, receipt: str) -> asyncio.Future[None]:
        """Note the receipt."""
        return self.writing(partial(statements.posted, event=event, receipt=receipt))

    def end(
        self, event: str, *, error: str = "", dead: bool = False, turns: Sequence[Said] = ()
    ) -> asyncio.Future[None]:
        """Close the row and let its turns join the thread."""
        state = "dead" if dead else "done"
        return self.writing(
            partial(statements.end, event=event, error=error, state=state, turns=turns)
        )

    def take_up(self, platform: str) -> asyncio.Future[Sequence[Accepted]]:
        """Count a try for all that is open, and return it."""
        return self.writing(partial(statements.take_up, platform=platform))

    def lay_down(self, platform: str) -> asyncio.Future[None]:
        """Take the try back."""
        return self.writing(partial(statements.lay_down, platform=platform))

    async def accepted(self, event: str) -> Accepted | None:
        """One row of the inbox."""
        found = await self.reading(partial(queries.accepted, where="event = ?", bound=(event,)))
        return found[0] if found else None

    async def steps(self, event: str) -> Sequence[Step]:
        """The memo of one answer."""
        return await self.reading(partial(queries.steps, event=event))

    async def paces(self) -> Mapping[str, float]:
        """From the memos that are kept."""
        return await self.reading(queries.paces)

    async def dead(self) -> Sequence[Accepted]:
        """The dead letters."""
        return await self.reading(queries.dead)

    def revive(self, event: str) -> asyncio.Future[bool]:
        """Open a dead letter again."""
        return self.writing(partial(statements.revive, event=event))

    async def turns(self, scope: Scope, *, before: int | None, most: int) -> Sequence[Said]:
        """The end of a thread."""
        return await self.reading(partial(queries.turns, scope=scope, before=before, most=most))

    def amend(self, event: str, text: str | None) -> asyncio.Future[None]:
        """Change or forget a message."""
        return self.writing(partial(statements.amend, event=event, text=text))

    async def settings(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """What was set by command."""
        return await self.reading(partial(queries.settings, keys=keys))

    def change(self, change: Change) -> asyncio.Future[None]:
        """Set, and write down who did."""
        return self.writing(partial(statements.change, change=change))

    async def changes(self, key: str) -> Sequence[Change]:
        """The audit of one key."""
        return await self.reading(partial(queries.changes, key=key))

    def opine(self, opinion: Opinion) -> asyncio.Future[None]:
        """Keep an opinion."""
        return self.writing(partial(statements.opine, opinion=opinion))

    async def opinions(self) -> Sequence[Opinion]:
        """All opinions."""
        return await self.reading(queries.opinions)

    def install(self, installation: Installation) -> asyncio.Future[None]:
        """Insert, or replace what is older."""
        return self.writing(partial(statements.install, installation=installation))

    def uninstall(self, platform: str, workspace: str, *, before: float) -> asyncio.Future[bool]:
        """Delete the row."""
        return self.writing(
            partial(statements.uninstall, platform=platform, workspace=workspace, before=before)
        )

    async def installations(
        self, platform: str, workspace: str | None = None
    ) -> Sequence[Installation]:
        """One row, or all of a platform."""
        return await self.reading(
            partial(queries.installations, platform=platform, workspace=workspace)
        )

    async def spending(
        self, by: By, *, since: float, scope: Scope | None = None
    ) -> Sequence[Spending]:
        """Sums of the ledger."""
        return await self.reading(partial(queries.spending, by=by, since=since, scope=scope))

    async def erase(self, *, user: str | None = None, channel: str | None = None) -> Left:
        """Delete, then empty the write-ahead log, which still has the words."""
        left = await self.writing(partial(statements.erase, user=user, channel=channel))
        await self._writer.aside(statements.empty_log)
        return left

    def expire(self, before: Mapping[Kind, float]) -> asyncio.Future[int]:
        """Delete what is old."""
        return self.writing(partial(statements.expire, before=before))

    async def check(self) -> Sequence[str]:
        """SQLite's own integrity check."""
        return await self.reading(queries.check)

    async def back_up(self, path: Path) -> None:
        """Copy page by page beside the writer; the copy is checked, then put in place whole."""
        await self.reading(partial(_back_up, path=path))

    def writing(self, work: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """Have `work` done and committed; for the parts of this store."""
        return self._writer.write(work)

    async def reading(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Have `work` done beside the writer; for the parts of this store."""
        loop = asyncio.get_running_loop()
        try:
            if self._closed:
                raise sqlite3.ProgrammingError("it is closed")
            return await loop.run_in_executor(self._reader, work, self._reading)
        except sqlite3.Error as error:
            raise self._explain(error) from error

    def _free(self) -> float:
        """Megabytes left on the disk, looked up now and then."""
        if (now := time.monotonic()) > self._looked_at + FREE_LOOK_S:
            self._looked_at = now
            self._free_mb = shutil.disk_usage(self.path.parent).free / MEGABYTE
        return self._free_mb


def _back_up(connection: sqlite3.Connection, *, path: Path) -> None:
    if path.exists():
        raise StoreError(f"There is a file {str(path)!r} already.", fix="Name a new one.")
    part = path.with_name(f"{path.name}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(part)) as copy:
            connection.backup(copy, pages=1000)
            wrong = queries.check(copy)
        if wrong:
            raise StoreError(
                f"The copy is damaged: {wrong[0]}.", fix="Run `moabot check` on the database."
            )
        part.rename(path)
    except (OSError, sqlite3.Error) as error:
        if isinstance(error, sqlite3.Error) and not _is_of_writing(error):
            raise
        raise StoreError(
            f"The backup {str(path)!r} cannot be written: {getattr(error, 'strerror', error)}.",
            fix="Name a file where there is room and a right to write.",
        ) from error
    finally:
        part.unlink(missing_ok=True)
        part.with_name(f"{part.name}-journal").unlink(missing_ok=True)


def _is_of_writing(error: sqlite3.Error) -> bool:
    """Whether the copy is at fault: the database itself is only read for it."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in OF_WRITING and code not in OF_READING


@asynccontextmanager
async def opened(
    data_dir: Path, *, alone: bool, keep_free_mb: int = 0
) -> AsyncGenerator[SqliteStore]:
    """Open the database in `data_dir`, made if need be and brought to this version.

    The bot itself must be `alone`; commands work beside it. Raises `StoreError` that says what
    to do; whatever is wrong, the file stays as it is.
    """
    path = prepared(data_dir)
    async with AsyncExitStack() as stack:
        if alone:
            stack.enter_context(held(path))
        try:
            write = connected(path, write=True)
            stack.callback(write.close)
            migrate(write, path, alone=alone)
            store = SqliteStore(path, write=write, read=connected(path, write=False))
        except sqlite3.Error as error:
            raise explained(path, error) from error
        store.keep_free_mb = keep_free_mb
        stack.push_async_callback(store.close)
        yield store
