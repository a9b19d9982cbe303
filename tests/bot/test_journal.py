"""A message is taken once, a call paid once, an answer given once, whenever the process ends."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from moabot.app import App
from moabot.config import ChannelSettings
from moabot.contract import Answer, Message, Usage
from moabot.desk import Desk
from moabot.errors import MoabotError, PlatformError, ProviderRejected, StoreError
from moabot.journal import Entry
from moabot.memory import Keep
from moabot.store.sqlite import SqliteStore
from moabot.testing import RecordingReply, Said, ScriptedProvider, rehearsal, says

Panel = Mapping[str, object]


def asking(event: str = "E1", *, text: str = "Why is the sky blue?") -> Message:
    """A person asks in a thread."""
    return Message("test", "T1", "C1", "U1", text, event, thread="th")


class Chat:
    """Makes replies, and keeps them by event."""

    def __init__(self) -> None:
        self.replies: dict[str, RecordingReply] = {}

    def reply_to(self, entry: Entry) -> RecordingReply:
        """A new reply."""
        return self.replies.setdefault(entry.message.event_id, RecordingReply())

    def answer(self, event: str = "E1") -> Answer:
        """What was answered."""
        answer = self.replies[event].answer
        assert answer is not None
        return answer


@asynccontextmanager
async def life(
    data_dir: Path,
    provider: ScriptedProvider,
    *,
    keep: Keep = "all",
    panel: Panel | None = None,
    **tables: object,
) -> AsyncGenerator[App]:
    """One process of the bot."""
    more = {"quorum": 2, "grace_s": 0.01, "hedge": False, "tries": 1, **(panel or {})}
    own = {"data_dir": str(data_dir), **tables}
    async with rehearsal(provider, own, panel=more, keep=keep) as app:
        yield app


async def eventually(what: Callable[[], bool]) -> None:
    """Wait for something that a scripted provider tells nobody of."""
    for _ in range(5000):
        if what():
            return
        await asyncio.sleep(0.001)
    pytest.fail("It never came to that.")


async def until(app: App, provider: ScriptedProvider, *, calls: int) -> None:
    """Ask, and let the process be stopped as soon as `calls` calls have been made."""
    assert app.memory.durable is not None
    desk = Desk(app.answering, app.memory)
    task = asyncio.create_task(desk(asking(), RecordingReply()))
    await eventually(lambda: len(provider.prompts) == calls and len(provider.running) < 2)
    await desk.close(within_s=0)
    task.cancel()
    await asyncio.wait([task])


async def resumed(app: App) -> Chat:
    """Finish what was left."""
    assert app.memory.durable is not None
    chat = Chat()
    left = await app.memory.durable.resume("test")
    await Desk(app.answering, app.memory).finish_all(left, chat.reply_to)
    return chat


def asked(provider: ScriptedProvider) -> list[str]:
    """Which models were asked, in order."""
    return [model for model, _ in provider.prompts]


async def test_finished_calls_are_not_paid_again_after_a_restart(tmp_path: Path) -> None:
    """Three proposals were paid; only the synthesizer, which was still writing, is asked again."""
    first = ScriptedProvider({"a": [says("A says so."), says("never", seconds=9)]})
    async with life(tmp_path, first) as app:
        await until(app, first, calls=4)
    second = ScriptedProvider({"a": says("The synthesis.")})
    async with life(tmp_path, second) as app:
        chat = await resumed(app)

    assert asked(first) == ["a", "b", "c", "a"]
    assert asked(second) == ["a"]
    assert first.prompts[-1] == second.prompts[-1]  # fenced with the same tags, in the same order
    assert chat.answer().text == "The synthesis."
    assert {p.text for p in chat.answer().proposals} == {"A says so.", "b says so.", "c says so."}


async def test_the_answer_counts_what_it_cost_and_the_ledger_counts_it_once(tmp_path: Path) -> None:
    """The person sees the whole price; the bookkeeper sees no call twice."""
    first = ScriptedProvider({"a": [says("A says so."), says("never", seconds=9)]})
    async with life(tmp_path, first) as app:
        await until(app, first, calls=4)
    async with life(tmp_path, ScriptedProvider()) as app:
        chat = await resumed(app)
        assert app.memory.store is not None
        rows = await app.memory.store.spending("strategy", since=0)

    assert chat.answer().usage.calls == 4
    assert [(row.key, row.calls, row.answers) for row in rows] == [("mixture", 5, 1)]  # 1 cut off


async def test_an_answer_that_was_ready_is_delivered_without_any_call(tmp_path: Path) -> None:
    """Killed between the last call and the post: the words are those that were paid for."""

    class Unreachable(RecordingReply):
        """A chat that hangs when it is given the answer."""

        async def finish(self, answer: Answer) -> None:
            """Hang."""
            ready.set()
            await asyncio.Event().wait()

    ready = asyncio.Event()
    async with life(tmp_path, ScriptedProvider()) as app:
        assert app.memory.durable is not None
        desk = Desk(app.answering, app.memory)
        task = asyncio.create_task(desk(asking(), Unreachable()))
        await ready.wait()
        task.cancel()
        await asyncio.wait([task])
    second = ScriptedProvider()
    async with life(tmp_path, second) as app:
        chat = await resumed(app)

    assert asked(second) == []
    assert chat.answer().text == "a says so."


async def test_a_straggler_that_was_stopped_is_not_asked_again(tmp_path: Path) -> None:
    """Its late answer would change the prompt of the synthesizer, which then is paid again."""
    slow = says("never", seconds=9)
    first = ScriptedProvider({"c": slow, "a": [says("A."), slow]})
    async with life(tmp_path, first) as app:
        await until(app, first, calls=4)
    second = ScriptedProvider({"a": says("Done.")})
    async with life(tmp_path, second) as app:
        chat = await resumed(app)

    assert asked(second) == ["a"]
    assert [c.model for c in chat.answer().cancelled] == ["c"]


async def test_a_model_that_failed_is_not_asked_again(tmp_path: Path) -> None:
    """Nor may its recovery change the prompt of whoever came after it."""
    no = ProviderRejected("No.", provider="scripted", model="c")
    first = ScriptedProvider({"c": says(error=no), "a": [says("A."), says("never", seconds=9)]})
    async with life(tmp_path, first) as app:
        await until(app, first, calls=4)
    second = ScriptedProvider({"a": says("Done.")})
    async with life(tmp_path, second) as app:
        chat = await resumed(app)

    assert asked(second) == ["a"]
    assert [f.model for f in chat.answer().failures] == ["c"]


async def test_whoever_removes_a_proposer_meanwhile_still_gets_the_answer(tmp_path: Path) -> None:
    """What is still asked the same is known by its prompt, though its slot has moved."""
    first = ScriptedProvider({"a": [says("A."), says("never", seconds=9)]})
    async with life(tmp_path, first) as app:
        await until(app, first, calls=4)
    second = ScriptedProvider({"b": [says("no"), says("Done.")]})
    fewer = {"proposers": [{"model": "b"}, {"model": "c"}]}
    gone = {"strategy": "single"}
    async with life(tmp_path, second, panel=fewer, defaults=gone) as app:
        chat = await resumed(app)

    assert asked(second)[:1] == ["b"]
    assert {p.text for p in chat.answer().proposals} >= {"b says so.", "c says so."}
    assert chat.answer().strategy == "mixture"  # as it was begun


async def test_a_strategy_that_is_gone_after_the_restart_is_replaced(tmp_path: Path) -> None:
    """An administrator renamed it while the bot was down; the question still wants an answer."""
    first = ScriptedProvider({"a": says("never", seconds=9)})
    own = {"mine": {"plugin": "single"}}
    async with life(tmp_path, first, strategies=own, defaults={"strategy": "mine"}) as app:
        await until(app, first, calls=1)
    async with life(tmp_path, ScriptedProvider()) as app:
        chat = await resumed(app)

    assert chat.answer().strategy == "mixture"


async def test_a_person_who_stops_an_answer_does_not_get_it_after_a_restart(tmp_path: Path) -> None:
    """Ctrl-C and the stop button mean it; only the bot's own end leaves work behind."""
    provider = ScriptedProvider({"a": says("never", seconds=9)})
    async with life(tmp_path, provider) as app:
        assert app.memory.durable is not None
        app.memory.durable.stop(asking())
        task = asyncio.create_task(app.answering.handle(asking(), RecordingReply()))
        await eventually(lambda: bool(provider.running))
        task.cancel()
        await asyncio.wait([task])
    async with life(tmp_path, ScriptedProvider()) as app:
        chat = await resumed(app)

    assert chat.replies == {}


