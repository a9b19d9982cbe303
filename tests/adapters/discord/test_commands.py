"""The commands of Discord, which share every check with what is said."""

from __future__ import annotations

import pytest
from tests.adapters.discord.conftest import Living
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.service import FakeDiscord
from tests.fakes.discord.world import Post

from moabot.testing import ScriptedProvider, says

MIXTURE = {"defaults": {"strategy": "mixture", "preset": "balanced"}}


async def ended(service: FakeDiscord, asked: Interaction) -> str:
    """The text of a command's answer once it is final."""

    def is_final() -> bool:
        return asked.original is not None and "👍" in asked.original.buttons

    await service.until(is_final)
    return asked.text


async def told(service: FakeDiscord, command: Interaction) -> str:
    """What a short command says."""
    return await service.until(lambda: command.text)


async def test_ask_is_deferred_and_then_answered_in_its_reply(
    service: FakeDiscord, living: Living
) -> None:
    """Discord gives up after three seconds; models take longer."""
    async with living(ScriptedProvider({"a": says("Because.")}), MIXTURE):
        await service.until(lambda: service.state.syncs)
        asked = service.slash("ask", {"question": "Why?", "strategy": "single", "preset": "fast"})
        text = await ended(service, asked)

    assert asked.answered_with == 5
    assert "Because." in text
    assert "single fast" in text
    assert not asked.private
    assert len(service.seen()) == 1


async def test_a_private_question_is_seen_by_nobody_else(
    service: FakeDiscord, living: Living
) -> None:
    """What one asks in private must show up in no channel, however long the answer is."""
    long = "\n\n".join(f"Paragraph {number} of many words." for number in range(400))
    async with living(ScriptedProvider({"a": says(long)}), MIXTURE, models=("a",)):
        await service.until(lambda: service.state.syncs)
        asked = service.slash("ask", {"question": "Why?", "strategy": "single", "private": True})
        await ended(service, asked)

    assert asked.private
    assert asked.original is not None
    assert asked.original.files["answer.md"].decode() == long
    assert service.seen() == []


@pytest.mark.parametrize("where", ["thread", "group"])
async def test_what_is_private_stays_so_in_threads_and_groups(
    service: FakeDiscord, living: Living, where: str
) -> None:
    """Neither another try of the answer nor another person's question may tell it on."""
    provider = ScriptedProvider()
    single = {"defaults": {"strategy": "single"}}
    async with living(provider, single, models=("a",)):
        await service.until(lambda: service.state.syncs)
        there = service.thread() if where == "thread" else service.group()
        options: dict[str, str | bool] = {"question": "Am I ill?", "private": True}
        alone = where == "group"
        asked = service.slash("ask", options, channel=there, by_user_install=alone)
        await ended(service, asked)
        again = service.click("Retry", post=asked.original)
        await ended(service, again)
        options["question"] = "And I?"
        bobs = service.slash("ask", options, user="bob", channel=there, by_user_install=alone)
        await ended(service, bobs)

    assert (again.private, bobs.private) == (True, True)
    assert service.seen(there) == []
    assert [turn.text for turn in provider.prompts[-1][1].turns] == ["And I?"]


async def test_a_long_answer_goes_on_in_the_channel(service: FakeDiscord, living: Living) -> None:
    """Everybody may read it, and a nonce keeps each further message from coming twice."""
    long = "\n\n".join(f"Paragraph {number} of many words." for number in range(300))
    async with living(ScriptedProvider({"a": says(long)}), MIXTURE, models=("a",)):
        await service.until(lambda: service.state.syncs)
        service.slash("ask", {"question": "Why?", "strategy": "single"})
        await service.until(lambda: any("👍" in post.buttons for post in service.seen()))

    shown = "\n\n".join(post.text for post in service.seen())
    assert (
        long.split()
        == [word for word in shown.split() if word in long.split()][: len(long.split())]
    )


async def test_a_wrong_name_is_told_with_the_right_ones(
    service: FakeDiscord, living: Living
) -> None:
    """Autocomplete offers, it does not force."""
    async with living(ScriptedProvider(), MIXTURE):
        await service.until(lambda: service.state.syncs)
        asked = service.slash("ask", {"question": "Why?", "preset": "depe"})
        text = await told(service, asked)

    assert "deep" in text
    assert "Traceback" not in text


async def test_names_are_offered_while_one_types(service: FakeDiscord, living: Living) -> None:
    """Nobody knows the names by heart."""
    async with living(ScriptedProvider(), MIXTURE):
        await service.until(lambda: service.state.syncs)
        strategies = await service.autocomplete("ask", {"strategy": "refi"}, focused="strategy")
        presets = await service.autocomplete("moa preset", {"value": ""}, focused="value")

    assert strategies == ["refinement"]
    assert presets == ["fast", "balanced", "thorough", "deep", "max", "default"]


