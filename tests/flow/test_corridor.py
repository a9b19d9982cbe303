"""One message in, exactly one ending out, whatever happens and whenever a person goes away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from moabot import (
    Answer,
    Message,
    MoabotError,
    PlatformError,
    Question,
    hookimpl,
)
from moabot.app import App
from moabot.config import ChannelSettings
from moabot.panel import Panel
from moabot.plugins import Register
from moabot.testing import (
    RecordingReply,
    ScriptedProvider,
    ask,
    hangs,
    rehearsal,
    says,
)

pytestmark = pytest.mark.virtual_time


@dataclass(frozen=True)
class Own:
    """A third party's strategy, "own", which does what `act` does."""

    act: Callable[[Question, Panel], object]

    @hookimpl
    def moabot_register(self, register: Register) -> None:
        """Offer it."""
        register.strategy("own", lambda _: _Entered(self))

    async def answer(self, question: Question, panel: Panel) -> Answer:
        """Act, then answer alone, unless that was an answer."""
        done = self.act(question, panel)
        if asyncio.iscoroutine(done):
            done = await done
        return done if isinstance(done, Answer) else await panel.synthesize()


@dataclass
class _Entered:
    own: Own

    async def __aenter__(self) -> Own:
        return self.own

    async def __aexit__(self, *_: object) -> None:
        return None


OWN = ChannelSettings(strategy="own")


async def asked(act: Callable[[Question, Panel], object]) -> RecordingReply:
    """One question to that strategy."""
    async with rehearsal(ScriptedProvider(), plugins=[Own(act)]) as app:
        reply = await ask(app, "What now?", wish=OWN)
    assert len(asyncio.all_tasks()) == 1
    return reply


def _bug(question: Question, panel: Panel) -> object:
    raise KeyError("oops")


async def _group(question: Question, panel: Panel) -> None:
    async def fail() -> None:
        raise ValueError("one")

    async with asyncio.TaskGroup() as group:
        group.create_task(fail())
        group.create_task(fail())


async def _bug_in_propose(question: Question, panel: Panel) -> None:
    await panel.propose([*panel.slots(2), "no slot"])  # type: ignore[list-item]


@pytest.mark.parametrize(
    "act", [_bug, _group, _bug_in_propose], ids=["KeyError", "a group", "a wrong argument"]
)
async def test_a_bug_in_a_strategy_is_an_apology_with_a_reference(
    act: Callable[[Question, Panel], object], caplog: pytest.LogCaptureFixture
) -> None:
    """The person gets a sentence, the log the traceback, and the reference joins the two."""
    with caplog.at_level(logging.ERROR, "moabot"):
        reply = await asked(act)

    assert str(reply.error).startswith("Something broke inside moabot.")
    (record,) = caplog.records
    assert record.message == "broken"
    assert record.exc_info is not None
    assert vars(record)["reference"] == reply.reference


async def test_an_empty_text_is_no_answer() -> None:
    """Peers show it and cache it; here a strategy of a third party must not either."""

    async def say_nothing(question: Question, panel: Panel) -> Answer:
        return Answer(" \n", "own")

    reply = await asked(say_nothing)

    assert reply.answer is None
    assert "The strategy 'own' gave an empty text." in str(reply.error)


async def test_a_strategy_that_never_ends_is_stopped_after_the_deadline() -> None:
    """Its author forgot a timeout; the person must not pay for it."""

    async def wait(question: Question, panel: Panel) -> None:
        await asyncio.Event().wait()

    reply = await asked(wait)

    assert "'own' had no answer by the deadline" in str(reply.error)
    assert asyncio.get_running_loop().time() == 61.0


async def test_a_strategy_that_never_ends_leaves_its_proposals() -> None:
    """What was paid for is shown, and labelled."""

    async def propose_and_wait(question: Question, panel: Panel) -> None:
        await panel.propose()
        await asyncio.Event().wait()

    reply = await asked(propose_and_wait)

    assert reply.answer is not None
    assert reply.answer.text == "a says so."
    assert reply.answer.degraded.endswith("The time was up.")


async def test_a_strategy_that_changes_its_mind_shows_one_text() -> None:
    """It wrote an answer and then chose a proposal; the person reads the proposal alone."""

    async def change_its_mind(question: Question, panel: Panel) -> None:
        first, *_ = await panel.propose()
        await panel.synthesize()
        panel.choose(first)

    reply = await asked(change_its_mind)

    assert reply.answer is not None
    assert reply.text == reply.answer.text
    assert len(reply.named("restarted")) == 2


async def test_a_timeout_of_a_strategy_s_own_is_not_taken_for_the_deadline() -> None:
    """Only what we stopped was late."""

    def late(question: Question, panel: Panel) -> object:
        raise TimeoutError

    assert str((await asked(late)).error).startswith("Something broke")


async def test_strategies_that_hand_over_in_a_circle_are_stopped() -> None:
    """A wrong base in the configuration must not spend money for ever."""

    async def again(question: Question, panel: Panel) -> None:
        await panel.hand_over("own")

    reply = await asked(again)

    assert "hand over in a circle; 'own'" in str(reply.error)


async def test_a_base_that_does_not_exist_is_named_with_the_nearest() -> None:
    """Found when used: the message must be good enough to mend it from the chat."""

    async def wrong(question: Question, panel: Panel) -> None:
        await panel.hand_over("mixtur")

    reply = await asked(wrong)

    assert "'own' hands over to 'mixtur'" in str(reply.error)
    assert "did you mean 'mixture'?" in str(reply.error)


