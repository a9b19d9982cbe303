"""The thread beside the loop: many questions at once, and packing while the work goes on."""

from __future__ import annotations

import asyncio

import pytest

from moabot.errors import StoreError
from moabot_cache.worker import BATCH, Worker

PLACES = 200


@pytest.fixture
async def worker() -> Worker:
    """A worker with its encoder, and nothing to find yet."""
    worker = Worker("minilm")
    await worker.run(lambda: worker.load(lambda _: ()))
    return worker


async def _fill(worker: Worker) -> None:
    for place in range(1, PLACES + 1):
        text = f"question {place}"
        await worker.add("shelf", place, text=text, question=text)


async def test_packing_keeps_what_is_left_and_what_came_meanwhile(worker: Worker) -> None:
    """An index is packed beside the work, and nothing may be lost or come back by it."""
    await _fill(worker)

    await worker.remove(range(1, 101))
    await worker.add("shelf", PLACES + 1, text="came meanwhile", question="came meanwhile")
    await worker.remove([PLACES])
    for _ in range(100):
        await worker.look("shelf", "a question among others")
        await asyncio.sleep(0.005)
    late = await worker.look("shelf", "came meanwhile")
    gone = await worker.look("shelf", f"question {PLACES}")
    left = await worker.look("shelf", "question 150")
    worker.close()

    assert late.candidates[0][0] == PLACES + 1
    assert left.candidates[0][0] == 150
    assert all(100 < place != PLACES for place, _, _ in gone.candidates)


async def test_more_questions_than_a_batch_are_all_answered(worker: Worker) -> None:
    """The rush hour: they are encoded together, and each gets its own."""
    for place in range(1, 4):
        await worker.add("shelf", place, text=f"number {place}", question=f"number {place}")

    looks = [worker.look("shelf", f"number {1 + n % 3}") for n in range(3 * BATCH)]
    found = await asyncio.gather(*looks)
    worker.close()

    assert [each.candidates[0][0] for each in found] == [1 + n % 3 for n in range(3 * BATCH)]


async def test_before_the_encoder_is_there_a_look_says_so() -> None:
    """Nobody waits for ever."""
    worker = Worker("minilm")

    with pytest.raises(RuntimeError, match="not loaded"):
        await worker.look("shelf", "anything")
    worker.close()


async def test_an_emptied_shelf_has_nothing(worker: Worker) -> None:
    """Its index is thrown away, and a new one begins with the next answer."""
    await worker.add("shelf", 1, text="one", question="one")
    await worker.remove([1, 2])

    assert (await worker.look("shelf", "one")).candidates == ()
    await worker.add("shelf", 3, text="one", question="one")
    assert (await worker.look("shelf", "one")).candidates[0][0] == 3
    worker.close()


async def test_who_still_waits_when_it_closes_is_told(worker: Worker) -> None:
    """A look that nobody answers would hold its question for ever."""
    looks = [worker.look("shelf", f"number {n}") for n in range(2 * BATCH)]
    worker.close()

    found = await asyncio.gather(*looks, return_exceptions=True)
    with pytest.raises(StoreError, match="closed"):
        worker.look("shelf", "too late")
    late = [each for each in found if isinstance(each, StoreError)]
    assert len(late) == 2 * BATCH - 1  # the first went off alone
