"""The commands of a chat read as sentences, and change only what the desk allows."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from moabot.contract import Asker, Message, Scope
from moabot.desk import Desk
from moabot.errors import ConfigError, QuestionRejected, Refused
from moabot.testing import RecordingReply, ScriptedProvider, rehearsal
from moabot_platforms.commands import COMMANDS, changed, told

HERE = Scope("test", "T1", "C1")
MEMBER = Asker(HERE, "U1")
BOSS = Asker(HERE, "U9", manages=True)
ADMIN = Asker(HERE, "U0")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    """A desk with one answer behind it."""
    tables = {"data_dir": str(tmp_path), "admission": {"admins": ["test:T1/U0"]}}
    async with rehearsal(ScriptedProvider(), tables, panel={"hedge": False}, keep="all") as app:
        desk = Desk(app.answering, app.memory)
        message = Message("test", "T1", "C1", "U1", "Why?", "E1")
        await desk(message, RecordingReply())
        yield desk


async def test_a_setting_is_shown_with_its_choices(desk: Desk) -> None:
    """Nobody should have to know the names by heart."""
    shown = await told(desk, MEMBER, "preset")

    assert shown.text == (
        "The preset here is `thorough`. There are: `fast`, `balanced`, `thorough`, `deep`, `max`."
    )
    assert shown.announced == ""


async def test_a_change_is_told_to_the_one_and_announced_to_the_others(desk: Desk) -> None:
    """A channel whose bot answers differently wants to know since when, and by whom."""
    changed_by_boss = await told(desk, BOSS, "strategy vote")

    assert changed_by_boss.text == "The strategy here is now `vote`; the next question sees it."
    assert changed_by_boss.announced == "changed the strategy here from `mixture` to `vote`."


async def test_a_setting_can_be_taken_back(desk: Desk) -> None:
    """Back to what the administrator set for all."""
    await changed(desk, BOSS, "strategy", "vote")
    back = await changed(desk, BOSS, "strategy", "default")

    assert back.announced == "changed the strategy here from `vote` to `mixture`."
    assert (await changed(desk, BOSS, "strategy", "mixture")).announced == ""


async def test_a_member_may_look_but_not_change(desk: Desk) -> None:
    """The same check as behind every button and form."""
    with pytest.raises(Refused, match="who manage this place"):
        await told(desk, MEMBER, "strategy vote")


async def test_a_wrong_name_is_answered_with_the_nearest(desk: Desk) -> None:
    """A typing error costs one more try, not a search."""
    with pytest.raises(QuestionRejected, match="strategy"):
        await told(desk, BOSS, "stratgy vote")
    with pytest.raises(ConfigError, match="vote"):
        await told(desk, BOSS, "strategy vot")


async def test_usage_tells_answers_calls_and_models(desk: Desk) -> None:
    """Unknown prices are named, never counted as nothing."""
    text = (await told(desk, MEMBER, "usage")).text

    assert "1 answer, 4 calls" in text
    assert "The price of 4 calls is unknown" in text
    assert "- a: 2 calls" in text


async def test_usage_of_a_silent_channel_says_so(desk: Desk) -> None:
    """An empty table looks like an error."""
    silent = Asker(Scope("test", "T1", "C2"), "U1")

    assert (await told(desk, silent, "usage")).text.startswith("Nothing was asked here")


@pytest.mark.parametrize("words", ["", "help", "HELP "])
async def test_help_lists_every_command(desk: Desk, words: str) -> None:
    """What is not listed does not exist for the people in the chat."""
    text = (await told(desk, MEMBER, words)).text

    assert all(f"`{command.usage}`" in text for command in COMMANDS.values())
    assert text.endswith("Settings are changed by who manages this channel.")
    assert (await told(desk, BOSS, words)).text.endswith("You may change settings here.")


async def test_status_tells_what_holds_here(desk: Desk) -> None:
    """All of it, in one line each."""
    text = (await told(desk, MEMBER, "status")).text

    assert "strategy `mixture`, preset `thorough`, panel `default`, cache `off`" in text
    assert "No model rests." in text


async def test_a_budget_is_the_admins_to_set(desk: Desk) -> None:
    """Whoever manages a channel is not whoever pays."""
    with pytest.raises(Refused, match="may be spent is not decided here"):
        await told(desk, BOSS, "budget day 5")
    change = await told(desk, ADMIN, "budget day $5")

    assert change.announced == "changed the budget of a day here from not set to $5."
    assert (await told(desk, MEMBER, "budget")).text == (
        "The budget here: $5 a day, not set a month."
    )
    assert (await told(desk, ADMIN, "budget day default")).announced.endswith("to not set.")


@pytest.mark.parametrize("words", ["budget 5", "budget day", "budget year 5"])
async def test_a_budget_without_its_span_is_explained(desk: Desk, words: str) -> None:
    """With an example that can be typed."""
    with pytest.raises(QuestionRejected, match="budget day 5"):
        await told(desk, ADMIN, words)


async def test_a_note_tells_the_models_how_to_speak_here(desk: Desk) -> None:
    """A language, a tone, who reads it."""
    assert (await told(desk, MEMBER, "note")).text == "The note to the models here is not set."
    changed_by_boss = await told(desk, BOSS, "note Answer in German.")

    assert changed_by_boss.announced == "changed the note here from not set to `Answer in German.`."
