"""What the SQLite store writes. Each may be run again after a failed commit, and does the same."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal

from moabot.contract import Scope
from moabot.store.queries import accepted
from moabot.store.rows import Accepted, Change, Installation, Kind, Left, Opinion, Said, Spent, Step

__all__ = [
    "accept",
    "amend",
    "begin",
    "change",
    "empty_log",
    "end",
    "erase",
    "expire",
    "install",
    "keep",
    "lay_down",
    "opine",
    "posted",
    "revive",
    "take_up",
    "uninstall",
]

PICO = 10**12
"""A dollar in the unit of the ledger."""
TOLD = 10_000
"""Removals of answers that other processes can still hear of."""

USER = "platform || ':' || workspace || '/' || author"
WRITER = "platform || ':' || workspace || '/' || writer"
CHANNEL = "platform || ':' || workspace || '/' || channel"


def accept(c: sqlite3.Connection, *, entry: Accepted) -> bool:
    """Insert a message with its files; False when its event is there already."""
    new = c.execute(
        "INSERT INTO inbox (event, platform, workspace, channel, thread, private, author, text,"
        " addressed, said_at, seed, at, plan, horizon, receipt, tries, error, origin, writer)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            entry.event,
            *_scope(entry.scope),
            entry.author,
            entry.text,
            entry.addressed,
            entry.said_at,
            entry.seed,
            entry.at,
            entry.plan,
            entry.horizon,
            entry.receipt,
            entry.tries,
            entry.error,
            entry.origin or None,
            entry.writer or None,
        ),
    ).rowcount
    if new:
        c.executemany(
            "INSERT INTO files (event, place, name, media_type, data) VALUES (?, ?, ?, ?, ?)",
            [
                (entry.event, place, file.name, file.media_type, file.data)
                for place, file in enumerate(entry.files)
            ],
        )
    return new == 1


def begin(c: sqlite3.Connection, *, event: str, plan: str, horizon: int) -> None:
    """Note plan and horizon, unless they were noted."""
    c.execute(
        "UPDATE inbox SET plan = ?, horizon = ? WHERE event = ? AND horizon IS NULL",
        (plan, horizon, event),
    )


def keep(c: sqlite3.Connection, *, step: Step | None, spent: Spent | None) -> None:
    """Insert a step and its cost."""
    if step is not None:  # unless the message was erased meanwhile
        c.execute(
            "INSERT INTO memo (event, slot, model, prompt, outcome, said)"
            " SELECT event, ?, ?, ?, ?, ? FROM inbox WHERE event = ? AND text <> ''",
            (step.slot, step.model, step.prompt, step.outcome, step.said, step.event),
        )
    if spent is not None:
        _spend(c, spent)


def _spend(c: sqlite3.Connection, spent: Spent) -> None:
    usage = spent.usage
    erased = spent.journaled and not _exists(c, spent.event)
    scope = Scope(spent.scope.platform, spent.scope.workspace, "") if erased else spent.scope
    c.execute(
        "INSERT INTO ledger (at, event, platform, workspace, channel, thread, private, author,"
        " strategy, slot, model, outcome, calls, input_tokens, cached_input_tokens,"
        " output_tokens, cost, estimated)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            spent.at,
            spent.event,
            *_scope(scope),
            "" if erased else spent.author,
            spent.strategy,
            spent.slot,
            spent.model,
            spent.outcome,
            usage.calls,
            usage.input_tokens,
            usage.cached_input_tokens,
            usage.output_tokens,
            _pico(usage.cost_usd),
            usage.estimated,
        ),
    )


def _exists(c: sqlite3.Connection, event: str) -> bool:
    return c.execute("SELECT 1 FROM inbox WHERE event = ?", (event,)).fetchone() is not None


def posted(c: sqlite3.Connection, *, event: str, receipt: str) -> None:
    """Note the platform's receipt."""
    c.execute("UPDATE inbox SET receipt = ? WHERE event = ?", (receipt, event))


def end(
    c: sqlite3.Connection, *, event: str, error: str, state: str, turns: Sequence[Said]
) -> None:
    """Close a message and let its turns join the thread."""
    c.execute(
        "UPDATE inbox SET state = ?, error = ?, ended = ? WHERE event = ?",
        (state, error, time.time(), event),
    )
    c.executemany(
        "INSERT INTO turns (event, role, platform, workspace, channel, thread, private, author,"
        " text, at, origin, writer)"
        " SELECT event, ?1, platform, workspace, channel, thread, private, author,"
        " CASE WHEN ?1 = 'user' THEN text ELSE ?2 END, ?3, origin, writer"  # as edited meanwhile
        " FROM inbox WHERE event = ?4 AND text <> '' ON CONFLICT DO NOTHING",
        [(turn.role, turn.text, turn.at, event) for turn in turns],
    )


