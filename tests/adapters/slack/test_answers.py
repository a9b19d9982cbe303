"""A question in Slack gets one complete answer, in its thread."""

from __future__ import annotations

from pathlib import Path

from tests.adapters.slack.conftest import running
from tests.fakes.slack import FakeSlack

from moabot.testing import ScriptedProvider, says


async def test_a_mention_is_answered_once_in_its_thread(tmp_path: Path) -> None:
    """It comes as two events, and people want one answer."""
    provider = ScriptedProvider({"a": says("The sky scatters **blue** light.")})
    async with FakeSlack() as slack, running(slack, provider, tmp_path) as bot:
        asked = slack.mention("C1", "U1", "Why is the sky blue?")
        await asked.acked()
        posts = await bot.answered(asked.ts)

    assert [post.shown.partition("\n")[0] for post in posts] == ["The sky scatters **blue** light."]
    assert slack.refused == []
