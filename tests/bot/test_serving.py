"""A platform is run so that a stop loses nothing, and an early acknowledgement promises nothing false."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from moabot.app import App
from moabot.config import parse
from moabot.contract import Answer, Message, Scope
from moabot.desk import Desk
from moabot.errors import ConfigError, MoabotError, PlatformError, StoreError
from moabot.journal import DurableJournal, Entry
from moabot.memory import Keep
from moabot.plugins import Plugins
from moabot.retention import expiring
from moabot.serving import opened_platforms, serve
from moabot.store.rows import Kind
from moabot.store.settings import KeepDays
from moabot.testing import RecordingReply, ScriptedProvider, rehearsal, says


class Reply(RecordingReply):
    """A reply that may find the chat gone."""

    def __init__(self, *, gone: bool = False) -> None:
        super().__init__()
        self._gone = gone

    async def finish(self, answer: Answer) -> None:
        """Post, if there is a chat."""
        if self._gone:
            raise PlatformError("The chat is gone.", fix="")
        await super().finish(answer)


@dataclass
class Chat:
    """Delivers `events` and then waits, or ends, or breaks."""

    events: Sequence[str] = ()
    then: str = "waits"
    gone: bool = False
    replies: dict[str, Reply] = field(default_factory=dict[str, Reply])
    receipts: dict[str, str] = field(default_factory=dict[str, str])
    delivered: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, desk: Desk) -> None:
        """Deliver each event in a task of its own."""
        async with asyncio.TaskGroup() as group:
            for event in self.events:
                message = Message("test", "T1", "C1", "U1", f"{event}?", event, thread=event)
                self.replies[event] = Reply(gone=self.gone)
                group.create_task(desk(message, self.replies[event]))
            self.delivered.set()
            if self.then == "waits":
                await asyncio.Event().wait()
            if self.then == "breaks":
                await asyncio.sleep(0.05)
                raise PlatformError("The socket broke.", fix="")

    def reply_to(self, entry: Entry) -> Reply:
        """A reply to what was asked in an earlier life."""
        event = entry.message.event_id
        self.receipts[event] = entry.receipt
        return self.replies.setdefault(event, Reply())


@dataclass
class Life:
    """The bot, and what runs its platform."""

    app: App
    journal: DurableJournal
    desk: Desk

    async def serve(self, chat: Chat, *, drain_s: float = 5.0) -> Mapping[str, MoabotError]:
        """Run the chat."""
        return await serve({"test": chat}, self.desk, drain_s=drain_s)


@asynccontextmanager
async def life(folder: Path, provider: ScriptedProvider | None = None) -> AsyncGenerator[Life]:
    """One process of the bot."""
    tables = {"data_dir": str(folder), "defaults": {"strategy": "single", "preset": "fast"}}
    panel = {"hedge": False}
    async with rehearsal(provider or ScriptedProvider(), tables, panel=panel, keep="all") as app:
        assert app.memory.durable is not None
        yield Life(app, app.memory.durable, Desk(app.answering, app.memory))


def stop() -> None:
    """What systemd, Docker and Kubernetes do first."""
    os.kill(os.getpid(), signal.SIGTERM)


async def test_after_sigterm_answers_under_way_are_finished(tmp_path: Path) -> None:
    """An update of the bot must not cost anybody an answer."""
    chat = Chat(["E1", "E2"])
    async with life(tmp_path, ScriptedProvider({"a": says("A.", seconds=0.05)})) as bot:
        serving = asyncio.create_task(bot.serve(chat))
        await chat.delivered.wait()
        await asyncio.sleep(0.02)
        stop()
        await serving

    assert [reply.answer is not None for reply in chat.replies.values()] == [True, True]


async def test_what_is_not_finished_in_time_is_left_to_the_next_process(tmp_path: Path) -> None:
    """With no try counted, and nobody told that it was stopped."""
    chat = Chat(["E1", "E2"])
    async with life(tmp_path, ScriptedProvider({"a": says("never", seconds=9)})) as bot:
        serving = asyncio.create_task(bot.serve(chat, drain_s=0.01))
        await chat.delivered.wait()
        await asyncio.sleep(0.05)
        stop()
        await serving
    later = Chat()
    async with life(tmp_path) as bot:
        assert bot.app.memory.store is not None
        serving = asyncio.create_task(bot.serve(later))
        await later.delivered.wait()
        stop()
        await serving

    assert [(r.answer, r.error) for r in chat.replies.values()] == [(None, None)] * 2
    assert {event for event, reply in later.replies.items() if reply.answer} == {"E1", "E2"}


async def test_nothing_new_is_taken_while_the_bot_stops(tmp_path: Path) -> None:
    """What is not acknowledged is delivered again, to the next process."""
    async with life(tmp_path) as bot:
        await bot.desk.close(within_s=0)
        reply = RecordingReply()
        message = Message("test", "T1", "C1", "U1", "Late?", "E9")

        assert await bot.desk.accept(message) is None
        await bot.desk(message, reply)
        assert (reply.answer, reply.error) == (None, None)
        assert list(await bot.journal.resume("test")) == []


async def test_a_platform_that_breaks_leaves_its_answers_to_the_next_process(
    tmp_path: Path,
) -> None:
    """Its failure cancels all answers, and no person had asked for that."""
    chat = Chat(["E1"], then="breaks")
    async with life(tmp_path, ScriptedProvider({"a": says("never", seconds=9)})) as bot:
        lost = await bot.serve(chat)
    async with life(tmp_path) as bot:
        left = await bot.journal.resume("test")

    assert [error.what for error in lost.values()] == ["The socket broke."]
    assert [entry.message.event_id for entry in left] == ["E1"]


async def test_what_a_lost_platform_accepted_and_never_began_takes_no_place(tmp_path: Path) -> None:
    """The others go on, and would refuse people for questions that nobody answers here."""

    class Losing(Chat):
        async def run(self, desk: Desk) -> None:
            """Accept one, and break before its answer begins."""
            await desk.accept(Message("test", "T1", "C1", "U1", "Why?", "E1"))
            raise PlatformError("The socket broke.", fix="")

    async with life(tmp_path) as bot:
        lost = await bot.serve(Losing())

        assert list(lost) == ["test"]
        assert bot.desk._unanswered == set()
        assert [entry.message.event_id for entry in await bot.journal.resume("test")] == ["E1"]


async def test_a_platform_that_ends_ends_the_serving(tmp_path: Path) -> None:
    """The end of input in a pipe, say."""
    chat = Chat(["E1"], then="ends")
    async with life(tmp_path) as bot, asyncio.timeout(10):
        await bot.serve(chat)

    assert chat.replies["E1"].answer is not None


async def test_an_answer_that_the_chat_did_not_take_is_delivered_later(tmp_path: Path) -> None:
    """It was paid for; the chat will be back."""
    provider = ScriptedProvider()
    async with life(tmp_path, provider) as bot, asyncio.timeout(10):
        await bot.serve(Chat(["E1"], then="ends", gone=True))
    later = Chat(then="ends")
    async with life(tmp_path, provider) as bot, asyncio.timeout(10):
        await bot.serve(later)

    assert len(provider.prompts) == 1
    assert later.replies["E1"].answer is not None


async def test_the_post_of_an_earlier_process_is_known_by_its_receipt(tmp_path: Path) -> None:
    """A placeholder that stands in the chat is edited, not posted a second time."""
    async with life(tmp_path) as bot:
        entry = await bot.desk.accept(Message("test", "T1", "C1", "U1", "Why?", "E1"))
        assert entry is not None
        await bot.desk.posted(entry, "1700000000.42")
    later = Chat(then="ends")
    async with life(tmp_path) as bot, asyncio.timeout(10):
        await bot.serve(later)

    assert later.receipts == {"E1": "1700000000.42"}


async def test_an_edit_and_a_deletion_are_honoured_by_the_next_answer(tmp_path: Path) -> None:
    """Models must not be told what a person took back."""
    provider = ScriptedProvider()
    async with life(tmp_path, provider) as bot:
        for event, text in (("E1", "My name is Ann."), ("E2", "My pin is 1234."), ("E3", "Well?")):
            if event == "E3":
                await bot.desk.amend("test:E1", "My name is Anne.")
                await bot.desk.amend("test:E2", None)
            message = Message("test", "T1", "C1", "U1", text, event)
            await bot.desk(message, RecordingReply())

    texts = [turn.text for turn in provider.prompts[-1][1].turns]
    assert texts == ["My name is Anne.", "a says so.", "Well?"]


async def test_what_is_older_than_it_may_be_is_deleted(tmp_path: Path) -> None:
    """Without anybody having to remember it."""
    async with life(tmp_path) as bot:
        await bot.desk(Message("test", "T1", "C1", "U1", "Old?", "E1"), RecordingReply())
        assert bot.app.memory.store is not None
        old = time.time() + 91 * 86_400
        await bot.app.memory.store.expire({"turns": old - 90 * 86_400, "inbox": old})
        scope = Scope("test", "T1", "C1")

        assert list(await bot.app.memory.store.turns(scope, before=None, most=9)) == []
        assert await bot.desk.accept(Message("test", "T1", "C1", "U1", "Old?", "E1")) is not None


@pytest.mark.parametrize("keep", ["spending", "all"])
async def test_what_is_old_goes_though_nobody_asks_anything(tmp_path: Path, keep: Keep) -> None:
    """A quiet bot has promised it too, and so has `moabot ask` with its ledger."""
    tables = {"data_dir": str(tmp_path), "defaults": {"strategy": "single", "preset": "fast"}}
    async with life(tmp_path) as bot:
        await bot.desk(Message("test", "T1", "C1", "U1", "Old?", "E1"), RecordingReply())
    with closing(sqlite3.connect(tmp_path / "moabot.db", isolation_level=None)) as outside:
        outside.execute("UPDATE turns SET at = at - 401 * 86400")
        outside.execute("UPDATE ledger SET at = at - 401 * 86400")
    async with rehearsal(ScriptedProvider(), tables, keep=keep) as app:
        assert app.memory.store is not None
        await asyncio.sleep(0)
        await app.memory.store.expire({})  # written after all that was to be written before
        turns = await app.memory.store.turns(Scope("test", "T1", "C1"), before=None, most=9)
        spent = await app.memory.store.spending("user", since=0)

    assert [*turns, *spent] == []


@pytest.mark.virtual_time
async def test_rows_that_could_not_be_deleted_are_deleted_an_hour_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A promise that fails is said, and not forgotten for a day."""
    hours = list[float]()

    async def expire(before: Mapping[Kind, float]) -> int:
        hours.append(asyncio.get_running_loop().time() / 3600)
        if len(hours) == 1:
            raise StoreError("The disk is full.", fix="Make room.")
        return len(before)

    async with expiring(expire, KeepDays()):
        await asyncio.sleep(26 * 3600)

    assert [round(each - hours[0]) for each in hours] == [0, 1, 25]
    assert [record.message for record in caplog.records] == ["old rows stay for now"]


