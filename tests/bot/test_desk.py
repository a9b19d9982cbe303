"""What people do in a chat beside asking: stop, ask again, look behind an answer, rate, set."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from moabot.app import App
from moabot.channels import NO_WISH, Channels
from moabot.config import ChannelSettings, Defaults
from moabot.contract import Asker, Attachment, Message, Scope
from moabot.desk import Desk
from moabot.errors import PlatformError, QuestionRejected, Refused, StoreError
from moabot.journal import Entry
from moabot.testing import RecordingReply, ScriptedProvider, hangs, rehearsal, says

HERE = Scope("test", "T1", "C1")
ANN = Asker(HERE, "U1")
BOB = Asker(HERE, "U2")
BOSS = Asker(HERE, "U9", manages=True)
ELSEWHERE = Asker(Scope("test", "T1", "C2"), "U3", manages=True)


@asynccontextmanager
async def desk_of(
    folder: Path, provider: ScriptedProvider, more: Mapping[str, object] | None = None
) -> AsyncGenerator[tuple[Desk, App]]:
    """A desk of a bot that mixes three models."""
    tables: dict[str, object] = {
        **(more or {}),
        "data_dir": str(folder),
        "defaults": {"strategy": "mixture", "preset": "balanced", "draft": False},
    }
    async with rehearsal(provider, tables, panel={"hedge": False}, keep="all") as app:
        yield Desk(app.answering, app.memory), app


def asking(event: str = "E1") -> Message:
    """Ann asks."""
    return Message("test", "T1", "C1", "U1", "Why is the sky blue?", event)


async def eventually(what: Callable[[], bool]) -> None:
    """Wait for something that a scripted provider tells nobody of."""
    for _ in range(5000):
        if what():
            return
        await asyncio.sleep(0.001)
    pytest.fail("It never came to that.")


async def accepted(desk: Desk, message: Message) -> Entry:
    """Take it on."""
    entry = await desk.accept(message)
    assert entry is not None
    return entry


async def test_a_stopped_answer_shows_what_was_written_and_asks_nobody_else(tmp_path: Path) -> None:
    """The person paid for those words, and wants no more of them."""
    provider = ScriptedProvider({"a": [says("A."), says("The sky is blue", word_s=0.02)]})
    async with desk_of(tmp_path, provider) as (desk, _):
        reply = RecordingReply()
        answering = asyncio.create_task(desk(asking(), reply))
        await eventually(lambda: "sky" in reply.text)
        stopped = await desk.stop(ANN, "test:E1")
        await answering

        assert stopped
        assert reply.answer is not None
        assert reply.answer.text.startswith("The sky")
        assert reply.answer.degraded == "Stopped on request."
        assert not provider.running


class SlowChannels(Channels):
    """Channels whose settings are never read to the end."""

    reading = asyncio.Event()

    async def settings(self, place: Message | Scope, wish: ChannelSettings = NO_WISH) -> Defaults:
        """Wait for ever."""
        self.reading.set()
        await asyncio.Future()
        raise AssertionError


async def test_an_answer_can_be_stopped_from_its_first_moment(tmp_path: Path) -> None:
    """The button is there before the channel's settings are read."""
    async with desk_of(tmp_path, provider := ScriptedProvider()) as (desk, app):
        entry = await accepted(desk, asking())
        app.answering.channels = slow = SlowChannels(app.config, strategies=None)
        answering = asyncio.create_task(desk.answer(entry, reply := RecordingReply()))
        await slow.reading.wait()

        assert await desk.stop(ANN, "test:E1")
        await answering
        assert reply.answer is not None
        assert reply.answer.degraded == "Stopped on request."
        assert not provider.prompts


async def test_a_stopped_answer_is_not_taken_up_by_the_next_process(tmp_path: Path) -> None:
    """Stopped means stopped, also over a restart."""
    provider = ScriptedProvider({name: hangs() for name in "abc"})
    async with desk_of(tmp_path, provider) as (desk, app):
        reply = RecordingReply()
        entry = await accepted(desk, asking())
        answering = asyncio.create_task(desk.answer(entry, reply))
        await eventually(lambda: len(provider.running) == 2)
        await desk.stop(ANN, "test:E1")
        await answering
        assert app.memory.durable is not None

        assert reply.answer is not None
        assert reply.answer.text == "Nothing was written yet."
        assert list(await app.memory.durable.resume("test")) == []


