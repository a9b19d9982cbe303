"""More questions at once than can be answered: few are heard late, and refusals are polite."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

from tests.adapters.slack.conftest import running
from tests.fakes.slack import FakeSlack, Faults

from moabot.testing import ScriptedProvider, says
from moabot_platforms.refusals import EVERY_S, MOST, Refusals
from moabot_platforms.slack.gate import FLOOD, TRICKLE_S, Gate
from moabot_platforms.slack.platform import AT_ONCE, LATE_S, UNSURE_S

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


async def test_who_was_refused_in_one_channel_is_told_in_another_too(tmp_path: Path) -> None:
    """They were told alone, in a place that they may not look at now."""
    async with (
        FakeSlack() as slack,
        running(slack, ScriptedProvider(MODELS), tmp_path, tables=ONE) as bot,
    ):
        first = slack.mention("C1", "U1", "Why?")
        await bot.answered(first.ts)
        for channel in ("C1", "C2", "C1", "C2"):
            await slack.mention(channel, "U1", "And now?").acked()
        await slack.until(lambda: len(slack.private("U1")) == 2)
        await asyncio.sleep(5)

    assert [post.channel for post in slack.private("U1")] == ["C1", "C2"]


async def test_a_flood_of_new_people_is_not_told_without_end() -> None:
    """Slack takes a hundred such posts a minute; what it does not take would fill the memory."""
    refusals = Refusals()
    told = [refusals.may_tell("C1", f"U{number}") for number in range(2 * MOST)]
    await asyncio.sleep(EVERY_S)

    assert sum(told) == MOST
    assert refusals.may_tell("C1", "U0")


async def test_an_answer_does_not_begin_while_events_wait_to_be_heard(tmp_path: Path) -> None:
    """An answer costs thirty times what an ack costs, and only the ack must come at once."""
    async with (
        FakeSlack() as slack,
        running(slack, ScriptedProvider(MODELS), tmp_path) as bot,
    ):
        with ExitStack() as flood:
            for _ in range(FLOOD):
                flood.enter_context(bot.platform._gate.hearing())
            asked = [slack.mention("C1", "U1", f"Why {number}?") for number in range(15)]
            for each in asked:
                await each.acked()
            await asyncio.sleep(2.5 * TRICKLE_S)
            begun = [each for each in asked if bot.answers(each.ts)]
        for each in asked:
            await bot.answered(each.ts)

    assert 0 < len(begun) < 5


async def test_all_that_waited_begin_once_all_events_are_heard() -> None:
    """In the order in which they were asked, without a pause."""
    gate, begun, loop = Gate(), list[int](), asyncio.get_running_loop()

    async def answer(number: int) -> None:
        await gate.passed()
        begun.append(number)

    async with asyncio.TaskGroup() as group:
        with ExitStack() as flood:
            for _ in range(FLOOD):
                flood.enter_context(gate.hearing())
            for number in range(100):
                group.create_task(answer(number))
            await asyncio.sleep(TRICKLE_S / 2)
            early, heard_at = list(begun), loop.time()

    assert early == []
    assert begun == list(range(100))
    assert loop.time() == heard_at


async def test_nothing_is_fetched_for_a_question_that_is_refused(tmp_path: Path) -> None:
    """A flood of files would keep the acks waiting, two seconds each."""
    async with (
        FakeSlack() as slack,
        running(slack, ScriptedProvider(MODELS), tmp_path, tables=ONE) as bot,
    ):
        slack.room.subscribed &= {"app_mention"}  # not each question twice
        note = slack.add_file("note.txt", b"Read me.", kind="text/plain")
        for channel in ("C1", "C2"):
            await slack.mention(channel, "U1", "Why?", files=[note]).acked()
        await slack.until(lambda: bool(slack.private("U1")))
        fetched = [call for call in slack.calls if call.method == "file"]

    assert len(fetched) == 1
    assert bot.platform.desk.taking


async def test_a_slack_without_time_is_not_asked_about_each_channel(tmp_path: Path) -> None:
    """Each question would wait a second for its ack: a flood in many channels loses them."""
    async with (
        FakeSlack(faults=Faults(next=[("conversations.info", "busy")], busy_s=60)) as slack,
        running(slack, ScriptedProvider(MODELS), tmp_path) as bot,
    ):
        slack.room.subscribed &= {"app_mention"}  # a message would tell what kind it is
        asked = list[int]()
        for pause_s, channel in ((0.0, "C5"), (0.0, "C6"), (UNSURE_S, "C7")):
            await asyncio.sleep(pause_s)
            await slack.mention(slack.add_channel(channel).id, "U1", "Why?").acked()
            asked.append(sum(call.method == "conversations.info" for call in slack.calls))
        known = await bot.platform.is_private("T1", "C7")

    assert asked == [1, 1, 2]
    assert not known
