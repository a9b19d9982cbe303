"""The ways in: mentions, follow-ups, direct messages, commands, shortcuts, the home tab."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from tests.adapters.slack.conftest import Bot, running
from tests.fakes.slack import FakeSlack, Faults, Post

from moabot.testing import ScriptedProvider, says

MODELS = {name: says(f"Model {name} speaks.") for name in "abc"}


async def _one(bot: Bot, ts: str, channel: str = "C1") -> Post:
    posts = await bot.answered(ts, channel)
    assert len(posts) == 1
    return posts[0]


async def test_a_follow_up_in_the_thread_needs_no_mention_and_knows_what_was_said(
    tmp_path: Path,
) -> None:
    """A conversation is no series of calls by name; the bot's own memory must know the thread."""
    provider = ScriptedProvider(MODELS)
    async with FakeSlack() as slack:
        async with running(slack, provider, tmp_path) as bot:
            first = slack.mention("C1", "U1", "Why is the sky blue?")
            await _one(bot, first.ts)
        async with running(slack, provider, tmp_path) as bot:  # another process, same database
            slack.say("C1", "U2", "And at night?", thread=first.ts)
            await bot.answered(first.ts, count=2)

    turns = provider.prompts[-1][1].turns
    assert [turn.text for turn in turns if turn.role == "user"][-1].startswith("And at night?")
    assert any("sky blue" in turn.text for turn in turns)


async def test_talk_that_is_not_for_the_bot_is_left_alone(tmp_path: Path) -> None:
    """Other threads, other people's names, other bots: silence is the right answer."""
    provider = ScriptedProvider(MODELS)
    async with FakeSlack() as slack, running(slack, provider, tmp_path) as bot:
        first = slack.mention("C1", "U1", "Why?")
        await _one(bot, first.ts)
        asked = len(provider.prompts)
        for said in (
            slack.say("C1", "U1", "Just talking."),
            slack.say("C1", "U1", "<@U2> what do you think?", thread=first.ts),
        ):
            await said.acked()

        assert len(provider.prompts) == asked
        assert len(bot.answers(first.ts)) == 1


async def test_a_direct_message_needs_no_mention_and_is_private(tmp_path: Path) -> None:
    """Whoever writes to the bot means it; what they say stays between them."""
    provider = ScriptedProvider(MODELS)
    async with FakeSlack() as slack, running(slack, provider, tmp_path) as bot:
        said = slack.direct("U1", "Why is the sky blue?")
        post = await _one(bot, said.ts, "DU1")
        private = await bot.platform.is_private("T1", "DU1")

    assert "speaks" in post.shown
    assert private


async def test_ask_by_command_posts_the_question_and_answers_in_its_thread(tmp_path: Path) -> None:
    """A command is no message, but everybody should see what was asked."""
    async with FakeSlack() as slack, running(slack, ScriptedProvider(MODELS), tmp_path) as bot:
        asked = slack.slash("C1", "U1", "ask Why is the <!channel> sky blue?")
        await asked.acked()
        root = slack.posts("C1")[0]
        posts = await bot.answered(root.ts)

    assert "U1" in root.shown
    assert [ping for ping in root.pings if "U1" not in ping] == []
    assert "speaks" in posts[-1].shown
    assert slack.refused == []


async def test_settings_are_changed_by_command_for_the_next_question(tmp_path: Path) -> None:
    """By those who manage the workspace; the channel hears of it."""
    async with FakeSlack() as slack, running(slack, ScriptedProvider(MODELS), tmp_path) as bot:
        denied = slack.slash("C1", "U1", "strategy single")
        await denied.acked()
        allowed = slack.slash("C1", "U9", "strategy single")
        await allowed.acked()
        await slack.until(lambda: bool(slack.posts("C1")))
        asked = slack.mention("C1", "U1", "Why?")
        post = await _one(bot, asked.ts)

    assert "Only those who manage this place" in str(denied.answer)
    assert "is now `single`" in str(allowed.answer)
    assert "changed the strategy here" in slack.posts("C1")[0].shown
    assert "single" in post.shown


async def test_settings_are_changed_in_a_modal(tmp_path: Path) -> None:
    """Nobody remembers the names of strategies."""
    tables = {"admission": {"admins": ["slack:T1/U9"]}}
    async with (
        FakeSlack() as slack,
        running(slack, ScriptedProvider(MODELS), tmp_path, tables=tables) as bot,
    ):
        await slack.slash("C1", "U9", "strategy").acked()
        await slack.until(lambda: bool(slack.views))
        (view,) = slack.views
        chosen: dict[str, object] = {"strategy": "vote", "preset": "fast", "budget_day_usd": "2.50"}
        await slack.submit(view, chosen).acked()
        asker = await bot.platform.asker("T1", "C1", "U1")
        here = await bot.platform.desk.settings(asker)
        await slack.slash("C1", "U9", "preset").acked()
        await slack.until(lambda: slack.views not in ([], [view]))
        await slack.submit(slack.views[-1], {"budget_day_usd": None}).acked()
        later = await bot.platform.desk.settings(asker)

    assert (here.strategy, here.preset, here.budget_day_usd) == ("vote", "fast", Decimal("2.50"))
    assert here.budget_month_usd is None
    assert "changed the budget of a day here from not set to $2.50" in str(slack.posts("C1"))
    assert (later.strategy, later.budget_day_usd) == ("vote", None)


