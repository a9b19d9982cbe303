"""A question on Discord becomes one answer, and the person sees how."""

from __future__ import annotations

from functools import partial

import pytest
from tests.adapters.discord.conftest import Living
from tests.fakes.discord.service import FakeDiscord
from tests.fakes.discord.world import ATTACH_FILES, CREATE_PUBLIC_THREADS, Post

from moabot.contract import Prompt
from moabot.testing import Said, ScriptedProvider, hangs, says
from moabot_platforms.discord.settings import DiscordSettings

MIXTURE = {"defaults": {"strategy": "mixture", "preset": "thorough"}}


def final(post: Post) -> bool:
    """Whether a message is no longer on its way."""
    return "👍" in post.buttons


async def test_a_mention_is_answered_in_one_message(service: FakeDiscord, living: Living) -> None:
    """The thinnest path of all: asked, and answered."""
    async with living(ScriptedProvider({"a": says("Because it scatters.")}), MIXTURE):
        asked = service.mention("Why is the sky blue?")
        post = await service.said()
        await service.until(lambda: final(post))

    assert len(service.seen()) == 2
    assert post.reply_to is asked
    assert "Because it scatters." in post.text
    assert "mixture thorough" in post.text
    assert list(post.buttons) == ["👍", "👎", "Retry", "Show proposals", "Deeper"]
    assert service.pings == []


async def test_each_model_is_shown_at_work_and_who_asked_can_stop_it(
    service: FakeDiscord, living: Living
) -> None:
    """Minutes may pass; a person must see that something happens, and be able to end it."""
    models = {"a": says("Yes, it does."), "b": hangs(), "c": hangs()}
    async with living(ScriptedProvider(models), MIXTURE):
        service.mention("Does it?")
        post = await service.said()
        await service.until(lambda: "1 of 3 models answered" in post.text)
        seen = post.text
        service.click("Stop", user="bob")
        await service.until(lambda: service.whispers("bob"))
        service.click("Stop")
        await service.until(lambda: final(post))

    assert "✅ `a`" in seen
    assert "⏳ `b`" in seen
    assert "Only who asked may stop" in service.whispers("bob")[0].text
    assert "Yes, it does." in post.text
    assert "topped" in post.text
    assert len(service.seen()) == 2


async def test_a_chain_of_replies_is_one_conversation(service: FakeDiscord, living: Living) -> None:
    """The second question says "and there?"; without the first it means nothing."""
    provider = ScriptedProvider({"a": lambda prompt: says(f"Turn {len(prompt.turns)}.")})
    async with living(provider, {"defaults": {"strategy": "single"}}, models=("a",)):
        service.mention("What is the capital of Peru?")
        first = await service.said()
        await service.until(lambda: final(first))
        service.reply("And of Chile?", first)
        second = await service.said(number=2)
        await service.until(lambda: final(second))
        service.reply("And there?", second, user="bob")
        third = await service.said(number=3)
        await service.until(lambda: final(third))

    assert [turn.text for turn in provider.prompts[-1][1].turns] == [
        "What is the capital of Peru?",
        "Turn 1.",
        "And of Chile?",
        "Turn 3.",
        "And there?",
    ]


async def test_another_mention_begins_another_conversation(
    service: FakeDiscord, living: Living
) -> None:
    """Two people in one channel must not get each other's context."""
    provider = ScriptedProvider()
    async with living(provider, {"defaults": {"strategy": "single"}}, models=("a",)):
        for number, user in enumerate(("ada", "bob"), start=1):
            service.mention("Hello?", user=user)
            post = await service.said(number=number)
            await service.until(partial(final, post))

    assert [len(prompt.turns) for _, prompt in provider.prompts] == [1, 1]


async def test_a_question_about_somebodys_message_brings_it_along(
    service: FakeDiscord, living: Living
) -> None:
    """Who asks "@moabot is that true?" means the message above it."""
    provider = ScriptedProvider()
    single = {"defaults": {"strategy": "single"}}
    service.state.message_content = True
    kind = DiscordSettings(message_content=True)
    async with living(provider, single, models=("a",), kind=kind):
        claim = service.say("The moon is made\nof cheese.", user="bob")
        bot = service.state.bot.id
        service.say(f"<@{bot}> is that true?", reply_to=claim)
        post = await service.said()
        await service.until(lambda: final(post))

    asked = provider.prompts[0][1].turns[0].text
    assert asked == "> The moon is made\n> of cheese.\n\nis that true?"


async def test_direct_messages_are_one_conversation(service: FakeDiscord, living: Living) -> None:
    """Nobody mentions somebody to whom they speak alone."""
    provider = ScriptedProvider()
    async with living(provider, {"defaults": {"strategy": "single"}}, models=("a",)):
        first = service.direct("Good morning.")
        await service.until(lambda: [p for p in service.seen(first.channel) if final(p)])
        service.direct("How are you?")
        await service.until(lambda: len([p for p in service.seen(first.channel) if final(p)]) == 2)

    assert [len(prompt.turns) for _, prompt in provider.prompts] == [1, 3]


