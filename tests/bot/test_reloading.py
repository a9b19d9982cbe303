"""A configuration is changed while the bot runs, and the next message sees it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel

from moabot import hookimpl
from moabot.app import App
from moabot.config import Config, parse
from moabot.contract import Answer, Ask, Cache, Prompt, Question, Scope, Share, Turn
from moabot.errors import BudgetSpent, ConfigError
from moabot.plugins import Register
from moabot.reloading import reload
from moabot.testing import RecordingReply, ScriptedProvider, ask, rehearsal

PANELS = {"default": "a", "other": "b"}


def changed(app: App, **tables: object) -> Config:
    """The configuration of `app` with other tables."""
    before = app.config.model_dump(exclude_unset=True)
    return parse({**before, **tables}, source="changed")


async def test_the_next_message_sees_what_changed() -> None:
    """Nobody restarts a bot because of one word."""
    async with rehearsal(ScriptedProvider()) as app:
        lines = reload(app, changed(app, defaults={"strategy": "single", "preset": "thorough"}))
        answer = (await ask(app, "Why?")).answer

    assert lines == ["[defaults] strategy: 'mixture' → 'single'"]
    assert answer is not None
    assert answer.strategy == "single"


async def test_each_table_that_can_change_does() -> None:
    """A panel's order, a sentence to the models, who is kept out."""
    provider = ScriptedProvider()
    async with rehearsal(provider, panel={"hedge": False}) as app:
        panels = {"default": {"proposers": [{"model": "c"}], "hedge": False}}
        new = changed(
            app,
            panels=panels,
            prompts={"system": "Be brief."},
            channels={"test:workspace/channel": {"strategy": "single"}},
        )
        lines = reload(app, new)
        await ask(app, "Why?")

        assert [model for model, _ in provider.prompts] == ["c"]
        assert provider.prompts[0][1].system.startswith("Be brief.")
        assert {line.partition("]")[0] for line in lines} == {"[panels", "[prompts", "[channels"}


async def test_who_is_denied_by_the_new_configuration_is_refused(tmp_path: Path) -> None:
    """The reason why an administrator cannot wait for a restart."""
    async with rehearsal(ScriptedProvider(), {"data_dir": str(tmp_path)}, keep="all") as app:
        assert reload(app, changed(app)) == []
        reload(app, changed(app, admission={"deny": {"users": ["test:workspace/someone"]}}))
        reply: RecordingReply = await ask(app, "Why?")

    assert "may not ask this bot" in str(reply.error)


async def test_what_was_opened_needs_a_restart() -> None:
    """And says so, instead of being ignored."""
    async with rehearsal(ScriptedProvider()) as app:
        lines = reload(app, changed(app, limits={"calls": 7}))

        assert lines == ["[limits] changed; that needs a restart."]
        assert app.config.limits.calls == 512


async def test_what_stays_as_it_was_is_not_told_as_a_change() -> None:
    """An administrator would wait for places, and for remembered answers, that never come."""
    off: dict[str, object] = {"defaults": {"cache": "off"}}
    async with rehearsal(ScriptedProvider(), off) as app:
        defaults = app.config.defaults.model_dump(exclude_unset=True)
        wanted = {**defaults, "cache": "channel"}
        lines = reload(app, changed(app, admission={"at_once": 5}, defaults=wanted))

    assert lines == [
        "No cache is open; one needs a restart.",
        "[defaults] cache: 'off' → 'channel'",
        "[admission] at_once: 1000 → 5; that needs a restart.",
    ]


class Probe:
    """A cache that looks when it is told to, and remembers by which key it was asked."""

    def __init__(self, look: Callable[[], object]) -> None:
        self.keys: list[str] = []
        self.ask: Ask | None = None
        self._look = look

    @hookimpl
    def moabot_register(self, register: Register) -> None:
        """Offer it."""
        register.cache("probe", self._opened)

    def _opened(
        self, settings: BaseModel, store: object, ask: Ask
    ) -> AbstractAsyncContextManager[Cache]:
        self.ask = ask
        return nullcontext(self)

    async def find(self, question: Question, *, key: str, share: Share) -> Answer | None:
        """Nothing is there."""
        self.keys.append(key)
        self._look()
        return None

    async def keep(self, question: Question, answer: Answer, *, key: str, share: Share) -> None:
        """Note the key."""
        self.keys.append(key)

    async def joined(self, question: Question, *, key: str, share: Share) -> None:
        """Nobody."""

    async def forget(self, event: str) -> None:
        """Nothing."""


async def test_an_answer_under_way_ends_as_it_began() -> None:
    """Its panel is gone meanwhile; and the next who asks must not be given its answer."""
    provider = ScriptedProvider()
    tables = {
        "panels": {n: {"proposers": [{"model": m}], "hedge": False} for n, m in PANELS.items()},
        "channels": {"test:workspace/channel": {"panel": "other"}},
        "defaults": {"strategy": "single", "preset": "fast"},
    }
    async with rehearsal(provider, tables) as app:
        panels = {"default": {"proposers": [{"model": "a"}], "hedge": False}}
        new = changed(app, panels=panels, channels={}, prompts={"system": "Be new."})
        probe = Probe(lambda: reload(app, new))
        app.answering = replace(app.answering, cache=probe)
        first = await ask(app, "Why?")
        await ask(app, "Why?")

    assert first.error is None
    assert [model for model, _ in provider.prompts] == ["b", "a"]
    assert [p.system.startswith("Be new.") for _, p in provider.prompts] == [False, True]
    found, kept, found_next, kept_next = probe.keys
    assert found == kept
    assert found_next == kept_next != kept


async def test_the_judge_of_the_cache_sees_what_changed(tmp_path: Path) -> None:
    """Who is asked, and from which purse it is paid."""
    provider = ScriptedProvider()
    probe = Probe(lambda: None)
    tables = {
        "data_dir": str(tmp_path),
        "cache": {"plugin": "probe"},
        "defaults": {"strategy": "single", "cache": "channel"},
    }
    panel = {"judge": ["a"], "hedge": False}
    about = Question("Why?", scope=Scope("test", "T1", "C1"), author="U1", event="test:E1")
    prompt = Prompt("", (Turn("user", "Are they the same?"),))
    async with rehearsal(provider, tables, panel=panel, plugins=[probe], keep="all") as app:
        assert probe.ask is not None
        await probe.ask(prompt, about=about)
        panels = {"default": {"proposers": [{"model": "b"}], "judge": ["b"], "hedge": False}}
        reload(app, changed(app, panels=panels))
        await probe.ask(prompt, about=about)
        reload(app, changed(app, channels={"test:T1/C1": {"budget_day_usd": 0}}))
        with pytest.raises(BudgetSpent):
            await probe.ask(prompt, about=about)

    assert [model for model, _ in provider.prompts] == ["a", "b"]


async def test_a_panel_of_models_that_are_not_open_changes_nothing() -> None:
    """Half a configuration would be worse than the old one."""
    async with rehearsal(ScriptedProvider(), models=("a", "b")) as app:
        models = {name: {"provider": "scripted", "name": name} for name in "abz"}
        panels = {"default": {"proposers": [{"model": "z"}]}}
        new = changed(app, models=models, panels=panels, defaults={"strategy": "single"})
        with pytest.raises(ConfigError, match="not open"):
            reload(app, new)

        assert app.config.defaults.strategy == "mixture"