async def test_only_who_manages_the_server_changes_its_settings(
    service: FakeDiscord, living: Living
) -> None:
    """The right is looked at on each call: a command's own permissions are set by clients."""
    async with living(ScriptedProvider(), MIXTURE):
        await service.until(lambda: service.state.syncs)
        refused = service.slash("moa strategy", {"value": "vote"}, user="ada")
        refusal = await told(service, refused)
        service.state.user("root").manages = True
        changed = service.slash("moa strategy", {"value": "vote"}, user="root")
        told_root = await told(service, changed)
        await service.until(service.seen)
        status = await told(service, service.slash("moa status", user="ada"))

    assert "who manage this place" in refusal
    assert refused.private
    assert "is now `vote`" in told_root
    assert "Root changed the strategy here from `mixture` to `vote`" in service.seen()[0].text
    assert "strategy `vote`" in status


async def test_a_message_can_be_asked_about_from_its_menu(
    service: FakeDiscord, living: Living
) -> None:
    """The bot reads that one message although it may read no other."""
    provider = ScriptedProvider()
    async with living(provider, {"defaults": {"strategy": "single"}}, models=("a",)):
        await service.until(lambda: service.state.syncs)
        claim = service.say("The moon is made of cheese.", user="bob")
        asked = await asked_about(service, claim, "Is that true?")
        await ended(service, asked)

    text = provider.prompts[0][1].turns[0].text
    assert text == "> The moon is made of cheese.\n\nIs that true?"


async def asked_about(service: FakeDiscord, post: Post, wanted: str = "") -> Interaction:
    """The form of a message's menu, filled in and sent."""
    menu = service.menu("Ask moabot about this message", post)
    await service.until(lambda: menu.form)
    assert menu.form is not None
    field = menu.form["components"][0]["component"]["custom_id"]
    return service.submit(menu, {field: wanted})


async def test_what_a_person_sees_of_a_message_is_what_is_asked_about(
    service: FakeDiscord, living: Living
) -> None:
    """Our own answers are layouts, and others post pictures or embeds; all have no content."""
    provider = ScriptedProvider({"a": [says("The moon is cheese."), *[says("Yes.")] * 3]})
    async with living(provider, {"defaults": {"strategy": "single"}}, models=("a",)):
        await service.until(lambda: service.state.syncs)
        service.mention("What is the moon?")
        ours = await service.said()
        await service.until(lambda: "👍" in ours.buttons)
        picture = service.say("", user="bob", files={"moon.png": b"\x89PNG\r\n\x1a\n"})
        embed = service.say("", user="bob")
        embed.embeds = [{"type": "rich", "title": "News", "description": "The moon is full."}]
        for post in (ours, picture, embed):
            await ended(service, await asked_about(service, post))

    told = [prompt.turns[-1] for _, prompt in provider.prompts[1:]]
    assert told[0].text.startswith("> The moon is cheese.")
    assert [image.name for image in told[1].images] == ["moon.png"]
    assert told[2].text.startswith("> News\n> The moon is full.\n\n")


async def test_a_message_with_nothing_to_read_costs_nothing(
    service: FakeDiscord, living: Living
) -> None:
    """A sticker would be explained by models that were not shown it."""
    provider = ScriptedProvider()
    async with living(provider, MIXTURE):
        await service.until(lambda: service.state.syncs)
        menu = service.menu("Ask moabot about this message", service.say("", user="bob"))
        refusal = await told(service, menu)

    assert "nothing in that message" in refusal
    assert menu.private
    assert provider.prompts == []


async def test_commands_are_told_to_discord_only_when_they_changed(
    service: FakeDiscord, living: Living
) -> None:
    """Discord takes 200 a day, and a bot may start more often than that."""
    for _ in range(2):
        async with living(ScriptedProvider(), MIXTURE):
            await service.until(lambda: service.count("GET /applications/{application}/commands"))
            await service.until(lambda: service.state.commands)
            command = service.slash("moa help")
            await told(service, command)

    assert service.state.syncs == 1


async def test_who_brought_the_bot_along_is_answered_elsewhere(
    service: FakeDiscord, living: Living
) -> None:
    """A bot that a person installed for themselves cannot write into a foreign server's channel."""
    async with living(ScriptedProvider({"a": says("Because.")}), MIXTURE):
        await service.until(lambda: service.state.syncs)
        there = service.elsewhere()
        asked = service.slash(
            "ask",
            {"question": "Why?", "strategy": "single"},
            channel=there,
            by_user_install=True,
        )
        text = await ended(service, asked)

    assert "Because." in text
