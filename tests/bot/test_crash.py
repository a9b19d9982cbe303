"""The process ends at any statement, or at any moment: nothing is lost, paid or posted twice."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from moabot.contract import Answer, Completion, Message, Prompt, Scope, Wrote
from moabot.desk import Desk
from moabot.journal import Entry
from moabot.memo import Memo
from moabot.plugins import Plugins
from moabot.pricing import look_up
from moabot.store.rows import Spent, Step
from moabot.store.sqlite import SqliteStore
from moabot.testing import RecordingReply, ScriptedProvider, rehearsal

KILLED = 9
CRASH = Path(__file__).parents[2] / "bench" / "crash.py"


class Noting(ScriptedProvider):
    """A provider that writes down whom it was asked, and that it answered."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Note, answer, note."""
        _append(self._folder / "asked", f"{model} {_hash(prompt)}")
        done = await super().complete(prompt, model=model, wrote=wrote)
        await asyncio.sleep(0.003)  # so that its step is a commit of its own
        return done


class Post(RecordingReply):
    """A reply whose posts survive, and are taken once for each nonce."""

    def __init__(self, folder: Path, event: str) -> None:
        super().__init__()
        self._file = folder / "posts"
        self._event = event

    async def finish(self, answer: Answer) -> None:
        """Post."""
        if self._event not in _lines(self._file):
            _append(self._file, self._event)


def _hash(prompt: Prompt) -> str:
    """The name under which the memo knows a prompt."""
    memo = Memo("", scope=Scope("", "", ""), author="", write=_nothing, durable=True)
    return memo._hash(prompt)


def _nothing(step: Step | None, spent: Spent | None) -> asyncio.Future[None]:
    raise AssertionError("nothing is written")


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")


async def _live(folder: Path, kill_at: int | None) -> None:
    """One life: finish what was left, then take two deliveries of one event."""
    tables = {"data_dir": str(folder / "data")}
    panel = {"hedge": False, "quorum": 3}
    async with rehearsal(Noting(folder), tables, panel=panel, keep="all") as app:
        journal, store = app.memory.durable, app.memory.store
        assert journal is not None
        assert isinstance(store, SqliteStore)
        seen = 0

        def count(statement: str) -> None:
            nonlocal seen
            if seen == kill_at:
                os._exit(KILLED)
            _append(folder / "statements", statement.split(maxsplit=1)[0])
            seen += 1

        store._writer._connection.set_trace_callback(count)

        def reply_to(entry: Entry) -> Post:
            return Post(folder, entry.message.event_id)

        desk = Desk(app.answering, app.memory)
        await desk.finish_all(await journal.resume("test"), reply_to)
        for _ in range(2):
            message = Message("test", "T1", "C1", "U1", "Why is the sky blue?", "E1")
            entry = await desk.accept(message)
            if entry is not None:
                _append(folder / "taken", "E1")
                await desk.answer(entry, reply_to(entry))


def _forked(folder: Path, kill_at: int | None) -> int:
    """Live in a process of its own; returns its exit code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child uses none of our threads
        child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        asyncio.run(_live(folder, kill_at))
        code = 0
    finally:
        os._exit(code)


@pytest.fixture
def folder_in_memory(tmp_path: Path) -> Generator[Path]:
    """A dead process leaves its writes to the kernel, so no disk has to be waited for."""
    memory = Path("/dev/shm")  # noqa: S108 - a directory of its own is made in it
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        yield Path(folder)


@pytest.mark.timeout(180)
def test_a_kill_at_any_statement_loses_nothing_and_pays_nothing_twice(
    folder_in_memory: Path,
) -> None:
    """Each statement of the journal is a place where the process may end."""
    Plugins()  # loads what the forks need, once; so does a price
    assert look_up("a", plugin="scripted") is None
    whole = folder_in_memory / "whole"
    whole.mkdir()
    assert _forked(whole, None) == 0
    statements = len(_lines(whole / "statements"))
    assert statements > 20  # an accept, a plan, four steps, an end, and what commits them

    for kill_at in range(statements):
        folder = folder_in_memory / str(kill_at)
        folder.mkdir()
        killed = _forked(folder, kill_at) == KILLED
        # Commits are shared as timing has it: this life may have had fewer statements.
        assert killed or len(_lines(folder / "statements")) <= kill_at, kill_at
        before = Counter(_lines(folder / "asked"))
        known = _steps(folder)
        assert _forked(folder, None) == 0, kill_at

        again = Counter(_lines(folder / "asked")) - before
        assert _lines(folder / "posts") == ["E1"], kill_at
        assert set(again).isdisjoint(known), kill_at
        assert sum((again & before).values()) <= len(before) - len(known), kill_at
        assert len(_steps(folder)) == 4, kill_at


def _steps(folder: Path) -> set[str]:
    """Calls that are remembered, from a look at the file that the dead left."""
    with closing(sqlite3.connect(folder / "data" / "moabot.db")) as connection:
        rows = connection.execute("SELECT model, prompt FROM memo WHERE outcome = 'ok'")
        return {f"{model} {prompt}" for model, prompt in rows}


@pytest.mark.timeout(240)
def test_random_kills_of_the_real_process_lose_nothing(tmp_path: Path) -> None:
    """The same by chance, with real waits and several answers under way; 200 kills in bench/."""
    done = subprocess.run(
        [sys.executable, str(CRASH), "--kills", "15", "--seed", "11", "--json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )

    assert done.returncode == 0, done.stdout + done.stderr
    counts = json.loads(done.stdout)
    assert counts["accepted"] == 60
    assert counts["lost"] == counts["posted_twice"] == counts["finished_paid_twice"] == 0
