"""Builds, opens and closes everything."""

from __future__ import annotations

import gc
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

from moabot import config as configuration
from moabot.admission import Admission
from moabot.answering import Answering
from moabot.asking import Asking
from moabot.calls import Calls
from moabot.channels import NO_WISH, Channels
from moabot.config import (
    ChannelSettings,
    Config,
    ModelSettings,
    PanelSettings,
    PluginSettings,
    PriceSettings,
    ProposerSettings,
    is_set,
)
from moabot.contract import Cache, Message, Question, Strategy
from moabot.errors import ConfigError, PluginError
from moabot.explaining import Plan, Unseen, dry, plan
from moabot.guests import Bounds
from moabot.journal import Journal, PassingJournal
from moabot.memory import Keep, Memory, remembering
from moabot.opening import is_cached, open_cache, open_models, open_strategies
from moabot.plugins import Offer, Plugins, nearest
from moabot.recorder import Recorder
from moabot.refreshing import Refreshing
from moabot.wording import Prompts
from moabot_strategies.prompts import PROMPTS

T = TypeVar("T")

__all__ = ["App", "keys", "let_in", "load", "opened", "with_panel"]


class App:
    """The running bot: what is configured, and the corridor that answers."""

    def __init__(
        self,
        config: Config,
        plugins: Plugins,
        *,
        calls: Calls,
        strategies: Mapping[str, Strategy],
        memory: Memory,
    ) -> None:
        self.config = config
        self.plugins = plugins
        self.memory = memory
        self.cache: Cache | None = None
        self._models = calls.models
        self._strategies = strategies
        self._prompts = _prompts(config)
        self.channels = Channels(config, strategies=tuple(strategies), store=memory.store)
        self.admission = Admission(config.admission, crowd=memory.durable is not None)
        self.answering = self._answering(calls, journal=memory.journal)

    @property
    def strategies(self) -> tuple[str, ...]:
        """The names of the strategies that can be chosen."""
        return tuple(self._strategies)

    def use(self, cache: Cache) -> None:
        """Remember answers there from now on."""
        self.cache = cache
        self.answering = self._answering(self.answering.calls, journal=self.memory.journal)

    def lacking(self, config: Config) -> set[str]:
        """The models that panels of `config` use and that are not open here."""
        return {m for panel in config.panels.values() for m in _models_of(panel)} - set(
            self._models
        )

    def lacks_cache(self, config: Config) -> bool:
        """Whether `config` wants a cache that was not wanted when the bot started."""
        return self.cache is None and is_cached(config) and not is_cached(self.config)

    def adopt(self, config: Config) -> None:
        """Answer the next messages with what is not opened but only read: see `reloading`."""
        _check_roles(config)
        names = tuple(self._strategies)
        self.channels = Channels(config, strategies=names, store=self.memory.store)
        self.admission.adopt(config.admission)
        self.config, self._prompts = config, _prompts(config)
        answering = self.answering
        answering.config, answering.prompts = config, self._prompts
        answering.channels = self.channels

    async def explain(self, question: Question, *, wish: ChannelSettings = NO_WISH) -> Plan:
        """The calls that `question` would lead to, and their cost; nothing is called."""
        calls = dry(self._models, at_once=self.config.limits.calls)
        answering = self._answering(calls, journal=PassingJournal())
        scope = question.scope
        message = Message(
            scope.platform, scope.workspace, scope.channel, "", question.text, "explain"
        )
        recorder = Recorder(Unseen())
        terms = await answering.terms(message, wish)
        answer = await answering.think(question, terms, recorder)
        store = self.memory.store
        return plan(
            answer, recorder.calls, self._models, paces=await store.paces() if store else {}
        )

    def _answering(self, calls: Calls, *, journal: Journal) -> Answering:
        return Answering(
            config=self.config,
            calls=calls,
            strategies=self._strategies,
            prompts=self._prompts,
            plugins=self.plugins,
            journal=journal,
            channels=self.channels,
            admission=self.admission,
            cache=None if isinstance(journal, PassingJournal) else self.cache,
        )