async def test_a_stop_that_comes_too_late_loses_nothing_when_the_bot_ends(tmp_path: Path) -> None:
    """The answer was on its way: the next process delivers it."""

    class Slow(RecordingReply):
        async def finish(self, answer: object) -> None:
            self.wrote("!")
            await asyncio.Future()

    async with desk_of(tmp_path, ScriptedProvider()) as (desk, app):
        answering = asyncio.create_task(desk(asking(), reply := Slow()))
        await eventually(lambda: reply.text.endswith("!"))
        stopped = await desk.stop(ANN, "test:E1")
        answering.cancel()
        await asyncio.wait([answering])
        assert app.memory.durable is not None

        assert not stopped
        assert len(await app.memory.durable.resume("test")) == 1


async def test_a_chat_that_is_gone_when_its_answer_is_stopped_breaks_nothing(
    tmp_path: Path,
) -> None:
    """The next question must find the bot alive."""

    class Gone(RecordingReply):
        async def finish(self, answer: object) -> None:
            raise PlatformError("The chat is gone.", fix="")

    provider = ScriptedProvider({name: hangs() for name in "abc"})
    async with desk_of(tmp_path, provider) as (desk, _):
        answering = asyncio.create_task(desk(asking(), Gone()))
        await eventually(lambda: len(provider.running) == 2)
        await desk.stop(ANN, "test:E1")

        await answering


async def test_only_who_asked_or_manages_the_channel_stops_an_answer(tmp_path: Path) -> None:
    """In a channel of a thousand people one would always press the button."""
    provider = ScriptedProvider({name: hangs() for name in "abc"})
    async with desk_of(tmp_path, provider) as (desk, _):
        answering = asyncio.create_task(desk(asking(), RecordingReply()))
        await eventually(lambda: len(provider.running) == 2)
        with pytest.raises(Refused, match="Only who asked"):
            await desk.stop(BOB, "test:E1")
        with pytest.raises(Refused, match="another channel"):
            await desk.stop(ELSEWHERE, "test:E1")

        assert await desk.stop(BOSS, "test:E1")
        await answering
        assert not await desk.stop(ANN, "test:E1")


async def test_a_redelivery_does_not_take_the_stop_button_away(tmp_path: Path) -> None:
    """Slack delivers a message up to four times while its answer is being written."""
    provider = ScriptedProvider({name: hangs() for name in "abc"})
    async with desk_of(tmp_path, provider) as (desk, _):
        answering = asyncio.create_task(desk(asking(), RecordingReply()))
        await eventually(lambda: len(provider.running) == 2)
        again = RecordingReply()
        await desk(asking(), again)

        assert (again.answer, again.error) == (None, None)
        assert await desk.stop(ANN, "test:E1")
        await answering


async def test_retry_asks_all_models_anew_without_having_read_the_first_answer(
    tmp_path: Path,
) -> None:
    """An answer that nobody liked is no good start for the next."""
    provider = ScriptedProvider()
    async with desk_of(tmp_path, provider) as (desk, _):
        await desk(asking(), RecordingReply())
        entry = await desk.again(BOB, "test:E1", event_id="click-1")
        assert entry is not None
        reply = RecordingReply()
        await desk.answer(entry, reply)

        assert reply.answer is not None
        assert len(provider.prompts) == 6
        assert [turn.text for turn in provider.asked("b")[1].turns] == ["Why is the sky blue?"]
        assert entry.message.author == "U2"
        assert await desk.again(BOB, "test:E1", event_id="click-1") is None  # a double click


async def test_retry_shows_the_models_the_pictures_again(tmp_path: Path) -> None:
    """The question is about them."""
    provider = ScriptedProvider()
    picture = Attachment("a.png", "image/png", b"\x89PNG")
    async with desk_of(tmp_path, provider) as (desk, _):
        await desk(replace(asking(), attachments=(picture,)), RecordingReply())
        entry = await desk.again(BOB, "test:E1", event_id="click-1")

    assert entry is not None
    assert entry.message.attachments == (picture,)


