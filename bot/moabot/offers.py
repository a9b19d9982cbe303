"""What plugins offer: how it is registered, how it is opened, and whose it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from moabot.errors import MoabotError, PluginError
from moabot.guests import blamed

if TYPE_CHECKING:
    from moabot.contract import Ask, Cache, Platform, Provider, Strategy
    from moabot.store import Store

__all__ = ["Kind", "NoSettings", "Offer", "Register", "Starter"]

log = logging.getLogger("moabot")

Kind = Literal["provider", "strategy", "platform", "cache"]
Factory = Callable[..., AbstractAsyncContextManager[Any]]

OWED: dict[Kind, tuple[str, ...]] = {
    "provider": ("complete",),
    "strategy": ("answer",),
    "platform": ("run", "reply_to"),
    "cache": ("find", "keep", "joined", "forget"),
}
"""The methods of what a factory hands over."""


class NoSettings(BaseModel):
    """The settings of a plugin that has none: every key is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Starter:
    """What a provider brings to a panel when nothing is configured.

    `key_env` is the environment variable whose presence means "use me"; empty for a provider
    that needs no key, which is then taken last. `models` are the vendor's names, best first.
    """

    key_env: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that one plugin offers under a name.

    `limit_s` is how many seconds it may take to open and to close; None for what comes with
    moabot, or was let in by hand, which may take as long as it likes.
    """

    kind: Kind
    name: str
    owner: str
    factory: Factory
    settings: type[BaseModel]
    starter: Starter | None = None
    limit_s: float | None = None

    @property
    def from_third_party(self) -> bool:
        """Whether the bot goes on without it."""
        return self.limit_s is not None

    @property
    def needs_settings(self) -> bool:
        """Whether it cannot be opened without keys of its own in the configuration."""
        return any(field.is_required() for field in self.settings.model_fields.values())

    async def opened(
        self, stack: AsyncExitStack, settings: BaseModel, *needs: object, where: str
    ) -> Any:  # noqa: ANN401 - what it is depends on the kind
        """What the factory hands over, until `stack` closes; `where` is the config key.

        A cache also `needs` the database and somebody to ask.

        Whatever the plugin raises, but our own errors, becomes a `PluginError` that names it. What
        it raises when it is closed is logged: by then everybody has what they asked for.
        """
        own = AsyncExitStack()

        async def enter() -> Any:  # noqa: ANN401 - as above
            return await own.enter_async_context(self.factory(settings, *needs))

        stack.push_async_callback(self._close, own, where=where)
        opened = await self._told(enter(), f"{where}: {self.owner} could not open")
        lacking = [name for name in OWED[self.kind] if not callable(getattr(opened, name, None))]
        if lacking:
            raise PluginError(
                f"{where}: {self.owner} hands over {type(opened).__name__} as the {self.kind} "
                f"{self.name!r}, which has no method {lacking[0]!r}.",
                fix=f"Write it, as the protocol {self.kind.title()} of moabot says.",
            )
        return opened

    async def _close(self, own: AsyncExitStack, *, where: str) -> None:
        try:
            await self._told(own.aclose(), f"{where}: {self.owner} could not close")
        except MoabotError:
            log.exception("plugin", extra={"owner": self.owner, "closing": self.name})

    async def _told(self, step: Awaitable[Any], what: str) -> Any:  # noqa: ANN401 - as above
        subject = f"{what} the {self.kind} {self.name!r}; it"
        limit = asyncio.timeout(self.limit_s)
        try:
            with blamed(subject, fix="Correct its settings, or update it."):
                async with limit:
                    return await step
        except PluginError as error:
            if not limit.expired():
                raise
            raise PluginError(
                f"{subject} took longer than {self.limit_s:g} s.",
                fix="Update or remove it, or raise [plugins] load_s.",
            ) from error


@dataclass(slots=True)
class Register:
    """What `moabot_register` is given: notes what one plugin (`owner`) offers."""

    owner: str
    taken: dict[tuple[Kind, str], Offer]
    limit_s: float | None = None
    offers: list[Offer] = field(default_factory=list[Offer])

    def provider(
        self,
        name: str,
        factory: Callable[[Any], AbstractAsyncContextManager[Provider]],
        settings: type[BaseModel] = NoSettings,
        *,
        starter: Starter | None = None,
    ) -> None:
        """Offer a provider; `[providers.X] plugin = name` opens it with its `settings`."""
        self._note(Offer("provider", name, self.owner, factory, settings, starter, self.limit_s))

    def strategy(
        self,
        name: str,
        factory: Callable[[Any], AbstractAsyncContextManager[Strategy]],
        settings: type[BaseModel] = NoSettings,
    ) -> None:
        """Offer a strategy; it can be chosen by this name, or tuned in `[strategies.X]`."""
        self._note(Offer("strategy", name, self.owner, factory, settings, None, self.limit_s))

    def platform(
        self,
        name: str,
        factory: Callable[[Any], AbstractAsyncContextManager[Platform]],
        settings: type[BaseModel] = NoSettings,
    ) -> None:
        """Offer a chat platform."""
        self._note(Offer("platform", name, self.owner, factory, settings, None, self.limit_s))

    def cache(
        self,
        name: str,
        factory: Callable[[Any, Store, Ask], AbstractAsyncContextManager[Cache]],
        settings: type[BaseModel] = NoSettings,
    ) -> None:
        """Offer a cache of answers.

        `factory(settings, store, ask)` is given the bot's database, and the models of
        [cache] judge to ask.
        """
        self._note(Offer("cache", name, self.owner, factory, settings, None, self.limit_s))

    def _note(self, offer: Offer) -> None:
        _check_shape(offer.kind, offer.name, offer.factory, offer.settings)
        mine = {(noted.kind, noted.name): noted for noted in self.offers}
        other = self.taken.get((offer.kind, offer.name)) or mine.get((offer.kind, offer.name))
        if other is not None:
            raise PluginError(
                f"The {offer.kind} name {offer.name!r} is offered by {other.owner} "
                f"and by {self.owner}.",
                fix=f"Remove one of the two from [plugins] allow, or rename it in {self.owner}.",
            )
        self.offers.append(offer)


def _check_shape(kind: Kind, name: object, factory: object, settings: object) -> None:
    """No type checker may ever have looked at a plugin."""
    wrong = (
        f"the name {name!r:.80}"
        if not (isinstance(name, str) and name)
        else f"the factory {factory!r:.80}, which cannot be called"
        if not callable(factory)
        else f"the settings {settings!r:.80}, which are no pydantic model"
        if not (isinstance(settings, type) and issubclass(settings, BaseModel))
        else ""
    )
    if wrong:
        raise PluginError(
            f"Its hook moabot_register offers a {kind} with {wrong}.",
            fix=f"Write register.{kind}(name, factory, settings).",
        )