async def test_threads_are_resumed_in_their_order(tmp_path: Path) -> None:
    """A follow-up that is answered before its question makes no sense."""
    async with life(tmp_path) as bot:
        for number in range(6):
            thread = f"t{number % 2}"
            message = Message("test", "T1", "C1", "U1", f"{number}?", f"E{number}", thread=thread)
            await bot.desk.accept(message)
    provider = ScriptedProvider()
    later = Chat(then="ends")
    async with life(tmp_path, provider) as bot, asyncio.timeout(10):
        await bot.serve(later)

    asked = [prompt.turns[-1].text for _, prompt in provider.prompts]
    assert [text for text in asked if int(text[0]) % 2 == 0] == ["0?", "2?", "4?"]
    assert [text for text in asked if int(text[0]) % 2] == ["1?", "3?", "5?"]


async def leave_three(folder: Path) -> None:
    """A process that ends with three questions of the thread E9 unanswered."""
    async with life(folder) as bot:
        for number in range(3):
            message = Message("test", "T1", "C1", "U1", f"{number}?", f"E{number}", thread="E9")
            await bot.desk.accept(message)


async def test_a_new_question_comes_after_all_that_were_left_of_its_thread(tmp_path: Path) -> None:
    """It was asked after them, and may mean their answers."""
    await leave_three(tmp_path)
    provider = ScriptedProvider({"a": says("A.", seconds=0.01)})
    async with life(tmp_path, provider) as bot, asyncio.timeout(10):
        await bot.serve(Chat(["E9", "E10"], then="ends"))
        assert bot.app.admission._queue._lines == {}

    asked = [prompt.turns[-1].text for _, prompt in provider.prompts]
    assert [text for text in asked if text != "E10?"] == ["0?", "1?", "2?", "E9?"]
    assert asked.index("E10?") < 2  # another thread waits for nobody


