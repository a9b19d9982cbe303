"""The cache while its thread is busy: what comes and goes meanwhile is neither lost nor waited for."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from tests.cache.conftest import Open, answer, asking

from moabot.store import sqlite
from moabot_cache.embedder import Vectors
from moabot_cache.index import Index
from moabot_cache.semantic import SemanticCache
from moabot_cache.settings import Settings
from moabot_cache.worker import Worker

RESET = "How do I reset my password?"
TIRE = "How do I change a flat tire?"
AT_MOST_S = 20
LOOKS = 400


def _outside(tmp_path: Path, statement: str) -> None:
    with closing(sqlite3.connect(tmp_path / "moabot.db")) as other:
        other.execute(statement)
        other.commit()


async def test_rows_that_leave_while_it_loads_hold_nothing_up(
    open_cache: Open, tmp_path: Path
) -> None:
    """The loader waits for a page, and the page must not wait for the loader's thread."""
    async with open_cache() as cache:
        await cache.keep(asking(RESET), answer(), key="k", share="channel")
        await cache.keep(asking(TIRE), answer(), key="k", share="channel")
    async with sqlite.opened(tmp_path, alone=True) as store:
        cache = SemanticCache(Settings(), store)
        assert await cache.find(asking(RESET), key="k", share="channel") is not None
        _outside(tmp_path, "DELETE FROM answers WHERE question LIKE '%password%'")
        cache.look_again()

        cache.begin()
        async with asyncio.timeout(AT_MOST_S):
            await cache.loaded()

        near = asking("What are the steps to change a flat tire?")
        assert await cache.find(asking(RESET), key="k", share="channel") is None
        assert await cache.find(near, key="k", share="channel") is not None
        await cache.close()


class Busy(Worker):
    """Its thread has something else to do before it adds a row."""

    def __init__(self, held: Event) -> None:
        super().__init__("minilm")
        self._held = held

    def add(self, partition: str, place: int, *, text: str, question: str) -> asyncio.Future[None]:
        """Later."""
        self.run(lambda: self._held.wait(AT_MOST_S))
        return super().add(partition, place, text=text, question=question)


async def test_an_answer_that_leaves_while_it_is_made_findable_leaves_no_trace(
    tmp_path: Path,
) -> None:
    """Else its bytes are counted for ever, and one day it is drawn to make room."""
    held = Event()
    async with sqlite.opened(tmp_path, alone=True) as store:
        cache = SemanticCache(Settings(), store)
        cache._worker = Busy(held)
        cache.begin()
        await cache.loaded()
        keeping = asyncio.create_task(cache.keep(asking(TIRE), answer(), key="k", share="channel"))
        for _ in range(LOOKS):
            await asyncio.sleep(0 if cache._places else 0.005)
        assert cache._places
        _outside(tmp_path, "DELETE FROM answers")
        cache.look_again()
        await cache.find(asking("Tires?"), key="k", share="channel")
        held.set()
        await keeping

        assert len(cache._bounds) == len(cache._places) == 0
        await cache.close()


async def test_what_has_expired_takes_no_place_of_what_has_not(
    open_cache: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Three answers that are over lie nearer than the one that still holds; nothing is amiss."""
    asked = "What are the steps to change a flat tire?"
    over = ["How to change a flat tire", TIRE, "What is the way to change a flat tire?"]
    async with open_cache() as cache:
        for text in over:
            await cache.keep(asking(text), answer("Old."), key="k", share="channel")
        good = asking("Please, what are the steps to change flat tires?")
        await cache.keep(good, answer(), key="k", share="channel")
        _outside(tmp_path, "UPDATE answers SET expires = 1 WHERE answer LIKE '%Old.%'")

        found = await cache.find(asking(asked), key="k", share="channel")

    assert found is not None
    assert found.text == "Like this."
    assert "without its row" not in caplog.text


class Damaged(Index):
    """Its vectors have lost a part."""

    def contents(self) -> tuple[list[int], Vectors]:
        """One row that is too short."""
        return [1], np.ones((1, 7), dtype=np.float32)


async def test_an_index_that_cannot_be_packed_is_packed_another_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What is held back for it until then would grow for ever."""
    worker = Worker("minilm")
    await worker.run(lambda: worker.load(lambda _: ()))
    await worker.add("shelf", 1, text="one", question="one")

    def pack() -> None:
        worker._indexes["shelf"] = Damaged(384)
        worker._pack("shelf")

    await worker.run(pack)
    for _ in range(LOOKS):
        await asyncio.sleep(0 if "could not pack" in caplog.text else 0.005)

    assert await worker.run(lambda: dict(worker._packing)) == {}
    worker.close()