def take_up(c: sqlite3.Connection, *, platform: str) -> Sequence[Accepted]:
    """Count a try for what is unfinished, and return it."""
    c.execute(
        "UPDATE inbox SET tries = tries + 1 WHERE platform = ? AND state = 'open'", (platform,)
    )
    return accepted(c, "platform = ? AND state = 'open'", (platform,))


def lay_down(c: sqlite3.Connection, *, platform: str) -> None:
    """Take the try back."""
    c.execute(
        "UPDATE inbox SET tries = tries - 1 WHERE platform = ? AND state = 'open'", (platform,)
    )


def revive(c: sqlite3.Connection, *, event: str) -> bool:
    """Open a dead letter again."""
    found = c.execute(
        "UPDATE inbox SET state = 'open', tries = 0, error = '', ended = NULL"
        " WHERE event = ? AND state = 'dead'",
        (event,),
    ).rowcount
    if found:
        c.execute("DELETE FROM memo WHERE event = ? AND outcome <> 'ok'", (event,))
    return found == 1


def amend(c: sqlite3.Connection, *, event: str, text: str | None) -> None:
    """Change a message wherever it was asked, or with None forget it and its answers."""
    asked = "(event = :event OR origin = :event)"
    bound = {"event": event, "text": text, "now": time.time()}
    if text is not None:
        c.execute(f"UPDATE inbox SET text = :text WHERE {asked} AND text <> ''", bound)  # noqa: S608 - our columns
        c.execute(f"UPDATE turns SET text = :text WHERE {asked} AND role = 'user'", bound)  # noqa: S608 - as above
        return
    c.execute(f"DELETE FROM turns WHERE {asked}", bound)  # noqa: S608 - as above
    theirs = f"event = :event OR event IN (SELECT event FROM inbox WHERE {asked})"  # noqa: S608 - as above
    for table in ("memo", "files", "answers", "answers_given"):
        c.execute(f"DELETE FROM {table} WHERE {theirs}", bound)  # noqa: S608 - four names
    # The rows stay without their words, so that a late redelivery is known.
    c.execute(
        f"UPDATE inbox SET text = '', state = 'done', ended = COALESCE(ended, :now) WHERE {asked}",  # noqa: S608 - as above
        bound,
    )


def change(c: sqlite3.Connection, *, change: Change) -> None:
    """Change a setting, and write down that it was."""
    found = c.execute(
        "SELECT value FROM settings WHERE key = ? AND name = ?", (change.key, change.name)
    ).fetchone()
    c.execute("DELETE FROM settings WHERE key = ? AND name = ?", (change.key, change.name))
    if change.after:
        c.execute(
            "INSERT INTO settings (key, name, value) VALUES (?, ?, ?)",
            (change.key, change.name, change.after),
        )
    c.execute(
        "INSERT INTO audit (key, name, before, after, who, at) VALUES (?, ?, ?, ?, ?, ?)",
        (
            change.key,
            change.name,
            found[0] if found else "",
            change.after,
            change.who,
            change.at,
        ),
    )


def opine(c: sqlite3.Connection, *, opinion: Opinion) -> None:
    """Keep a person's opinion in place of their earlier one."""
    c.execute("DELETE FROM feedback WHERE event = ? AND who = ?", (opinion.event, opinion.who))
    c.execute(
        "INSERT INTO feedback (event, platform, workspace, channel, thread, private, who, verdict,"
        " reason, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            opinion.event,
            *_scope(opinion.scope),
            opinion.who,
            opinion.verdict,
            opinion.reason,
            opinion.at,
        ),
    )


def install(c: sqlite3.Connection, *, installation: Installation) -> None:
    """Let the newest stand, whichever comes last."""
    c.execute(
        "INSERT INTO installations (platform, workspace, bot, sealed, at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET bot = excluded.bot, sealed = excluded.sealed, at = excluded.at"
        " WHERE excluded.at >= at",
        (
            installation.platform,
            installation.workspace,
            installation.bot,
            installation.sealed,
            installation.at,
        ),
    )