async def test_a_question_that_ends_three_processes_is_given_up_and_listed(tmp_path: Path) -> None:
    """A question that crashes the bot must not do so for ever; somebody has to look at it."""
    stuck = ScriptedProvider({"a": says("never", seconds=9)})
    async with life(tmp_path, stuck) as app:
        await until(app, stuck, calls=3)
    for _ in range(2):
        async with life(tmp_path, stuck) as app:
            assert app.memory.durable is not None
            assert [e.given_up for e in await app.memory.durable.resume("test")] == [False]
    async with life(tmp_path, ScriptedProvider()) as app:
        chat = await resumed(app)
        assert app.memory.store is not None
        dead = await app.memory.store.dead()

    assert "given up" in str(chat.replies["E1"].error)
    assert [row.event for row in dead] == ["test:E1"]


async def test_a_question_of_whom_nobody_can_tell_is_given_up_too(tmp_path: Path) -> None:
    """Where a chat is gone, it would else be tried at each start, for ever."""

    class Gone(RecordingReply):
        """A chat that takes nothing any more."""

        async def sorry(self, error: MoabotError, *, reference: str) -> None:
            """Raise."""
            raise PlatformError("There is no such chat.", fix="None.")

    stuck = ScriptedProvider({"a": says("never", seconds=9)})
    async with life(tmp_path, stuck) as app:
        await until(app, stuck, calls=3)
    left: Sequence[Entry] = ()
    for _ in range(3):
        async with life(tmp_path, stuck) as app:
            assert app.memory.durable is not None
            left = await app.memory.durable.resume("test")
    async with life(tmp_path, ScriptedProvider()) as app:
        await Desk(app.answering, app.memory).finish_all(left, lambda _: Gone())
        assert app.memory.durable is not None
        again = await app.memory.durable.resume("test")

    assert [entry.given_up for entry in left] == [True]
    assert list(again) == []