async def test_an_unknown_strategy_is_named_with_the_nearest() -> None:
    """A typo in a command gets the right spelling, not silence."""
    async with rehearsal(ScriptedProvider()) as app:
        reply = await ask(app, "What now?", wish=ChannelSettings(strategy="mixtur"))

    assert "There is no strategy 'mixtur'" in str(reply.error)
    assert "did you mean 'mixture'?" in str(reply.error)


@pytest.mark.parametrize(
    ("text", "what"), [("  \n", "is empty"), ("x" * 100_001, "has 100,001 characters")]
)
async def test_a_question_that_cannot_be_asked_costs_nothing(text: str, what: str) -> None:
    """Nothing, and a megabyte of text."""
    provider = ScriptedProvider()
    async with rehearsal(provider) as app:
        reply = await ask(app, text)

    assert what in str(reply.error)
    assert provider.prompts == []


@dataclass
class Refusing(RecordingReply):
    """A platform that takes no ending."""

    endings: list[str] = field(default_factory=list[str])

    async def finish(self, answer: Answer) -> None:
        """Refuse."""
        self.endings.append("finish")
        raise PlatformError("The channel is gone.", fix="")

    async def sorry(self, error: MoabotError, *, reference: str) -> None:
        """Refuse."""
        self.endings.append("sorry")
        raise PlatformError("The channel is gone.", fix="")


@pytest.mark.parametrize(("text", "ending"), [("What now?", "finish"), ("", "sorry")])
async def test_an_ending_that_is_not_taken_is_logged_and_not_followed_by_another(
    text: str, ending: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An apology after an answer that may have been shown would be worse than either."""
    reply = Refusing()
    async with rehearsal(ScriptedProvider()) as app:
        await app.answering.handle(message(text), reply)

    assert reply.endings == [ending]
    assert "undelivered" in [record.message for record in caplog.records]


def message(text: str, *, thread: str = "") -> Message:
    """From someone in a channel."""
    return Message("test", "workspace", "channel", "someone", text, event_id="1", thread=thread)


MOMENTS = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 9.0, 12.0]


async def _stopped(app: App, moment: float) -> RecordingReply:
    reply = RecordingReply()
    task = asyncio.create_task(app.answering.handle(message("What now?"), reply))
    await asyncio.sleep(moment)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return reply


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("strategy", ["mixture", "vote", "refinement", "router"])
async def test_stop_at_any_moment_stops_every_call(strategy: str, moment: float) -> None:
    """A person presses stop: no call goes on, none is begun, no task is left."""
    provider = ScriptedProvider(
        {
            "a": says("Answer: 1 it is", seconds=1, word_s=0.5),
            "b": says("Answer: 2 it is", seconds=2, word_s=0.5),
            "c": hangs(),
        }
    )
    tables = {"defaults": {"strategy": strategy, "preset": "deep"}}
    async with rehearsal(provider, tables, panel={"quorum": 2}) as app:
        reply = await _stopped(app, moment)
        begun, running = len(provider.prompts), list(provider.running)
        await asyncio.sleep(100)

    assert running == []
    assert len(provider.prompts) == begun
    assert len(asyncio.all_tasks()) == 1
    assert reply.error is None


async def test_what_was_shown_of_a_stopped_answer_is_remembered() -> None:
    """To go on must mean something to the models afterwards."""
    provider = ScriptedProvider({"a": says("one two three four", word_s=1)})
    async with rehearsal(provider, {"defaults": {"strategy": "single"}}) as app:
        await _stopped(app, 1.5)
        await ask(app, "Go on.")

    turns = provider.prompts[-1][1].turns
    assert [turn.text for turn in turns] == ["What now?", "one two [stopped]", "Go on."]


async def test_a_draft_that_was_stopped_is_remembered_too() -> None:
    """It is what the person has read."""
    provider = ScriptedProvider({name: says("one two three", word_s=1) for name in "abc"})
    async with rehearsal(provider) as app:
        await _stopped(app, 1.5)
        await ask(app, "Go on.")

    assert provider.prompts[-1][1].turns[1].text == "one two [stopped]"


async def test_an_answer_that_was_stopped_before_its_first_word_is_not_remembered() -> None:
    """A question without an answer would make two turns of a person in a row."""
    provider = ScriptedProvider({"a": [hangs(), says("Yes.")]})
    async with rehearsal(provider, {"defaults": {"strategy": "single"}}) as app:
        await _stopped(app, 1.5)
        await ask(app, "Hello?")

    assert len(provider.prompts[-1][1].turns) == 1


async def test_a_stop_while_the_answer_is_delivered_keeps_it_once() -> None:
    """The answer is whole; "stopped" beside it would be a second, false one."""

    class Slow(RecordingReply):
        async def finish(self, answer: Answer) -> None:
            await asyncio.Event().wait()

    provider = ScriptedProvider({"a": says("Yes.")})
    async with rehearsal(provider, {"defaults": {"strategy": "single"}}) as app:
        task = asyncio.create_task(app.answering.handle(message("What now?"), Slow()))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await ask(app, "Sure?")

    assert [turn.text for turn in provider.prompts[-1][1].turns] == ["What now?", "Yes.", "Sure?"]


async def test_threads_do_not_hear_of_each_other() -> None:
    """What is said in one thread is nobody else's."""
    provider = ScriptedProvider()
    async with rehearsal(provider, {"defaults": {"strategy": "single"}}) as app:
        for thread in ("1", "2"):
            await app.answering.handle(message("What now?", thread=thread), RecordingReply())

    assert [len(prompt.turns) for _, prompt in provider.prompts] == [1, 1]
