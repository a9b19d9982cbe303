"""Gives their vectors to answers that were kept while there was no encoder to make them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Self

from moabot.contract import Question
from moabot.errors import MoabotError
from moabot.guests import blamed
from moabot.store.answers import Answers
from moabot.store.rows import Kept
from moabot_cache import exact
from moabot_cache.admission import alone
from moabot_cache.promotion import origin
from moabot_cache.reading import Reading
from moabot_cache.said import essence
from moabot_cache.worker import Worker

__all__ = ["Filling"]

log = logging.getLogger("moabot")
AT_ONCE = 16
"""Rows of one commit; who looks for an answer meanwhile waits for so many vectors at most."""


class Filling:
    """Looks once at each row that no encoder has seen: before it was loaded, or while it was off.

    A row that may be found in other words gets its vector; all get the encoder's fingerprint, so
    that none is looked at again. `grown` hears of each row that has one now.
    """

    def __init__(
        self, rows: Answers, worker: Worker, grown: Callable[[Kept], Awaitable[None]]
    ) -> None:
        self._rows = rows
        self._worker = worker
        self._grown = grown
        self._task: asyncio.Task[None] | None = None
        self._is_open = False

    async def __aenter__(self) -> Self:
        self._is_open = True
        return self

    async def __aexit__(self, *_raised: object) -> None:
        self._is_open = False
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def begin(self) -> None:
        """All is loaded: where there is an encoder, fill what was kept before it, in the background."""
        if self._is_open and self._worker.ready:  # else the bot is stopping already
            self._task = asyncio.create_task(self._fill())

    async def _fill(self) -> None:
        """Nothing leaves it: nobody waits for it."""
        try:
            with blamed("Filling the cache"):
                await self._fill_all()
        except MoabotError as error:
            log.warning("cache fails", extra={"error": str(error)})

    async def _fill_all(self) -> None:
        place = 0
        while rows := await self._rows.unseen(place, most=AT_ONCE):
            await asyncio.gather(*map(self.fill, rows))
            place = rows[-1].place

    async def fill(self, row: Kept) -> None:
        """Look at one; raises `StoreError`."""
        vector = b""
        if _stands_alone(row):
            vector = await self._worker.vector(essence(row.question))
        row = replace(row, encoder=self._worker.fingerprint, vector=vector)
        if await self._rows.embed(row) and vector:  # else it is gone meanwhile
            await self._grown(row)


def _stands_alone(row: Kept) -> bool:
    """Whether it was asked without a history, which its name tells, and has an answer of its own."""
    question = Question(row.question)
    is_first = row.name == exact.name(question)
    return is_first and origin(row) is None and alone(question, Reading(row.question))
