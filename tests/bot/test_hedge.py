"""Asking a backup of someone who stays silent, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import inf

import pytest

from moabot.errors import MoabotError
from moabot.quorum import hedge

pytestmark = pytest.mark.virtual_time

Ask = Callable[[], Awaitable[str]]


def after(seconds: float, value: str, *, stopped: list[str] | None = None) -> Ask:
    """Answers `value` after `seconds`; notes when it is cancelled."""

    async def ask() -> str:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            if stopped is not None:
                stopped.append(value)
            raise
        return value

    return ask


def fails(seconds: float, what: str) -> Ask:
    """Raises after `seconds`."""

    async def ask() -> str:
        await asyncio.sleep(seconds)
        raise MoabotError(what, fix="")

    return ask


async def hedged(first: Ask, backup: Ask, *, allowed: bool = True, heard_at: float = 0) -> str:
    """With a patience of two seconds."""
    return await hedge(
        first, backup, patience_s=2, heard_at=lambda: heard_at, allowed=lambda: allowed
    )


def now() -> float:
    """Virtual seconds."""
    return asyncio.get_running_loop().time()


async def test_a_silent_first_gets_a_backup_and_the_first_to_finish_wins() -> None:
    """After the quorum the aggregator owns the p99; one backup halves it."""
    stopped: list[str] = []

    said = await hedged(after(30, "first", stopped=stopped), after(3, "backup"))

    assert (said, stopped, now()) == ("backup", ["first"], 5.0)


async def test_a_first_that_answers_in_time_has_no_backup() -> None:
    """Every hedge is real money."""
    stopped: list[str] = []

    said = await hedged(after(1.9, "first"), after(0, "backup", stopped=stopped))

    assert (said, stopped, now()) == ("first", [], 1.9)


async def test_a_first_that_still_wins_stops_its_backup() -> None:
    """Two calls in flight, one answer, no loose end."""
    stopped: list[str] = []

    said = await hedged(after(3, "first"), after(3, "backup", stopped=stopped))

    assert (said, stopped, now()) == ("first", ["backup"], 3.0)


async def test_patience_counts_from_the_last_sign_of_life() -> None:
    """Who is streaming is slow, not silent."""
    said = await hedged(after(8, "first"), after(1, "backup"), heard_at=5)

    assert (said, now()) == ("first", 8.0)


async def test_without_leave_no_backup_is_asked() -> None:
    """The budget of backups bounds what a slow day costs."""
    said = await hedged(after(30, "first"), after(1, "backup"), allowed=False)

    assert (said, now()) == ("first", 30.0)


async def test_a_first_that_fails_early_raises_at_once() -> None:
    """The chain's next model is the caller's to ask."""
    with pytest.raises(MoabotError, match="first"):
        await hedged(fails(1, "first"), after(1, "backup"))

    assert now() == 1.0


@pytest.mark.parametrize(
    ("first", "backup", "said"),
    [
        (fails(3, "first"), after(3, "backup"), "backup"),
        (after(6, "first"), fails(1, "backup"), "first"),
    ],
    ids=["the first fails later", "the backup fails"],
)
async def test_one_failure_leaves_the_other_to_finish(first: Ask, backup: Ask, said: str) -> None:
    """A hedge is there so that one failure does not matter."""
    assert await hedged(first, backup) == said


async def test_when_both_fail_the_first_error_is_told() -> None:
    """It names the model that was meant."""
    with pytest.raises(MoabotError, match="first"):
        await hedged(fails(6, "first"), fails(1, "backup"))


async def test_a_caller_that_goes_away_stops_both() -> None:
    """Stop means stop, also for the backup."""
    stopped: list[str] = []
    both = hedged(after(inf, "first", stopped=stopped), after(inf, "backup", stopped=stopped))
    task = asyncio.create_task(both)
    await asyncio.sleep(4)
    task.cancel()

    await asyncio.gather(task, return_exceptions=True)
    assert sorted(stopped) == ["backup", "first"]


async def test_a_bug_in_an_ask_comes_out_as_it_is() -> None:
    """Nobody upstairs has heard of ExceptionGroup."""

    async def broken() -> str:
        raise KeyError("oops")

    with pytest.raises(KeyError):
        await hedged(broken, after(1, "backup"))
