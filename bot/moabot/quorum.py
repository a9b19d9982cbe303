"""Asking several at once and going on when enough have answered; asking a backup of a silent one.

The only place of the core that starts tasks. Every task ends before the function returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from moabot.errors import MoabotError

__all__ = ["hedge", "quorum"]

T = TypeVar("T")
Ask = Callable[[], Awaitable[T]]


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

    async def one(place: int, ask: Ask[T | None]) -> None:
        value = await ask()
        unheard.discard(place)
        if value is not None:
            values[place] = value
        if not unheard or (settled is not None and settled(list(values.values()))):
            over.set()
        if over.is_set() or len(values) >= enough:
            met.set()

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
    last sign of life. Raises the first's error when no one succeeds.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_caught(first))]
        running = set(tasks)
        won: asyncio.Task[T | MoabotError] | None = None
        while running:
            patience = heard_at() + patience_s - loop.time() if len(tasks) == 1 else None
            done, running = await asyncio.wait(
                running,
                timeout=None if patience is None else max(patience, 0.0),
                return_when=asyncio.FIRST_COMPLETED,
            )
            won = next((t for t in done if not isinstance(t.result(), MoabotError)), None)
            if won is not None:
                for task in running:
                    task.cancel()
                break
            if not done and len(tasks) == 1 and loop.time() >= heard_at() + patience_s:
                if allowed():
                    tasks.append(group.create_task(_caught(backup)))
                    running = {*running, tasks[-1]}
                else:
                    patience_s = float("inf")
    return _unwrapped(won or tasks[0])


async def _caught(ask: Ask[T]) -> T | MoabotError:
    try:
        return await ask()
    except MoabotError as error:
        return error


def _unwrapped(task: asyncio.Task[T | MoabotError]) -> T:
    result = task.result()
    if isinstance(result, MoabotError):
        raise result
    return result
