"""What a crash, a refusal or a full disk leaves on Discord."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from tests.adapters.discord.conftest import Living
from tests.fakes.discord.service import FakeDiscord
from tests.fakes.discord.world import Post

from moabot.config import ChannelSettings
from moabot.contract import Message
from moabot.desk import Desk
from moabot.errors import StoreError
from moabot.journal import Entry
from moabot.testing import Said, ScriptedProvider, hangs, says

SINGLE = {"defaults": {"strategy": "single"}}


class FullDesk(Desk):
    """A desk whose database takes no row."""

    async def accept(
        self, message: Message, *, wish: ChannelSettings | None = None
    ) -> Entry | None:
        """Refuse."""
        raise StoreError("The disk is full.", fix="Tell the bot's admin.")


def forget_receipts(folder: Path) -> None:
    """As if the process had died between posting a sign and writing down where."""
    files: Sequence[Path] = list(folder.glob("*.db")) or list(folder.glob("*.sqlite*"))
    with closing(sqlite3.connect(files[0])) as database:
        database.execute("UPDATE inbox SET receipt = ''")
        database.commit()


def final(posts: Sequence[Post]) -> list[Post]:
    """Those that are no longer on their way."""
    return [post for post in posts if "👍" in post.buttons]


@pytest.mark.parametrize(
    "way",
    "mention,mention thread,direct,ask,ask thread,private,private thread,private group".split(","),
)
@pytest.mark.parametrize("hours", [0, 1], ids=["at-once", "after-an-hour"])
async def test_a_crash_before_the_receipt_leaves_one_answer(
    service: FakeDiscord, living: Living, way: str, hours: int
) -> None:
    """After an hour no nonce helps, and a command's token is long dead."""
    models: list[Said] = [hangs(), says("It scatters.")]
    provider = ScriptedProvider({"a": models})
    async with living(provider, SINGLE, models=("a",)):
        await service.until(lambda: service.state.commands)
        what, _, where = way.partition(" ")
        places = {"thread": service.thread, "group": service.group}
        there = places[where]() if where else service.state.channel("general")
        match what:
            case "mention":
                service.mention("Why?", channel=there)
            case "direct":
                there = service.direct("Why?").channel
            case _:
                options: dict[str, str | bool] = {"question": "Why?", "private": what == "private"}
                service.slash("ask", options, channel=there, by_user_install=where == "group")
        await service.until(
            lambda: any("Stop" in post.buttons for post in there.posts.values()), within_s=20
        )
    forget_receipts(living.folder)
    service.pass_time(3600 * hours)

    def answers() -> list[Post]:
        channels = service.state.channels.values()
        return final([post for channel in channels for post in channel.posts.values()])

    async with living(provider, SINGLE, models=("a",)):
        await service.until(answers)

    texts = [
        post.text for channel in service.state.channels.values() for post in channel.posts.values()
    ]
    assert len(answers()) == 1
    assert sum("It scatters." in text for text in texts) == 1
    asker = service.state.user("ada")
    assert answers()[0].channel is (service.state.direct(asker) if what == "private" else there)
    seen = service.seen(there)
    assert len([post for post in seen if post.author is service.state.bot]) == (what != "private")


async def test_a_sign_that_we_were_not_told_of_becomes_the_answer(
    service: FakeDiscord, living: Living
) -> None:
    """The connection broke after it was posted, and Discord forgot the nonce before the next try."""
    service.state.limits.nonce_s = 0.0
    service.state.faults.hits = "POST /channels/{channel}/messages".__eq__
    service.state.faults.coming.append("lost")
    async with living(ScriptedProvider(), SINGLE, models=("a",)):
        service.mention("Why?")
        await service.until(lambda: final(service.seen()))

    assert len([post for post in service.seen() if post.author is service.state.bot]) == 1


async def test_what_was_asked_in_a_private_thread_that_is_gone_is_told_to_its_asker_alone(
    service: FakeDiscord, living: Living
) -> None:
    """Its channel is read by people who were never let into the thread."""
    provider = ScriptedProvider({"a": [hangs(), says("It scatters.")]})
    async with living(provider, SINGLE, models=("a",)):
        thread = service.thread(private=True)
        service.mention("Why?", channel=thread)
        await service.until(lambda: any("Stop" in post.buttons for post in thread.posts.values()))
    forget_receipts(living.folder)
    del service.state.channels[thread.id]

    async with living(provider, SINGLE, models=("a",)):
        direct = service.state.direct(service.state.user("ada"))
        await service.until(lambda: final(list(direct.posts.values())))

    assert service.seen() == []


async def test_a_command_is_answered_in_its_reply_by_the_next_process(
    service: FakeDiscord, living: Living
) -> None:
    """Its token lives for a quarter of an hour, and who asked in private looks there."""
    provider = ScriptedProvider({"a": [hangs(), says("It scatters.")]})
    async with living(provider, SINGLE, models=("a",)):
        await service.until(lambda: service.state.commands)
        asked = service.slash("ask", {"question": "Why?", "private": True})
        await service.until(lambda: asked.original and "Stop" in asked.original.buttons)
    async with living(provider, SINGLE, models=("a",)):
        await service.until(lambda: asked.original and final([asked.original]))

    assert "It scatters." in asked.text
    assert asked.private
    assert service.state.direct(asked.user).posts == {}


