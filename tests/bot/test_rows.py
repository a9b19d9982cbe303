"""The files of a batch survive what disks, editors and people do to them."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest

from moabot.cli.rows import BadRow, Kept, Row, read
from moabot.contract import Answer
from moabot.errors import ConfigError, MoabotError
from moabot.record import record

ROW = Row(1, "q1", "Why?", {"gold": "air"})
ANSWERED = record(Answer("Because.", "single"))


def _line(key: object, **result: object) -> str:
    return json.dumps({"id": key, "question": "Why?", **result}) + "\n"


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    """Half a line would stop the next run, and every other reader of the file."""
    out = tmp_path / "out.jsonl"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Kept(out) as kept:
        kept.keep(ROW, ANSWERED)
        whole = out.read_bytes()
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 50, before[1]))
        try:
            with pytest.raises(MoabotError, match="what stands in it is whole"):
                kept.keep(ROW, ANSWERED)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert out.read_bytes() == whole


def test_a_row_that_cannot_be_encoded_is_kept_readable(tmp_path: Path) -> None:
    """A lone surrogate from a model's JSON must not lose the answer around it."""
    out = tmp_path / "out.jsonl"
    with Kept(out) as kept:
        kept.keep(ROW, {"text": "half \ud83d pair"})

    assert json.loads(out.read_text()) == {
        "id": "q1",
        "question": "Why?",
        "gold": "air",
        "text": "half ? pair",
    }


@pytest.mark.parametrize("half", ['{"i', '{"id": "q2", "question": "Wh', '{"id": "q2"}'])
def test_a_half_written_last_line_is_dropped(tmp_path: Path, half: str) -> None:
    """A kill in the middle of a write must not stop the run after it."""
    out = tmp_path / "out.jsonl"
    out.write_text(_line("q1", text="Because.") + half)

    with Kept(out) as kept:
        assert kept.done == {"q1"}

    assert out.read_text() == _line("q1", text="Because.")


def test_a_last_line_without_its_newline_is_kept(tmp_path: Path) -> None:
    """An editor that cuts the last newline must not cost a paid answer, nor join two rows."""
    out = tmp_path / "out.jsonl"
    out.write_text(_line("q0", text="Because.").rstrip())

    with Kept(out) as kept:
        assert kept.done == {"q0"}
        kept.keep(ROW, ANSWERED)

    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == ["q0", "q1"]


def test_failed_rows_make_room_and_nothing_else_is_left_behind(tmp_path: Path) -> None:
    """They are asked again; the answered ones around them stay byte for byte."""
    out = tmp_path / "out.jsonl"
    out.write_text(_line(1, text="a") + _line(2, error="no") + _line(3, text="c"))

    with Kept(out) as kept:
        assert kept.done == {1, 3}

    assert out.read_text() == _line(1, text="a") + _line(3, text="c")
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    "text",
    ["my notes\n", "my notes", '{"id": 1}\n', '{"id": 1, "question": "x"}\n', "[1]\n", "\n"],
    ids=repr,
)
def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path, text: str) -> None:
    """A slip in the name of OUT must not cost a file."""
    out = tmp_path / "notes"
    out.write_text(text)

    with pytest.raises(ConfigError, match="no row that a batch wrote"), Kept(out):
        pass

    assert out.read_text() == text


def test_rows_are_known_by_id_or_by_line(tmp_path: Path) -> None:
    """A row without an id is its line; an id that looks like that line is a clash, said so."""
    path = tmp_path / "in.jsonl"
    path.write_text('{"question": "a"}\n\n{"question": "c", "id": 4}\n{"question": "d"}\n')

    first, third, fourth = read(path)

    assert isinstance(first, Row)
    assert isinstance(third, Row)
    assert (first.key, third.key) == (1, 4)
    assert isinstance(fourth, BadRow)
    assert fourth == BadRow(4, "the id 4 stands in line 3 too")


def test_questions_that_vanish_are_named(tmp_path: Path) -> None:
    """A disk that is unplugged in the middle is no bug of the batch."""
    with pytest.raises(ConfigError, match=r"in\.jsonl' cannot be read: No such file"):
        list(read(tmp_path / "in.jsonl"))


@pytest.mark.parametrize("before", ["", _line("q1", error="no")], ids=["fresh", "with failed rows"])
def test_two_batches_do_not_write_one_file(tmp_path: Path, before: str) -> None:
    """Each would pay for every row, and the second's mending would lose what the first wrote."""
    out = tmp_path / "out.jsonl"
    out.write_text(before)
    with Kept(out) as kept:
        with pytest.raises(ConfigError, match="Another batch is writing"), Kept(out):
            pass
        kept.keep(ROW, ANSWERED)

    with Kept(out) as again:
        assert again.done == {"q1"}


def test_a_file_from_windows_is_read(tmp_path: Path) -> None:
    """Its editors put a mark at the beginning, which is no JSON."""
    questions = tmp_path / "in.jsonl"
    questions.write_text('{"question": "Why?"}\n', encoding="utf-8-sig")

    assert list(read(questions)) == [Row(1, 1, "Why?", {})]
