"""A thumb down means what that person was given, however it came to them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.cache.conftest import Open, answer, asking

TIRE = "How do I change a flat tire?"
OTHERWISE = "How to change a flat tire"


async def test_who_was_given_it_in_other_words_takes_it_from_everybody(open_cache: Open) -> None:
    """A wrong answer must not be shown to a third person."""
    async with open_cache() as cache:
        await cache.keep(asking(TIRE, event="slack:1"), answer(), key="k", share="channel")
        assert await cache.find(asking(OTHERWISE, event="slack:2"), key="k", share="channel")

        await cache.forget("slack:2")

        assert await cache.find(asking(OTHERWISE), key="k", share="channel") is None
        assert await cache.find(asking(TIRE), key="k", share="channel") is None


async def test_the_two_questions_are_never_taken_for_one_again(open_cache: Open) -> None:
    """Also when the first is answered anew, and after a restart."""
    async with open_cache() as cache:
        await cache.keep(asking(TIRE), answer(), key="k", share="channel")
        assert await cache.find(asking(OTHERWISE, event="slack:2"), key="k", share="channel")
        await cache.forget("slack:2")
        await cache.keep(asking(TIRE), answer(), key="k", share="channel")

        assert await cache.find(asking(OTHERWISE), key="k", share="channel") is None
    async with open_cache() as cache:
        assert await cache.find(asking(OTHERWISE), key="k", share="channel") is None
        assert await cache.find(asking(TIRE), key="k", share="channel") is not None


async def test_who_asked_first_takes_it_away_too(open_cache: Open) -> None:
    """They were given the answer that everybody else was given after them."""
    async with open_cache() as cache:
        await cache.keep(asking(TIRE, event="slack:1"), answer(), key="k", share="channel")

        await cache.forget("slack:1")

        assert await cache.find(asking(TIRE), key="k", share="channel") is None


async def test_who_joined_takes_it_away_too(open_cache: Open) -> None:
    """They waited for the same answer, and saw it come."""
    async with open_cache() as cache:
        await cache.keep(asking(TIRE, event="slack:1"), answer(), key="k", share="channel")
        await cache.joined(asking(TIRE, event="slack:2"), key="k", share="channel")

        await cache.forget("slack:2")

        assert await cache.find(asking(TIRE), key="k", share="channel") is None


async def test_a_complaint_is_understood_after_a_restart(open_cache: Open) -> None:
    """People come back to yesterday's answer."""
    async with open_cache() as cache:
        await cache.keep(asking(TIRE), answer(), key="k", share="channel")
        assert await cache.find(asking(OTHERWISE, event="slack:2"), key="k", share="channel")
    async with open_cache() as cache:
        await cache.forget("slack:2")
        await cache.forget("slack:unknown")

        assert await cache.find(asking(TIRE), key="k", share="channel") is None


async def test_many_notes_are_written_before_the_end(open_cache: Open, tmp_path: Path) -> None:
    """What is only in memory is lost with a crash."""
    async with open_cache(semantic=False) as cache:
        await cache.keep(asking(TIRE), answer(), key="k", share="channel")
        for number in range(501):
            await cache.find(asking(TIRE, event=f"slack:{number}"), key="k", share="channel")
        await cache._rows.remove([])  # writes keep their order
        with sqlite3.connect(tmp_path / "moabot.db") as other:
            (written,) = other.execute("SELECT COUNT(*) FROM answers_given").fetchone()

    assert written >= 500
