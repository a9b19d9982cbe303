"""What the SQLite store reads, as rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from decimal import Decimal
from statistics import median

from moabot.contract import Scope
from moabot.store.rows import (
    Accepted,
    By,
    Change,
    File,
    Installation,
    Opinion,
    Said,
    Spending,
    Step,
)

__all__ = [
    "accepted",
    "changes",
    "check",
    "dead",
    "installations",
    "opinions",
    "paces",
    "settings",
    "spending",
    "steps",
    "turns",
]

PICO = Decimal(10) ** 12
LATELY = 2000
"""Calls that tell how long a model usually takes."""
KEYS: Mapping[By, str] = {
    "channel": "platform || ':' || workspace || '/' || channel",
    "user": "platform || ':' || workspace || '/' || author",
    "workspace": "platform || ':' || workspace",
    "model": "model",
    "strategy": "strategy",
}


def accepted(
    c: sqlite3.Connection, where: str, bound: Sequence[object] = (), *, files: bool = True
) -> Sequence[Accepted]:
    """Rows of the inbox, oldest first."""
    rows = c.execute(
        "SELECT event, platform, workspace, channel, thread, private, author, text, addressed,"  # noqa: S608 - `where` is our own text
        " said_at, seed, at, plan, COALESCE(horizon, (SELECT first.horizon FROM inbox AS first"
        " WHERE first.event = inbox.origin)), receipt, tries, error, origin, writer FROM inbox"
        f" WHERE {where} ORDER BY at, event",
        tuple(bound),
    ).fetchall()
    return [
        Accepted(
            event=row[0],
            scope=_scope(row[1:6]),
            author=row[6],
            text=row[7],
            addressed=bool(row[8]),
            said_at=row[9],
            seed=row[10],
            at=row[11],
            plan=row[12],
            horizon=row[13],
            receipt=row[14],
            tries=row[15],
            error=row[16],
            files=_files(c, row[0]) if files else (),
            origin=row[17] or "",
            writer=row[18] or "",
        )
        for row in rows
    ]


def _files(c: sqlite3.Connection, event: str) -> tuple[File, ...]:
    found = c.execute(
        "SELECT name, media_type, data FROM files WHERE event = ? ORDER BY place", (event,)
    )
    return tuple(File(*row) for row in found)


def dead(c: sqlite3.Connection) -> Sequence[Accepted]:
    """Messages that were given up."""
    return accepted(c, "state = 'dead'", files=False)


def steps(c: sqlite3.Connection, *, event: str) -> Sequence[Step]:
    """An answer's memo, oldest first."""
    found = c.execute(
        "SELECT event, slot, model, prompt, outcome, said FROM memo WHERE event = ? ORDER BY place",
        (event,),
    )
    return [Step(*row) for row in found]


def paces(c: sqlite3.Connection) -> Mapping[str, float]:
    """The median seconds of each model's calls, of the last few."""
    found = c.execute(
        "SELECT model, json_extract(said, '$.seconds') FROM memo WHERE outcome = 'ok'"
        " ORDER BY place DESC LIMIT ?",
        (LATELY,),
    )
    seconds: dict[str, list[float]] = {}
    for model, took in found:
        seconds.setdefault(model, []).append(took)
    return {model: median(took) for model, took in seconds.items()}


def turns(c: sqlite3.Connection, *, scope: Scope, before: int | None, most: int) -> Sequence[Said]:
    """The last turns of a thread, oldest first."""
    found = c.execute(
        "SELECT event, role, text, at, place FROM turns WHERE platform = ? AND workspace = ?"
        " AND channel = ? AND thread = ? AND private = ? AND place <= ?"
        " ORDER BY place DESC LIMIT ?",
        (
            scope.platform,
            scope.workspace,
            scope.channel,
            scope.thread,
            scope.private,
            2**62 if before is None else before,
            most,
        ),
    )
    return [Said(*row) for row in found][::-1]


def settings(c: sqlite3.Connection, *, keys: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    """What is set, by key and name."""
    marks = ", ".join("?" * len(keys))
    found: dict[str, dict[str, str]] = {}
    for key, name, value in c.execute(
        f"SELECT key, name, value FROM settings WHERE key IN ({marks})",  # noqa: S608 - question marks
        tuple(keys),
    ):
        found.setdefault(key, {})[name] = value
    return found


def changes(c: sqlite3.Connection, *, key: str) -> Sequence[Change]:
    """The audit of one key, newest first."""
    found = c.execute(
        "SELECT key, name, before, after, who, at FROM audit WHERE key = ? ORDER BY place DESC",
        (key,),
    )
    return [Change(*row) for row in found]


def opinions(c: sqlite3.Connection) -> Sequence[Opinion]:
    """All opinions, newest first."""
    found = c.execute(
        "SELECT event, platform, workspace, channel, thread, private, who, verdict, reason, at"
        " FROM feedback ORDER BY at DESC"
    )
    return [Opinion(row[0], _scope(row[1:6]), *row[6:]) for row in found]


def installations(
    c: sqlite3.Connection, *, platform: str, workspace: str | None
) -> Sequence[Installation]:
    """Where a platform is installed."""
    found = c.execute(
        "SELECT platform, workspace, bot, sealed, at FROM installations"
        " WHERE platform = ?1 AND (?2 IS NULL OR workspace = ?2) ORDER BY workspace",
        (platform, workspace),
    )
    return [Installation(*row) for row in found]


def spending(
    c: sqlite3.Connection, *, by: By, since: float, scope: Scope | None = None
) -> Sequence[Spending]:
    """The ledger, of one channel or of all, summed by key and day."""
    where: str = ""
    bound: tuple[str, ...] = ()
    if scope is not None:
        where = " AND platform = ? AND workspace = ? AND channel = ?"
        bound = (scope.platform, scope.workspace, scope.channel)
    found = c.execute(
        f"SELECT {KEYS[by]} AS key, CAST(at / 86400 AS INTEGER) AS day, COUNT(DISTINCT event),"  # noqa: S608 - our columns
        " SUM(calls), SUM(input_tokens), SUM(cached_input_tokens), SUM(output_tokens),"
        " COALESCE(SUM(cost), 0), COALESCE(SUM(CASE WHEN estimated THEN cost END), 0),"
        " SUM(CASE WHEN cost IS NULL THEN calls ELSE 0 END)"
        f" FROM ledger WHERE at >= ?{where} GROUP BY key, day ORDER BY key, day",
        (since, *bound),
    )
    return [
        Spending(
            key=row[0],
            day=row[1],
            answers=row[2],
            calls=row[3],
            input_tokens=row[4],
            cached_input_tokens=row[5],
            output_tokens=row[6],
            cost_usd=Decimal(row[7]) / PICO,
            estimated_usd=Decimal(row[8]) / PICO,
            unpriced=row[9],
        )
        for row in found
    ]


def check(c: sqlite3.Connection) -> Sequence[str]:
    """What is wrong with the file."""
    found = [str(row[0]) for row in c.execute("PRAGMA integrity_check(20)")]
    return [] if found == ["ok"] else found


def _scope(row: Sequence[object]) -> Scope:
    platform, workspace, channel, thread, private = row
    return Scope(str(platform), str(workspace), str(channel), str(thread), bool(private))
