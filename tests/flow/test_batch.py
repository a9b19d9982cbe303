"""`moabot batch`: whole files, interrupted and resumed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.flow.conftest import Ended, Moabot

pytestmark = pytest.mark.timeout(60)  # each starts the program once or more


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """Ten questions, with ids q0 to q9 and a gold answer that is none of our keys."""
    path = tmp_path / "in.jsonl"
    rows = [{"id": f"q{n}", "question": f"What is {n}?", "answer": str(n)} for n in range(10)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Where they go."""
    return tmp_path / "out.jsonl"


def _rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_every_row_is_answered_and_keeps_its_own_keys(
    moabot: Moabot, questions: Path, answers: Path
) -> None:
    """What comes out joins with what went in, and is the record of `ask --json`."""
    ended = await moabot("batch", "in.jsonl", "out.jsonl", "--preset", "fast")

    assert (ended.code, ended.out) == (0, ""), ended.err
    rows = {row["id"]: row for row in _rows(answers)}
    assert rows.keys() == {f"q{n}" for n in range(10)}
    assert rows["q3"]["question"] == "What is 3?"
    assert rows["q3"]["answer"] == "3"
    assert rows["q3"]["text"] == "Forty-two, says model-a."
    assert rows["q3"]["preset"] == "fast"
    assert ended.err.splitlines()[-1].startswith("moabot: 10 of 10 rows answered")


async def test_the_preset_is_max_unless_another_is_chosen(moabot: Moabot, answers: Path) -> None:
    """A batch runs overnight: depth matters more than speed there."""
    (moabot.home / "in.jsonl").write_text('{"question": "hi"}\n')

    await moabot("batch", "in.jsonl", "out.jsonl")

    (row,) = _rows(answers)
    assert row["preset"] == "max"
    assert row["id"] == 1


async def test_bad_lines_are_named_and_stop_nothing(
    moabot: Moabot, questions: Path, answers: Path
) -> None:
    """One slip in line 7,000 must not cost the night."""
    bad = ["no json", "[1]", '{"id": 1}', '{"id": "q1", "question": "again"}', '{"question": ""}',
           '{"id": [], "question": "x"}', '{"question": "x", "text": "y"}', "\udcff"]  # fmt: skip
    with questions.open("ab") as file:
        file.write("\n".join(bad).encode("utf-8", "surrogateescape"))

    ended = await moabot("batch", "in.jsonl", "out.jsonl", "--strategy", "single")

    assert ended.code == 1
    for line in range(11, 19):
        assert f"in.jsonl, line {line}: " in ended.err
    assert "the id 'q1' stands in line 2 too" in ended.err
    assert "the key 'text' is one of the answer's" in ended.err
    assert "8 bad lines" in ended.err.splitlines()[-1]
    assert len(_rows(answers)) == 10


async def test_a_row_that_fails_is_kept_as_such_and_asked_again(
    moabot: Moabot, questions: Path, answers: Path
) -> None:
    """After a night without network, the same command in the morning mends it."""
    moabot.upstream.broken |= {"model-a": 401, "model-b": 401, "model-c": 401}
    first = await moabot("batch", "in.jsonl", "out.jsonl", "--strategy", "single")
    failed = _rows(answers)
    moabot.upstream.broken.clear()
    second = await moabot("batch", "in.jsonl", "out.jsonl", "--strategy", "single")

    assert first.code == 1
    assert len(failed) == 10
    assert all("error" in row and row["question"] for row in failed)
    assert "10 failed" in first.err.splitlines()[-1]
    assert second.code == 0
    assert sorted(str(row["id"]) for row in _rows(answers)) == [f"q{n}" for n in range(10)]