async def test_retry_is_made_with_what_there_is_when_its_panel_is_gone(tmp_path: Path) -> None:
    """A renamed panel must not make the button useless on all that was answered before."""
    other = {"proposers": [{"model": "b"}], "hedge": False}
    panels = {"default": {"proposers": [{"model": "a"}], "hedge": False}, "other": other}
    async with desk_of(tmp_path, ScriptedProvider(), {"panels": panels}) as (desk, app):
        entry = await desk.accept(asking(), wish=ChannelSettings(panel="other", preset="fast"))
        assert entry is not None
        await desk.answer(entry, RecordingReply())
        app.adopt(
            app.config.model_copy(update={"panels": {"default": app.config.panels["default"]}})
        )
        entry = await desk.again(ANN, "test:E1", event_id="click-1")
        assert entry is not None
        reply = RecordingReply()
        await desk.answer(entry, reply)

    assert reply.answer is not None
    assert reply.answer.preset == "fast"


async def test_retry_after_a_crash_has_not_read_the_first_answer_either(tmp_path: Path) -> None:
    """The process may end between the click and the first call."""
    async with desk_of(tmp_path, ScriptedProvider()) as (desk, _):
        await desk(asking(), RecordingReply())
        await desk.again(BOB, "test:E1", event_id="click-1")
    async with desk_of(tmp_path, provider := ScriptedProvider()) as (desk, app):
        assert app.memory.durable is not None
        [entry] = await app.memory.durable.resume("test")
        await desk.answer(entry, RecordingReply())

    assert [turn.text for turn in provider.asked("b")[0].turns] == ["Why is the sky blue?"]


@pytest.mark.parametrize("way", ["deleted", "erased"])
async def test_what_is_forgotten_is_forgotten_wherever_it_was_asked_again(
    way: str, tmp_path: Path
) -> None:
    """Bob pressed the button, but the words are Ann's, and so is the right to take them back."""
    async with desk_of(tmp_path, ScriptedProvider()) as (desk, app):
        await desk(asking(), RecordingReply())
        for earlier, click in (("test:E1", "click-1"), ("test:click-1", "click-2")):
            entry = await desk.again(BOB, earlier, event_id=click)
            assert entry is not None
            await desk.answer(entry, RecordingReply())
        assert app.memory.store is not None
        if way == "deleted":
            await desk.amend("test:E1", None)
        else:
            assert await app.memory.store.erase(user="test:T1/U1") == (0, 0)

        assert list(await app.memory.store.turns(HERE, before=None, most=9)) == []
        assert list(await app.memory.store.steps("test:click-2")) == []
        with pytest.raises(QuestionRejected, match="no longer known"):
            await desk.again(BOB, "test:click-2", event_id="click-3")


async def test_an_edited_question_is_edited_wherever_it_was_asked_again(tmp_path: Path) -> None:
    """Models must not read two versions of one question."""
    async with desk_of(tmp_path, ScriptedProvider()) as (desk, app):
        await desk(asking(), RecordingReply())
        entry = await desk.again(BOB, "test:E1", event_id="click-1")
        assert entry is not None
        await desk.answer(entry, RecordingReply())
        await desk.amend("test:E1", "Why is it red?")
        assert app.memory.store is not None
        turns = await app.memory.store.turns(HERE, before=None, most=9)

    assert [turn.text for turn in turns if turn.role == "user"] == ["Why is it red?"] * 2


async def test_deeper_asks_with_the_next_preset(tmp_path: Path) -> None:
    """One more model than before, from the button."""
    async with desk_of(tmp_path, ScriptedProvider()) as (desk, _):
        await desk(asking(), RecordingReply())
        entry = await desk.again(ANN, "test:E1", event_id="click-1", deeper=True)
        assert entry is not None
        reply = RecordingReply()
        await desk.answer(entry, reply)

        assert reply.answer is not None
        assert (reply.answer.preset, len(reply.answer.proposals)) == ("thorough", 3)


async def test_the_deepest_preset_is_asked_again_as_it_is(tmp_path: Path) -> None:
    """The button promises no more than there is."""
    async with desk_of(tmp_path, ScriptedProvider()) as (desk, _):
        await desk(asking("E0"), reply := RecordingReply())
        for number in range(4):
            event, click = f"test:E{number}", f"E{number + 1}"
            entry = await desk.again(ANN, event, event_id=click, deeper=True)
            assert entry is not None
            await desk.answer(entry, reply := RecordingReply())

        assert reply.answer is not None
        assert reply.answer.preset == "max"


