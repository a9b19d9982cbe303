"""The buttons under an answer work as long as the message exists, whatever process runs."""

from __future__ import annotations

from functools import partial

import pytest
from tests.adapters.discord.conftest import Living
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.service import FakeDiscord
from tests.fakes.discord.world import Post

from moabot.testing import ScriptedProvider, hangs, says
from moabot_platforms.discord.settings import DiscordSettings


def _text(clicked: Interaction) -> str:
    return clicked.text


MIXTURE = {"defaults": {"strategy": "mixture", "preset": "balanced"}}


async def answered(service: FakeDiscord, *, number: int = 1) -> Post:
    """The bot's message of that number, once it is final."""
    post = await service.said(number=number)
    await service.until(lambda: "👍" in post.buttons)
    return post


async def test_proposals_are_shown_to_who_asks_for_them_one_page_each(
    service: FakeDiscord, living: Living
) -> None:
    """After a restart too: what each model said is what the answer's worth is judged by."""
    models = ScriptedProvider({"a": says("Alpha says so."), "b": says("Beta says so.")})
    async with living(models, MIXTURE, models=("a", "b")):
        service.mention("Is it so?")
        post = await answered(service)
    async with living(models, MIXTURE, models=("a", "b")):
        shown = service.click("Show proposals", post=post, user="bob")
        await service.until(lambda: shown.text)
        first = shown.text
        assert shown.original is not None
        turned = service.click("Next", post=shown.original, user="bob")
        await service.until(lambda: "Page 2 of 2" in turned.text)

    assert shown.private
    assert "Alpha says so." in first
    assert "Page 1 of 2" in first
    assert "Beta says so." in turned.text
    assert len(service.whispers("bob")) == 1


async def test_a_private_answer_that_came_as_a_direct_message_can_be_worked_with(
    service: FakeDiscord, living: Living
) -> None:
    """It was asked in a channel, whose people may not know of it: it goes on where it stands."""
    provider = ScriptedProvider({"a": [hangs(), says("It scatters.")]})
    single = {"defaults": {"strategy": "single", "cache": "off"}}
    async with living(provider, single, models=("a",)):
        await service.until(lambda: service.state.commands)
        asked = service.slash("ask", {"question": "Why?", "private": True})
        await service.until(lambda: asked.original and "Stop" in asked.original.buttons)
    service.pass_time(1000)
    async with living(provider, single, models=("a",)):
        direct = service.state.direct(asked.user)
        final = await service.until(
            lambda: [post for post in direct.posts.values() if "👍" in post.buttons]
        )
        told: list[str] = []
        for button in ("👍", "Show proposals", "Retry"):
            clicked = service.click(button, post=final[0])
            await service.until(partial(_text, clicked))
            told.append(clicked.text)
        await service.until(lambda: len(provider.prompts) == 3)

    assert "it is noted" in told[0]
    assert "no proposals" in told[1]
    assert "another channel" not in told[2]


@pytest.mark.parametrize("kept_from_all", [False, True], ids=["public", "private"])
async def test_who_reads_an_answer_rates_it_in_the_thread_that_was_made_for_it(
    service: FakeDiscord, living: Living, *, kept_from_all: bool
) -> None:
    """A thread under a reply is younger than the conversation, which began in the channel."""
    threads = DiscordSettings(thread_channels=("*",))
    service.state.channel("general").private = kept_from_all
    async with living(ScriptedProvider(), {"defaults": {"strategy": "single"}}, kind=threads):
        await service.until(lambda: service.state.commands)
        asked = service.slash("ask", {"question": "Why?"})
        await service.until(lambda: asked.original and "👍" in asked.original.buttons)
        assert asked.original is not None
        follow_up = service.reply("And?", asked.original)
        thread = await service.until(lambda: follow_up.thread)
        assert thread is not None
        final = await service.until(
            lambda: [post for post in thread.posts.values() if "👍" in post.buttons]
        )
        clicked = service.click("👍", post=final[0], user="bob")
        await service.until(lambda: clicked.text)

    assert "it is noted" in clicked.text


async def test_an_opinion_is_kept_and_replaced_by_a_later_one(
    service: FakeDiscord, living: Living
) -> None:
    """One person has one opinion, however often they click."""
    async with living(ScriptedProvider(), MIXTURE) as house:
        service.mention("Is it so?")
        await answered(service)
        for button in ("👍", "👎"):
            clicked = service.click(button)
            await service.until(partial(_text, clicked))
        assert house.app.memory.store is not None
        opinions = await house.app.memory.store.opinions()

    assert [opinion.verdict for opinion in opinions] == [-1]


async def test_retry_and_deeper_answer_the_same_question_anew(
    service: FakeDiscord, living: Living
) -> None:
    """Who is not content asks again, and may pay for more thought."""
    provider = ScriptedProvider()
    async with living(provider, MIXTURE):
        service.mention("Is it so?")
        post = await answered(service)
        service.click("Retry", post=post)
        await answered(service, number=2)
        service.click("Deeper", post=post, user="bob")
        deeper = await answered(service, number=3)

    assert "mixture thorough" in deeper.text
    assert "mixture balanced" in post.text
    assert len(service.seen()) == 4
    assert {prompt.turns[-1].text.partition("\n")[0] for _, prompt in provider.prompts} == {
        "Is it so?"
    }


async def test_a_deleted_question_is_forgotten(service: FakeDiscord, living: Living) -> None:
    """Who deletes what they said does not want it told to models again."""
    provider = ScriptedProvider()
    async with living(provider, {"defaults": {"strategy": "single"}}, models=("a",)):
        asked = service.mention("My password is fish, is that good?")
        post = await answered(service)
        service.remove(asked)
        await service.gateway.caught_up()
        service.reply("And why?", post)
        await answered(service, number=2)

    assert [turn.text for turn in provider.prompts[-1][1].turns] == ["And why?"]


async def test_a_preview_of_a_link_leaves_the_question_as_it_was(
    service: FakeDiscord, living: Living
) -> None:
    """Discord tells of it as of an edit, and the file that came along would be forgotten."""
    provider = ScriptedProvider()
    async with living(provider, {"defaults": {"strategy": "single"}}, models=("a",)):
        asked = service.mention("See https://example.org", files={"a.txt": b"Cheese."})
        post = await answered(service)
        service.preview(asked)
        await service.gateway.caught_up()
        service.reply("And?", post)
        await answered(service, number=2)

    assert "Cheese." in provider.prompts[-1][1].turns[0].text


async def test_an_edited_question_is_read_as_it_is_now(
    service: FakeDiscord, living: Living
) -> None:
    """The next answer in the thread must not rest on what was corrected."""
    provider = ScriptedProvider()
    async with living(provider, {"defaults": {"strategy": "single"}}, models=("a",)):
        asked = service.mention("What is the capital of Chle?")
        post = await answered(service)
        service.amend(asked, f"<@{service.state.bot.id}> What is the capital of Chile?")
        await service.gateway.caught_up()
        service.reply("And of Peru?", post)
        await answered(service, number=2)

    assert provider.prompts[-1][1].turns[0].text == "What is the capital of Chile?"