def load(path: Path | None) -> tuple[Config, Plugins]:
    """Read the configuration and let the plugins in; without a panel, make one from the keys here.

    Raises `ConfigError` or `PluginError` naming the key and the fix.
    """
    config = configuration.load(path)
    plugins = let_in(config)
    return with_panel(config, plugins), plugins


def let_in(config: Config) -> Plugins:
    """The plugins that come along, and those that the configuration allows."""
    own = config.plugins
    return Plugins(allow=own.allow, bounds=Bounds(own.load_s, own.hook_s))


def keys(plugins: Plugins) -> dict[str, bool]:
    """The variables that would bring a provider's models in, and whether each is set."""
    starters = (offer.starter for offer in plugins.offers("provider").values())
    return {each.key_env: is_set(each.key_env) for each in starters if each and each.key_env}


@asynccontextmanager
async def opened(
    config: Config, plugins: Plugins, *, keep: Keep = "nothing", asks: bool = True
) -> AsyncGenerator[App]:
    """Open every provider that a panel or a specialist uses, and every strategy; close them all.

    `keep` says what is to outlive the process. Unless it `asks`, no provider is opened.
    """
    _check_roles(config)
    async with AsyncExitStack() as stack:
        memory = await stack.enter_async_context(remembering(config, keep))
        used = {name for panel in config.panels.values() for name in _models_of(panel)}
        used |= {name for name, model in config.models.items() if model.strengths}
        used.update(config.cache.judge or ())
        models = await open_models(stack, config, plugins, used=used, asks=asks)
        strategies = await open_strategies(stack, config, plugins)
        stack.enter_context(_rare_collections())
        calls = Calls(models, at_once=config.limits.calls)
        app = App(config, plugins, calls=calls, strategies=strategies, memory=memory)
        await app.admission.load(memory.store)
        if (cache := await _open_cache(stack, app)) is not None:
            app.use(cache)
            journal = PassingJournal(memory.store)
            refreshing = await stack.enter_async_context(Refreshing(app.answering, journal))
            app.answering.recall.refresh = refreshing
        yield app


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


async def _open_cache(stack: AsyncExitStack, app: App) -> Cache | None:
    """The cache, for a bot that lives on; a single question is not worth opening one."""
    config, memory = app.config, app.memory
    if memory.durable is None or memory.store is None or not is_cached(config):
        return None
    ask = Asking(
        calls=app.answering.calls,
        channels=lambda: app.channels,
        panel=lambda: app.config.panels[app.config.defaults.panel],
        admission=app.admission,
        journal=PassingJournal(memory.store),  # paid and counted, but no message to take up again
        chain=config.cache.judge or (),
        purpose="cache",
    )
    try:
        return await open_cache(stack, config, app.plugins, store=memory.store, ask=ask)
    except PluginError as error:
        app.plugins.do_without("cache", config.cache.plugin, error)
        return None


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


def with_panel(config: Config, plugins: Plugins) -> Config:
    """A panel of the configured models, or of what the keys in the environment give."""
    if not config.panels and not config.models:
        config = config.model_copy(update=_starters(config, plugins))
    if config.panels:
        return config
    names: tuple[str, ...] = tuple(config.models)
    roles = ("analytical", "critical", "practical", "creative")
    taking_turns = names[: len(roles)] if len(names) > 2 else (names * 3)[:3]
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
    ready = [o for o in offers if o.starter and is_set(o.starter.key_env)]
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
        "models": dict(_in_turn([_models(offer) for offer in chosen])),
    }


def _models(offer: Offer) -> list[tuple[str, ModelSettings]]:
    starter = offer.starter
    if starter is None:
        return []
    free = None if starter.key_env else PriceSettings(input=Decimal(0), output=Decimal(0))
    return [
        (name, ModelSettings(provider=offer.name, name=name, price=free)) for name in starter.models
    ]


def _in_turn(lists: Sequence[Sequence[T]]) -> list[T]:
    """The best of each vendor before the second of any: models of one vendor err alike."""
    rounds = zip_longest(*lists)
    return [each for around in rounds for each in around if each is not None]
