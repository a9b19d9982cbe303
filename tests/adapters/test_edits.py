"""Latest-wins: a chat is edited seldom, and always with what is newest."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from moabot.errors import PlatformError
from moabot_platforms.edits import LatestWins, TryLater

pytestmark = pytest.mark.virtual_time


@dataclass(slots=True)
class Board:
    """Shows a number; each showing takes `seconds`, and raises what `errors` holds, one each."""

    seconds: float = 0.1
    number: int = 0
    shown: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    errors: list[PlatformError] = field(default_factory=list[PlatformError])

    async def show(self) -> None:
        """Show the newest number."""
        number, began = self.number, asyncio.get_running_loop().time()
        await asyncio.sleep(self.seconds)
        if self.errors:
            raise self.errors.pop(0)
        self.shown.append((round(began, 3), number))


async def counted(board: Board, edits: LatestWins, *, until: int, every_s: float) -> None:
    """Count up, telling of each number."""
    for number in range(1, until + 1):
        board.number = number
        edits.changed()
        await asyncio.sleep(every_s)


async def test_a_thousand_changes_make_few_edits_and_the_newest_is_shown() -> None:
    """A token costs no edit: the platform's limit is five in five seconds."""
    board = Board()
    edits = LatestWins(board.show, every_s=1.0)
    async with asyncio.TaskGroup() as group:
        group.create_task(edits.run())
        await counted(board, edits, until=1000, every_s=0.01)
        await asyncio.sleep(2)
        await edits.close()

    starts = [at for at, _ in board.shown]
    assert all(b - a >= 1 for a, b in pairwise(starts))
    assert len(board.shown) == 11
    assert board.shown[-1][1] == 1000


async def test_the_answer_does_not_wait_for_a_slow_platform() -> None:
    """An edit that hangs for a minute must not add a second to the answer."""
    board = Board(seconds=60)
    edits = LatestWins(board.show, every_s=1.0)
    async with asyncio.TaskGroup() as group:
        group.create_task(edits.run())
        await counted(board, edits, until=10, every_s=0.01)
        took = asyncio.get_running_loop().time()
        await edits.close()

    assert took == pytest.approx(0.1)


async def test_no_edit_comes_after_closing() -> None:
    """A late edit would overwrite the final answer with a half one."""
    board = Board(seconds=0.5)
    edits = LatestWins(board.show, every_s=1.0)
    async with asyncio.TaskGroup() as group:
        group.create_task(edits.run())
        await counted(board, edits, until=1, every_s=0.2)
        board.number = 2
        edits.changed()
        await edits.close()
        ended = list(board.shown)
        edits.changed()
        await asyncio.sleep(10)

    assert ended == [(0.0, 1)]
    assert board.shown == ended


async def test_a_platform_that_asks_for_patience_gets_it_and_then_the_newest() -> None:
    """Going on against a 429 is what gets a bot banned."""
    board = Board(errors=[TryLater("Slow down.", retry_after_s=7)])
    edits = LatestWins(board.show, every_s=1.0)
    async with asyncio.TaskGroup() as group:
        group.create_task(edits.run())
        await counted(board, edits, until=3, every_s=0.1)
        await asyncio.sleep(10)
        problem = await edits.close()

    assert board.shown == [(7.1, 3)]
    assert problem is None


async def test_closing_does_not_wait_for_the_platforms_patience() -> None:
    """The final answer has its own way of waiting; it must not wait twice."""
    board = Board(errors=[TryLater("Slow down.", retry_after_s=700)])
    edits = LatestWins(board.show, every_s=1.0)
    async with asyncio.TaskGroup() as group:
        group.create_task(edits.run())
        await counted(board, edits, until=1, every_s=1)
        await edits.close()

    assert asyncio.get_running_loop().time() == pytest.approx(1)


async def test_an_error_ends_the_edits_and_is_handed_over() -> None:
    """A deleted message cannot be edited: trying each second spends the platform's patience."""
    gone = PlatformError("The message is gone.", fix="Ask again.")
    board = Board(errors=[gone])
    edits = LatestWins(board.show, every_s=1.0)
    async with asyncio.TaskGroup() as group:
        group.create_task(edits.run())
        await counted(board, edits, until=5, every_s=1)
        problem = await edits.close()

    assert problem is gone
    assert board.shown == []


async def test_a_reply_that_never_ran_can_be_closed() -> None:
    """What a crash left is finished without progress."""
    edits = LatestWins(Board().show, every_s=1.0)
    edits.changed()

    assert await edits.close() is None
