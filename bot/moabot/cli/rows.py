"""The two files of a batch: rows that are read one by one, rows that are kept one by one."""

from __future__ import annotations

import json
import os
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from pydantic import TypeAdapter, ValidationError

from moabot.contract import Answer
from moabot.errors import ConfigError, MoabotError
from moabot.record import record

__all__ = ["BadRow", "Kept", "Key", "Row", "Survey", "checked", "left", "read", "survey"]

OBJECT = TypeAdapter(dict[str, object])
Key: TypeAlias = str | int
"""A row's id, or its line number when it has none."""
OURS = frozenset(record(Answer("", ""))) | {"error"}
"""Keys that an answer brings: a question must not have them, since neither may be lost."""
BEGINNING = b'{"id": '
"""How each line of ours begins, so that nobody else's file is ever cut."""


@dataclass(frozen=True, slots=True)
class Row:
    """One question of a batch; `rest` are the other keys of its object, which are kept."""

    line: int
    key: Key
    question: str
    rest: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that holds no question, and why."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What a batch is about to do: rows in all, those answered before, lines without a question."""

    rows: int
    before: int
    bad: tuple[BadRow, ...]


def read(path: Path) -> Iterator[Row | BadRow]:
    """Each line of a JSON Lines file, in order; empty lines are passed over.

    Raises `ConfigError` when the file cannot be read.
    """
    lines: dict[Key, int] = {}
    try:
        with path.open("rb") as file:
            for line, raw in enumerate(file, 1):
                if not raw.strip():
                    continue
                row = _row(line, raw.removeprefix(BOM_UTF8))  # Windows begins a file with it
                if isinstance(row, Row) and lines.setdefault(row.key, line) != line:
                    yield BadRow(line, f"the id {row.key!r} stands in line {lines[row.key]} too")
                else:
                    yield row
    except OSError as error:
        raise ConfigError(
            f"The questions {str(path)!r} cannot be read: {error.strerror}.", fix="Correct IN."
        ) from error


def left(path: Path, done: AbstractSet[Key]) -> Iterator[Row]:
    """The rows that are still to be answered."""
    return (row for row in read(path) if isinstance(row, Row) and row.key not in done)


def checked(questions: Path, answers: Path) -> None:
    """Refuse what cannot be a batch, before anything is written or paid for."""
    if not questions.is_file():
        what = "is no file that can be read twice" if questions.exists() else "does not exist"
        raise ConfigError(f"IN {str(questions)!r} {what}.", fix="Correct the path.")
    if answers.exists() and answers.samefile(questions):
        raise ConfigError("IN and OUT are the same file.", fix="Name another file for OUT.")


def survey(questions: Path, done: AbstractSet[Key]) -> Survey:
    """Look through the questions once, before the first is paid for."""
    bad: list[BadRow] = []
    rows = before = 0
    for row in read(questions):
        if isinstance(row, BadRow):
            bad.append(row)
        else:
            rows += 1
            before += row.key in done
    return Survey(rows, before, tuple(bad))


def _row(line: int, raw: bytes) -> Row | BadRow:
    try:
        values = OBJECT.validate_json(raw)
    except ValidationError as error:
        return BadRow(line, f'no object like {{"question": "…"}}: {error.errors()[0]["msg"]}')
    question = values.get("question")
    if not isinstance(question, str) or not question.strip():
        return BadRow(line, 'the key "question" is missing, empty or no text')
    key = values.get("id", line)
    if isinstance(key, bool) or not isinstance(key, str | int):
        return BadRow(line, 'the key "id" is neither a text nor a whole number')
    rest = {name: value for name, value in values.items() if name not in {"id", "question"}}
    if clash := sorted(OURS & rest.keys()):
        return BadRow(line, f"the key {clash[0]!r} is one of the answer's; rename it")
    return Row(line, key, question, rest)