async def test_a_second_run_asks_only_what_is_missing(
    moabot: Moabot, questions: Path, answers: Path
) -> None:
    """A paid answer is never paid twice, and a line that was cut in half is no answer."""
    await moabot("batch", "in.jsonl", "out.jsonl", "--strategy", "single")
    lines = answers.read_bytes().splitlines(keepends=True)
    answers.write_bytes(b"".join(lines[:6]) + lines[6][:20])
    moabot.upstream.bodies.clear()

    ended = await moabot("batch", "in.jsonl", "out.jsonl", "--strategy", "single")

    assert ended.code == 0
    assert "6 of 10 rows were answered before." in ended.err
    assert len(moabot.upstream.bodies) == 4
    assert answers.read_bytes().startswith(b"".join(lines[:6]))
    assert len({row["id"] for row in _rows(answers)}) == 10


async def test_ctrl_c_leaves_whole_lines_and_says_how_to_go_on(
    moabot: Moabot, questions: Path, answers: Path
) -> None:
    """What is paid for stands in the file; the rest is for the next run."""
    moabot.upstream.held.add("model-a")
    process = await moabot.start(
        "batch", "in.jsonl", "out.jsonl", "--strategy", "single", "--concurrency", "2"
    )
    async with asyncio.timeout(30):
        await moabot.upstream.asked.wait()
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()

    assert process.returncode == 130
    assert "Stopped: 0 of 10 rows answered" in err.decode()
    assert "calls for rows without an answer are not counted" in err.decode()
    assert "The same command goes on from there." in err.decode()
    assert _rows(answers) == []


async def test_a_full_disk_is_named_and_ends_with_1(moabot: Moabot, questions: Path) -> None:
    """Nothing more is asked when nothing more can be kept."""
    ended = await moabot(
        "batch", str(questions), "/dev/full", "--strategy", "single", "--concurrency", "1"
    )

    assert ended.code == 1
    assert "cannot be written any more: No space left on device" in ended.err
    assert "Traceback" not in ended.err
    assert len(moabot.upstream.bodies) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["gone.jsonl", "out.jsonl"], "'gone.jsonl' does not exist"),
        ([".", "out.jsonl"], "is no file that can be read twice"),
        (["in.jsonl", "no/such/out.jsonl"], "cannot be written: No such file"),
        (["in.jsonl", "."], "cannot be written: Is a directory"),
        (["in.jsonl", "in.jsonl"], "the same file"),
        (["in.jsonl", "config.toml"], "is no row that a batch wrote"),
        (["in.jsonl", "notes.txt"], "is no row that a batch wrote"),
        (["in.jsonl", "out.jsonl", "--strategy", "singel"], "did you mean 'single'"),
        (["in.jsonl", "out.jsonl", "--preset", "maxx"], "did you mean 'max'"),
        (["in.jsonl", "out.jsonl", "--concurrency", "0"], "--concurrency"),
        (["in.jsonl"], "OUT.jsonl"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_a_person_can_mend_is_named_before_anything_is_paid(
    mistaken: Callable[..., Ended], questions: Path, arguments: list[str], told: str
) -> None:
    """A wrong name must not fill a file with errors, and nobody's notes are cut."""
    notes = questions.with_name("notes.txt")
    notes.write_text("my notes")

    ended = mistaken("batch", *arguments)

    assert ended.code == 2
    assert told in ended.err
    assert notes.read_text() == "my notes"
    assert len(_rows(questions)) == 10


async def test_a_terminal_gets_a_bar(moabot: Moabot, questions: Path) -> None:
    """Whoever waits wants to see how long."""
    async with moabot.terminal("batch", "in.jsonl", "out.jsonl", "--preset", "fast") as terminal:
        assert await terminal.ended() == 0

    assert "10/10" in terminal.seen or "/10" in terminal.seen
    assert "10 of 10 rows answered" in " ".join(terminal.seen.split())


async def test_a_file_that_cannot_be_changed_is_refused(
    moabot: Moabot, questions: Path, answers: Path
) -> None:
    """An answer must not be paid for before it is known to have a place."""
    if os.geteuid() == 0:
        pytest.skip("Root may write everywhere.")
    answers.touch(mode=0o400)

    ended = await moabot("batch", "in.jsonl", "out.jsonl")

    assert ended.code == 2
    assert "Permission denied" in ended.err
