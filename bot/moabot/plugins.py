"""Finding, checking and blocking plugins.

Built-in plugins and third-party distributions come through the same door. A plugin that breaks
costs the bot that plugin and one line in `Plugins.problems`, nothing else.
"""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Literal

import pluggy
from pydantic import BaseModel, ConfigDict

from moabot import hookspecs
from moabot.errors import MoabotError, PluginError

if TYPE_CHECKING:
    from moabot.contract import Answer, Cache, Message, Platform, Provider, Strategy

__all__ = ["BUILT_IN", "NoSettings", "Offer", "Plugins", "Register", "Starter", "nearest"]

BUILT_IN = (
    "moabot_strategies.single",
    "moabot_strategies.mixture",
    "moabot_strategies.router",
    "moabot_strategies.specialization",
    "moabot_strategies.refinement",
    "moabot_strategies.vote",
    "moabot_providers.openai",
    "moabot_providers.anthropic",
    "moabot_providers.gemini",
    "moabot_providers.openai_compatible",
    "moabot_providers.local",
    "moabot_providers.replay",
    "moabot_platforms.discord",
    "moabot_platforms.slack",
)

log = logging.getLogger("moabot")

Kind = Literal["provider", "strategy", "platform", "cache"]
Factory = Callable[[Any], AbstractAsyncContextManager[Any]]


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
    """One thing that one plugin offers under a name."""

    kind: Kind
    name: str
    owner: str
    factory: Factory
    settings: type[BaseModel]
    starter: Starter | None = None

    @property
    def needs_settings(self) -> bool:
        """Whether it cannot be opened without keys of its own in the configuration."""
        return any(field.is_required() for field in self.settings.model_fields.values())

    async def opened(self, stack: AsyncExitStack, settings: BaseModel, *, where: str) -> Any:  # noqa: ANN401 - what it is depends on the kind
        """What the factory hands over, until `stack` closes; `where` is the config key.

        Whatever the plugin raises, but our own errors, becomes a `PluginError` that names it. What
        it raises when it is closed is logged: by then everybody has what they asked for.
        """
        own = AsyncExitStack()

        async def enter() -> Any:  # noqa: ANN401 - as above
            return await own.enter_async_context(self.factory(settings))

        stack.push_async_callback(self._close, own, where=where)
        return await self._told(enter(), f"{where}: {self.owner} could not open")

    async def _close(self, own: AsyncExitStack, *, where: str) -> None:
        try:
            await self._told(own.aclose(), f"{where}: {self.owner} could not close")
        except MoabotError:
            log.exception("plugin", extra={"owner": self.owner, "closing": self.name})

    async def _told(self, step: Awaitable[Any], what: str) -> Any:  # noqa: ANN401 - as above
        try:
            return await step
        except MoabotError:
            raise
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"{what} the {self.kind} {self.name!r}; it raised {type(error).__name__}: {error}.",
                fix="Correct its settings, or update it.",
            ) from error


@dataclass(slots=True)
class Register:
    """What `moabot_register` is given: notes what one plugin (`owner`) offers."""

    owner: str
    taken: dict[tuple[Kind, str], Offer]
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
        self._note(Offer("provider", name, self.owner, factory, settings, starter))

    def strategy(
        self,
        name: str,
        factory: Callable[[Any], AbstractAsyncContextManager[Strategy]],
        settings: type[BaseModel] = NoSettings,
    ) -> None:
        """Offer a strategy; it can be chosen by this name, or tuned in `[strategies.X]`."""
        self._note(Offer("strategy", name, self.owner, factory, settings))

    def platform(
        self,
        name: str,
        factory: Callable[[Any], AbstractAsyncContextManager[Platform]],
        settings: type[BaseModel] = NoSettings,
    ) -> None:
        """Offer a chat platform."""
        self._note(Offer("platform", name, self.owner, factory, settings))

    def cache(
        self,
        name: str,
        factory: Callable[[Any], AbstractAsyncContextManager[Cache]],
        settings: type[BaseModel] = NoSettings,
    ) -> None:
        """Offer a cache of answers."""
        self._note(Offer("cache", name, self.owner, factory, settings))

    def _note(self, offer: Offer) -> None:
        mine = {(noted.kind, noted.name): noted for noted in self.offers}
        other = self.taken.get((offer.kind, offer.name)) or mine.get((offer.kind, offer.name))
        if other is not None:
            raise PluginError(
                f"The {offer.kind} name {offer.name!r} is offered by {other.owner} "
                f"and by {self.owner}.",
                fix=f"Remove one of the two from [plugins] allow, or rename it in {self.owner}.",
            )
        self.offers.append(offer)


