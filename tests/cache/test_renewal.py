"""Answers past their time are given and made anew; a sample of the others is tried."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cache.conftest import Open, answer, asking

from moabot.contract import Answer
from moabot_cache.semantic import SemanticCache

TIRE = "How do I change a flat tire?"
OTHERWISE = "How to change a flat tire"
DAY_S = 86_400


async def _keep(cache: SemanticCache, text: str = TIRE, said: str = "Like this.") -> None:
    await cache.keep(asking(text), answer(said), key="k", share="channel")


async def _find(cache: SemanticCache, text: str = TIRE) -> Answer | None:
    return await cache.find(asking(text, event="slack:2"), key="k", share="channel")


def _age(path: Path, days: float) -> None:
    """Let all rows be that much older, as after a pause of the bot."""
    with closing(sqlite3.connect(path / "moabot.db")) as other:
        other.execute("UPDATE answers SET expires = expires - ?", (days * DAY_S,))
        other.commit()


def _counted(path: Path, *names: str) -> list[int]:
    """How often each happened, when the cache is closed."""
    with closing(sqlite3.connect(path / "moabot.db")) as other:
        counts = dict(other.execute("SELECT name, SUM(times) FROM answer_tallies GROUP BY name"))
    return [counts.get(name, 0) for name in names]


@pytest.mark.parametrize(
    ("days", "given", "refresh"),
    [(8, True, False), (10.5, True, True), (12.5, False, False)],
    ids=["fresh", "in its grace", "too old"],
)
@pytest.mark.parametrize("text", [TIRE, OTHERWISE], ids=["exact", "in other words"])
async def test_in_its_grace_an_answer_is_given_and_wished_anew(
    open_cache: Open, tmp_path: Path, *, days: float, given: bool, refresh: bool, text: str
) -> None:
    """Not before, since it costs money, and not after, since it may be wrong by then."""
    async with open_cache(keep_days=10, stale_hours=48) as cache:
        await _keep(cache)
    _age(tmp_path, days)
    async with open_cache(keep_days=10, stale_hours=48) as cache:
        found = await _find(cache, text)

    assert (found is not None) == given
    assert found is None or (found.refresh, found.from_cache) == (refresh, True)


async def test_without_a_grace_an_answer_ends_with_its_days(
    open_cache: Open, tmp_path: Path
) -> None:
    """Who cannot stand an old answer can say so."""
    async with open_cache(keep_days=10, stale_hours=0) as cache:
        await _keep(cache)
    _age(tmp_path, 10.01)
    async with open_cache(keep_days=10, stale_hours=0) as cache:
        assert await _find(cache) is None


async def test_a_new_answer_is_wished_for_seldom_until_it_comes(
    open_cache: Open, tmp_path: Path
) -> None:
    """A vendor that is down would be asked again at each hit; the new answer is fresh."""
    async with open_cache(keep_days=10, stale_hours=48) as cache:
        await _keep(cache)
    _age(tmp_path, 10.5)
    async with open_cache(keep_days=10, stale_hours=48) as cache:
        found = [await _find(cache, text) for text in (TIRE, OTHERWISE, TIRE)]
        await _keep(cache, said="Like that.")
        fresh = await _find(cache)

    assert [each is not None and each.refresh for each in found] == [True, False, False]
    assert fresh is not None
    assert (fresh.text, fresh.refresh) == ("Like that.", False)
    assert _counted(tmp_path, "given stale") == [3]


async def test_nothing_is_drawn_by_default(open_cache: Open) -> None:
    """It costs money that nobody said to spend."""
    async with open_cache() as cache:
        await _keep(cache)
        found = [await _find(cache) for _ in range(50)]

    assert all(each is not None and not each.refresh for each in found)


@pytest.mark.parametrize("text", [TIRE, OTHERWISE], ids=["exact", "in other words"])
async def test_a_drawn_answer_that_is_made_again_the_same_stays(
    open_cache: Open, tmp_path: Path, text: str
) -> None:
    """The count of those is what the share of wrong hits is measured by."""
    async with open_cache(shadow=1) as cache:
        await _keep(cache, said="Loosen the nuts, lift the car, swap the wheel.")
        drawn = await _find(cache, text)
        await _keep(cache, text, "Lift the car, loosen the nuts and swap the wheel.")
        again = await _find(cache, TIRE)

    assert drawn is not None
    assert drawn.refresh
    assert again is not None
    assert _counted(tmp_path, "sampled", "agreed", "disagreed") == [2, 1, 0]


@pytest.mark.parametrize("text", [TIRE, OTHERWISE], ids=["exact", "in other words"])
async def test_a_drawn_answer_that_is_contradicted_is_never_given_again(
    open_cache: Open, tmp_path: Path, text: str
) -> None:
    """Nobody knows which of the two is right, so the next one to ask gets neither from memory."""
    async with open_cache(shadow=1) as cache:
        await _keep(cache, said="Loosen 5 nuts, lift the car, swap the wheel.")
        await _find(cache, text)
        await _keep(cache, text, "Call the garage on 555.")
        left = [await _find(cache, each) for each in (TIRE, OTHERWISE)]
        await _keep(cache)
        await _keep(cache, OTHERWISE, "Like that.")
        parted = await _find(cache, OTHERWISE)

    assert left == [None, None]
    assert parted is not None
    assert parted.text == "Like that."
    assert _counted(tmp_path, "agreed", "disagreed") == [0, 1]


async def test_a_new_answer_that_will_not_stay_true_still_speaks_about_the_old_one(
    open_cache: Open,
) -> None:
    """It is not kept, but what it contradicts goes all the same."""
    async with open_cache(shadow=1) as cache:
        await _keep(cache, said="Loosen 5 nuts.")
        await _find(cache)
        lesser = replace(answer("Call the garage on 555."), degraded="One model only.")
        await cache.keep(asking(TIRE), lesser, key="k", share="channel")

        assert await _find(cache) is None
