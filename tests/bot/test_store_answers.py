"""Remembered answers as rows: new databases, and those of every earlier moabot."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from moabot.contract import Scope
from moabot.errors import StoreError
from moabot.store.rows import Accepted, Given, Kept
from moabot.store.schema import CHANGES
from moabot.store.sqlite import opened

ROOM = Scope("slack", "T1", "C1")
LATER = 4e9


def _kept(name: str = "q1", *, event: str = "", answer: str = "{}") -> Kept:
    return Kept(
        partition="shelf",
        name=name,
        scope=ROOM,
        author="ann",
        question="Why?",
        encoder="e",
        vector=b"12",
        answer=answer,
        cost_usd=0.5,
        at=1.0,
        expires=LATER,
        event=event,
    )


def _arrived(event: str) -> Accepted:
    return Accepted(
        event=event,
        scope=ROOM,
        author="ann",
        text="Why?",
        addressed=True,
        said_at=1.0,
        seed=b"",
        at=1.0,
    )


@pytest.mark.parametrize("version", range(1, len(CHANGES)))
async def test_a_database_of_an_earlier_version_is_brought_forward(
    version: int, tmp_path: Path
) -> None:
    """With what it holds: nobody starts anew for a new moabot."""
    path = tmp_path / "moabot.db"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(";\n".join(CHANGES[:version]))
        old.execute(f"PRAGMA user_version = {version}")
        old.execute(
            "INSERT INTO inbox (event, platform, workspace, channel, thread, private, author, text,"
            " addressed, said_at, seed, at, plan, horizon, receipt, tries, error, state, ended) VALUES"
            " ('slack:0', 'slack', 'T1', 'C1', '', 0, 'ann', 'Why?', 1, 0, '', 0, '', 0, '', 1, '',"
            " 'open', NULL)"
        )
        old.commit()

    async with opened(tmp_path, alone=True) as store:
        place = await store.answers.keep(_kept(event="slack:0"))
        found = await store.answers.at(place)
        open_messages = await store.take_up("slack")

    assert found is not None
    assert (found.question, found.vector, found.event) == ("Why?", b"12", "slack:0")
    assert [row.event for row in open_messages] == ["slack:0"]
    with closing(sqlite3.connect(path)) as new:
        assert new.execute("PRAGMA user_version").fetchone() == (len(CHANGES),)


async def test_removals_are_forgotten_but_still_counted(tmp_path: Path) -> None:
    """They would pile up for ever; who looks later must not count from the start again."""
    async with opened(tmp_path, alone=True) as store:
        await store.answers.remove([await store.answers.keep(_kept())])
        last = await store.answers.last_gone()
        await store.expire({"answers_gone": LATER})

        assert list(await store.answers.gone(0)) == []
        assert await store.answers.last_gone() == last == 1


async def test_what_a_message_was_given_is_known_by_its_name(tmp_path: Path) -> None:
    """Made for it, or given from memory later."""
    async with opened(tmp_path, alone=True) as store:
        await asyncio.gather(*(store.accept(_arrived(event)) for event in ("slack:1", "slack:2")))
        place = await store.answers.keep(_kept(event="slack:1"))
        gave = [Given(event, "shelf", "q2", place) for event in ("slack:2", "slack:unheard")]
        await store.answers.give(gave)

        assert await store.answers.given("slack:1") == Given("slack:1", "shelf", "q1", place)
        assert await store.answers.given("slack:2") == Given("slack:2", "shelf", "q2", place)
        assert await store.answers.given("slack:unheard") is None


async def test_a_vector_is_written_where_its_row_still_is(tmp_path: Path) -> None:
    """It is made in the background, and the row may be removed meanwhile."""
    async with opened(tmp_path, alone=True) as store:
        bare = replace(_kept(), encoder="", vector=b"")
        place = await store.answers.keep(bare)
        (unseen,) = await store.answers.unseen(0, most=10)
        made = replace(unseen, encoder="e", vector=b"12")

        assert unseen == replace(bare, place=place)
        assert await store.answers.embed(made)
        assert await store.answers.at(place) == made
        assert await store.answers.unseen(0, most=10) == []
        assert (await store.answers.size())[1] == made.size
        await store.answers.remove([place])
        assert not await store.answers.embed(made)


async def test_bytes_are_counted_with_the_answer(tmp_path: Path) -> None:
    """The bound is in bytes; a long answer weighs more."""
    async with opened(tmp_path, alone=True) as store:
        await store.answers.keep(_kept(answer="x" * 10_000))
        (row,) = await store.answers.after(0, most=10)

        assert row.size == (await store.answers.size())[1] == _kept(answer="x" * 10_000).size
        assert row.size > 10_000


async def test_a_closed_database_says_so(tmp_path: Path) -> None:
    """Who comes late gets an error of ours, which says what to do."""
    async with opened(tmp_path, alone=True) as store:
        pass

    with pytest.raises(StoreError, match="it is closed"):
        await store.answers.keep(_kept())
    with pytest.raises(StoreError, match="it is closed"):
        await store.answers.named("shelf", "q1")


async def test_of_removals_only_the_last_ten_thousand_are_remembered(tmp_path: Path) -> None:
    """They are for who runs at the same time; a bot of some years would have millions."""
    async with opened(tmp_path, alone=True) as store:
        place = await store.answers.keep(_kept())
        await store.answers.remove([place])
        with closing(sqlite3.connect(tmp_path / "moabot.db")) as other:
            other.executemany("INSERT INTO answers_gone (place) VALUES (?)", [(7,)] * 10_000)
            other.commit()

        await store.expire({"answers": 0.0})
        left = await store.answers.gone(0)

    assert len(left) == 10_000
    assert {place for _, place in left} == {7}
