"""Asking several at once and going on when enough have answered; asking a backup of a silent one.

The only place of the core that starts tasks. Every task ends before the function returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from moabot.errors import MoabotError

__all__ = ["hedge", "quorum"]

T = TypeVar("T")
Ask = Callable[[], Awaitable[T]]

BLINK_S = 0.001
"""Patience that is this short is over: a clock may fire a hair early."""


async def quorum(
    asks: Sequence[Ask[T | None]],
    *,
    enough: int,
    grace_s: float,
    until: float,
    settled: Callable[[Sequence[T]], bool] | None = None,
) -> list[T]:
    """Ask all; return what has come once `enough` answered and `grace_s` passed, in asking order.

    An ask that returns None gave nothing. `until` (loop time) ends the waiting in any case.
    `settled`, told all values so far after each one, ends it at once, without grace. Whoever has
    not answered then is cancelled, and has stopped when this returns.
    """
    loop = asyncio.get_running_loop()
    values: dict[int, T] = {}
    unheard = set(range(len(asks)))
    met, over = asyncio.Event(), asyncio.Event()
    if not asks:
        return []

    async def one(place: int, ask: Ask[T | None]) -> None:
        value = await ask()
        unheard.discard(place)
        if value is not None:
            values[place] = value
        if not unheard or (settled is not None and settled(list(values.values()))):
            over.set()
        if over.is_set() or len(values) >= enough:
            met.set()

    with _plain_errors():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(place, ask)) for place, ask in enumerate(asks)]
            await _wait(met, until)
            if not over.is_set():
                await _wait(over, min(until, loop.time() + grace_s))
            for task in tasks:
                task.cancel()
    return [values[place] for place in sorted(values)]


async def _wait(event: asyncio.Event, until: float) -> None:
    try:
        async with asyncio.timeout_at(until):
            await event.wait()
    except TimeoutError:
        pass


async def hedge(
    first: Ask[T],
    backup: Ask[T],
    *,
    patience_s: float,
    heard_at: Callable[[], float],
    allowed: Callable[[], bool],
) -> T:
    """Ask `first`; once nothing was heard of it for `patience_s`, ask `backup` too, if `allowed`.

    The first to finish wins and the other is cancelled. `heard_at` gives the loop time of the
    last sign of life. Raises `first`'s error when no one succeeds.
    """
    loop = asyncio.get_running_loop()
    won: list[T] = []
    lost: dict[Ask[T], MoabotError] = {}

    async def run(ask: Ask[T]) -> None:
        try:
            won.append(await ask())
        except MoabotError as error:
            lost[ask] = error

    with _plain_errors():
        async with asyncio.TaskGroup() as group:
            running: set[asyncio.Task[None]] = {group.create_task(run(first))}
            patient = True
            while running and not won:
                left_s = heard_at() + patience_s - loop.time() if patient else None
                if left_s is not None and left_s < BLINK_S:
                    patient = False
                    if allowed():
                        running.add(group.create_task(run(backup)))
                    continue
                _, running = await asyncio.wait(
                    running, timeout=left_s, return_when=asyncio.FIRST_COMPLETED
                )
            for task in running:
                task.cancel()
    if not won:
        raise lost[first]
    return won[0]


@contextmanager
def _plain_errors() -> Generator[None]:
    """What one task raised comes out as it is, for callers that never heard of groups."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
