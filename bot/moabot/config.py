"""config.toml into frozen settings, or which key is wrong and what would be right."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from moabot.access import AdmissionSettings, ChannelRules, Names, PlaceKey
from moabot.errors import ConfigError
from moabot.limits import LimitSettings
from moabot.pins import Pin
from moabot.plugins import nearest
from moabot.prompting import PromptSettings
from moabot.store.settings import KeepDays, StoreSettings
from moabot.validation import validated

__all__ = [
    "AdmissionSettings",
    "ChannelSettings",
    "Config",
    "Defaults",
    "KeepDays",
    "LimitSettings",
    "ModelSettings",
    "Names",
    "PanelSettings",
    "PlatformSettings",
    "PluginSettings",
    "Preset",
    "PriceSettings",
    "PromptSettings",
    "ProposerSettings",
    "StoreSettings",
    "is_set",
    "load",
    "parse",
    "read_key",
]

Preset = Literal["fast", "balanced", "thorough", "deep", "max"]
Sharing = Literal["channel", "workspace", "off"]


def _chain(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Chain = Annotated[tuple[str, ...], BeforeValidator(_chain), Field(min_length=1)]
"""Names of models, the first preferred; one name may stand without brackets."""


class Settings(BaseModel):
    """A table of config.toml: every key known, typed, and fixed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PluginSettings(BaseModel):
    """`[providers.X]` and its like: which plugin, and the keys that this plugin defines."""

    model_config = ConfigDict(extra="allow", frozen=True)
    plugin: str = Field(description="the name that a plugin registered")

    def own(self) -> dict[str, object]:
        """The plugin's own keys."""
        return dict(self.model_extra or {})


class PlatformSettings(BaseModel):
    """`[platforms.X]`: the keys that the platform registered as X defines."""

    model_config = ConfigDict(extra="allow", frozen=True)

    def own(self) -> dict[str, object]:
        """The platform's own keys."""
        return dict(self.model_extra or {})


class CacheSettings(PluginSettings):
    """`[cache]`: which cache remembers answers, and the keys that it defines."""

    plugin: str = Field(default="semantic", description="the name that a plugin registered")
    judge: Chain | None = Field(
        default=None,
        description="the chain that a cache may ask; default: the judge of the default panel",
    )


class PriceSettings(Settings):
    """What a model costs, in US dollars per million tokens."""

    input: Decimal = Field(ge=0, description="per million tokens read")
    cached_input: Decimal | None = Field(
        default=None,
        ge=0,
        description="per million read from the provider's cache; default: as input",
    )
    output: Decimal = Field(ge=0, description="per million tokens written")


class ModelSettings(Settings):
    """A model under a name of your own."""

    provider: str = Field(description="a name from [providers]")
    name: str = Field(min_length=1, description="the vendor's name of the model")
    strengths: tuple[str, ...] = Field(
        default=(),
        description="task types that this model is good at, for the strategy specialization",
    )
    images: bool = Field(default=True, description="whether this model may be shown pictures")
    price: PriceSettings | None = Field(
        default=None, description="overrides the built-in price list"
    )
    expect_tokens: int = Field(
        default=400,
        ge=1,
        description="length of a usual answer, for the estimate of `moabot explain`",
    )


class ProposerSettings(Settings):
    """One place in the first layer."""

    model: Chain = Field(
        description="a name from [models], or a chain of them: the next is asked when one fails"
    )
    role: str = Field(
        default="proposer", description="a name from [prompts.roles], or plain proposer"
    )


