"""More questions at once than can be answered: few are heard late, and refusals are polite."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.adapters.slack.conftest import running
from tests.fakes.slack import FakeSlack

from moabot.testing import ScriptedProvider, says
from moabot_platforms.slack.platform import AT_ONCE, LATE_S

MODELS = {name: says(f"Model {name} speaks.") for name in "abc"}
ONE = {"admission": {"user_per_minute": 1}}


async def test_who_asks_too_much_is_told_so_once_and_alone(tmp_path: Path) -> None:
    """A channel should not have to read a refusal for each question of a flood."""
    async with (
        FakeSlack() as slack,
        running(slack, ScriptedProvider(MODELS), tmp_path, tables=ONE) as bot,
    ):
        first = slack.mention("C1", "U1", "Why?")
        await bot.answered(first.ts)
        more = [slack.mention("C1", "U1", f"And {number}?") for number in range(5)]
        for each in more:
            await each.acked()
        other = slack.mention("C1", "U2", "May I?")
        await bot.answered(other.ts)

    assert ["as many as are allowed" in post.shown for post in slack.private("U1")] == [True]
    assert [bot.answers(each.ts) for each in more] == [[]] * 5


async def test_an_event_that_waited_too_long_is_left_to_be_sent_again(tmp_path: Path) -> None:
    """Slack has given up on it by then; whoever is heard in time is heard at once."""
    async with (
        FakeSlack() as slack,
        running(slack, ScriptedProvider(MODELS), tmp_path) as bot,
    ):
        for _ in range(AT_ONCE):
            await bot.platform._places.acquire()
        asked = slack.mention("C1", "U1", "Why?")
        await asyncio.sleep(LATE_S + 0.5)
        for _ in range(AT_ONCE):
            bot.platform._places.release()
        posts = await bot.answered(asked.ts)

    assert asked.tries[0].failed == "timeout"
    assert asked.was_acked
    assert len(posts) == 1
