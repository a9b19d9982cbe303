"""A first config.toml, made of what is there: keys in the environment, chats with their tokens."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence

from moabot import config as configuration
from moabot.app import with_panel
from moabot.config import Config
from moabot.plugins import Plugins

__all__ = ["tokens", "written"]


def tokens(plugins: Plugins) -> dict[str, tuple[str, ...]]:
    """For each chat, the variables that it reads its tokens from."""
    return {
        name: tuple(
            str(field.default)
            for key, field in offer.settings.model_fields.items()
            if key.endswith("token_env")
        )
        for name, offer in plugins.offers("platform").items()
    }


def written(plugins: Plugins, *, platforms: Sequence[str]) -> str:
    """The text of a config.toml with comments, of what the environment gives now.

    Raises `ConfigError` when there is no model to ask at all.
    """
    config = with_panel(Config(), plugins)
    text = "\n".join(
        [
            "# How moabot answers here, made by `moabot init`; every key: docs/reference/config.md.",
            "# Keys and tokens stand in environment variables, never here.",
            "",
            'data_dir = "data"  # database, caches, fetched weights',
            *_providers(config, plugins),
            *_models(config),
            *_panel(config),
            *DEFAULTS,
            *(line for name in platforms for line in _platform(name, plugins)),
            "",
        ]
    )
    configuration.parse(tomllib.loads(text), source="moabot init")
    return text


DEFAULTS = (
    "",
    '[defaults]  # of every channel; one of its own: [channels."slack:T1/C1"]',
    'strategy = "router"  # short questions to one model, others to several',
    'preset = "balanced"  # fast, balanced, thorough, deep, max',
)


def _providers(config: Config, plugins: Plugins) -> list[str]:
    lines: list[str] = []
    for name, settings in config.providers.items():
        starter = plugins.offers("provider")[settings.plugin].starter
        key = f"  # its key: {starter.key_env}" if starter and starter.key_env else ""
        lines += ["", f"[providers.{_key(name)}]", f"plugin = {json.dumps(settings.plugin)}{key}"]
    return lines


def _models(config: Config) -> list[str]:
    lines: list[str] = []
    for name, model in config.models.items():
        lines += ["", f"[models.{_key(name)}]", f"provider = {json.dumps(model.provider)}"]
        lines += [f"name = {json.dumps(model.name)}"]
        if model.price is not None:
            lines += [f"price = {{ input = {model.price.input}, output = {model.price.output} }}"]
    return lines


def _panel(config: Config) -> list[str]:
    panel = config.panels[config.defaults.panel]
    proposers = [
        f"  {{ model = {json.dumps(each.model[0])}, role = {json.dumps(each.role)} }},"
        for each in panel.proposers
    ]
    return [
        "",
        f"[panels.{_key(config.defaults.panel)}]",
        "proposers = [  # the presets take as many as they need, the first ones first",
        *proposers,
        "]",
        f"synthesizer = {json.dumps(panel.synthesizer)}  # each the stand-in of the one before",
        f"fallback = {json.dumps(panel.fallback)}",
        f"judge = {json.dumps(panel.judge)}  # sorts questions; the cheapest will do",
        "#deadline_s = 60    # for the whole answer",
        "#budget_usd = 0.50  # for the whole answer",
    ]


def _platform(name: str, plugins: Plugins) -> list[str]:
    named = ", ".join(tokens(plugins)[name])
    return ["", f"[platforms.{_key(name)}]" + (f"  # its tokens: {named}" if named else "")]


def _key(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() else json.dumps(name)