class PanelSettings(Settings):
    """The models of a channel, and how long and how far they may go."""

    proposers: tuple[ProposerSettings, ...] = Field(
        min_length=1, description="who answers independently"
    )
    aggregators: tuple[Chain, ...] = Field(
        default=(), description="chains that combine; default: the synthesizer"
    )
    synthesizer: Chain | None = Field(
        default=None, description="the chain that writes the answer; default: the fallback"
    )
    fallback: Chain | None = Field(
        default=None,
        description="the chain asked alone when the quorum fails; default: every proposer",
    )
    judge: Chain | None = Field(
        default=None, description="the chain that classifies questions; default: the fallback"
    )
    quorum: int | None = Field(
        default=None, ge=1, description="how many proposals are enough; default: more than half"
    )
    grace_s: float = Field(
        default=1.0, ge=0, description="seconds to wait for the others after the quorum"
    )
    call_timeout_s: float = Field(default=30.0, gt=0, description="seconds one call may take")
    deadline_s: float = Field(default=60.0, gt=0, description="seconds the whole answer may take")
    tries: int = Field(
        default=3,
        ge=1,
        le=10,
        description="how often one model is tried when it is busy or unreachable",
    )
    hedge: bool = Field(
        default=True, description="ask a backup when an aggregator stays silent unusually long"
    )
    max_tokens: int = Field(default=4096, ge=1, description="length of one reply")
    temperature: float = Field(default=0.7, ge=0, le=2, description="0 is steady, 2 is wild")
    proposal_chars: int = Field(
        default=12_000, ge=100, description="characters of each proposal that an aggregator reads"
    )
    window_chars: int = Field(
        default=48_000,
        ge=1000,
        description="characters of all proposals that an aggregator reads at once",
    )
    budget_usd: Decimal | None = Field(
        default=None, gt=0, description="what one answer may cost; default: no limit"
    )

    @model_validator(mode="after")
    def _quorum_can_be_met(self) -> PanelSettings:
        if self.quorum is not None and self.quorum > len(self.proposers):
            raise ValueError(
                f"quorum is {self.quorum}, but there are {len(self.proposers)} proposers"
            )
        return self


class ChannelSettings(ChannelRules, Settings):
    """What one channel does differently from [defaults]."""

    strategy: str | None = Field(default=None, description="a strategy's name")
    preset: Preset | None = Field(
        default=None, description="how deep: fast, balanced, thorough, deep or max"
    )
    panel: str | None = Field(default=None, description="a name from [panels]")
    cache: Sharing | None = Field(
        default=None,
        description="who shares remembered answers; direct messages and private channels never do",
    )
    draft: bool | None = Field(
        default=None, description="show the first proposer's text until the synthesis replaces it"
    )
    stream: bool | None = Field(
        default=None, description="show the answer as it is written, not only when it is whole"
    )
    show_cost: bool | None = Field(
        default=None, description="say under an answer what it cost, in a chat"
    )


class Defaults(ChannelRules, Settings):
    """What a channel does unless it says otherwise."""

    strategy: str = Field(default="router", description="a strategy's name")
    preset: Preset = Field(
        default="balanced", description="how deep: fast, balanced, thorough, deep or max"
    )
    panel: str = Field(default="default", description="a name from [panels]")
    cache: Sharing = Field(
        default="channel",
        description="who shares remembered answers; direct messages and private channels never do",
    )
    draft: bool = Field(
        default=True, description="show the first proposer's text until the synthesis replaces it"
    )
    stream: bool = Field(
        default=True, description="show the answer as it is written, not only when it is whole"
    )
    show_cost: bool = Field(default=True, description="say under an answer what it cost, in a chat")


class Plugging(Settings):
    """Third-party plugins."""

    allow: tuple[str, ...] = Field(
        default=(),
        description="distributions whose plugins are loaded; "
        "`moabot plugins install` writes version and hash beside the name",
    )
    load_s: float = Field(
        default=30.0, gt=0, description="seconds that importing or opening a plugin may take"
    )
    hook_s: float = Field(
        default=1.0, gt=0, description="seconds after which a hook is never called again"
    )

    @field_validator("allow")
    @classmethod
    def _can_be_read(cls, allow: tuple[str, ...]) -> tuple[str, ...]:
        for entry in allow:
            Pin.read(entry)
        return allow


