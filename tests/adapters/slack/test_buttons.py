"""The buttons under an answer, and the one that stops it."""

from __future__ import annotations

from pathlib import Path

from tests.adapters.slack.conftest import Bot, is_final, is_working, running
from tests.fakes.slack import Exchange, FakeSlack, Post

from moabot.testing import ScriptedProvider, hangs, says
from moabot_platforms.slack import blocks

MODELS = {name: says(f"Model {name} speaks.") for name in "abc"}
SLOW = {"a": says("one two three " * 200, word_s=0.02), "b": hangs(), "c": hangs()}
ALONE = {"proposers": [{"model": "a"}], "synthesizer": ["a"]}


async def _working(bot: Bot, ts: str) -> Post:
    await bot.slack.until(lambda: any("moabot_stop" in str(p.blocks) for p in bot.answers(ts)))
    return next(post for post in bot.answers(ts) if is_working(post))


async def test_stop_cancels_the_models_and_keeps_the_partial_answer_marked(tmp_path: Path) -> None:
    """Money is saved at once, and what came is not lost."""
    provider = ScriptedProvider(SLOW)
    tables = {"defaults": {"strategy": "single", "preset": "fast"}}
    async with (
        FakeSlack() as slack,
        running(slack, provider, tmp_path, panel=ALONE, tables=tables) as bot,
    ):
        asked = slack.mention("C1", "U1", "Count.")
        placeholder = await _working(bot, asked.ts)
        await slack.until(lambda: any("one two" in post.shown for post in bot.answers(asked.ts)))
        slack.click(placeholder, blocks.STOP)
        posts = await bot.answered(asked.ts)

    assert provider.running == []
    assert "one two" in posts[-1].shown
    assert "Stopped" in posts[-1].shown


async def test_slack_s_own_stop_button_stops_too(tmp_path: Path) -> None:
    """An agent's session has one of its own; Slack has then ended the stream itself."""
    provider = ScriptedProvider(SLOW)
    tables = {"defaults": {"strategy": "single", "preset": "fast"}}
    async with (
        FakeSlack() as slack,
        running(slack, provider, tmp_path, panel=ALONE, tables=tables) as bot,
    ):
        asked = slack.mention("C1", "U1", "Count.")
        await slack.until(lambda: any("one two" in post.shown for post in bot.answers(asked.ts)))
        slack.stop("C1", "U1", asked.ts)
        posts = await bot.answered(asked.ts)

    assert provider.running == []
    assert sum(is_final(post) for post in posts) == 1
    assert "one two" in "".join(post.shown for post in posts)


async def test_a_stranger_cannot_stop_an_answer(tmp_path: Path) -> None:
    """It is the asker's, or an admin's; the stranger is told so, alone."""
    provider = ScriptedProvider({"a": says("late", seconds=0.5), "b": hangs(), "c": hangs()})
    async with (
        FakeSlack() as slack,
        running(slack, provider, tmp_path, panel={"quorum": 1, "grace_s": 0}) as bot,
    ):
        asked = slack.mention("C1", "U1", "Why?")
        placeholder = await _working(bot, asked.ts)
        await slack.click(placeholder, blocks.STOP, user="U2").acked()
        await slack.until(lambda: bool(slack.private("U2")))
        posts = await bot.answered(asked.ts)

    assert "Only who asked may stop" in slack.private("U2")[0].shown
    assert "late" in posts[-1].shown


async def test_retry_and_deeper_answer_once_more_below(tmp_path: Path) -> None:
    """A click that comes twice is one click."""
    async with FakeSlack() as slack, running(slack, ScriptedProvider(MODELS), tmp_path) as bot:
        asked = slack.mention("C1", "U1", "Why?")
        (first,) = await bot.answered(asked.ts)
        await slack.click(first, blocks.AGAIN).acked()
        second = (await bot.answered(asked.ts, count=2))[-1]
        await slack.click(second, blocks.DEEPER).acked()
        posts = await bot.answered(asked.ts, count=3)

    assert len(posts) == 3
    assert "thorough" in posts[1].shown
    assert "deep" in posts[2].shown


async def test_retry_while_the_bot_stops_says_so(tmp_path: Path) -> None:
    """Slack sends a click once; silence would be taken for a broken button."""
    async with FakeSlack() as slack, running(slack, ScriptedProvider(MODELS), tmp_path) as bot:
        asked = slack.mention("C1", "U1", "Why?")
        (first,) = await bot.answered(asked.ts)
        await bot.platform.desk.close(within_s=1)
        await slack.click(first, blocks.AGAIN).acked()
        await slack.until(lambda: bool(slack.private("U1")))

    assert "I am stopping just now" in slack.private("U1")[0].shown


async def test_proposals_are_shown_to_who_asks_for_them_alone(tmp_path: Path) -> None:
    """They are long, and not everybody wants them."""
    async with FakeSlack() as slack, running(slack, ScriptedProvider(MODELS), tmp_path) as bot:
        asked = slack.mention("C1", "U1", "Why?")
        (post,) = await bot.answered(asked.ts)
        await slack.click(post, blocks.PROPOSALS, user="U2").acked()
        await slack.until(lambda: bool(slack.private("U2")))

    shown = slack.private("U2")[0].shown
    assert all(f"Model {name} speaks." in shown for name in "abc")
    assert len(bot.answers(asked.ts)) == 1


async def test_thumbs_are_kept_and_a_thumb_down_asks_why(tmp_path: Path) -> None:
    """The reason is worth more than the thumb."""
    async with FakeSlack() as slack, running(slack, ScriptedProvider(MODELS), tmp_path) as bot:
        asked = slack.mention("C1", "U1", "Why?")
        (post,) = await bot.answered(asked.ts)
        await slack.click(post, blocks.RATE, value=_thumb(post, "negative_button")).acked()
        await slack.until(lambda: bool(slack.views))
        await slack.submit(slack.views[0], {"reason": "too short"}).acked()
        store = bot.app.memory.store
        assert store is not None
        while not (kept := await store.opinions()) or not kept[0].reason:
            pass

    assert [(opinion.verdict, opinion.reason) for opinion in kept] == [(-1, "too short")]


async def test_a_forged_button_reaches_no_other_channel(tmp_path: Path) -> None:
    """The name of a question in a button can be written by anybody who can write a client."""
    async with FakeSlack() as slack, running(slack, ScriptedProvider(MODELS), tmp_path) as bot:
        secret = slack.mention("C2", "U1", "What is the salary?")
        await bot.answered(secret.ts, "C2")
        asked = slack.mention("C1", "U2", "Why?")
        (post,) = await bot.answered(asked.ts)
        forged = f"slack:T1:C2:{secret.ts}"
        await _forged(slack, post, forged).acked()
        await slack.until(lambda: bool(slack.private("U2")))

    assert "another channel" in slack.private("U2")[0].shown


def _thumb(post: Post, side: str) -> str:
    (block,) = [block for block in post.blocks if block["type"] == "context_actions"]
    return str(block["elements"][0][side]["value"])


def _forged(slack: FakeSlack, post: Post, event: str) -> Exchange:
    for block in post.blocks:
        for element in block.get("elements", []):
            if element.get("action_id") == blocks.PROPOSALS:
                element["value"] = event
    return slack.click(post, blocks.PROPOSALS, user="U2")
