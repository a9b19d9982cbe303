"""Answers questions anew behind the remembered answers that were just given for them."""

from __future__ import annotations

import asyncio
import logging
from typing import Self

from moabot.answering import Answering
from moabot.asking import on_own_behalf
from moabot.contract import Question
from moabot.errors import MoabotError
from moabot.flights import Name
from moabot.guests import blamed
from moabot.journal import Journal
from moabot.terms import Terms

__all__ = ["Refreshing"]

log = logging.getLogger("moabot")
MOST = 100
"""Questions that wait or are being answered anew; one more is not."""
AT_ONCE = 2
"""Few, since people who wait for an answer share models and purses with them."""
PURPOSE = "refresh"
"""Stands in the ledger where answers have their strategy."""


class Refreshing:
    """Begins at once, and tells nobody; the new answer is offered to the cache.

    Equal questions are answered anew once. They lead no flight: who asks meanwhile is given what
    is remembered, and waits for nothing. All of it ends when this is left.
    """

    def __init__(self, answering: Answering, journal: Journal) -> None:
        self._answering = answering
        self._journal = journal
        self._group = asyncio.TaskGroup()
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[Name, asyncio.Task[None]] = {}
        self._is_open = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._is_open = True
        return self

    async def __aexit__(self, *_raised: object) -> None:
        self._is_open = False
        for task in self._tasks.values():
            task.cancel()
        await self._group.__aexit__(None, None, None)

    def __call__(self, name: Name, question: Question, terms: Terms) -> None:
        """Answer `question` anew, unless one of this name is, or too many are."""
        if not self._is_open or name in self._tasks or len(self._tasks) >= MOST:
            return
        task = self._group.create_task(self._refresh(question, terms))
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._tasks.pop(name))

    async def _refresh(self, question: Question, terms: Terms) -> None:
        try:
            async with self._turn:
                with blamed("An answer in the background"):  # else it would end the bot
                    await self._answer(question, terms)
        except MoabotError as error:  # nobody waits for it: the remembered answer stays
            log.warning("not refreshed", extra={"error": str(error)})

    async def _answer(self, question: Question, terms: Terms) -> None:
        answering = self._answering
        message, recorder = await on_own_behalf(question, self._journal, purpose=PURPOSE)
        with answering.admission.paying(message, terms.settings) as purses:
            answer = await answering.think(question, terms, recorder, purses=purses)
        await answering.recall.keep(question, terms, answer)