async def test_a_stop_waits_for_what_was_left_too(tmp_path: Path) -> None:
    """Between two of them nothing is under way, but the bot is not done."""
    await leave_three(tmp_path)
    later = Chat()
    async with life(tmp_path, ScriptedProvider({"a": says("A.", seconds=0.02)})) as bot:
        serving = asyncio.create_task(bot.serve(later))
        await later.delivered.wait()
        stop()
        await serving

    assert [event for event, reply in later.replies.items() if reply.answer] == ["E0", "E1", "E2"]


class Unread(Desk):
    """A desk whose database breaks at the worst time."""

    async def left(self, platform: str) -> Sequence[Entry]:
        """Fail."""
        raise StoreError("The disk is full.", fix="Make room.")


async def test_a_database_that_cannot_be_read_is_one_error(tmp_path: Path) -> None:
    """A group of errors would be shown as a traceback, which tells nobody to make room."""
    async with life(tmp_path) as bot:
        bot.desk = Unread(bot.app.answering, bot.app.memory)
        with pytest.raises(StoreError, match="The disk is full"):
            await bot.serve(Chat())


async def test_when_no_platform_is_left_the_reason_is_told() -> None:
    """The only one may be of a plugin that was left out."""
    plugins = Plugins(allow=["acme-chat"], built_in=(), installed=())
    with pytest.raises(ConfigError, match=r"nothing to run.*no plugin offers the platform 'acme'"):
        async with opened_platforms(parse({"platforms": {"acme": {}}}, source="here"), plugins):
            pass


@pytest.mark.parametrize("moved_s", [-3600, 3600], ids=["back", "forward"])
async def test_a_clock_that_jumps_an_hour_changes_nothing(
    tmp_path: Path, moved_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Summer time set wrongly, a machine without a battery: no answer is lost or given twice."""
    provider, real = ScriptedProvider(), time.time
    async with life(tmp_path, provider) as bot, asyncio.timeout(10):
        await bot.desk.accept(Message("test", "T1", "C1", "U1", "Left?", "E0", thread="a"))
        await bot.serve(Chat(["E1"], then="ends"))
    monkeypatch.setattr(time, "time", lambda: real() + moved_s)
    later = Chat(["E1", "E2"], then="ends")
    async with life(tmp_path, provider) as bot, asyncio.timeout(10):
        await bot.serve(later)

    answered = {event for event, reply in later.replies.items() if reply.answer}
    assert answered == {"E2"}
    assert len(provider.prompts) == 3
