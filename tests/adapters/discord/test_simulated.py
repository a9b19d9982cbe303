"""The bot behaves on a Discord that somebody else has written."""

from __future__ import annotations

from pathlib import Path

import pytest
import simcord
from tests.adapters.discord.simulating import simulated

from moabot.testing import ScriptedProvider, says

ANSWER = "Because it scatters."


@pytest.fixture
def provider() -> ScriptedProvider:
    """Models that say so at once."""
    return ScriptedProvider({"a": says(ANSWER)})


async def test_a_mention_gets_one_answer(provider: ScriptedProvider, tmp_path: Path) -> None:
    """Two fakes that agree about the thinnest path are hardly both wrong about it."""
    async with simulated(provider, tmp_path) as there:
        ada = there.person("ada")
        assert there.env.bot.user is not None
        await ada.send(there.channel, f"{there.env.bot.user.mention} Why is the sky blue?")

        assert [text.startswith(ANSWER) for text in there.said()] == [True]


async def test_a_command_is_deferred_and_then_answered_in_place(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    """Discord waits three seconds for a first response; models take longer."""
    async with simulated(provider, tmp_path) as there:
        await there.person("ada").slash(there.channel, "ask", question="Why?")

        assert there.first_response()["type"] == 5
        assert [text.startswith(ANSWER) for text in there.said()] == [True]


async def test_buttons_still_work_after_a_restart(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    """People rate an answer the next morning."""
    async with simulated(provider, tmp_path) as there:
        ada = there.person("ada")
        await ada.slash(there.channel, "ask", question="Why?")
        await there.restart()
        pressed = await ada.click(there.channel.history()[-1], label="Show proposals")

        assert pressed.ephemeral
        assert pressed.response is not None


async def test_a_person_without_the_right_changes_nothing(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    """The right is looked up when the command comes, not when it was shown."""
    async with simulated(provider, tmp_path) as there:
        ada = there.person("ada")
        changed = await ada.slash(there.channel, "moa strategy", value="vote")
        status = await ada.slash(there.channel, "moa status")

        assert changed.ephemeral
        assert "Only those who manage this place" in _text(changed)
        assert "strategy `mixture`" in _text(status)


async def test_a_message_can_be_asked_about_from_its_menu(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    """It opens a form, whose question may stay empty."""
    async with simulated(provider, tmp_path) as there:
        ada = there.person("ada")
        said = await ada.send(there.channel, "The sky is blue.")
        opened = await ada.context_menu(there.channel, "Ask moabot about this message", said)
        await ada.submit_modal(opened, {})

        assert [text.startswith(ANSWER) for text in there.said()] == [True]


def _text(result: simcord.InteractionResult) -> str:
    assert result.response is not None
    return "\n".join(str(part.get("content")) for part in result.response.components)