async def test_budgets_are_not_offered_to_who_may_not_change_them(tmp_path: Path) -> None:
    """Who manages a channel does not pay for it; a field that is always refused is a trap."""
    async with FakeSlack() as slack, running(slack, ScriptedProvider(MODELS), tmp_path) as bot:
        await slack.slash("C1", "U9", "strategy").acked()
        await slack.until(lambda: bool(slack.views))
        (view,) = slack.views
        await slack.submit(view, {"strategy": "vote"}).acked()
        asker = await bot.platform.asker("T1", "C1", "U1")
        here = await bot.platform.desk.settings(asker)

    assert "budget" not in str(view.content)
    assert here.strategy == "vote"


async def test_every_command_says_something_to_its_person_alone(tmp_path: Path) -> None:
    """Also a wrong one: it names the right ones."""
    async with FakeSlack() as slack, running(slack, ScriptedProvider(MODELS), tmp_path):
        for words in ("help", "", "status", "usage", "preset", "nonsense", "ask", "strategy nope"):
            said = slack.slash("C1", "U9", words)
            await said.acked()

            assert said.failure == "", words
            assert said.answer or words == "preset", words

    assert slack.posts("C1") == []


async def test_a_message_can_be_asked_about(tmp_path: Path) -> None:
    """The shortcut in a message's menu: the answer stands in that message's thread."""
    provider = ScriptedProvider(MODELS)
    async with FakeSlack() as slack, running(slack, provider, tmp_path) as bot:
        said = slack.say("C1", "U2", "The build is red since noon.")
        slack.shortcut(slack.workspace.posts["C1", said.ts], "moabot_about")
        await slack.until(lambda: bool(slack.views))
        (view,) = slack.views
        slack.submit(view, {"question": "What could that mean?"})
        await bot.answered(said.ts)

    asked = provider.prompts[0][1].turns[-1].text
    assert "What could that mean?" in asked
    assert "> The build is red since noon." in asked


async def test_a_question_whose_post_was_not_confirmed_is_posted_once(tmp_path: Path) -> None:
    """`/moa ask` posts into the channel, where no thread can be looked through for it."""
    faults = Faults(next=[("chat.postMessage", "lost")])
    async with (
        FakeSlack(faults=faults) as slack,
        running(slack, ScriptedProvider(MODELS), tmp_path) as bot,
    ):
        await slack.slash("C1", "U1", "ask Why?").acked()
        question = slack.posts("C1")[0]
        await bot.answered(question.ts)

    assert [post.ts for post in slack.posts("C1") if not post.thread_ts] == [question.ts]
    assert faults.next == []


@pytest.mark.parametrize("kind", ["channel", "group"])
async def test_who_asks_about_a_message_where_the_bot_is_not_is_told_to_invite_it(
    tmp_path: Path, kind: str
) -> None:
    """A shortcut works everywhere; the answer could not be posted, and nobody would know why."""
    provider = ScriptedProvider(MODELS)
    async with FakeSlack() as slack, running(slack, provider, tmp_path) as bot:
        there = slack.add_channel("C9", kind=kind)
        said = slack.say("C9", "U2", "The build is red since noon.")
        there.members.discard(slack.workspace.teams["T1"].bot)
        slack.shortcut(slack.workspace.posts["C9", said.ts], "moabot_about")
        await slack.until(lambda: bool(slack.views))
        sent = slack.submit(slack.views[0], {"question": "Why?"})
        await sent.acked()

    assert "Invite me with /invite" in str(sent.answer)
    assert bot.answers(said.ts, "C9") == []
    assert provider.prompts == []


async def test_the_home_tab_shows_settings_and_sums(tmp_path: Path) -> None:
    """Of the conversation with the bot, and of channels that one is in."""
    async with FakeSlack() as slack, running(slack, ScriptedProvider(MODELS), tmp_path):
        slack.open_home("U1")
        await slack.until(lambda: slack.home("U1") is not None)
        shown = str(slack.home("U1"))

    assert "strategy" in shown
    assert "Nothing was asked here" in shown


