"""Builds, opens and closes everything."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path

from moabot import config as configuration
from moabot.answering import Answering
from moabot.calls import Calls, Model
from moabot.channels import NO_WISH, Channels
from moabot.config import (
    ChannelSettings,
    Config,
    ModelSettings,
    PanelSettings,
    PluginSettings,
    PriceSettings,
    ProposerSettings,
)
from moabot.contract import Message, Prompts, Provider, Question, Strategy
from moabot.errors import ConfigError, PluginError
from moabot.explaining import Plan, Unseen, dry, plan
from moabot.guests import Bounds
from moabot.journal import Journal, PassingJournal
from moabot.memory import Keep, Memory, remembering
from moabot.plugins import Offer, Plugins, nearest
from moabot.pricing import look_up
from moabot.recorder import Recorder
from moabot.standins import AbsentProvider, AbsentStrategy, WatchedStrategy
from moabot.validation import validated
from moabot_strategies.prompts import PROMPTS

__all__ = ["App", "let_in", "load", "opened"]


class App:
    """The running bot: what is configured, and the corridor that answers."""

    def __init__(
        self,
        config: Config,
        plugins: Plugins,
        *,
        models: Mapping[str, Model],
        strategies: Mapping[str, Strategy],
        memory: Memory,
    ) -> None:
        self.config = config
        self.plugins = plugins
        self.memory = memory
        self._models = models
        self._strategies = strategies
        self._prompts = _prompts(config)
        self.channels = Channels(config, strategies=tuple(strategies), store=memory.store)
        self.answering = self._answering(
            Calls(models, at_once=config.limits.calls), journal=memory.journal
        )

    @property
    def strategies(self) -> tuple[str, ...]:
        """The names of the strategies that can be chosen."""
        return tuple(self._strategies)

    async def explain(self, question: Question, *, wish: ChannelSettings = NO_WISH) -> Plan:
        """The calls that `question` would lead to, and their cost; nothing is called."""
        calls = dry(self._models, at_once=self.config.limits.calls)
        answering = self._answering(calls, journal=PassingJournal())
        scope = question.scope
        message = Message(
            scope.platform, scope.workspace, scope.channel, "", question.text, "explain"
        )
        recorder = Recorder(Unseen())
        settings = await answering.settings(message, wish)
        answer = await answering.think(question, settings, recorder)
        return plan(answer, recorder.calls, self._models)

    def _answering(self, calls: Calls, *, journal: Journal) -> Answering:
        return Answering(
            config=self.config,
            calls=calls,
            strategies=self._strategies,
            prompts=self._prompts,
            plugins=self.plugins,
            journal=journal,
            channels=self.channels,
        )


def load(path: Path | None) -> tuple[Config, Plugins]:
    """Read the configuration and let the plugins in; without a panel, make one from the keys here.

    Raises `ConfigError` or `PluginError` naming the key and the fix.
    """
    config = configuration.load(path)
    plugins = let_in(config)
    return _with_panel(config, plugins), plugins


def let_in(config: Config) -> Plugins:
    """The plugins that come along, and those that the configuration allows."""
    own = config.plugins
    return Plugins(allow=own.allow, bounds=Bounds(own.load_s, own.hook_s))


@asynccontextmanager
async def opened(
    config: Config, plugins: Plugins, *, keep: Keep = "nothing"
) -> AsyncGenerator[App]:
    """Open every provider that a panel or a specialist uses, and every strategy; close them all.

    `keep` says what is to outlive the process.
    """
    _check_roles(config)
    async with AsyncExitStack() as stack:
        memory = await stack.enter_async_context(remembering(config, keep))
        used = {name for panel in config.panels.values() for name in _models_of(panel)}
        used |= {name for name, model in config.models.items() if model.strengths}
        providers: dict[str, _Served] = {}
        for name in dict.fromkeys(config.models[model].provider for model in sorted(used)):
            providers[name] = await _open(stack, config, plugins, name)
        models = {
            name: _model(name, settings, config, providers[settings.provider])
            for name, settings in config.models.items()
            if name in used
        }
        strategies = await _open_strategies(stack, config, plugins)
        stack.enter_context(_rare_collections())
        yield App(config, plugins, models=models, strategies=strategies, memory=memory)


@contextmanager
def _rare_collections() -> Generator[None]:
    """Look for garbage seldom, and never among what is loaded by now, which stays anyway.

    With 256 answers under way the collector took a quarter of all CPU, and found nothing.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(10_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@dataclass(frozen=True, slots=True)
class _Served:
    """An open provider, the gate of all its calls, and what its models may think beyond a reply."""

    provider: Provider
    gate: asyncio.Semaphore
    thinking_tokens: int


async def _open(stack: AsyncExitStack, config: Config, plugins: Plugins, name: str) -> _Served:
    chosen, where = config.providers[name], f"[providers.{name}]"
    gate = asyncio.Semaphore(config.limits.calls_per_provider)
    try:
        offer = plugins.offer("provider", chosen.plugin, where=f"{where} plugin")
        own = chosen.own()
        if "dir" in offer.settings.model_fields:
            own.setdefault("dir", config.data_dir / name)
        settings = validated(offer.settings, own, where=where)
        provider: Provider = await offer.opened(stack, settings, where=where)
    except PluginError as error:
        plugins.do_without("provider", chosen.plugin, error)
        return _Served(AbsentProvider(), gate, 0)
    return _Served(provider, gate, int(getattr(settings, "thinking_tokens", 0)))


async def _open_strategies(
    stack: AsyncExitStack, config: Config, plugins: Plugins
) -> dict[str, Strategy]:
    """Those on offer and those of the configuration, with stand-ins for what a third party owes."""
    ready: dict[str, Strategy] = {}
    missing: set[str] = set()
    for name, offer in plugins.offers("strategy").items():
        if offer.needs_settings:
            continue  # it is there for [strategies.X]
        try:
            ready[name] = await _strategy(stack, plugins, offer, {}, where="[plugins]")
        except PluginError as error:  # one that nobody asked for must not stop the bot
            plugins.problems.append(str(error))
            missing |= {name} if offer.from_third_party else set()
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
        if wish and wish not in ready and (plugins.left_out or wish in missing):
            ready[wish] = AbsentStrategy()
    return ready


async def _strategy(
    stack: AsyncExitStack,
    plugins: Plugins,
    offer: Offer,
    own: Mapping[str, object],
    *,
    where: str,
) -> Strategy:
    settings = validated(offer.settings, own, where=where)
    strategy: Strategy = await offer.opened(stack, settings, where=where)
    if not offer.from_third_party:
        return strategy
    return WatchedStrategy(strategy, partial(plugins.complain, offer.owner))


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


def _models_of(panel: PanelSettings) -> set[str]:
    chains = [
        *(proposer.model for proposer in panel.proposers),
        *panel.aggregators,
        panel.synthesizer or (),
        panel.fallback or (),
        panel.judge or (),
    ]
    return {name for chain in chains for name in chain}


def _prompts(config: Config) -> Prompts:
    own = config.prompts
    return Prompts(
        system=own.system or PROMPTS.system,
        roles={**PROMPTS.roles, **own.roles},
        aggregators=own.aggregators or PROMPTS.aggregators,
        synthesizer=own.synthesizer or PROMPTS.synthesizer,
        fence=own.fence or PROMPTS.fence,
        judge=own.judge or PROMPTS.judge,
        critique=own.critique or PROMPTS.critique,
        checkable=own.checkable or PROMPTS.checkable,
    )


def _check_roles(config: Config) -> None:
    """A role without a sentence would silently do nothing."""
    roles = ("proposer", *_prompts(config).roles)
    for name, panel in config.panels.items():
        for place, proposer in enumerate(panel.proposers):
            if proposer.role not in roles:
                raise ConfigError(
                    f"panels.{name}.proposers[{place}].role: there is no role {proposer.role!r}; "
                    f"there are: {', '.join(roles)}.",
                    fix=f"Correct it{nearest(proposer.role, roles)}, or write [prompts.roles].",
                )


def _with_panel(config: Config, plugins: Plugins) -> Config:
    """A panel of the configured models, or of what the keys in the environment give."""
    if not config.panels and not config.models:
        config = config.model_copy(update=_starters(config, plugins))
    if config.panels:
        return config
    names: tuple[str, ...] = tuple(config.models)
    roles = ("analytical", "critical", "practical", "creative")
    taking_turns = names if len(names) > 2 else (names * 3)[:3]
    panel = PanelSettings(
        proposers=tuple(
            ProposerSettings(model=(name,), role=roles[place % len(roles)])
            for place, name in enumerate(taking_turns)
        ),
        synthesizer=names,
        fallback=names,
        judge=names[-1:],
    )
    return config.model_copy(update={"panels": {config.defaults.panel: panel}})


def _starters(config: Config, plugins: Plugins) -> dict[str, object]:
    """Providers and models that need no configuration: those whose key is set, else the keyless."""
    offers = [offer for offer in plugins.offers("provider").values() if offer.starter]
    ready = [o for o in offers if o.starter and _is_set(o.starter.key_env)]
    chosen = ready or [o for o in offers if o.starter and not o.starter.key_env]
    if not chosen:
        keys = ", ".join(o.starter.key_env for o in offers if o.starter)
        raise ConfigError(
            "There is no model to ask: no panel is configured and no key is set.",
            fix=f"Set one of {keys or 'the keys of a provider plugin'}, or write a [panels.default].",
        )
    return {
        "providers": {
            **{o.name: PluginSettings(plugin=o.name) for o in chosen},
            **config.providers,  # what is configured under that name holds
        },
        "models": {name: settings for offer in chosen for name, settings in _models(offer)},
    }


def _models(offer: Offer) -> list[tuple[str, ModelSettings]]:
    starter = offer.starter
    if starter is None:
        return []
    free = None if starter.key_env else PriceSettings(input=Decimal(0), output=Decimal(0))
    return [
        (name, ModelSettings(provider=offer.name, name=name, price=free)) for name in starter.models
    ]


def _is_set(variable: str) -> bool:
    return bool(variable and (os.environ.get(variable) or os.environ.get(f"{variable}_FILE")))