class Plugins:
    """The plugins that were let in, what they offer, and what was wrong with the others.

    `installed` are the entry points of the group "moabot", by default those of this environment.
    """

    def __init__(
        self,
        *,
        allow: Iterable[str] = (),
        built_in: Sequence[str] = BUILT_IN,
        installed: Iterable[EntryPoint] | None = None,
    ) -> None:
        self._manager = pluggy.PluginManager("moabot")
        self._manager.add_hookspecs(hookspecs)
        self._offers: dict[tuple[Kind, str], Offer] = {}
        self.problems: list[str] = []
        self.blocked: list[str] = []
        self._complained: set[str] = set()
        self._choosers: list[tuple[str, Callable[..., Any]]] = []
        self._listeners: list[tuple[str, Callable[..., Any]]] = []
        for module in built_in:
            self._load(module, partial(import_module, module))
        entries = entry_points(group="moabot") if installed is None else installed
        self._let_in({_normal(name) for name in allow}, entries)

    def offers(self, kind: Kind) -> dict[str, Offer]:
        """What is on offer of one kind, by name."""
        return {name: offer for (of, name), offer in self._offers.items() if of == kind}

    def offer(self, kind: Kind, name: str, *, where: str) -> Offer:
        """The offer of that name, or a `PluginError` naming the nearest; `where` is the config key."""
        found = self._offers.get((kind, name))
        if found is None:
            names = sorted(self.offers(kind))
            raise PluginError(
                f"{where}: no plugin offers the {kind} {name!r}; "
                f"on offer: {', '.join(names) or 'none'}.",
                fix=f"Correct the name{nearest(name, names)}, or add its plugin to [plugins] allow.",
            )
        return found

    def choose_strategy(self, message: Message, names: tuple[str, ...]) -> str | None:
        """Ask each plugin's `moabot_choose_strategy`; the first that returns a known name wins."""
        for owner, hook in self._choosers:
            choice = self._call(owner, hook, message=message, names=names)
            if isinstance(choice, str) and choice in names:
                return choice
            if choice is not None:
                self._complain(
                    owner,
                    f"moabot_choose_strategy returned {choice!r}, which is no strategy. "
                    f"Return one of {', '.join(names)}, or None.",
                )
        return None

    def answered(self, message: Message, answer: Answer) -> None:
        """Tell each plugin's `moabot_answered`."""
        for owner, hook in self._listeners:
            self._call(owner, hook, message=message, answer=answer)

    def _let_in(self, allowed: set[str], installed: Iterable[EntryPoint]) -> None:
        found: set[str] = set()
        for entry in sorted(installed, key=lambda entry: entry.name):
            owner = _distribution(entry)
            found.add(_normal(owner))
            if _normal(owner) not in allowed:
                self.blocked.append(owner)
            elif self._manager.has_plugin(owner):  # one distribution, several plugins
                self._load(f"{owner} ({entry.name})", entry.load)
            else:
                self._load(owner, entry.load)
        for name in sorted(allowed - found):
            self.problems.append(
                f"[plugins] allow names {name!r}, which is not installed or offers no entry "
                f"point of the group 'moabot'. Install it beside moabot, or remove the name."
            )

    def admit(self, owner: str, plugin: object) -> None:
        """Let in a plugin that is at hand already: a module, or any object with hooks."""
        self._load(owner, lambda: plugin)

    def _load(self, owner: str, load: Callable[[], object]) -> None:
        try:
            plugin = load()
            self._check(plugin)
            self._manager.register(plugin, name=owner)
            register = Register(owner, self._offers)
            for name, hook in self._hooks("moabot_register"):
                if name == owner:
                    hook(register=register)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - other people's code: one plugin, one line
            if self._manager.has_plugin(owner):
                self._manager.unregister(name=owner)
            self.problems.append(f"Plugin {owner} is left out. {_told(error)}")
        else:
            self._offers |= {(offer.kind, offer.name): offer for offer in register.offers}
            self._choosers = list(self._hooks("moabot_choose_strategy"))
            self._listeners = list(self._hooks("moabot_answered"))

    def _check(self, plugin: object) -> None:
        known = [name for name in dir(hookspecs) if name.startswith("moabot_")]
        for name in dir(plugin):
            if self._manager.parse_hookimpl_opts(plugin, name) is None:
                continue
            if name not in known:
                raise PluginError(f"{name} is no hook.", fix=f"The hooks are {', '.join(known)}.")
            if inspect.iscoroutinefunction(getattr(plugin, name)):
                raise PluginError(
                    f"The hook {name} is 'async def', and hooks are never awaited.",
                    fix="Make it a plain function; the objects that it hands over may be async.",
                )

    def _hooks(self, name: str) -> Iterator[tuple[str, Callable[..., Any]]]:
        """Each plugin's own implementation, apart, so that one that raises spoils no other."""
        plugins = [impl.plugin for impl in getattr(self._manager.hook, name).get_hookimpls()]
        for plugin in reversed(plugins):
            others = [other for other in plugins if other is not plugin]
            owner = self._manager.get_name(plugin) or repr(plugin)
            yield owner, self._manager.subset_hook_caller(name, remove_plugins=others)

    def _call(self, owner: str, hook: Callable[..., Any], **values: object) -> object:
        try:
            return hook(**values)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            self._complain(owner, f"a hook raised {type(error).__name__}: {error}.")
            return None

    def _complain(self, owner: str, what: str) -> None:
        """Note the first problem of each plugin's hooks; they are called for every message."""
        if owner not in self._complained:
            self._complained.add(owner)
            self.problems.append(f"Plugin {owner}: {what}")
            log.warning("plugin", extra={"owner": owner, "problem": what})


def nearest(name: str, names: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the nearest of `names`, or nothing."""
    close = get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _told(error: BaseException) -> str:
    """Our own errors bring their fix; pluggy's have several lines."""
    if isinstance(error, PluginError):
        return str(error)
    return f"{type(error).__name__}: {' '.join(str(error).split())}. Update it or remove it."


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.module
