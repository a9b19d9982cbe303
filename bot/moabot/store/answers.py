"""Remembered answers in the SQLite store: the rows from which the cache builds all that it has."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Protocol

from moabot.contract import Scope
from moabot.store.rows import Brief, Given, Kept, Tally

if TYPE_CHECKING:
    from moabot.store.sqlite import SqliteStore

__all__ = ["Answers", "SqliteAnswers"]

CHANNEL = "platform || ':' || workspace || '/' || channel"
COLUMNS = (
    "place, partition, name, platform, workspace, channel, thread, private, author, event,"
    " question, encoder, vector, answer, cost, at, expires"
)
STANDS = "EXISTS (SELECT 1 FROM inbox WHERE event = :event AND text <> '')"
"""Whether a message is neither deleted, which leaves it without words, nor erased."""
DAY_S = 86_400


class Answers(Protocol):
    """Verbs that write begin at once and return a future that ends when the row would survive."""

    def keep(self, kept: Kept) -> asyncio.Future[int]:
        """Insert in place of an older answer to the same; returns the row's place.

        0, and nothing is written, when the message that it was made for is not in the inbox: it
        was deleted or erased while it was being answered.
        """
        ...

    async def named(self, partition: str, name: str) -> Kept | None:
        """The answer to exactly this question, unless it has expired."""
        ...

    async def at(self, place: int) -> Kept | None:
        """One row, unless it is gone or has expired."""
        ...

    async def after(self, place: int, *, most: int) -> Sequence[Brief]:
        """The next rows by place."""
        ...

    async def unseen(self, place: int, *, most: int) -> Sequence[Kept]:
        """The next rows by place that no encoder has looked at."""
        ...

    def embed(self, kept: Kept) -> asyncio.Future[bool]:
        """Write a row's encoder and vector; False when the row is gone."""
        ...

    def give(self, given: Sequence[Given]) -> asyncio.Future[None]:
        """Note who was given what, of messages that are in the inbox."""
        ...

    async def given(self, event: str) -> Given | None:
        """What a message was given, from memory or as the first who asked; None if that is unknown."""
        ...

    def refuse(self, partition: str, *, asked: str, kept: str) -> asyncio.Future[None]:
        """Note that what answers the question named `kept` does not answer the one named `asked`."""
        ...

    async def refused(self) -> Sequence[tuple[str, str, str]]:
        """All pairs that were refused: partition, asked, kept."""
        ...

    async def last_gone(self) -> int:
        """The number of the last removal so far."""
        ...

    async def gone(self, since: int) -> Sequence[tuple[int, int]]:
        """Removals after the one numbered `since`: their numbers, and the places that are gone."""
        ...

    def remove(self, places: Sequence[int]) -> asyncio.Future[int]:
        """Delete rows; returns how many there were."""
        ...

    def clear(self, channel: str | None) -> asyncio.Future[int]:
        """Delete all rows, or those asked in one channel ("platform:workspace/channel")."""
        ...

    def count(self, tallies: Sequence[Tally]) -> asyncio.Future[None]:
        """Add to today's tallies."""
        ...

    async def tallies(self, *, since: float) -> Sequence[Tally]:
        """What was counted since a time, summed by name and day."""
        ...

    async def size(self) -> tuple[int, int]:
        """How many rows there are, and their bytes."""
        ...