async def test_ten_thousand_deliveries_of_a_hundred_events_run_a_hundred_times(
    tmp_path: Path,
) -> None:
    """Chats repeat what they think was not heard, also to the next process."""
    asyncio.get_running_loop().set_debug(False)  # which is fifty times as slow
    provider = ScriptedProvider()
    wish = {"strategy": "single", "preset": "fast", "stream": False}
    replies: list[RecordingReply] = []
    for _ in range(4):
        async with life(tmp_path, provider, defaults=wish) as app, asyncio.TaskGroup() as group:
            for number in range(2500):
                replies.append(RecordingReply())
                event = f"E{number % 100}"
                message = Message("test", "T1", "C1", event, "Why?", event, thread=event)
                group.create_task(app.answering.handle(message, replies[-1]))

    assert len(provider.prompts) == 100
    assert sum(reply.answer is not None for reply in replies) == 100


async def test_threads_are_remembered_over_a_restart(tmp_path: Path) -> None:
    """A follow-up an hour later, after an update of the bot, must make sense."""
    single = {"strategy": "single", "preset": "fast"}
    async with life(tmp_path, ScriptedProvider(), defaults=single) as app:
        await app.answering.handle(asking("E1"), RecordingReply())
    second = ScriptedProvider()
    async with life(tmp_path, second, defaults=single) as app:
        await app.answering.handle(asking("E2", text="And at night?"), RecordingReply())

    [(_, prompt)] = second.prompts
    assert [turn.text for turn in prompt.turns] == [
        "Why is the sky blue?",
        "a says so.",
        "And at night?",
    ]


async def test_a_full_disk_refuses_new_questions_and_answers_those_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What was promised is kept from memory; what is new hears why not; room heals it all."""
    provider = ScriptedProvider({"a": says("A" * 50_000, seconds=0.05)})
    async with life(tmp_path, provider) as app:
        store = app.memory.store
        assert store is not None
        first, second, third = RecordingReply(), RecordingReply(), RecordingReply()
        task = asyncio.create_task(app.answering.handle(asking("E1"), first))
        await eventually(lambda: bool(provider.running))
        _room(app, pages=1)
        await app.answering.handle(asking("E2", text="x" * 50_000), second)
        await task
        _room(app, pages=1_000_000)
        await app.answering.handle(asking("E3"), third)
        rows = await store.spending("strategy", since=0)

    assert first.answer is not None
    assert isinstance(second.error, StoreError)
    assert "no room on its disk" in str(second.error)
    assert third.answer is not None
    assert [row.calls for row in rows] == [len(provider.prompts)]  # also those refused at first
    assert any(r.levelno == logging.ERROR and r.msg == "memory fails" for r in caplog.records)
    async with life(tmp_path, ScriptedProvider()) as app:
        assert (await resumed(app)).replies == {}


async def test_what_no_database_takes_is_given_up_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Tried again with every message, it would spoil the commit of whoever writes beside it."""
    dear = {"a": {"provider": "scripted", "name": "a", "price": {"input": 1, "output": 1}}}
    absurd = Said("Yes.", usage=Usage(1, 2**62, 0, 1))
    provider = ScriptedProvider({"a": [absurd, says("No.")]})
    panel = {"proposers": [{"model": "a"}], "quorum": 1}
    async with life(tmp_path, provider, panel=panel, models=dear) as app:
        for event in ("E1", "E2", "E3"):
            await app.answering.handle(
                asking(event), RecordingReply(), wish=ChannelSettings(strategy="single")
            )
        assert app.memory.store is not None
        rows = await app.memory.store.spending("strategy", since=0)

    assert [record.message for record in caplog.records] == ["memory fails"]
    assert "A row cannot be written" in str(vars(caplog.records[0])["error"])
    assert [row.calls for row in rows] == [2]


