"""Answers that were kept while there was no encoder are found in other words later."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from tests.cache.conftest import Open, answer, asking

from moabot.contract import Question
from moabot.store import sqlite
from moabot.store.rows import Kept
from moabot_cache.filling import Filling
from moabot_cache.semantic import SemanticCache
from moabot_cache.settings import Settings
from moabot_cache.worker import Worker

TIRE = "How do I change a flat tire?"
OTHERWISE = asking("What are the steps to change a flat tire?")
IN_A_THREAD = asking("How do I sharpen a kitchen knife?", "Mine is ceramic.", "How nice.")
AT_MOST_S = 20
LOOKS = 400


async def _until(done: Callable[[], Awaitable[bool]]) -> bool:
    """Whether it came true; a vector takes some milliseconds."""
    for _ in range(LOOKS):
        if await done():
            return True
        await asyncio.sleep(0.01)
    return False


async def _is_found(cache: SemanticCache, question: Question) -> bool:
    return await cache.find(question, key="k", share="channel") is not None


def _encoders(tmp_path: Path) -> list[tuple[str, bool]]:
    with closing(sqlite3.connect(tmp_path / "moabot.db")) as rows:
        found = rows.execute("SELECT encoder, length(vector) FROM answers ORDER BY place")
        return [(str(encoder)[:4], size > 0) for encoder, size in found]


async def test_what_is_kept_before_the_encoder_is_there_is_found_in_other_words_after(
    tmp_path: Path,
) -> None:
    """The first question after a start would else be found exactly only, for ever."""
    may = Event()
    async with sqlite.opened(tmp_path, alone=True) as store:
        cache = SemanticCache(Settings(), store)
        async with cache.filling:
            cache._worker.run(lambda: may.wait(AT_MOST_S))
            cache.begin()
            await cache.keep(asking(TIRE), answer(), key="k", share="channel")
            early = await _is_found(cache, OTHERWISE)
            may.set()
            late = await _until(lambda: _is_found(cache, OTHERWISE))
        await cache.close()

    assert (early, late) == (False, True)
    assert _encoders(tmp_path) == [("onnx", True)]


async def test_what_is_being_kept_while_the_encoder_comes_is_found_in_other_words_too(
    tmp_path: Path,
) -> None:
    """It has no vector, and comes too late for those who look for such rows."""
    there, may = Event(), Event()
    async with sqlite.opened(tmp_path, alone=True) as store:
        cache = SemanticCache(Settings(), store)
        store.writing(lambda _: may.wait(AT_MOST_S))  # the row is written after this
        async with cache.filling:
            cache._worker.run(lambda: there.wait(AT_MOST_S))
            cache.begin()
            keeping = asyncio.create_task(
                cache.keep(asking(TIRE), answer(), key="k", share="channel")
            )
            await asyncio.sleep(0)
            there.set()
            await cache.loaded()
            may.set()
            await keeping
            found = await _is_found(cache, OTHERWISE)
        await cache.close()

    assert found


async def test_who_turns_the_semantic_tier_on_finds_what_was_kept_before(
    open_cache: Open, tmp_path: Path
) -> None:
    """But nothing that a thread has said before, which only its exact repeat may find."""
    async with open_cache(semantic=False) as cache:
        await cache.keep(asking(TIRE), answer(), key="k", share="channel")
        await cache.keep(IN_A_THREAD, answer("Thread."), key="k", share="channel")

    async def is_seen() -> bool:
        return all(encoder == "onnx" for encoder, _ in _encoders(tmp_path))

    async with open_cache() as cache:
        assert await _until(is_seen)
        assert await _until(lambda: _is_found(cache, OTHERWISE))
        held = len(cache._bounds._sizes), cache._bounds._all.size
    async with open_cache() as cache:
        assert await _is_found(cache, OTHERWISE)
        assert held == (len(cache._bounds._sizes), cache._bounds._all.size)
    assert _encoders(tmp_path) == [("onnx", True), ("onnx", False)]


async def test_a_bot_that_stops_meanwhile_goes_on_with_it_next_time(
    open_cache: Open, tmp_path: Path
) -> None:
    """Filling a large cache takes minutes, and nobody is to wait for it."""
    async with open_cache(semantic=False) as cache:
        for number in range(40):
            question = asking(f"How do I fix part number {number} of a bicycle?")
            await cache.keep(question, answer(), key="k", share="channel")
    async with open_cache():
        pass
    left = _encoders(tmp_path).count(("", False))

    async def is_done() -> bool:
        return _encoders(tmp_path) == [("onnx", True)] * 40

    async with open_cache():
        assert await _until(is_done)
    assert left > 0


async def test_a_store_that_fails_leaves_it_for_another_time(
    open_cache: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The cache may fail; the bot goes on, and finds repeats."""
    async with open_cache(semantic=False) as cache:
        await cache.keep(asking(TIRE), answer(), key="k", share="channel")
    with closing(sqlite3.connect(tmp_path / "moabot.db")) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON answers BEGIN SELECT RAISE(ABORT, 'full'); END"
        )

    async def is_told() -> bool:
        return "cache fails" in caplog.text

    async with open_cache() as cache:
        assert await _until(is_told)
        assert await _is_found(cache, asking(TIRE))
        assert not await _is_found(cache, OTHERWISE)
    assert _encoders(tmp_path) == [("", False)]


async def test_whatever_goes_wrong_while_filling_the_bot_goes_on(
    open_cache: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Filling runs in the bot's own group: what left it would end every conversation."""
    async with open_cache(semantic=False) as cache:
        await cache.keep(asking(TIRE), answer(), key="k", share="channel")
    worker = Worker("minilm")

    async def fails(row: Kept) -> None:
        raise MemoryError(row.question)

    async def is_told() -> bool:
        return "cache fails" in caplog.text

    async with sqlite.opened(tmp_path, alone=True) as store:
        await worker.run(lambda: worker.load(lambda _: ()))
        async with Filling(store.answers, worker, fails) as filling:
            filling.begin()
            told = await _until(is_told)
    worker.close()

    assert told


async def test_a_damaged_row_that_points_to_another_is_one_without_an_answer(
    open_cache: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk may damage it, and the next start must not fail for it."""
    async with open_cache(semantic=False) as cache:
        await cache.keep(asking(TIRE), answer(), key="k", share="channel")
    with closing(sqlite3.connect(tmp_path / "moabot.db")) as other, other:
        other.execute("""UPDATE answers SET answer = '{"same_as":'""")

    async def is_seen() -> bool:
        return all(encoder == "onnx" for encoder, _ in _encoders(tmp_path))

    async with open_cache() as cache:
        assert await _until(is_seen)
        assert not await _is_found(cache, asking(TIRE))
    assert "cache fails" not in caplog.text


async def test_a_row_that_is_removed_while_it_gets_its_vector_stays_away(
    tmp_path: Path,
) -> None:
    """In the index again, it would be found for ever without being there, and fill the cache."""
    async with sqlite.opened(tmp_path, alone=True) as store:
        cache = SemanticCache(Settings(), store)
        async with cache.filling:
            await cache.keep(asking(TIRE), answer(), key="k", share="channel")
            (row,) = await store.answers.unseen(0, most=1)
            cache.begin()
            await cache.loaded()
            held = len(cache._bounds)
            cache._leave([row.place])
            await cache._let_in(replace(row, vector=await cache._worker.vector(TIRE)))
        left = dict(cache._worker._indexes), held, len(cache._bounds)
        await cache.close()

    assert left == ({}, 1, 0)