class SqliteAnswers:
    """The verbs on a store that is open."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def keep(self, kept: Kept) -> asyncio.Future[int]:
        """Replace what has the same name."""
        return self._store.writing(partial(_keep, kept=kept))

    async def named(self, partition: str, name: str) -> Kept | None:
        """By its two hashes."""
        where = "partition = ? AND name = ? AND expires > ?"
        return await self._one(where, partition, name, time.time())

    async def at(self, place: int) -> Kept | None:
        """By its place."""
        return await self._one("place = ? AND expires > ?", place, time.time())

    async def after(self, place: int, *, most: int) -> Sequence[Brief]:
        """A page."""
        return await self._store.reading(partial(_after, place=place, most=most))

    async def unseen(self, place: int, *, most: int) -> Sequence[Kept]:
        """A page."""
        return await self._store.reading(partial(_unseen, place=place, most=most))

    def embed(self, kept: Kept) -> asyncio.Future[bool]:
        """By its place."""
        return self._store.writing(partial(_embed, kept=kept))

    def give(self, given: Sequence[Given]) -> asyncio.Future[None]:
        """The last one for each event."""
        return self._store.writing(partial(_give, given=tuple(given)))

    async def given(self, event: str) -> Given | None:
        """From two tables."""
        return await self._store.reading(partial(_given, event=event))

    def refuse(self, partition: str, *, asked: str, kept: str) -> asyncio.Future[None]:
        """Hashes only, so that nobody's words stay."""
        bound = (partition, asked, kept, time.time())
        return self._store.writing(partial(_refuse, bound=bound))

    async def refused(self) -> Sequence[tuple[str, str, str]]:
        """They are few."""
        return await self._store.reading(_refused)

    async def last_gone(self) -> int:
        """0 when nothing was ever removed."""
        return await self._store.reading(_last_gone)

    async def gone(self, since: int) -> Sequence[tuple[int, int]]:
        """From the trigger's table."""
        return await self._store.reading(partial(_gone, since=since))

    def remove(self, places: Sequence[int]) -> asyncio.Future[int]:
        """One by one."""
        return self._store.writing(partial(_remove, places=tuple(places)))

    def clear(self, channel: str | None) -> asyncio.Future[int]:
        """All, or a channel's."""
        return self._store.writing(partial(_clear, channel=channel))

    def count(self, tallies: Sequence[Tally]) -> asyncio.Future[None]:
        """Upsert."""
        return self._store.writing(partial(_count, tallies=tuple(tallies)))

    async def tallies(self, *, since: float) -> Sequence[Tally]:
        """By day."""
        return await self._store.reading(partial(_tallies, since=int(since // DAY_S)))

    async def size(self) -> tuple[int, int]:
        """Counted."""
        return await self._store.reading(_size)

    def _one(self, where: str, *bound: object) -> Awaitable[Kept | None]:
        return self._store.reading(partial(_one, where=where, bound=bound))


def _keep(c: sqlite3.Connection, *, kept: Kept) -> int:
    if kept.event and not c.execute(f"SELECT {STANDS}", {"event": kept.event}).fetchone()[0]:
        return 0
    c.execute("DELETE FROM answers WHERE partition = ? AND name = ?", (kept.partition, kept.name))
    scope = kept.scope
    found = c.execute(
        f"INSERT INTO answers ({COLUMNS.removeprefix('place, ')}, size)"  # noqa: S608 - our columns
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            kept.partition,
            kept.name,
            scope.platform,
            scope.workspace,
            scope.channel,
            scope.thread,
            scope.private,
            kept.author,
            kept.event,
            kept.question,
            kept.encoder,
            kept.vector,
            kept.answer,
            kept.cost_usd,
            kept.at,
            kept.expires,
            kept.size,
        ),
    )
    return int(found.lastrowid or 0)


def _one(c: sqlite3.Connection, *, where: str, bound: Sequence[object]) -> Kept | None:
    row = c.execute(
        f"SELECT {COLUMNS} FROM answers WHERE {where} LIMIT 1",  # noqa: S608 - our own text
        tuple(bound),
    ).fetchone()
    return None if row is None else _kept(row)


def _after(c: sqlite3.Connection, *, place: int, most: int) -> Sequence[Brief]:
    rows = c.execute(
        "SELECT place, partition, name, question, encoder, vector, cost, size FROM answers"
        " WHERE place > ? ORDER BY place LIMIT ?",
        (place, most),
    )
    return list(map(Brief._make, rows))


def _unseen(c: sqlite3.Connection, *, place: int, most: int) -> Sequence[Kept]:
    rows = c.execute(
        f"SELECT {COLUMNS} FROM answers WHERE encoder = '' AND place > ? ORDER BY place LIMIT ?",  # noqa: S608 - our columns
        (place, most),
    )
    return list(map(_kept, rows))


def _embed(c: sqlite3.Connection, *, kept: Kept) -> bool:
    found = c.execute(
        "UPDATE answers SET encoder = ?, vector = ?, size = ? WHERE place = ?",
        (kept.encoder, kept.vector, kept.size, kept.place),
    )
    return found.rowcount == 1


def _kept(row: Sequence[object]) -> Kept:
    place, partition, name, platform, workspace, channel, thread, private, author, event, *rest = (
        row
    )
    question, encoder, vector, answer, cost, at, expires = rest
    return Kept(
        partition=str(partition),
        name=str(name),
        scope=Scope(str(platform), str(workspace), str(channel), str(thread), bool(private)),
        author=str(author),
        event=str(event),
        question=str(question),
        encoder=str(encoder),
        vector=vector if isinstance(vector, bytes) else b"",
        answer=str(answer),
        cost_usd=cost if isinstance(cost, float) else None,
        at=at if isinstance(at, float) else 0.0,
        expires=expires if isinstance(expires, float) else 0.0,
        place=place if isinstance(place, int) else 0,
    )


def _give(c: sqlite3.Connection, *, given: Sequence[Given]) -> None:
    c.executemany(
        "INSERT OR REPLACE INTO answers_given (event, partition, asked, place)"
        f" SELECT :event, :partition, :asked, :place WHERE {STANDS}",
        [asdict(each) for each in given],
    )


def _given(c: sqlite3.Connection, *, event: str) -> Given | None:
    found = c.execute(
        "SELECT event, partition, asked, place FROM answers_given WHERE event = :event"
        " UNION ALL SELECT event, partition, name, place FROM answers WHERE event = :event",
        {"event": event},
    ).fetchone()
    return None if found is None else Given(*found)


def _refuse(c: sqlite3.Connection, *, bound: tuple[str, str, str, float]) -> None:
    c.execute(
        "INSERT OR REPLACE INTO answers_refused (partition, asked, kept, at) VALUES (?, ?, ?, ?)",
        bound,
    )


def _refused(c: sqlite3.Connection) -> Sequence[tuple[str, str, str]]:
    return c.execute("SELECT partition, asked, kept FROM answers_refused").fetchall()


def _last_gone(c: sqlite3.Connection) -> int:
    counted = "SELECT seq FROM sqlite_sequence WHERE name = 'answers_gone'"  # old rows expire
    found = c.execute(counted).fetchone()
    return 0 if found is None else int(found[0])


def _gone(c: sqlite3.Connection, *, since: int) -> Sequence[tuple[int, int]]:
    found = c.execute(
        "SELECT number, place FROM answers_gone WHERE number > ? ORDER BY number", (since,)
    )
    return [(int(number), int(place)) for number, place in found]


def _remove(c: sqlite3.Connection, *, places: Sequence[int]) -> int:
    return sum(
        c.execute("DELETE FROM answers WHERE place = ?", (place,)).rowcount for place in places
    )


def _clear(c: sqlite3.Connection, *, channel: str | None) -> int:
    if channel is None:
        return c.execute("DELETE FROM answers").rowcount
    return c.execute(f"DELETE FROM answers WHERE {CHANNEL} = ?", (channel,)).rowcount  # noqa: S608 - our columns


def _count(c: sqlite3.Connection, *, tallies: Sequence[Tally]) -> None:
    c.executemany(
        "INSERT INTO answer_tallies (day, name, times, saved_usd) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (day, name) DO UPDATE SET times = times + excluded.times,"
        " saved_usd = saved_usd + excluded.saved_usd",
        [(tally.day, tally.name, tally.times, tally.saved_usd) for tally in tallies],
    )


def _tallies(c: sqlite3.Connection, *, since: int) -> Sequence[Tally]:
    found = c.execute(
        "SELECT day, name, times, saved_usd FROM answer_tallies WHERE day >= ? ORDER BY day, name",
        (since,),
    )
    return [Tally(*row) for row in found]


def _size(c: sqlite3.Connection) -> tuple[int, int]:
    rows, size = c.execute("SELECT COUNT(*), COALESCE(SUM(size), 0) FROM answers").fetchone()
    return int(rows), int(size)