class Config(Settings):
    """The whole of config.toml."""

    data_dir: Path = Field(default=Path("data"), description="database, caches, fetched weights")
    providers: Mapping[str, PluginSettings] = Field(
        default_factory=dict, description="who serves models"
    )
    models: Mapping[str, ModelSettings] = Field(
        default_factory=dict, description="models under names of your own"
    )
    panels: Mapping[str, PanelSettings] = Field(
        default_factory=dict, description="models that answer together"
    )
    strategies: Mapping[str, PluginSettings] = Field(
        default_factory=dict, description="strategies with settings of your own"
    )
    platforms: Mapping[str, PlatformSettings] = Field(
        default_factory=dict, description="the chats that `moabot run` lives in, by their names"
    )
    defaults: Defaults = Defaults()
    channels: Mapping[PlaceKey, ChannelSettings] = Field(
        default_factory=dict,
        description='by "platform:workspace/channel", or "platform:workspace" for all of one',
    )
    prompts: PromptSettings = PromptSettings()
    limits: LimitSettings = LimitSettings()
    admission: AdmissionSettings = AdmissionSettings()
    store: StoreSettings = StoreSettings()
    cache: CacheSettings = CacheSettings()
    plugins: Plugging = Plugging()

    @model_validator(mode="after")
    def _names_exist(self) -> Config:
        for name, model in self.models.items():
            _known(model.provider, self.providers, f"models.{name}.provider", "provider")
        for name, panel in self.panels.items():
            chains = {
                **{f"proposers[{i}].model": p.model for i, p in enumerate(panel.proposers)},
                **{f"aggregators[{i}]": chain for i, chain in enumerate(panel.aggregators)},
                "synthesizer": panel.synthesizer or (),
                "fallback": panel.fallback or (),
                "judge": panel.judge or (),
            }
            for key, chain in chains.items():
                for model_name in chain:
                    _known(model_name, self.models, f"panels.{name}.{key}", "model")
        for model_name in self.cache.judge or ():
            _known(model_name, self.models, "cache.judge", "model")
        if self.panels:
            _known(self.defaults.panel, self.panels, "defaults.panel", "panel")
            for name, channel in self.channels.items():
                if channel.panel is not None:
                    _known(channel.panel, self.panels, f"channels.{name!r}.panel", "panel")
        return self


def load(path: Path | None) -> Config:
    """Read `path`, else config.toml in the working directory, else the built-in defaults.

    Raises `ConfigError` that names the file, the key, and the nearest right one.
    """
    chosen = path if path is not None else Path("config.toml")
    try:
        text = chosen.read_text(encoding="utf-8")
    except FileNotFoundError:
        if path is None:
            return Config()
        raise ConfigError(f"There is no file {str(path)!r}.", fix="Correct --config.") from None
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(
            f"{str(chosen)!r} cannot be read: {why}.", fix="Correct --config, or its permissions."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{str(chosen)!r} is not text in UTF-8: see byte {error.start}.",
            fix="Save it as UTF-8.",
        ) from error
    try:
        return parse(tomllib.loads(text), source=str(chosen))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{chosen} is not TOML: {error}.", fix="Mend that line.") from error


def parse(table: Mapping[str, object], *, source: str) -> Config:
    """Check a parsed config.toml; `source` is named in errors."""
    return validated(Config, table, where=source)


def read_key(variable: str, *, where: str) -> str:
    """The secret in an environment variable, or in the file that `VARIABLE_FILE` names.

    Raises `ConfigError` that says which variable to set; the secret itself is never shown.
    """
    value = os.environ.get(variable, "")
    file = os.environ.get(f"{variable}_FILE", "")
    if not value and file:
        try:
            value = Path(file).read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(
                f"{variable}_FILE names {file!r}, which cannot be read: {error.strerror}.",
                fix="Correct the path or its permissions.",
            ) from error
    if not value.strip():
        secret = "token" if variable.endswith("TOKEN") else "key"
        raise ConfigError(
            f"{where}: the environment variable {variable} is not set.",
            fix=f"Set it to your {secret} (export {variable}=…), "
            f"or {variable}_FILE to a file with it.",
        )
    return value.strip()


def is_set(variable: str) -> bool:
    """Whether `read_key` would find something in this variable, or the file that it names."""
    return bool(variable and (os.environ.get(variable) or os.environ.get(f"{variable}_FILE")))


def _known(name: str, names: Iterable[str], key: str, kind: str) -> None:
    if name not in names:
        listed = ", ".join(sorted(names)) or "none"
        raise ValueError(
            f"{key}: there is no {kind} {name!r}{nearest(name, names)}; there are: {listed}"
        )
