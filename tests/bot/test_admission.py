"""One door for every way in: who may ask, in which order, how often; and a refusal helps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from moabot.access import AdmissionSettings
from moabot.admission import Admission
from moabot.app import App
from moabot.config import Defaults
from moabot.contract import Message, Prompt
from moabot.errors import Refused
from moabot.rates import Rates
from moabot.testing import RecordingReply, Said, ScriptedProvider, hangs, rehearsal, says

RULES = Defaults()
SINGLE = {"defaults": {"strategy": "single", "preset": "fast", "stream": False}}


def asking(event: str = "E1", *, author: str = "U1", thread: str = "th") -> Message:
    """A person asks in a thread."""
    return Message("slack", "T1", "C1", author, f"{event}?", event, thread=thread)


def door(**settings: object) -> Admission:
    """An open bot's door."""
    return Admission(AdmissionSettings.model_validate(settings), crowd=True)


async def enter(admission: Admission, message: Message, *, again: bool = False) -> None:
    """Go in and out."""
    if not again:
        await admission.check(message)
    async with admission.admitted(message, RULES, again=again):
        pass


@pytest.mark.parametrize(
    ("settings", "who"),
    [
        ({"deny": {"users": ["slack:T1/U1"]}}, "You"),
        ({"deny": {"channels": ["slack:T1/C1"]}}, "This channel"),
        ({"deny": {"workspaces": ["slack:T1"]}}, "This workspace"),
        ({"allow": {"users": ["slack:T1/U2"]}}, "You"),
        ({"allow": {"channels": ["slack:T2/C1"]}}, "This channel"),
        ({"allow": {"workspaces": ["discord:T1"]}}, "This workspace"),
        ({"allow": {"users": ["slack:T1/U1"]}, "deny": {"users": ["slack:T1/U1"]}}, "You"),
    ],
    ids=str,
)
async def test_who_is_shut_out_is_told_whom_to_ask(settings: dict[str, object], who: str) -> None:
    """A closed door without a bell would only be knocked at again."""
    with pytest.raises(Refused, match=rf"^{who} may not ask this bot\. Please ask #it-help\.$"):
        await enter(door(contact="#it-help", **settings), asking())


async def test_who_is_on_every_list_comes_in() -> None:
    """Lists of one kind say nothing about the others."""
    allow = {"users": ["slack:T1/U1"], "channels": ["slack:T1/C1"], "workspaces": ["slack:T1"]}

    await enter(door(allow=allow, deny={"users": ["slack:T1/U2"]}), asking())


@pytest.mark.virtual_time
@pytest.mark.parametrize("kind", ["user", "channel", "workspace"])
async def test_who_asks_too_often_is_told_when_to_ask_again(kind: str) -> None:
    """And then it is true: after the seconds that were named, one more question is let in."""
    admission = door(**{f"{kind}_per_minute": 3})
    for number in range(3):
        await enter(admission, asking(f"E{number}"))
    with pytest.raises(Refused, match=r"asked 3 questions within a minute.* again in 20 s\."):
        await enter(admission, asking())
    await asyncio.sleep(20)
    await enter(admission, asking())

    with pytest.raises(Refused):
        await enter(admission, asking())


@pytest.mark.virtual_time
async def test_a_refused_question_uses_up_nothing_of_the_channel() -> None:
    """One person who never stops must not silence everybody else."""
    admission = door(user_per_minute=1, channel_per_minute=3)
    await enter(admission, asking(author="loud"))
    for _ in range(50):
        with pytest.raises(Refused, match="You have"):
            await enter(admission, asking(author="loud"))

    await enter(admission, asking(author="calm"))
    await enter(admission, asking(author="quiet"))


@pytest.mark.virtual_time
async def test_a_reload_forgets_no_question_that_was_counted() -> None:
    """Else every change of the file would open the gates; only what is limited anew begins anew."""
    admission = door(user_per_minute=2, channel_per_minute=9)
    for number in range(2):
        await enter(admission, asking(f"E{number}"))
    for other in ({"contact": "#it-help"}, {"channel_per_minute": 8}):
        same = {"user_per_minute": 2, "channel_per_minute": 9}
        admission.adopt(AdmissionSettings.model_validate({**same, **other}))
        with pytest.raises(Refused, match="You have asked 2 questions"):
            await enter(admission, asking("E2"))
    admission.adopt(AdmissionSettings(user_per_minute=1))

    await enter(admission, asking("E3"))
    with pytest.raises(Refused, match="You have asked 1 "):
        await enter(admission, asking("E4"))


async def test_a_flood_of_new_people_does_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ids are cheap; what is remembered of them is bounded."""
    monkeypatch.setattr("moabot.rates.MOST_LIMITERS", 100)
    rates = Rates(AdmissionSettings(channel_per_minute=None, workspace_per_minute=None))
    for number in range(1000):
        await rates.take(asking(author=f"U{number}"))

    assert len(rates._limiters) == 100


@pytest.mark.virtual_time
async def test_a_thread_is_answered_in_order_and_threads_beside_each_other() -> None:
    """The second question may mean the first one's answer."""
    admission, ended = door(), list[str]()

    async def one(event: str, thread: str, seconds: float) -> None:
        async with admission.admitted(asking(event, thread=thread), RULES):
            await asyncio.sleep(seconds)
            ended.append(event)

    async with asyncio.TaskGroup() as group:
        for event, thread, seconds in (
            ("a1", "a", 9),
            ("a2", "a", 1),
            ("a3", "a", 1),
            ("b1", "b", 2),
        ):
            group.create_task(one(event, thread, seconds))

    assert ended == ["b1", "a1", "a2", "a3"]
    assert admission._queue._lines == {}