async def test_proposals_are_shown_where_the_question_was_asked_and_nowhere_else(
    tmp_path: Path,
) -> None:
    """A forged click from another channel must not read a private one."""
    async with desk_of(tmp_path, ScriptedProvider()) as (desk, _):
        await desk(asking(), RecordingReply())

        proposals = await desk.proposals(BOB, "test:E1")
        assert [(p.model, p.text) for p in proposals] == [("a", "a says so."), ("b", "b says so.")]
        with pytest.raises(Refused, match="another channel"):
            await desk.proposals(ELSEWHERE, "test:E1")
        with pytest.raises(QuestionRejected, match="no longer known"):
            await desk.proposals(ANN, "test:E404")


async def test_who_asked_goes_on_wherever_a_private_answer_came(tmp_path: Path) -> None:
    """It ends in their direct messages when its channel cannot have it; there is no other "there"."""
    ann = Asker(Scope("test", "dm", "D1", private=True), "U1")
    provider = ScriptedProvider({"a": [says("Because."), hangs()]})
    async with desk_of(tmp_path, provider) as (desk, _):
        await desk(replace(asking(), private=True, thread="p1"), RecordingReply())
        await desk.rate(ann, "test:E1", 1)
        again = await desk.again(ann, "test:E1", event_id="E2")
        assert again is not None
        answering = asyncio.create_task(desk.answer(again, RecordingReply()))
        await eventually(lambda: "a" in provider.running)
        stopped = await desk.stop(ann, "test:E2")
        await answering

        assert stopped
        assert len(await desk.proposals(ann, "test:E1")) == 2
        with pytest.raises(Refused, match="another channel"):
            await desk.proposals(replace(ann, author="U2"), "test:E1")


async def test_a_private_thread_is_left_alone_by_who_is_only_in_its_channel(
    tmp_path: Path,
) -> None:
    """They cannot read it. Where a platform tells no thread, all of the channel can."""
    beside = Asker(replace(HERE, thread="8"), "U2")  # a forged click says so
    inside = Asker(replace(HERE, thread="8", private=True), "U2")
    async with desk_of(tmp_path, ScriptedProvider()) as (desk, _):
        await desk(replace(asking(), private=True, thread="8"), RecordingReply())
        with pytest.raises(Refused, match="another thread"):
            await desk.rate(beside, "test:E1", -1)
        with pytest.raises(Refused, match="another thread"):
            await desk.again(beside, "test:E1", event_id="E2")

        assert len(await desk.proposals(inside, "test:E1")) == 2
        assert len(await desk.proposals(BOB, "test:E1")) == 2


async def test_a_rating_is_kept_with_its_reason(tmp_path: Path) -> None:
    """For whoever chooses the models."""
    async with desk_of(tmp_path, ScriptedProvider()) as (desk, app):
        await desk(asking(), RecordingReply())
        await desk.rate(BOB, "test:E1", 1)
        await desk.rate(BOB, "test:E1", -1, reason="Too long.")
        assert app.memory.store is not None
        opinions = await app.memory.store.opinions()

    assert [(o.who, o.verdict, o.reason) for o in opinions] == [("test:T1/U2", -1, "Too long.")]


async def test_a_change_holds_from_the_next_question_on_and_is_written_down(
    tmp_path: Path,
) -> None:
    """The next message sees it, and an administrator can ask who did it."""
    async with desk_of(tmp_path, ScriptedProvider()) as (desk, _):
        change = await desk.change(BOSS, "strategy", "single")
        reply = RecordingReply()
        await desk(asking(), reply)

        assert (change.before, change.after) == ("", '{"strategy":"single"}')
        assert change.who == "test:T1/U9"
        assert reply.answer is not None
        assert reply.answer.strategy == "single"
        with pytest.raises(Refused, match="who manage this place"):
            await desk.change(BOB, "strategy", "vote")


async def test_an_asker_without_a_channel_sets_for_the_workspace(tmp_path: Path) -> None:
    """As `Asker` says; what nobody reads would be set in vain."""
    boss = Asker(Scope("test", "T1", ""), "U9", manages=True)
    async with desk_of(tmp_path, ScriptedProvider()) as (desk, _):
        assert await desk.may_change(boss)
        change = await desk.change(boss, "strategy", "single")

        assert change.key == "test:T1"
        assert (await desk.settings(ANN)).strategy == "single"


