"""Built from a configuration or from nothing, opened whole, and closed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from pydantic import BaseModel

from moabot import BudgetSpent, ConfigError, PluginError, Provider, hookimpl
from moabot.app import load, opened, with_panel
from moabot.config import Config, parse
from moabot.plugins import NoSettings, Plugins, Register
from moabot.testing import ScriptedProvider, ask, rehearsal

pytestmark = pytest.mark.virtual_time


class Kept(BaseModel):
    """Settings of a provider that keeps something on the disk."""

    dir: Path
    colour: str = "red"
    thinking_tokens: int = 0


class Spying:
    """A plugin with two providers that note how they are opened and closed."""

    def __init__(self) -> None:
        self.opened: list[BaseModel] = []
        self.closed = 0

    @hookimpl
    def moabot_register(self, register: Register) -> None:
        """Offer both."""
        register.provider("kept", self._open, Kept)
        register.provider("broken", self._break)
        register.provider("keyless", self._miss_key)

    @asynccontextmanager
    async def _open(self, settings: Kept) -> AsyncGenerator[Provider]:
        self.opened.append(settings)
        yield ScriptedProvider()
        self.closed += 1

    def _miss_key(self, settings: NoSettings) -> AbstractAsyncContextManager[Provider]:
        raise ConfigError("The variable UP_KEY is not set.", fix="Set it.")

    def _break(self, settings: NoSettings) -> AbstractAsyncContextManager[Provider]:
        raise OSError("no disk")


def config(**keys: object) -> Config:
    """Two models of one provider, of which the panel uses one."""
    tables: Mapping[str, object] = {
        "providers": {"mine": {"plugin": "kept"}, "idle": {"plugin": "broken"}},
        "models": {
            "m": {"provider": "mine", "name": "m-1"},
            "unused": {"provider": "idle", "name": "u-1"},
        },
        "panels": {"default": {"proposers": [{"model": "m"}]}},
        **keys,
    }
    return parse(tables, source="test")


def door(plugin: object) -> Plugins:
    """The built-in strategies and this plugin."""
    found = Plugins(built_in=["moabot_strategies.single"], installed=())
    found.admit("spying", plugin)
    return found


async def test_only_what_a_panel_uses_is_opened_and_all_of_it_is_closed() -> None:
    """A key that nobody needs must not be asked for."""
    spying = Spying()
    async with opened(config(data_dir="d", defaults={"strategy": "single"}), door(spying)) as app:
        reply = await ask(app, "Hello")
        assert spying.closed == 0

    assert reply.answer is not None
    assert spying.opened == [Kept(dir=Path("d/mine"))]
    assert spying.closed == 1


@pytest.mark.parametrize("thinking", [0, 1000])
async def test_what_a_model_may_think_is_set_aside_too(thinking: int) -> None:
    """A vendor bills thoughts like words: without this a budget was overspent by them."""
    models = {
        "m": {"provider": "mine", "name": "m-1", "price": {"input": 0, "output": 1_000_000}},
    }
    keys = {
        "providers": {"mine": {"plugin": "kept", "thinking_tokens": thinking}},
        "models": models,
        "panels": {
            "default": {"proposers": [{"model": "m"}], "max_tokens": 500, "budget_usd": 600}
        },
        "defaults": {"strategy": "single"},
    }
    async with opened(config(**keys), door(Spying())) as app:
        reply = await ask(app, "Hello")

    assert (reply.answer is not None) == (thinking == 0)
    assert isinstance(reply.error, BudgetSpent) == (thinking > 0)


@pytest.mark.parametrize(
    ("keys", "error", "told"),
    [
        ({"providers": {"mine": {"plugin": "kpt"}}}, PluginError, "'kpt'.*did you mean 'kept'"),
        (
            {"providers": {"mine": {"plugin": "kept", "color": "x", "dir": 7}}},
            ConfigError,
            r"\[providers\.mine\]: ",
        ),
        (
            {"providers": {"mine": {"plugin": "broken"}}},
            PluginError,
            r"\[providers\.mine\]: spying could not open.*OSError: no disk",
        ),
        (
            {"providers": {"mine": {"plugin": "keyless"}}},
            ConfigError,
            r"mine\]: The variable UP_KEY",
        ),
        (
            {"strategies": {"x": {"plugin": "singel"}}},
            PluginError,
            r"\[strategies\.x\] plugin: .*did you mean 'single'",
        ),
        (
            {"strategies": {"x": {"plugin": "single", "rounds": 3}}},
            ConfigError,
            r"\[strategies\.x\]: rounds: there is no such key",
        ),
        ({"defaults": {"strategy": "singel"}}, ConfigError, r"\[defaults\] .*'single'"),
        (
            {"panels": {"default": {"proposers": [{"model": "m", "role": "critcal"}]}}},
            ConfigError,
            r"role 'critcal'.*did you mean 'critical'",
        ),
    ],
    ids=[
        "plugin",
        "its key",
        "its factory",
        "its secret",
        "strategy",
        "its key too",
        "default",
        "role",
    ],
)
async def test_a_wrong_key_stops_the_start_and_is_named(
    keys: dict[str, object], error: type[Exception], told: str
) -> None:
    """Before anybody asks, not when somebody does."""
    tables = {
        "models": {"m": {"provider": "mine", "name": "m-1"}},
        "defaults": {"strategy": "single"},
        **keys,
    }
    with pytest.raises(error, match=f"(?s){told}"):
        async with opened(config(**tables), door(Spying())):
            pass


async def test_an_administrator_s_own_words_take_the_place_of_ours() -> None:
    """Each text alone, and a new role beside ours."""
    provider = ScriptedProvider()
    prompts = {"system": "Be brief.", "roles": {"pirate": "Say arr."}, "synthesizer": "Merge."}
    panel = {"proposers": [{"model": "a", "role": "pirate"}, {"model": "b", "role": "critical"}]}
    async with rehearsal(provider, {"prompts": prompts}, panel=panel) as app:
        await ask(app, "Hello")

    first, *_, last = [prompt for _, prompt in provider.prompts]
    assert (first.system, last.system) == ("Be brief.", "Merge.")
    assert first.turns[-1].text == "Hello\n\nSay arr."


def written(folder: Path, text: str) -> Path:
    """A config.toml."""
    path = folder / "config.toml"
    path.write_text(text)
    return path


def test_one_key_in_the_environment_makes_a_panel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second thing that a newcomer does, after trying it without any key."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")

    config, plugins = load(written(tmp_path, ""))

    assert plugins.problems == []
    assert {model.provider for model in config.models.values()} == {"openai"}
    assert len(config.panels["default"].proposers) >= 3


def test_what_is_configured_under_a_starter_s_name_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address of one's own must not be lost because no model is listed."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    text = '[providers.openai]\nplugin = "openai"\nbase_url = "http://127.0.0.1:1/v1"'

    config, _ = load(written(tmp_path, text))

    assert config.providers["openai"].own() == {"base_url": "http://127.0.0.1:1/v1"}


def test_without_a_key_the_local_model_plays_all_roles_for_nothing(tmp_path: Path) -> None:
    """The first command of a newcomer works, and costs nothing, which is known."""
    config, _ = load(written(tmp_path, ""))

    (model,) = config.models.values()
    assert model.provider == "local"
    assert model.price is not None
    assert model.price.input == model.price.output == 0
    assert len({p.role for p in config.panels["default"].proposers}) == 3


def test_models_without_a_panel_make_one(tmp_path: Path) -> None:
    """Named once is enough."""
    text = '[providers.p]\nplugin = "openai"\n'
    text += "".join(f'[models.{name}]\nprovider = "p"\nname = "{name}"\n' for name in "abcd")

    panel = load(written(tmp_path, text))[0].panels["default"]

    assert [p.model for p in panel.proposers] == [("a",), ("b",), ("c",), ("d",)]
    assert (panel.synthesizer, panel.judge) == (("a", "b", "c", "d"), ("d",))


def test_without_any_model_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build without the local model has nothing to fall back on."""
    found = Plugins(built_in=["moabot_providers.openai"], installed=())
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    with pytest.raises(ConfigError, match="Set one of OPENAI_API_KEY"):
        with_panel(Config(), found)