@pytest.mark.virtual_time
async def test_a_full_line_turns_new_questions_away_and_keeps_its_own() -> None:
    """What waits for an hour is no longer wanted; who waits already must not suffer."""
    admission, done = door(waiting_here=2), list[str]()

    async def one(event: str) -> None:
        async with admission.admitted(asking(event), RULES):
            await asyncio.sleep(5)
            done.append(event)

    async with asyncio.TaskGroup() as group:
        for event in ("E1", "E2", "E3"):
            group.create_task(one(event))
        await asyncio.sleep(1)
        with pytest.raises(Refused, match=r"2 more questions wait in this thread\. Ask again when"):
            await enter(admission, asking("E4"))
        group.create_task(enter(admission, asking("E0"), again=True))  # it was let in before

    assert done == ["E1", "E2", "E3"]
    assert admission._queue._lines == {}


@pytest.mark.virtual_time
async def test_a_busy_bot_turns_away_whoever_would_wait_beyond_the_bound() -> None:
    """A flood must end in sentences, not in memory."""
    admission, refused = door(at_once=2, waiting=3, user_per_minute=None), list[str]()

    async def one(number: int) -> None:
        try:
            async with admission.admitted(asking(f"E{number}", thread=str(number)), RULES):
                await asyncio.sleep(5)
        except Refused as error:
            refused.append(str(error))

    async with asyncio.TaskGroup() as group:
        for number in range(50):
            group.create_task(one(number))

    assert len(refused) == 45
    assert set(refused) == {"The bot is busy: 3 questions wait already. Ask again in a minute."}
    assert admission._queue._waiting == 0


@pytest.mark.virtual_time
async def test_who_leaves_the_line_makes_room() -> None:
    """A stopped question must not count as waiting for ever."""
    admission = door(waiting_here=1)
    async with admission.admitted(asking("E1"), RULES):
        waiting = asyncio.create_task(enter(admission, asking("E2")))
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.sleep(1)
        other = asyncio.create_task(enter(admission, asking("E3")))
        await asyncio.sleep(1)
    await other

    assert admission._queue._lines == {}
    assert admission._queue._waiting == 0


@pytest.mark.virtual_time
async def test_one_person_at_a_terminal_is_no_crowd() -> None:
    """`moabot batch` asks thousands of questions, many at once, and that is meant."""
    admission = Admission(AdmissionSettings(user_per_minute=1, waiting_here=0), crowd=False)
    async with asyncio.TaskGroup() as group:
        for number in range(100):
            group.create_task(enter(admission, asking(f"E{number}")))


@asynccontextmanager
async def chat(folder: Path, provider: ScriptedProvider, **own: object) -> AsyncGenerator[App]:
    """A bot that several people ask."""
    tables = {"data_dir": str(folder), "admission": own, **SINGLE}
    async with rehearsal(provider, tables, panel={"hedge": False}, keep="all") as app:
        yield app


async def test_the_corridor_says_the_refusal_and_asks_nobody(tmp_path: Path) -> None:
    """A person reads one sentence, without an id of a log that has no more."""
    provider, reply = ScriptedProvider(), RecordingReply()
    async with chat(tmp_path, provider, deny={"users": ["slack:T1/U1"]}) as app:
        await app.answering.handle(asking(), reply)
        assert app.memory.durable is not None
        left = await app.memory.durable.resume("slack")

    assert isinstance(reply.error, Refused)
    assert str(reply.error) == "You may not ask this bot. Please ask the bot's admin."
    assert provider.prompts == []
    assert list(left) == []


async def test_the_second_question_of_a_thread_knows_the_first_answer(tmp_path: Path) -> None:
    """Though both were asked in the same second."""
    provider = ScriptedProvider({"a": [says("Blue.", seconds=0.05), says("Red.")]})
    async with chat(tmp_path, provider) as app, asyncio.TaskGroup() as group:
        group.create_task(app.answering.handle(asking("E1"), RecordingReply()))
        group.create_task(app.answering.handle(asking("E2"), RecordingReply()))

    assert [turn.text for turn in provider.prompts[1][1].turns] == ["E1?", "Blue.", "E2?"]


async def test_what_was_let_in_before_a_restart_is_answered_after_it(tmp_path: Path) -> None:
    """It was acknowledged, and perhaps paid for; a new rule is for new questions."""
    reply, begun = RecordingReply(), asyncio.Event()

    def begins(_: Prompt) -> Said:
        begun.set()
        return hangs()

    async with chat(tmp_path, ScriptedProvider({"a": begins})) as app:
        asked = asyncio.create_task(app.answering.handle(asking(), RecordingReply()))
        await begun.wait()
        asked.cancel()
        await asyncio.wait([asked])
    async with chat(tmp_path, ScriptedProvider(), deny={"users": ["slack:T1/U1"]}) as app:
        assert app.memory.durable is not None
        [entry] = await app.memory.durable.resume("slack")
        await app.answering.handle(entry.message, reply, entry=entry)

    assert reply.answer is not None


async def test_a_channel_s_note_is_told_to_those_who_answer(tmp_path: Path) -> None:
    """A channel that speaks German is answered in German, also by who combines the proposals."""
    provider = ScriptedProvider()
    tables = {
        "data_dir": str(tmp_path),
        "defaults": {"strategy": "mixture", "preset": "thorough"},
        "channels": {"slack:T1/C1": {"note": "Answer in German."}},
    }
    async with rehearsal(provider, tables, panel={"hedge": False}) as app:
        await app.answering.handle(asking(), RecordingReply())

    assert len(provider.prompts) == 4
    assert all(prompt.system.endswith("\n\nAnswer in German.") for _, prompt in provider.prompts)
