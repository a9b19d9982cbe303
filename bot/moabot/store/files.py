"""Opening the database file: owner-only, one bot at a time, at the version that this code knows."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from moabot.errors import StoreError
from moabot.store.schema import CHANGES

__all__ = ["connected", "explained", "held", "migrate", "prepared"]

NAME = "moabot.db"
PATIENCE_S = 5.0
"""How long to wait for another program that is writing."""

REASONS = {
    sqlite3.SQLITE_FULL: (
        "has no room on its disk",
        "Make room: what was taken on is answered meanwhile, new questions are refused.",
    ),
    sqlite3.SQLITE_READONLY: (
        "cannot be written",
        "Give the user that runs moabot the right to write it and its directory.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened",
        "Give the user that runs moabot the right to write in its directory.",
    ),
    sqlite3.SQLITE_BUSY: (
        "is locked by another program",
        "Close what has it open (a database browser, a copy that hangs), then try again.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "is damaged",
        "Nothing in it was changed. Put a backup in its place, or move it away to begin anew.",
    ),
    sqlite3.SQLITE_IOERR: (
        "could not be read or written by the disk",
        "Check the disk, and that it has room.",
    ),
}
REASONS[sqlite3.SQLITE_NOTADB] = REASONS[sqlite3.SQLITE_CORRUPT]
REASONS[sqlite3.SQLITE_LOCKED] = REASONS[sqlite3.SQLITE_BUSY]
REASONS[sqlite3.SQLITE_PERM] = REASONS[sqlite3.SQLITE_CANTOPEN]


def explained(path: Path, error: sqlite3.Error) -> StoreError:
    """What SQLite's error means for an administrator; the text has no row in it."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    what, fix = REASONS.get(code, ("did not do as asked", "Report this, with the log."))
    told = StoreError(f"The database {str(path)!r} {what} ({error}).", fix=fix)
    told.__cause__ = error
    return told


def prepared(data_dir: Path) -> Path:
    """The path of the database; the directory and the file exist, for their owner alone."""
    path = data_dir / NAME
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its side files the rights of this one.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(
            f"The database {str(path)!r} cannot be written: {error.strerror}.",
            fix="Set data_dir to a directory that may be written, or correct its rights.",
        ) from error
    return path


def connected(path: Path, *, write: bool) -> sqlite3.Connection:
    """A connection that commits when told to; used by one thread at a time."""
    connection = sqlite3.connect(
        path, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")  # what is erased is gone from the file too
        if not write:
            connection.execute("PRAGMA query_only=ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def held(path: Path) -> Generator[None]:
    """Be the only bot that works on `path`, as long as this process lives; else a `StoreError`."""
    lock = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(lock, 20, 0).decode(errors="replace").strip() or "unknown"
            raise StoreError(
                f"The database {str(path)!r} belongs to a moabot that is running (process {owner}).",
                fix="Stop that one first, or give this one a data_dir of its own.",
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(lock)  # the file stays: removing it would let two hold different locks


def migrate(connection: sqlite3.Connection, path: Path, *, alone: bool) -> None:
    """Bring the tables to this code's version, in one transaction: all of it or nothing.

    Unless we are `alone`, an old database is changed only when no bot is running on it.
    """
    version = _version(connection)
    if version == len(CHANGES):
        return
    if version > len(CHANGES):
        raise StoreError(
            f"The database {str(path)!r} was written by a newer moabot (version {version} of its "
            f"tables; this one knows {len(CHANGES)}).",
            fix="Run the newer moabot, or put back the backup that was made before it.",
        )
    if alone or version == 0:
        _change(connection, CHANGES)
    else:
        with held(path):
            _change(connection, CHANGES)


def _change(connection: sqlite3.Connection, changes: Sequence[str]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for change in changes[_version(connection) :]:  # another process may have been quicker
            for statement in filter(str.strip, change.split(";\n")):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(changes):d}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _version(connection: sqlite3.Connection) -> int:
    with closing(connection.execute("PRAGMA user_version")) as found:
        return int(found.fetchone()[0])