async def test_who_is_not_meant_is_not_answered(service: FakeDiscord, living: Living) -> None:
    """Two bots that answer each other never stop; @everyone means people."""
    async with living(ScriptedProvider(), MIXTURE):
        service.state.user("robot").bot = True
        service.mention("Shall we talk?", user="robot")
        service.say("Good morning all.")
        service.say("@everyone lunch!")
        service.mention("And me?")
        await service.said()

    assert len([post for post in service.seen() if post.author is service.state.bot]) == 1


async def test_a_channel_can_want_a_thread_for_each_question(
    service: FakeDiscord, living: Living
) -> None:
    """Busy channels stay readable when each answer has its own place."""
    kind = DiscordSettings(thread_channels=("*",), message_content=True)
    service.state.message_content = True
    provider = ScriptedProvider()
    async with living(provider, {"defaults": {"strategy": "single"}}, models=("a",), kind=kind):
        asked = service.mention("Why is the sky blue?")
        thread = await service.until(lambda: asked.thread)
        assert thread is not None
        first = await service.said(thread)
        await service.until(lambda: final(first))
        service.say("And at night?", channel=thread)
        second = await service.said(thread, number=2)
        await service.until(lambda: final(second))

    assert len(service.seen()) == 1
    assert len(provider.prompts[-1][1].turns) == 3


async def test_without_the_right_to_threads_the_channel_will_do(
    service: FakeDiscord, living: Living
) -> None:
    """A missing right to something nice must not cost the answer."""
    kind = DiscordSettings(thread_channels=("*",))
    service.forbid("general", permissions=CREATE_PUBLIC_THREADS)
    async with living(ScriptedProvider(), {"defaults": {"strategy": "single"}}, kind=kind):
        service.mention("Why is the sky blue?")
        post = await service.said()
        await service.until(lambda: final(post))

    assert len(service.seen()) == 2


@pytest.mark.parametrize("length", [1, 2999, 3001, 14_000])
async def test_a_text_of_any_length_arrives_whole(
    service: FakeDiscord, living: Living, length: int
) -> None:
    """What is cut off is what the person needed."""
    text = "".join(f"A-word-of-some-length-{n} " for n in range(length))[:length].strip()
    single = {"defaults": {"strategy": "single"}}
    async with living(ScriptedProvider({"a": says(text)}), single, models=("a",)):
        service.mention("Tell me all.")
        await service.until(lambda: any(final(post) for post in service.seen()))

    answer = [post for post in service.seen() if post.author is service.state.bot]
    shown = "".join(post.text for post in answer)
    assert "".join(text.split()) in "".join(shown.split())
    assert [final(post) for post in answer] == [False] * (len(answer) - 1) + [True]


async def test_a_very_long_text_is_attached_whole(service: FakeDiscord, living: Living) -> None:
    """Thirty messages in a row are no answer."""
    text = "".join(f"Line-{number}-of-many.\n\n" for number in range(6000))[:100_000].strip()
    single = {"defaults": {"strategy": "single"}}
    async with living(ScriptedProvider({"a": says(text)}), single, models=("a",)):
        service.mention("Tell me all.")
        post = await service.said()
        await service.until(lambda: final(post))

    assert post.files["answer.md"].decode() == text
    assert len(service.seen()) == 2


async def test_where_nothing_may_be_attached_a_long_text_goes_on_in_messages(
    service: FakeDiscord, living: Living
) -> None:
    """In a thread the right is not looked up beforehand; an answer that is paid for must arrive."""
    long = "\n\n".join(f"Paragraph {number} of many words." for number in range(600))
    provider = ScriptedProvider({"a": says(long)})
    async with living(provider, {"defaults": {"strategy": "single"}}, models=("a",)):
        there = service.thread()
        there.denied = ATTACH_FILES
        service.mention("Tell me all.", channel=there)
        await service.until(lambda: any("👍" in post.buttons for post in service.seen(there)))

    shown = "\n".join(post.text for post in service.seen(there))
    assert "Paragraph 599 of many words." in shown
    assert not any(post.files for post in service.seen(there))


async def test_an_apology_names_the_reason_and_offers_another_try(
    service: FakeDiscord, living: Living
) -> None:
    """A person is told what they can do, never a traceback."""

    def broken(prompt: Prompt) -> Said:
        return says(error=RuntimeError("secret"))

    async with living(ScriptedProvider({"a": broken}), MIXTURE, models=("a",)):
        service.mention("Does it?")
        post = await service.said()
        await service.until(lambda: "Retry" in post.buttons)

    assert "No answer." in post.text
    assert "secret" not in post.text


async def test_pictures_and_texts_are_read_and_other_files_named(
    service: FakeDiscord, living: Living
) -> None:
    """Who attaches a file asks about it; that it was not read must not stay a secret."""
    provider = ScriptedProvider()
    files = {"note.txt": b"The password is fish.", "plan.pdf": b"%PDF", "cat.png": b"\x89PNG"}
    async with living(provider, {"defaults": {"strategy": "single"}}, models=("a",)):
        service.mention("What is in these?", files=files)
        post = await service.said()
        await service.until(lambda: final(post))

    turn = provider.prompts[0][1].turns[0]
    assert "The password is fish." in turn.text
    assert "The file 'plan.pdf' was not read" in turn.text
    assert [image.name for image in turn.images] == ["cat.png"]