async def test_a_channel_that_forbids_writing_is_soon_left_alone(
    service: FakeDiscord, living: Living
) -> None:
    """Each refused request counts towards a ban; the questions after the first cost none."""
    provider = ScriptedProvider()
    async with living(provider, SINGLE, models=("a",)):
        service.forbid("general")
        service.mention("Why?")
        await service.until(lambda: service.state.invalid_requests)
        for _ in range(49):
            service.mention("Why?")
            await service.gateway.caught_up()
        service.mention("And here?", channel="elsewhere")
        post = await service.said("elsewhere")
        await service.until(lambda: final([post]))

    assert service.state.invalid_requests < 10
    assert len(provider.prompts) < 10


async def test_a_command_is_answered_where_the_bot_may_not_write(
    service: FakeDiscord, living: Living
) -> None:
    """Discord lets it reply there; that a mention before could not be answered changes nothing."""
    async with living(ScriptedProvider(), SINGLE, models=("a",)):
        await service.until(lambda: service.state.commands)
        service.forbid("general")
        await service.gateway.caught_up()
        service.mention("Why?")
        await service.until(lambda: service.state.invalid_requests)
        asked = service.slash("ask", {"question": "Why?"}, user="bob")
        await service.until(lambda: asked.original and final([asked.original]))


async def _stopped_late(
    service: FakeDiscord, provider: ScriptedProvider, user: str, *, status: int
) -> None:
    """A private answer that ends after its token; Discord's word to the direct messages is `status`."""
    before = len(provider.prompts)
    asked = service.slash("ask", {"question": "Why?", "private": True}, user=user)
    await service.until(lambda: len(provider.prompts) > before)
    await service.until(lambda: asked.original and "Stop" in asked.original.buttons)
    service.pass_time(1000)
    service.click("Stop", post=asked.original, user=user)
    await service.until(lambda: service.count("POST /users/@me/channels", status=status))


async def test_who_takes_no_direct_messages_keeps_nobody_from_theirs(
    service: FakeDiscord, living: Living
) -> None:
    """What a private answer goes on in is one person's; others must not wait ten minutes for it."""
    provider = ScriptedProvider({"a": hangs()})
    async with living(provider, SINGLE, models=("a",)):
        await service.until(lambda: service.state.commands)
        service.forbid(service.state.direct(service.state.user("ada")))
        await _stopped_late(service, provider, "ada", status=403)
        await _stopped_late(service, provider, "bob", status=200)
        direct = service.state.direct(service.state.user("bob"))
        await service.until(lambda: direct.posts)

    assert service.count("POST /users/@me/channels", status=403) == 1


async def test_a_full_disk_is_told_to_who_asks(service: FakeDiscord, living: Living) -> None:
    """What cannot be kept is not answered, and silence would be taken for a broken bot."""
    async with living(ScriptedProvider(), SINGLE, models=("a",)) as house:
        await service.until(lambda: service.state.commands)
        house.platform.bot.desk = FullDesk(house.app.answering, house.app.memory)
        service.mention("Why?")
        post = await service.said()
        asked = service.slash("ask", {"question": "Why?"})
        await service.until(lambda: asked.text)

    assert "The disk is full." in post.text
    assert "The disk is full." in asked.text


class BrokenDesk(Desk):
    """A desk that nobody foresaw."""

    async def accept(
        self, message: Message, *, wish: ChannelSettings | None = None
    ) -> Entry | None:
        """Break."""
        raise RuntimeError


async def test_what_breaks_is_logged_without_what_was_asked(
    service: FakeDiscord, living: Living, caplog: pytest.LogCaptureFixture
) -> None:
    """A private question is for nobody who reads logs."""
    async with living(ScriptedProvider(), SINGLE, models=("a",)) as house:
        await service.until(lambda: service.state.commands)
        house.platform.bot.desk = BrokenDesk(house.app.answering, house.app.memory)
        asked = service.slash("ask", {"question": "Am I ill?", "private": True})
        await service.until(lambda: "broke" in asked.text)

    logged = [vars(record) for record in caplog.records if record.msg == "broken"]
    assert [each["command"] for each in logged] == ["ask"]
    assert "Am I ill?" not in str(logged)


async def test_the_same_event_told_twice_is_answered_once(
    service: FakeDiscord, living: Living
) -> None:
    """A resumed session replays what the bot has long answered."""
    async with living(ScriptedProvider(), SINGLE, models=("a",)):
        await service.until(lambda: service.state.commands)
        service.mention("Why?")
        service.slash("ask", {"question": "Why?"}, channel="other")
        for _ in range(5):
            service.gateway.replay(last=2)
            await service.gateway.caught_up()
        await service.until(lambda: final(service.seen()) and final(service.seen("other")))
        await asyncio.sleep(0.05)

    assert len(service.seen()) == 2
    assert len(service.seen("other")) == 1
