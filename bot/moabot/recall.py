"""What the corridor asks the cache: whatever becomes of that, the person gets an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar

from moabot.belief import believed_answer
from moabot.contract import Answer, Cache, Question
from moabot.errors import MoabotError
from moabot.flights import Flights, Name, flight
from moabot.guests import UPDATE, blamed
from moabot.plugins import Plugins
from moabot.terms import Terms

__all__ = ["Recall"]

T = TypeVar("T")
Refresh = Callable[[Name, Question, Terms], None]
"""Begins to answer a question anew, once for those of one name, and returns at once."""
KEEP_S = 5.0
"""What a cache may take to note something; an answer may wait for that."""


class Recall:
    """The cache as channels are set, and equal questions joined; neither can cost an answer.

    `name` is the cache's, for complaints.
    """

    def __init__(self, cache: Cache | None, *, name: str, plugins: Plugins) -> None:
        self._cache = cache
        self._name = name
        self._subject = f"The cache {name!r}"
        self._flights = Flights()
        self._plugins = plugins
        self.refresh: Refresh | None = None

    async def find(self, question: Question, terms: Terms) -> Answer | None:
        """An earlier answer, where there is a cache and it has one; a new one if the cache wants it.

        It may ask models.
        """
        cache, share = self._cache, terms.settings.cache
        if cache is None or share == "off":
            return None

        async def look() -> Answer | None:
            found = await cache.find(question, key=self._key(terms), share=share)
            return None if found is None else believed_answer(found, of=self._subject)

        found = await self._unharmed(terms.panel.deadline_s, look)
        if found is not None and found.refresh and self.refresh is not None:
            self.refresh(self._flight(question, terms), question, terms)
        return found

    async def keep(self, question: Question, terms: Terms, answer: Answer) -> None:
        """Remember an answer that is whole and new."""
        cache, share = self._cache, terms.settings.cache
        if cache is None or share == "off" or answer.degraded or answer.from_cache:
            return
        await self._unharmed(
            KEEP_S, lambda: cache.keep(question, answer, key=self._key(terms), share=share)
        )

    async def joined(self, question: Question, terms: Terms) -> Answer | None:
        """The answer that an equal question is just being given; None when we have to make it."""
        answer = await self._flights.joined(self._flight(question, terms))
        cache, share = self._cache, terms.settings.cache
        if answer is not None and cache is not None and share != "off":
            await self._unharmed(
                KEEP_S, lambda: cache.joined(question, key=self._key(terms), share=share)
            )
        return answer

    def leading(
        self, question: Question, terms: Terms
    ) -> AbstractContextManager[Callable[[Answer], None]]:
        """Others wait for what is handed to the yielded function, until the block ends."""
        return self._flights.leading(self._flight(question, terms))

    async def forget(self, event: str) -> None:
        """What the message `event` was given is wrong: never give it again."""
        if (cache := self._cache) is not None:
            await self._unharmed(KEEP_S, lambda: cache.forget(event))

    async def _unharmed(self, within_s: float, ask: Callable[[], Awaitable[T]]) -> T | None:
        cache, limit = self._subject, asyncio.timeout(within_s)
        try:
            with blamed(cache):
                async with limit:
                    return await ask()
        except MoabotError as error:
            offer = self._plugins.offers("cache").get(self._name)
            slow = f"{cache} did not answer within {within_s:g} s. {UPDATE}"
            self._plugins.complain(
                self._name if offer is None else offer.owner,
                slow if limit.expired() else str(error),
            )
        return None

    def _flight(self, question: Question, terms: Terms) -> Name:
        """The name under which others may join; without a cache, one that nobody has."""
        share = terms.settings.cache
        if self._cache is None or share == "off":
            return (object(),)
        return flight(question, key=self._key(terms), share=share)

    def _key(self, terms: Terms) -> str:
        """What changes the answer, with the version of the distribution that the strategy is from."""
        name = terms.settings.strategy
        own = terms.config.strategies.get(name)
        offer = self._plugins.offers("strategy").get(name if own is None else own.plugin)
        owner = "" if offer is None else offer.owner.partition(" ")[0]
        return f"{terms.key} {_version(owner)}"


@lru_cache(maxsize=256)
def _version(distribution: str) -> str:
    """Empty for what is no distribution: a module of moabot, or one that a test let in."""
    try:
        return version(distribution)
    except (PackageNotFoundError, ValueError):
        return ""
