"""What the suites of all contracts share: the plugin under test, let in and opened as the bot does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from importlib import import_module
from typing import ClassVar, TypeVar

from moabot.errors import ConfigError, PluginError
from moabot.plugins import Kind, Offer, Plugins
from moabot.testing.clock import VirtualTimeLoop
from moabot.validation import validated

__all__ = ["Checked", "ContractBroken", "hold"]

T = TypeVar("T")
SOON_S = 2.0
"""Seconds in which what was cancelled must have ended."""


class ContractBroken(AssertionError):
    """A plugin does not keep its contract; the sentence says what it did and what it owes."""


def hold(kept: bool, told: str) -> None:  # noqa: FBT001 - as `assert`, which optimising removes
    """Raise `ContractBroken` unless `kept`."""
    if not kept:
        raise ContractBroken(told)


class Checked:
    """One offer of one plugin under test.

    `plugin` is its module's name, or any object with its hooks; `name` is what it registered, which may
    be left out when it offers one thing of the kind; `settings` are its keys of config.toml.
    """

    kind: ClassVar[Kind]

    plugin: object = None
    name: str = ""
    settings: Mapping[str, object] = {}

    def test_it_is_let_in_and_offers_what_it_should(self) -> None:
        """A plugin that breaks here costs the bot that plugin, and its users a line in a log."""
        self.offer()

    def test_an_unknown_setting_is_refused(self) -> None:
        """A misspelt key that is ignored is a setting that silently does nothing."""
        offer = self.offer()
        try:
            validated(offer.settings, {**self.settings, "no_such_key": 1}, where="here")
        except ConfigError:
            return
        raise ContractBroken(
            f"{offer.settings.__name__} takes a key that it does not know. "
            f"Let it inherit from moabot.config.Settings."
        )

    def test_it_can_be_closed_and_opened_again(self) -> None:
        """A configuration may use one plugin twice, and a bot may start it again."""

        async def twice() -> None:
            for _ in range(2):
                async with AsyncExitStack() as stack:
                    await self.opened(stack)

        self.run(twice())

    @property
    def module(self) -> object:
        """The plugin itself."""
        return import_module(self.plugin) if isinstance(self.plugin, str) else self.plugin

    def offer(self) -> Offer:
        """What the plugin registered; raises `ContractBroken` if it is not let in."""
        found = Plugins(built_in=(), installed=())
        try:
            found.admit("the plugin under test", self.module)
        except ImportError as error:
            raise ContractBroken(f"{self.plugin!r} cannot be imported: {error}.") from error
        hold(not found.problems, " ".join(found.problems))
        offers = found.offers(self.kind)
        name = self.name or next(iter(offers), "")
        hold(
            name in offers and (bool(self.name) or len(offers) == 1),
            f"It offers the {self.kind}s {sorted(offers)}. Say which: name = …",
        )
        return offers[name]

    async def opened(self, stack: AsyncExitStack) -> object:
        """The object under test, until `stack` closes; override to open what it needs first."""
        return await self.entered(stack)

    async def entered(self, stack: AsyncExitStack, *needs: object) -> object:
        """What the factory hands over, given what it `needs` beside its settings."""
        offer = self.offer()
        settings = validated(offer.settings, self.settings, where="settings")
        try:
            opened: object = await offer.opened(stack, settings, *needs, where="here")
        except PluginError as error:
            raise ContractBroken(str(error)) from error
        return opened

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """What each test runs on."""
        return asyncio.new_event_loop()

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Run `work` to its end on a loop of its own."""
        with asyncio.Runner(loop_factory=self.new_loop) as runner:
            return runner.run(work)


class InVirtualTime(Checked):
    """One whose tests wait for no real time."""

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """A loop whose clock jumps."""
        return VirtualTimeLoop()