async def test_spending_is_told_for_the_channel_of_the_asker_alone(tmp_path: Path) -> None:
    """What another channel asks and pays is not everybody's business."""
    async with desk_of(tmp_path, ScriptedProvider()) as (desk, _):
        await desk(asking(), RecordingReply())

        here = await desk.spending(ANN, by="model", since=0)
        elsewhere = await desk.spending(ELSEWHERE, by="model", since=0)

    assert {row.key: row.calls for row in here} == {"a": 2, "b": 1}
    assert list(elsewhere) == []


async def test_the_status_tells_what_is_under_way_and_which_model_rests(tmp_path: Path) -> None:
    """Somebody who waits wants to know whether it is them or the bot."""
    async with desk_of(tmp_path, ScriptedProvider()) as (desk, app):
        assert desk.status(ANN) == ["Answers under way: 0.", "No model rests."]
        breaker = app.answering.calls.models["b"].breaker
        for _ in range(5):
            breaker.failed(asyncio.get_running_loop().time())

        assert "The model b rests for" in desk.status(ANN)[1]


async def test_a_desk_without_a_database_says_so() -> None:
    """It could promise nothing of what a platform promises to people."""
    async with rehearsal(ScriptedProvider()) as app:
        with pytest.raises(StoreError, match="not open"):
            Desk(app.answering, app.memory)


async def test_who_is_shut_out_learns_nothing_either(tmp_path: Path) -> None:
    """Denied means denied: no usage, no settings, no state."""
    provider = ScriptedProvider()
    denied = {"admission": {"deny": {"users": ["test:T1/U2"]}}}
    async with desk_of(tmp_path, provider, denied) as (desk, _):
        for ask in (
            lambda: desk.settings(BOB),
            lambda: desk.spending(BOB, by="model", since=0),
            lambda: desk.change(BOB, "strategy", "vote"),
            lambda: desk.proposals(BOB, "test:E1"),
        ):
            with pytest.raises((Refused, QuestionRejected)):
                await ask()
        with pytest.raises(Refused, match="You may not use this bot"):
            desk.status(BOB)
        assert not await desk.may_change(BOB)


async def test_a_full_bot_refuses_what_is_new_and_keeps_nothing_of_it(tmp_path: Path) -> None:
    """A flood must end in sentences, not in memory or rows; who waits already is not refused."""
    narrow = {"admission": {"at_once": 1, "waiting": 1}}
    async with desk_of(tmp_path, ScriptedProvider(), narrow) as (desk, app):
        first = await accepted(desk, asking("E1"))
        await accepted(desk, asking("E2"))
        with pytest.raises(Refused, match=r"2 questions are not answered yet\. Ask again"):
            await desk.accept(asking("E3"))
        again = await desk.accept(asking("E1"))
        assert app.memory.store is not None
        row = await app.memory.store.accepted("test:E3")
        await desk.answer(first, RecordingReply())
        later = await desk.accept(asking("E4"))

    assert again is None
    assert row is None
    assert later is not None


async def test_what_a_lost_platform_has_accepted_takes_no_place_from_the_others(
    tmp_path: Path,
) -> None:
    """It is answered by the next process; until then the bot would be fuller than it is."""
    narrow = {"admission": {"at_once": 1, "waiting": 1}}
    async with desk_of(tmp_path, ScriptedProvider(), narrow) as (desk, _):
        await accepted(desk, asking("E1"))
        await accepted(desk, replace(asking("E2"), platform="other"))
        desk.lost("other")
        later = await desk.accept(asking("E3"))
        with pytest.raises(Refused, match="2 questions are not answered yet"):
            await desk.accept(asking("E4"))

    assert later is not None


async def test_who_asks_too_often_is_refused_before_anything_is_kept(tmp_path: Path) -> None:
    """A flood leaves no rows; what was let in is neither counted nor refused when it comes again."""
    strict = {"admission": {"user_per_minute": 2}}
    async with desk_of(tmp_path, ScriptedProvider(), strict) as (desk, _):
        await accepted(desk, asking("E1"))
        assert await desk.accept(asking("E1")) is None
        await accepted(desk, asking("E2"))
        with pytest.raises(Refused, match="as many as are allowed"):
            await desk.accept(asking("E3"))
        assert await desk.accept(asking("E1")) is None
    async with desk_of(tmp_path, ScriptedProvider(), strict) as (desk, _):
        left = await desk.left("test")

    assert [entry.message.event_id for entry in left] == ["E1", "E2"]