async def test_an_unknown_event_is_acknowledged(tmp_path: Path) -> None:
    """Slack switches an app off that lets its events time out."""
    async with FakeSlack() as slack, running(slack, ScriptedProvider(MODELS), tmp_path):
        sent = slack.event({"type": "emoji_changed", "subtype": "add", "name": "x"})
        await sent.acked()

    assert sent.failure == ""


async def test_edits_and_deletions_reach_memory_and_do_not_ask_again(tmp_path: Path) -> None:
    """An edit fires the mention anew, with the old timestamp."""
    provider = ScriptedProvider(MODELS)
    async with FakeSlack() as slack, running(slack, provider, tmp_path) as bot:
        asked = slack.mention("C1", "U1", "Why is the sky green?")
        await _one(bot, asked.ts)
        edited = slack.edit("C1", asked.ts, "<@UBOT> Why is the sky blue?")
        await edited.acked()
        slack.say("C1", "U1", "Go on.", thread=asked.ts)
        posts = await bot.answered(asked.ts, count=2)

    texts = [turn.text for turn in provider.prompts[-1][1].turns]
    assert len(posts) == 2
    assert any("sky blue" in text for text in texts)
    assert not any("sky green" in text for text in texts)


async def test_pictures_and_texts_reach_the_models_and_others_are_named(tmp_path: Path) -> None:
    """What is attached belongs to the question."""
    provider = ScriptedProvider(MODELS)
    async with FakeSlack() as slack, running(slack, provider, tmp_path) as bot:
        files = [
            slack.add_file("plan.png", b"\x89PNG", kind="image/png"),
            slack.add_file("notes.txt", b"remember ````the milk", kind="text/plain"),
            slack.add_file("archive.zip", b"PK", kind="application/zip"),
        ]
        asked = slack.mention("C1", "U1", "What is this?", files=files)
        await _one(bot, asked.ts)

    turn = provider.prompts[0][1].turns[-1]
    assert [picture.data for picture in turn.images] == [b"\x89PNG"]
    assert "`````\nremember ````the milk\n`````" in turn.text  # a fence that it cannot close
    assert "'archive.zip' was not read" in turn.text


async def test_the_home_tab_shows_a_channel_to_its_members_only(tmp_path: Path) -> None:
    """What a private channel spends is its own business."""
    async with FakeSlack() as slack, running(slack, ScriptedProvider(MODELS), tmp_path) as bot:
        asked = slack.mention("C2", "U1", "Why?")
        await bot.answered(asked.ts, "C2")
        slack.open_home("U1")
        slack.open_home("U2")
        await slack.until(lambda: bool(slack.home("U1") and slack.home("U2")))
        slack.workspace.channels["C2"].members.discard("U2")
        for user in ("U2", "U1"):
            home = slack.home(user)
            assert home is not None
            await slack.click_in(home, "moabot_home", user=user, value="C2").acked()
        await slack.until(lambda: "1 answer" in str(slack.home("U1")))

    assert "Nothing was asked here" in str(slack.home("U2"))


async def test_a_channel_that_wants_no_money_shown_sees_none(tmp_path: Path) -> None:
    """What an answer costs is for some to know; it is for the channel's settings to say."""
    tables = {"channels": {"slack:T1/C2": {"show_cost": False}}}
    async with (
        FakeSlack() as slack,
        running(slack, ScriptedProvider(MODELS), tmp_path, tables=tables) as bot,
    ):
        shown = await _one(bot, slack.mention("C1", "U1", "Why?").ts)
        silent = await _one(bot, slack.mention("C2", "U1", "Why?").ts, "C2")

    assert "cost" in shown.shown or "$" in shown.shown
    assert "cost" not in silent.shown
    assert "$" not in silent.shown


async def test_an_admin_of_another_workspace_manages_nothing_here(tmp_path: Path) -> None:
    """In a shared channel, Slack tells of strangers what they are at home."""
    async with FakeSlack() as slack, running(slack, ScriptedProvider(MODELS), tmp_path) as bot:
        slack.add_person("U8", admin=True).team = "T2"
        stranger = await bot.platform.asker("T1", "C1", "U8")
        own = await bot.platform.asker("T1", "C1", "U9")

    assert (stranger.manages, own.manages) == (False, True)


async def test_a_question_of_somebody_shut_out_is_not_posted(tmp_path: Path) -> None:
    """The channel would read a question that nobody answers."""
    tables = {"admission": {"deny": {"users": ["slack:T1/U1"]}}}
    async with (
        FakeSlack() as slack,
        running(slack, ScriptedProvider(MODELS), tmp_path, tables=tables),
    ):
        asked = slack.slash("C1", "U1", "ask Why?")
        await asked.acked()

    assert "may not use this bot" in str(asked.answer)
    assert slack.posts("C1") == []
