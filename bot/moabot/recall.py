"""What the corridor asks the cache: whatever becomes of that, the person gets an answer."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar

from moabot.config import Config, Defaults
from moabot.contract import Answer, Cache, Question
from moabot.errors import MoabotError
from moabot.flights import Flights, Name, flight
from moabot.guests import blamed
from moabot.plugins import Plugins
from moabot.wording import Prompts

__all__ = ["Recall"]

T = TypeVar("T")
Refresh = Callable[[Name, Question, Defaults], None]
"""Begins to answer a question anew, once for those of one name, and returns at once."""


class Recall:
    """The cache as channels are set, and equal questions joined; neither can cost an answer."""

    def __init__(
        self, cache: Cache | None, *, config: Config, prompts: Prompts, plugins: Plugins
    ) -> None:
        self._cache = cache
        self._flights = Flights()
        self._config = config
        self._prompts = prompts
        self._plugins = plugins
        self._keys: dict[tuple[str | None, ...], str] = {}
        self.refresh: Refresh | None = None

    def adopt(self, config: Config, prompts: Prompts) -> None:
        """Go on by another configuration: other keys, since other answers."""
        self._config, self._prompts = config, prompts
        self._keys.clear()

    async def find(self, question: Question, settings: Defaults) -> Answer | None:
        """An earlier answer, where there is a cache and it has one; a new one if the cache wants it."""
        cache, share = self._cache, settings.cache
        if cache is None or share == "off":
            return None
        key = self._key(settings)
        found = await self._unharmed(lambda: cache.find(question, key=key, share=share))
        if found is not None and found.refresh and self.refresh is not None:
            self.refresh(self._flight(question, settings), question, settings)
        return found

    async def keep(self, question: Question, settings: Defaults, answer: Answer) -> None:
        """Remember an answer that is whole and new."""
        cache, share = self._cache, settings.cache
        if cache is None or share == "off" or answer.degraded or answer.from_cache:
            return
        key = self._key(settings)
        await self._unharmed(lambda: cache.keep(question, answer, key=key, share=share))

    async def joined(self, question: Question, settings: Defaults) -> Answer | None:
        """The answer that an equal question is just being given; None when we have to make it."""
        answer = await self._flights.joined(self._flight(question, settings))
        cache, share = self._cache, settings.cache
        if answer is not None and cache is not None and share != "off":
            key = self._key(settings)
            await self._unharmed(lambda: cache.joined(question, key=key, share=share))
        return answer

    def leading(
        self, question: Question, settings: Defaults
    ) -> AbstractContextManager[Callable[[Answer], None]]:
        """Others wait for what is handed to the yielded function, until the block ends."""
        return self._flights.leading(self._flight(question, settings))

    async def forget(self, event: str) -> None:
        """What the message `event` was given is wrong: never give it again."""
        if (cache := self._cache) is not None:
            await self._unharmed(lambda: cache.forget(event))

    async def _unharmed(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        name = self._config.cache.plugin
        try:
            with blamed(f"The cache {name!r}"):
                return await ask()
        except MoabotError as error:
            offer = self._plugins.offers("cache").get(name)
            self._plugins.complain(name if offer is None else offer.owner, str(error))
        return None

    def _flight(self, question: Question, settings: Defaults) -> Name:
        """The name under which others may join; without a cache, one that nobody has."""
        if self._cache is None or settings.cache == "off":
            return (object(),)
        return flight(question, key=self._key(settings), share=settings.cache)

    def _key(self, settings: Defaults) -> str:
        """A hash of whatever changes the answer to the same question; made once for each setting."""
        chosen = (settings.strategy, settings.preset, settings.panel, settings.note)
        if (known := self._keys.get(chosen)) is not None:
            return known
        config = self._config
        models = {name: model.model_dump_json() for name, model in config.models.items()}
        own = {name: plugin.model_dump_json() for name, plugin in config.strategies.items()}
        panel = config.panels[settings.panel].model_dump_json()
        servers = {name: plugin.model_dump_json() for name, plugin in config.providers.items()}
        made_by = self._made_by(settings.strategy)
        whole = repr((chosen, panel, models, own, servers, made_by, self._prompts))
        key = self._keys[chosen] = hashlib.sha256(whole.encode()).hexdigest()
        return key

    def _made_by(self, strategy: str) -> tuple[str | None, ...]:
        """The versions of moabot, and of the distribution that the strategy is from."""
        own = self._config.strategies.get(strategy)
        offer = self._plugins.offers("strategy").get(strategy if own is None else own.plugin)
        owner = "" if offer is None else offer.owner.partition(" ")[0]
        return _version("moabot"), _version(owner)


def _version(distribution: str) -> str | None:
    """None for what is no distribution: a module of moabot, or one that a test let in."""
    try:
        return version(distribution)
    except (PackageNotFoundError, ValueError):
        return None
