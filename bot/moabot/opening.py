"""Opens providers, strategies and the cache, with stand-ins for what a third party owes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from pydantic import BaseModel

from moabot.config import Config, ModelSettings
from moabot.contract import Ask, Cache, Prompt, Provider, Question, Strategy
from moabot.errors import BudgetSpent, ConfigError, PluginError
from moabot.guests import blamed
from moabot.orders import Model
from moabot.plugins import Offer, Plugins
from moabot.pricing import look_up
from moabot.standins import AbsentProvider, AbsentStrategy, WatchedStrategy
from moabot.store import Store
from moabot.validation import validated

__all__ = [
    "is_cached",
    "nobody",
    "open_cache",
    "open_models",
    "open_strategies",
    "settings_of",
]


def settings_of(offer: Offer, own: Mapping[str, object], *, where: str) -> BaseModel:
    """An offer's settings from its table; raises `ConfigError` for what the table has wrong.

    What a third party's own checks raise, but for a value that is wrong, is a `PluginError`.
    """
    with blamed(f"{where}: the settings of {offer.owner}"):
        return validated(offer.settings, own, where=where)


async def open_models(
    stack: AsyncExitStack,
    config: Config,
    plugins: Plugins,
    *,
    used: Iterable[str],
    asks: bool = True,
) -> dict[str, Model]:
    """The models of these names, their providers open until `stack` closes if anybody `asks`."""
    names = sorted(used)
    providers: dict[str, _Served] = {}
    for name in dict.fromkeys(config.models[model].provider for model in names):
        providers[name] = await _open(stack, config, plugins, name, asks=asks)
    return {
        name: _model(name, settings, config, providers[settings.provider])
        for name, settings in config.models.items()
        if name in names
    }


async def open_cache(
    stack: AsyncExitStack, config: Config, plugins: Plugins, *, store: Store, ask: Ask
) -> Cache:
    """The cache of `config` on an open store; raises `ConfigError` or `PluginError`."""
    offer = plugins.offer("cache", config.cache.plugin, where="[cache] plugin")
    settings = settings_of(offer, config.cache.own(), where="[cache]")
    cache: Cache = await offer.opened(stack, settings, store, ask, where="[cache]")
    return cache


async def nobody(prompt: Prompt, *, about: Question) -> str:
    """Whom a cache may ask that is opened to be looked at; raises `BudgetSpent`."""
    raise BudgetSpent("No model may be asked here.", fix="")


def is_cached(config: Config) -> bool:
    """Whether any channel may have a cache; one can be switched on by command, if the defaults do."""
    channels = [channel.cache for channel in config.channels.values()]
    return any(share not in {None, "off"} for share in (config.defaults.cache, *channels))


async def open_strategies(
    stack: AsyncExitStack, config: Config, plugins: Plugins
) -> dict[str, Strategy]:
    """Those on offer and those of the configuration, with stand-ins for what a third party owes."""
    tuned = {chosen.plugin for chosen in config.strategies.values()}
    unasked = {
        name: await _unasked(stack, plugins, offer, tuned=name in tuned)
        for name, offer in plugins.offers("strategy").items()
        if not offer.needs_settings  # such are there for [strategies.X]
    }
    ready = {name: strategy for name, strategy in unasked.items() if strategy is not None}
    for name, chosen in config.strategies.items():
        where = f"[strategies.{name}]"
        try:
            offer = plugins.offer("strategy", chosen.plugin, where=f"{where} plugin")
            ready[name] = await _strategy(stack, plugins, offer, chosen.own(), where=where)
        except PluginError as error:
            plugins.do_without("strategy", chosen.plugin, error)
            ready[name] = AbsentStrategy()
    wanted = (config.defaults.strategy, *(each.strategy for each in config.channels.values()))
    for wish in wanted:
        if wish and wish not in ready and (plugins.left_out or wish in unasked):
            ready[wish] = AbsentStrategy()
    return ready


async def _unasked(
    stack: AsyncExitStack, plugins: Plugins, offer: Offer, *, tuned: bool
) -> Strategy | None:
    """A strategy that nobody asked for, which must not stop the bot; None if it cannot be had."""
    try:
        return await _strategy(stack, plugins, offer, {}, where="[plugins]")
    except PluginError as error:
        plugins.problems.append(str(error))
    except ConfigError as error:  # it needs keys, which its fields do not say
        if not offer.from_third_party:
            raise
        if not tuned:
            plugins.complain(offer.owner, f"The strategy {offer.name!r} needs settings. {error}")
    return None


async def _strategy(
    stack: AsyncExitStack,
    plugins: Plugins,
    offer: Offer,
    own: Mapping[str, object],
    *,
    where: str,
) -> Strategy:
    settings = settings_of(offer, own, where=where)
    strategy: Strategy = await offer.opened(stack, settings, where=where)
    if not offer.from_third_party:
        return strategy
    return WatchedStrategy(strategy, partial(plugins.complain, offer.owner))


@dataclass(frozen=True, slots=True)
class _Served:
    """An open provider, the gate of all its calls, and what its models may think beyond a reply."""

    provider: Provider
    gate: asyncio.Semaphore
    thinking_tokens: int


async def _open(
    stack: AsyncExitStack, config: Config, plugins: Plugins, name: str, *, asks: bool
) -> _Served:
    chosen, where = config.providers[name], f"[providers.{name}]"
    gate = asyncio.Semaphore(config.limits.calls_per_provider)
    try:
        offer = plugins.offer("provider", chosen.plugin, where=f"{where} plugin")
        own = chosen.own()
        if "dir" in offer.settings.model_fields:
            own.setdefault("dir", config.data_dir / name)
        settings = settings_of(offer, own, where=where)
        provider = await _opened(stack, offer, settings, where=where) if asks else AbsentProvider()
    except PluginError as error:
        plugins.do_without("provider", chosen.plugin, error)
        return _Served(AbsentProvider(), gate, 0)
    return _Served(provider, gate, int(getattr(settings, "thinking_tokens", 0)))


async def _opened(
    stack: AsyncExitStack, offer: Offer, settings: BaseModel, *, where: str
) -> Provider:
    """The provider; a plugin cannot know under which name it is configured, so that is added."""
    try:
        provider: Provider = await offer.opened(stack, settings, where=where)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.what}", fix=error.fix) from error
    return provider


def _model(name: str, settings: ModelSettings, config: Config, served: _Served) -> Model:
    provider = config.providers[settings.provider]
    base_url = provider.own().get("base_url", "")
    return Model(
        name=name,
        vendor_name=settings.name,
        provider_name=settings.provider,
        provider=served.provider,
        gate=served.gate,
        thinking_tokens=served.thinking_tokens,
        price=look_up(
            settings.name,
            plugin=provider.plugin,
            base_url=str(base_url),
            override=settings.price,
        ),
        strengths=settings.strengths,
        images=settings.images,
        expect_tokens=settings.expect_tokens,
    )