def uninstall(c: sqlite3.Connection, *, platform: str, workspace: str, before: float) -> bool:
    """Delete what is not newer; what is unfinished there can never be delivered."""
    gone = c.execute(
        "DELETE FROM installations WHERE platform = ? AND workspace = ? AND at <= ?",
        (platform, workspace, before),
    )
    if gone.rowcount:
        c.execute(
            "UPDATE inbox SET state = 'done', error = 'removed from there', ended = ?"
            " WHERE platform = ? AND workspace = ? AND state = 'open'",
            (time.time(), platform, workspace),
        )
    return gone.rowcount == 1


def erase(c: sqlite3.Connection, *, user: str | None, channel: str | None) -> Left:
    """Delete what belongs to a user or a channel; returns what is left."""
    whose, key = (USER, user) if user is not None else (CHANNEL, channel)
    said = f"({USER} = :key OR {WRITER} = :key)" if user is not None else f"{CHANNEL} = :key"
    c.execute("CREATE TEMP TABLE theirs (event TEXT PRIMARY KEY)")  # known when the inbox is empty
    c.execute(f"INSERT INTO theirs SELECT event FROM inbox WHERE {said}", {"key": key})  # noqa: S608 - our columns
    theirs = "event IN (SELECT event FROM theirs)"
    mine = {
        "memo": theirs,
        "files": theirs,
        "feedback": f"who = :key OR {theirs}" if user is not None else f"{whose} = :key",
        "turns": said,
        "answers": f"{whose} = :key",
        "answers_given": theirs,
        "inbox": said,
    }
    bound = {"key": key}
    for table, which in mine.items():
        c.execute(f"DELETE FROM {table} WHERE {which}", bound)  # noqa: S608 - as above
    _disown(c, f"{whose} = :key", "author = ''" if user is not None else "channel = ''", bound)
    c.execute("UPDATE audit SET who = '' WHERE who = :key", bound)
    mine["ledger"] = f"{whose} = :key"
    mine["answers AS vectors"] = f"{mine['answers']} AND length(vector)"
    *rows, vectors = (
        int(c.execute(f"SELECT COUNT(*) FROM {table} WHERE {which}", bound).fetchone()[0])  # noqa: S608 - our tables
        for table, which in mine.items()
    )
    c.execute("DROP TABLE theirs")
    return Left(sum(rows), vectors)


def _disown(c: sqlite3.Connection, which: str, gone: str, bound: Mapping[str, object]) -> None:
    """Make ledger rows nobody's; those of one answer stay together under a name that says nothing."""
    events = c.execute(f"SELECT DISTINCT event FROM ledger WHERE {which}", bound).fetchall()  # noqa: S608 - our columns
    for (event,) in events:
        c.execute(
            f"UPDATE ledger SET {gone}, thread = '', event = :name WHERE {which} AND event = :event",  # noqa: S608 - as above
            {**bound, "name": f"erased:{secrets.token_hex(8)}", "event": event},
        )


def empty_log(c: sqlite3.Connection) -> None:
    """Empty the write-ahead log, in which deleted words still stand; a reader may put that off."""
    c.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def expire(c: sqlite3.Connection, *, before: Mapping[Kind, float]) -> int:
    """Delete what is older than the time given for its kind."""
    gone = 0
    old = "state <> 'open' AND ended < ?"
    for kind, at in before.items():
        if kind == "inbox":
            for table in ("memo", "files", "answers_given"):
                gone += c.execute(
                    f"DELETE FROM {table} WHERE event IN (SELECT event FROM inbox WHERE {old})",  # noqa: S608 - as above
                    (at,),
                ).rowcount
        which = {"inbox": old, "answers": "expires < ?"}.get(kind, "at < ?")
        gone += c.execute(f"DELETE FROM {kind} WHERE {which}", (at,)).rowcount  # noqa: S608 - as above
    # Who is further behind finds their numbers missing, and looks at all rows instead.
    last = "(SELECT MAX(number) FROM answers_gone)"
    c.execute(f"DELETE FROM answers_gone WHERE number <= {last} - ?", (TOLD,))  # noqa: S608 - as above
    return gone


def _scope(scope: Scope) -> tuple[str, str, str, str, bool]:
    return scope.platform, scope.workspace, scope.channel, scope.thread, scope.private


def _pico(cost_usd: Decimal | None) -> int | None:
    return None if cost_usd is None else int((cost_usd * PICO).to_integral_value())
