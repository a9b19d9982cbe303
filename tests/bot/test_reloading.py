"""A configuration is changed while the bot runs, and the next message sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from moabot.app import App
from moabot.config import Config, parse
from moabot.errors import ConfigError
from moabot.reloading import reload
from moabot.testing import RecordingReply, ScriptedProvider, ask, rehearsal


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


async def test_a_panel_of_models_that_are_not_open_changes_nothing() -> None:
    """Half a configuration would be worse than the old one."""
    async with rehearsal(ScriptedProvider(), models=("a", "b")) as app:
        models = {name: {"provider": "scripted", "name": name} for name in "abz"}
        panels = {"default": {"proposers": [{"model": "z"}]}}
        new = changed(app, models=models, panels=panels, defaults={"strategy": "single"})
        with pytest.raises(ConfigError, match="not open"):
            reload(app, new)

        assert app.config.defaults.strategy == "mixture"