class Kept:
    """The answers' file: whole lines only, whatever happens; `done` are the keys answered before.

    Opening it drops a half-written last line and rows that failed, so that they are asked again.
    A file with anything else in it is refused.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.done: set[Key] = set()

    def __enter__(self) -> Self:
        try:
            self._file = _alone(self._path)
            with ExitStack() as undo:
                undo.callback(lambda: os.close(self._file))
                self._mend()
                self._end = os.fstat(self._file).st_size
                undo.pop_all()
        except OSError as error:
            raise ConfigError(
                f"The answers {str(self._path)!r} cannot be written: {error.strerror}.",
                fix="Correct OUT, or its permissions.",
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def keep(self, row: Row, result: Mapping[str, object]) -> None:
        """Append a question and its result.

        Raises `MoabotError` when the disk is full, and leaves no half line.
        """
        whole = {"id": row.key, "question": row.question, **row.rest, **result}
        line = json.dumps(whole, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            with suppress(OSError):  # a device has no length
                os.ftruncate(self._file, self._end)
            raise MoabotError(
                f"{str(self._path)!r} cannot be written any more: {error.strerror}; "
                "what stands in it is whole.",
                fix="Make room, then give the same command again: it goes on from there.",
            ) from error
        self._end += len(line)

    def _mend(self) -> None:
        if not self._path.is_file():
            return
        failed = False
        with self._path.open("rb+") as file:
            whole = 0
            for number, line in enumerate(file, 1):
                found = _parsed(line)
                if found is None and not line.endswith(b"\n") and _is_half(line):
                    file.truncate(whole)
                    break
                if found is None:
                    raise ConfigError(
                        f"Line {number} of {str(self._path)!r} is no row that a batch wrote.",
                        fix="Name another file for the answers.",
                    )
                if not line.endswith(b"\n"):  # an editor may have cut the last one
                    file.seek(0, os.SEEK_END)
                    file.write(b"\n")
                key, answered = found
                failed = failed or not answered
                if answered:
                    self.done.add(key)
                whole += len(line)
        if failed:
            self._drop_failed()

    def _drop_failed(self) -> None:
        """Write the answered rows beside the file, then put them in its place at once."""
        fresh = self._path.with_name(f"{self._path.name}.part")
        file = _alone(fresh)  # before it takes the place, so that nobody else gets in between
        with ExitStack() as undo:
            undo.callback(fresh.unlink, missing_ok=True)
            undo.callback(os.close, file)
            os.truncate(file, 0)
            with self._path.open("rb") as old, open(file, "wb", closefd=False) as new:
                for line in old:
                    found = _parsed(line)
                    if found is not None and found[1]:
                        new.write(line)
            fresh.replace(self._path)
            undo.pop_all()
        os.close(self._file)
        self._file = file


def _alone(path: Path) -> int:
    """`path`, open for appending by this process alone, as far as the file system can tell.

    Two batches into one file would pay twice, and lose what one wrote when the other mends it.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        _lock(file)
    except BlockingIOError:
        os.close(file)
        raise ConfigError(
            f"Another batch is writing {str(path)!r}.",
            fix="Wait until it has ended, or name another file for OUT.",
        ) from None
    return file


def _lock(file: int) -> None:
    """Raises `BlockingIOError` when another process holds it; some systems have no locks."""
    try:
        from fcntl import LOCK_EX, LOCK_NB, flock  # noqa: PLC0415 - Windows has none
    except ImportError:
        return
    try:
        flock(file, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # a device, or a share of the network
        return


def _parsed(line: bytes) -> tuple[Key, bool] | None:
    """The key of a line of ours, and whether it was answered."""
    with suppress(ValidationError):
        values = OBJECT.validate_json(line)
        key = values.get("id")
        ours = line.startswith(BEGINNING) and values.keys() & {"text", "error"}
        if ours and isinstance(key, str | int):
            return key, "error" not in values
    return None


def _is_half(line: bytes) -> bool:
    return line.startswith(BEGINNING) or BEGINNING.startswith(line)
