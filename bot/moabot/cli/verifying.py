"""Whether installed plugins are what was allowed, and keep the contracts of what they offer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from moabot.config import Config, PluginSettings
from moabot.errors import PluginError
from moabot.guests import within
from moabot.hookspecs import hookimpl
from moabot.plugins import Kind, Offer, Plugins, Register
from moabot.testing import CacheContract, PlatformContract, ProviderContract, StrategyContract
from moabot.testing.checked import Checked

__all__ = ["Kept", "kept"]

SUITES: Mapping[Kind, type[Checked]] = {
    "provider": ProviderContract,
    "strategy": StrategyContract,
    "platform": PlatformContract,
    "cache": CacheContract,
}
NEEDS_OTHERS: tuple[Kind, ...] = ("provider", "platform")
"""Kinds whose whole suite needs a vendor or a chat; what needs none can be tested anywhere."""


@dataclass(slots=True)
class Kept:
    """How one offer kept its contract: `broken` are sentences, `skipped` why less was tested."""

    kind: Kind
    name: str
    held: int = 0
    broken: list[str] = field(default_factory=list[str])
    skipped: str = ""


def kept(config: Config, plugins: Plugins, owner: str, *, ask: bool) -> list[Kept]:
    """Test each offer of `owner`; with `ask` also what makes calls, which may cost money."""
    found: list[Kept] = []
    for kind in SUITES:
        for name, offer in plugins.offers(kind).items():
            if offer.owner.partition(" (")[0] == owner:
                found.append(_kept(config, offer, name, ask=ask))
    return found


@dataclass(frozen=True, slots=True)
class _Again:
    """A plugin that offers one thing that another has offered, which was imported already."""

    offer: Offer

    @hookimpl
    def moabot_register(self, register: Register) -> None:
        """Offer it."""
        name, factory, settings = self.offer.name, self.offer.factory, self.offer.settings
        if self.offer.kind == "provider":
            register.provider(name, factory, settings)
        elif self.offer.kind == "strategy":
            register.strategy(name, factory, settings)
        elif self.offer.kind == "platform":
            register.platform(name, factory, settings)
        else:
            register.cache(name, factory, settings)


def _kept(config: Config, offer: Offer, name: str, *, ask: bool) -> Kept:
    suite = SUITES[offer.kind]()
    done = Kept(offer.kind, name)
    model = _prepared(suite, config, offer)
    tests = dict(_tests(type(suite)))
    if offer.needs_settings and not suite.settings:
        done.skipped = f"it needs settings, and no [{offer.kind}s.X] has plugin = {name!r}"
        tests = {}
    elif offer.kind in NEEDS_OTHERS and not (ask and model):
        done.skipped = (
            "nobody was asked; --ask makes real calls"
            if model
            else f"nobody was asked, since no model of a provider with plugin = {name!r} is configured"
            if offer.kind == "provider"
            else "its own tests must stand in for a chat"
        )
        tests = {each: told for each, told in tests.items() if each in dict(_tests(Checked))}
    limit_s = 2 * config.plugins.load_s  # most tests open it, and one opens it twice
    for test, told in tests.items():
        try:
            within(limit_s, told, getattr(suite, test), key="load_s")
            done.held += 1
        except PluginError as error:
            done.broken.append(str(error))
    return done


def _prepared(suite: Checked, config: Config, offer: Offer) -> str:
    """Give the suite what config.toml says of this plugin; returns a model's name for a provider."""
    suite.plugin = _Again(offer)
    tables: dict[Kind, Mapping[str, PluginSettings]] = {
        "provider": config.providers,
        "strategy": config.strategies,
    }
    for key, table in tables.get(offer.kind, {}).items():
        if table.plugin == offer.name:
            suite.settings = table.own()
            models = [each.name for each in config.models.values() if each.provider == key]
            if isinstance(suite, ProviderContract) and models:
                suite.model = models[0]
                return models[0]
    return ""


def _tests(suite: type[Checked]) -> Iterator[tuple[str, str]]:
    """The suite's tests, each with its name in words."""
    for name in dir(suite):
        if name.startswith("test_"):
            yield name, name.removeprefix("test_").replace("_", " ")