def _room(app: App, *, pages: int) -> None:
    assert isinstance(app.memory.store, SqliteStore)
    app.memory.store._writer._connection.execute(f"PRAGMA max_page_count = {pages}")


async def test_a_command_goes_on_without_memory_and_says_so(tmp_path: Path) -> None:
    """A question at the terminal must not fail because a disk is read-only."""
    (tmp_path / "file").touch()
    async with life(tmp_path / "file" / "data", ScriptedProvider(), keep="spending") as app:
        reply = RecordingReply()
        await app.answering.handle(asking(), reply)

    assert reply.answer is not None
    assert "Set data_dir to a directory" in str(app.memory.problem)


@pytest.mark.parametrize("keep", ["spending", "most"])
async def test_a_chat_beside_a_running_bot_still_counts_what_it_spends(
    tmp_path: Path, keep: Keep
) -> None:
    """Only one may own the journal; the ledger belongs to all."""
    provider = ScriptedProvider()
    async with life(tmp_path, provider) as bot, life(tmp_path, provider, keep=keep) as other:
        await other.answering.handle(asking(), RecordingReply())
        await other.answering.handle(asking("E2"), RecordingReply())
        assert other.memory.durable is None
        assert (other.memory.problem is None) == (keep == "spending")
    async with life(tmp_path, provider) as bot:
        assert bot.memory.store is not None
        rows = await bot.memory.store.spending("user", since=0)

    assert [(row.key, row.answers) for row in rows] == [("test:T1/U1", 2)]


async def test_secrets_are_in_no_file_and_no_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A database is copied, a log is sent to strangers."""
    monkeypatch.setenv("UP_KEY", "canary-5e1f")
    caplog.set_level(logging.DEBUG)
    own = {"up": {"plugin": "scripted"}, "scripted": {"plugin": "scripted"}}
    async with life(tmp_path, ScriptedProvider(), providers=own) as app:
        await app.answering.handle(asking(), RecordingReply())

    assert "canary-5e1f" not in caplog.text
    assert b"canary-5e1f" not in _bytes_in(tmp_path)


def _bytes_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_spending_that_cannot_be_counted_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An administrator who trusts the sums must hear that they lack something."""
    provider = ScriptedProvider()
    async with life(tmp_path, provider, keep="spending") as app:
        _room(app, pages=1)
        for number in range(60):
            await app.answering.handle(asking(f"E{number}"), RecordingReply())

    assert "spending not counted" in caplog.text


async def test_a_call_that_was_cut_off_is_counted_as_an_estimate(tmp_path: Path) -> None:
    """The vendor bills what it wrote before we hung up; nobody tells us how much."""
    provider = ScriptedProvider({"a": says("never", seconds=9)})
    hasty = {"call_timeout_s": 0.05, "quorum": 3, "fallback": ["b"]}
    async with life(tmp_path, provider, panel=hasty) as app:
        assert app.memory.store is not None
        await app.answering.handle(asking(), RecordingReply())
        rows = await app.memory.store.spending("model", since=0)

    assert {row.key: row.calls for row in rows}["a"] == 1


async def test_a_bot_that_must_remember_does_not_start_without_memory(tmp_path: Path) -> None:
    """A chat platform promises its users that nothing is lost."""
    async with life(tmp_path, ScriptedProvider()):
        with pytest.raises(StoreError, match="Stop that one first"):
            async with life(tmp_path, ScriptedProvider()):
                pytest.fail("it was let in")


async def test_a_plan_of_another_version_is_passed_over(tmp_path: Path) -> None:
    """An update may rename a setting; the question was asked all the same."""
    async with life(tmp_path, ScriptedProvider()) as app:
        assert app.memory.durable is not None
        assert await app.memory.durable.accept(asking(), ChannelSettings()) is not None
    with closing(sqlite3.connect(tmp_path / "moabot.db")) as connection:
        connection.execute('UPDATE inbox SET plan = \'{"mood": "good"}\'')
        connection.commit()
    async with life(tmp_path, ScriptedProvider()) as app:
        chat = await resumed(app)

    assert chat.answer().strategy == "mixture"
