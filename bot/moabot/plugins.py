"""Finding, checking and blocking plugins.

Built-in plugins and third-party distributions come through the same door. A plugin that breaks
costs the bot that plugin and one line in `Plugins.problems`, nothing else.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import pluggy

from moabot import hookspecs
from moabot.errors import MoabotError, PluginError
from moabot.guests import USUAL, Bounds, Line, blamed, within
from moabot.offers import Kind, NoSettings, Offer, Register, Starter
from moabot.pins import Pin, normal

if TYPE_CHECKING:
    from moabot.contract import Answer, Message

__all__ = [
    "BUILT_IN",
    "Kind",
    "NoSettings",
    "Offer",
    "Plugins",
    "Register",
    "Starter",
    "nearest",
]

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
    "moabot_cache.plugin",
)

log = logging.getLogger("moabot")

MOST_COMPLAINTS = 100
"""What a plugin does wrong while the bot runs is kept in memory, so it must end."""


@dataclass(frozen=True, slots=True)
class _Hook:
    """One plugin's implementation of a hook; `line` is None for one that is called at once."""

    owner: str
    call: Callable[..., Any]
    line: Line | None


class Plugins:
    """The plugins that were let in, what they offer, and what was wrong with the others.

    `allow` holds entries of `[plugins] allow`; `installed` are the entry points of the group
    "moabot", by default those of this environment. `left_out` names what was allowed and failed.
    """

    def __init__(
        self,
        *,
        allow: Iterable[str] = (),
        built_in: Sequence[str] = BUILT_IN,
        installed: Iterable[EntryPoint] | None = None,
        bounds: Bounds = USUAL,
    ) -> None:
        self._manager = pluggy.PluginManager("moabot")
        self._manager.add_hookspecs(hookspecs)
        self._offers: dict[tuple[Kind, str], Offer] = {}
        self._bounds = bounds
        self._lines: dict[str, Line] = {}
        self._complained: dict[str, set[str]] = {}
        self._choosers: list[_Hook] = []
        self._listeners: list[_Hook] = []
        self.problems: list[str] = []
        self.blocked: list[str] = []
        self.left_out: list[str] = []
        for module in built_in:
            self._load(module, partial(import_module, module))
        pins = {normal(pin.name): pin for pin in map(Pin.read, allow)}
        self._let_in(pins, entry_points(group="moabot") if installed is None else installed)

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

    async def choose_strategy(self, message: Message, names: tuple[str, ...]) -> str | None:
        """Ask each plugin's `moabot_choose_strategy`; the first that returns a known name wins."""
        for hook in self._choosers:
            choice = await self._ask(hook, "moabot_choose_strategy", message=message, names=names)
            if isinstance(choice, str) and choice in names:
                return choice
            if choice is not None:
                self.complain(
                    hook.owner,
                    f"The hook moabot_choose_strategy returned {choice!r:.80}, which is no strategy. "
                    f"Return one of {', '.join(names)}, or None.",
                )
        return None

    async def answered(self, message: Message, answer: Answer) -> None:
        """Tell each plugin's `moabot_answered`."""
        for hook in self._listeners:
            await self._ask(hook, "moabot_answered", message=message, answer=answer)

    def do_without(self, kind: Kind, name: str, error: PluginError) -> None:
        """Note why an offer of a third party cannot be used; raises `error` for any other."""
        offer = self._offers.get((kind, name))
        if not (offer.from_third_party if offer is not None else self.left_out):
            raise error
        self.problems.append(str(error))

    def admit(self, owner: str, plugin: object) -> None:
        """Let in a plugin that is at hand already: a module, or any object with hooks."""
        self._load(owner, lambda: plugin)

    def complain(self, owner: str, what: str) -> None:
        """Note what a plugin did wrong, once: hooks are called for every message."""
        noted = self._complained.setdefault(owner, set())
        if what in noted or len(noted) > MOST_COMPLAINTS:
            return
        if len(noted) == MOST_COMPLAINTS:
            what = "Further complaints about it are not shown."
        noted.add(what)
        self.problems.append(f"Plugin {owner}: {what}")
        log.warning("plugin", extra={"owner": owner, "problem": what})

    def _let_in(self, allowed: dict[str, Pin], installed: Iterable[EntryPoint]) -> None:
        found: set[str] = set()
        for entry in sorted(installed, key=lambda entry: entry.name):
            owner = _distribution(entry)
            found.add(normal(owner))
            pin = allowed.get(normal(owner))
            if pin is None:
                self.blocked.append(owner)
            elif entry.dist is not None and (broken := pin.broken_by(entry.dist)):
                again = f"If you trust it, allow it again: moabot plugins install {owner}"
                self._leave_out(owner, PluginError(broken, fix=again))
            else:
                several = self._manager.has_plugin(owner)  # one distribution, several plugins
                named = f"{owner} ({entry.name})" if several else owner
                self._load(named, entry.load, limit_s=self._bounds.load_s)
        for name in sorted(allowed.keys() - found):
            self.left_out.append(name)
            self.problems.append(
                f"[plugins] allow names {name!r}, which is not installed or offers no entry "
                f"point of the group 'moabot'. Install it: moabot plugins install {name}"
            )

    def _load(
        self, owner: str, load: Callable[[], object], *, limit_s: float | None = None
    ) -> None:
        register = Register(owner, self._offers, limit_s)
        try:
            plugin = within(limit_s, "Its import", lambda: self._checked(load()), key="load_s")
            with blamed("Its hooks"):
                self._manager.register(plugin, name=owner)
            for name, hook in self._hooks("moabot_register"):
                if name == owner:
                    call = partial(hook, register=register)
                    within(limit_s, "Its hook moabot_register", call, key="load_s")
        except PluginError as error:
            if self._manager.has_plugin(owner):
                self._manager.unregister(name=owner)
            self._leave_out(owner, error)
        else:
            self._offers |= {(offer.kind, offer.name): offer for offer in register.offers}
            if limit_s is not None:
                self._lines[owner] = Line(self._bounds.hook_s)
            self._choosers = self._of("moabot_choose_strategy")
            self._listeners = self._of("moabot_answered")

    def _leave_out(self, owner: str, why: PluginError) -> None:
        self.left_out.append(owner)
        line = f"Plugin {owner} is left out. {why}"
        if line not in self.problems:  # all plugins of a distribution have one hash
            self.problems.append(line)

    def _checked(self, plugin: object) -> object:
        known = [name for name in dir(hookspecs) if name.startswith("moabot_")]
        marked = [
            name
            for name in dir(plugin)
            if self._manager.parse_hookimpl_opts(plugin, name) is not None
        ]
        if not marked:
            raise PluginError(
                f"It has no hook, so {plugin!r:.80} does nothing.",
                fix="Mark its function moabot_register with @moabot.hookimpl.",
            )
        for name in marked:
            if name not in known:
                raise PluginError(f"{name} is no hook.", fix=f"The hooks are {', '.join(known)}.")
            if inspect.iscoroutinefunction(getattr(plugin, name)):
                raise PluginError(
                    f"The hook {name} is 'async def', and hooks are never awaited.",
                    fix="Make it a plain function; the objects that it hands over may be async.",
                )
        return plugin

    def _hooks(self, name: str) -> Iterator[tuple[str, Callable[..., Any]]]:
        """Each plugin's own implementation, apart, so that one that raises spoils no other."""
        plugins = [impl.plugin for impl in getattr(self._manager.hook, name).get_hookimpls()]
        for plugin in reversed(plugins):
            others = [other for other in plugins if other is not plugin]
            owner = self._manager.get_name(plugin) or repr(plugin)
            yield owner, self._manager.subset_hook_caller(name, remove_plugins=others)

    def _of(self, name: str) -> list[_Hook]:
        return [_Hook(owner, call, self._lines.get(owner)) for owner, call in self._hooks(name)]

    async def _ask(self, hook: _Hook, name: str, **values: object) -> object:
        what, call = f"The hook {name}", partial(hook.call, **values)
        try:
            if hook.line is not None:
                return await hook.line.call(what, call)
            with blamed(what):
                return call()
        except MoabotError as error:
            self.complain(hook.owner, str(error))
        return None


def nearest(name: str, names: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the nearest of `names`, or nothing."""
    close = get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.module
