"""The published suites find what they are for: each broken promise, in a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from decimal import Decimal
from types import ModuleType

import pytest
from pydantic import BaseModel

from moabot import (
    Answer,
    Completion,
    Message,
    MoabotError,
    Prompt,
    ProviderBusy,
    ProviderRejected,
    Question,
    Usage,
    hookimpl,
)
from moabot.contract import Share, Wrote
from moabot.desk import Desk
from moabot.journal import Entry
from moabot.panel import Panel
from moabot.plugins import NoSettings, Register
from moabot.testing import (
    CacheContract,
    ContractBroken,
    PlatformContract,
    ProviderContract,
    RecordingReply,
    StrategyContract,
)

GOOD = Completion("Canberra.", Usage(calls=1), "end")
HALTED = Completion("Canberra.", Usage(calls=1), "stop")  # type: ignore[arg-type]  # as untyped code may


def offering(kind: str, thing: object, settings: type[BaseModel] = NoSettings) -> ModuleType:
    """A plugin that offers one thing."""

    def opening(*_: object) -> AbstractAsyncContextManager[object]:
        return nullcontext(thing)

    @hookimpl
    def moabot_register(register: Register) -> None:
        getattr(register, kind)("it", opening, settings)

    module = ModuleType("own")
    vars(module)["moabot_register"] = moabot_register
    return module


@dataclass
class Doing:
    """A provider that does what it is given."""

    do: Callable[[Wrote | None], object]

    async def complete(self, prompt: Prompt, *, model: str, wrote: Wrote | None = None) -> object:
        """Do it."""
        done = self.do(wrote)
        return await done if asyncio.iscoroutine(done) else done


async def _deaf() -> Completion:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        raise ValueError("cancelled") from None
    return GOOD


def _mumbles(wrote: Wrote | None) -> Completion:
    if wrote is not None:
        wrote("Sydney.")
    return GOOD


def _fails(wrote: Wrote | None) -> Completion:
    raise ProviderBusy("The key sk-secret is busy.", provider="own", model="any")


class Open(BaseModel):
    """Settings that take every key."""

    model_config = {"extra": "allow"}


class OfAProvider(ProviderContract):
    """The suite, with a fault and a key."""

    faults = {"any": ProviderRejected}  # noqa: RUF012 - as an author writes it
    secret = "sk-secret"


WHOLE, SIDE, CANCELLED, FAULT, STREAMED, SETTING, AGAIN, LET_IN = (
    "test_an_answer_is_whole_and_counted",
    "test_calls_run_side_by_side",
    "test_a_cancelled_call_ends_at_once",
    "test_each_fault_is_told_as_ours",
    "test_what_is_streamed_is_what_is_returned",
    "test_an_unknown_setting_is_refused",
    "test_it_can_be_closed_and_opened_again",
    "test_it_is_let_in_and_offers_what_it_should",
)


@pytest.mark.parametrize(
    ("provider", "test", "told"),
    [
        (Doing(lambda _: "Canberra."), WHOLE, "returned 'Canberra.'. Return a moabot.Completion"),
        (Doing(lambda _: replace(GOOD, text=" ")), WHOLE, "raise ProviderSilent instead"),
        (Doing(lambda _: replace(GOOD, usage=Usage())), WHOLE, "less than one call"),
        (
            Doing(lambda _: replace(GOOD, usage=Usage(1, cost_usd=Decimal(-1)))),
            WHOLE,
            "Leave it as None",
        ),
        (Doing(lambda _: HALTED), WHOLE, "it is 'end' or 'length'"),
        (Doing(lambda _: None), SIDE, "returned None"),
        (Doing(_mumbles), STREAMED, "What `wrote` was given is not the text returned."),
        (Doing(lambda _: _deaf()), CANCELLED, "A cancelled call raised ValueError"),
        (Doing(_fails), FAULT, "not to ProviderRejected"),
        (Doing(lambda _: GOOD), FAULT, "'any' answered; it should raise ProviderRejected"),
        (object(), AGAIN, "which has no method 'complete'"),
    ],
)
def test_a_broken_promise_of_a_provider_is_found(provider: object, test: str, told: str) -> None:
    """Each of these would reach a person as an answer, a bill or a silence."""
    suite = OfAProvider()
    suite.plugin = offering("provider", provider)

    with pytest.raises(ContractBroken) as raised:
        getattr(suite, test)()

    assert told in str(raised.value)


def test_a_provider_that_keeps_its_promises_passes() -> None:
    """A suite that nobody can pass would be ignored."""
    suite = ProviderContract()
    suite.plugin = offering("provider", Doing(lambda _: GOOD))

    for test in (WHOLE, SIDE, CANCELLED, STREAMED, SETTING, AGAIN, LET_IN):
        getattr(suite, test)()


def test_settings_that_take_every_key_are_found() -> None:
    """A misspelt key would silently do nothing."""
    suite = ProviderContract()
    suite.plugin = offering("provider", Doing(lambda _: GOOD), Open)

    with pytest.raises(ContractBroken, match="takes a key that it does not know"):
        suite.test_an_unknown_setting_is_refused()


@pytest.mark.parametrize(
    ("plugin", "told"),
    [
        ("no_such_module_here", "'no_such_module_here' cannot be imported"),
        (ModuleType("empty"), "It has no hook"),
        (offering("strategy", object()), r"It offers the providers \[\]"),
    ],
)
def test_a_plugin_that_is_not_let_in_is_found(plugin: object, told: str) -> None:
    """An author sees at once what would be a line in somebody's log."""
    suite = ProviderContract()
    suite.plugin = plugin

    with pytest.raises(ContractBroken, match=told):
        suite.test_it_is_let_in_and_offers_what_it_should()


class Empty:
    """A strategy that answers nothing."""

    async def answer(self, question: Question, panel: Panel) -> Answer:
        """Nothing."""
        return Answer("", "it")


class Stubborn:
    """A strategy that asks past the panel's quorum, alone, the first model."""

    async def answer(self, question: Question, panel: Panel) -> Answer:
        """Wait for whom nobody waits."""
        await asyncio.sleep(3600)
        return Answer("Late.", "it")


class Inventing:
    """A strategy that invents an answer and makes its calls for nothing."""

    async def answer(self, question: Question, panel: Panel) -> Answer:
        """Ask, and answer something else."""
        await panel.propose(panel.slots(2))
        return Answer("I know.", "it")


@pytest.mark.parametrize(
    ("strategy", "test", "told"),
    [
        (Empty(), "test_it_answers_at_every_depth", "There was no answer"),
        (Inventing(), "test_every_call_is_counted", "made 2 calls, and its answer counts 0"),
        (Stubborn(), "test_it_answers_when_one_model_is_silent", "There was no answer"),
        (Inventing(), "test_it_says_so_when_nobody_answers", ""),
    ],
)
def test_a_broken_promise_of_a_strategy_is_found(strategy: object, test: str, told: str) -> None:
    """People would wait, pay or be misled."""
    suite = StrategyContract()
    suite.plugin = offering("strategy", strategy)

    if not told:  # the panel itself keeps this one
        getattr(suite, test)()
        return
    with pytest.raises(ContractBroken, match=told):
        getattr(suite, test)()


class Shelf:
    """A cache that keeps, or forgets to look at, what makes a question another one."""

    def __init__(self, key: Callable[[Question, str], object], *, forgets: bool = True) -> None:
        self._key = key
        self._forgets = forgets
        self._kept: dict[object, Answer] = {}
        self._given: dict[str, object] = {}

    async def find(self, question: Question, *, key: str, share: Share) -> Answer | None:
        """Find it."""
        return self._kept.get(self._key(question, key))

    async def keep(self, question: Question, answer: Answer, *, key: str, share: Share) -> None:
        """Keep it."""
        name = self._given[question.event] = self._key(question, key)
        self._kept[name] = answer

    async def joined(self, question: Question, *, key: str, share: Share) -> None:
        """Nobody joins here."""

    async def forget(self, event: str) -> None:
        """Forget it."""
        if self._forgets:
            self._kept.pop(self._given.get(event), None)


def _never_the_same(question: Question, key: str) -> object:
    return object()


CACHE = (
    "test_what_was_kept_is_found",
    "test_what_was_never_kept_is_not_found",
    "test_what_was_forgotten_is_not_found",
)


@pytest.mark.parametrize(
    ("shelf", "test", "told"),
    [
        (Shelf(_never_the_same), CACHE[0], "It gave None"),
        (Shelf(lambda q, key: (q.text, key)), CACHE[1], "for another channel"),
        (Shelf(lambda q, key: (q.scope, key)), CACHE[1], "for another question"),
        (Shelf(lambda q, _: q), CACHE[1], "under another key"),
        (Shelf(lambda q, key: (q, key), forgets=False), CACHE[2], "told to forget it"),
        (Shelf(lambda q, key: (q, key)), "", ""),
    ],
)
def test_a_broken_promise_of_a_cache_is_found(shelf: Shelf, test: str, told: str) -> None:
    """One channel's answer in another is a leak; a wrong one that stays is worse than none."""
    suite = CacheContract()
    suite.plugin = offering("cache", shelf)

    if not test:
        for each in CACHE:
            getattr(suite, each)()
        return
    with pytest.raises(ContractBroken, match=told):
        getattr(suite, test)()


class Room:
    """A chat: what is said in it and shown in it."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[str] = asyncio.Queue()
        self.shown: list[str] = []


class Shown(RecordingReply):
    """A reply that shows in the room how it ended."""

    def __init__(self, room: Room, *, times: int = 1, tells: bool = True) -> None:
        super().__init__()
        self._room = room
        self._times = times
        self._tells = tells

    def _show(self, text: str) -> None:
        self._room.shown.extend([text] * self._times)

    async def finish(self, answer: Answer) -> None:
        """Show it."""
        self._show(answer.text)

    async def sorry(self, error: MoabotError, *, reference: str) -> None:
        """Show it."""
        self._show(f"{error} ({reference})" if self._tells else str(error))


@dataclass
class Listening:
    """A platform upon a room."""

    room: Room
    times: int = 1
    deaf: bool = False
    tells: bool = True

    async def run(self, desk: Desk) -> None:
        """Bring what is said."""
        while True:
            text = await self.room.said.get()
            if not self.deaf:
                message = Message("room", "w", "c", "somebody", text, event_id="1")
                await desk(message, Shown(self.room, times=self.times, tells=self.tells))

    def reply_to(self, entry: Entry) -> Shown:
        """Nothing was left."""
        return Shown(self.room)


class OfAPlatform(PlatformContract):
    """The suite in a room."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def say(self, text: str) -> None:
        """Say it in the room."""
        await self._room.said.put(text)

    async def shown(self) -> str:
        """What stands there."""
        return "\n".join(self._room.shown)


PLATFORM = (
    "test_what_a_person_says_arrives_once_and_is_answered",
    "test_an_apology_is_one_sentence_with_its_reference",
    "test_it_stops_when_it_is_cancelled",
)


@pytest.mark.parametrize("test", PLATFORM)
def test_a_platform_that_keeps_its_promises_passes(test: str) -> None:
    """The suite talks to it as people and the bot would."""
    room = Room()
    suite = OfAPlatform(room)
    suite.plugin = offering("platform", Listening(room))

    getattr(suite, test)()


def _twice(room: Room) -> Listening:
    return Listening(room, times=2)


def _no_reference(room: Room) -> Listening:
    return Listening(room, tells=False)


def _deaf_to_all(room: Room) -> Listening:
    return Listening(room, deaf=True)


@pytest.mark.parametrize(
    ("broken", "test", "told"),
    [
        (_twice, PLATFORM[0], "not the answer once"),
        (_no_reference, PLATFORM[1], "does not tell its reference"),
        (_deaf_to_all, PLATFORM[0], "shows nothing new; `run` waits"),
    ],
)
def test_a_broken_promise_of_a_platform_is_found(
    monkeypatch: pytest.MonkeyPatch, broken: Callable[[Room], Listening], test: str, told: str
) -> None:
    """A person reads an answer twice, or none."""
    monkeypatch.setattr("moabot.testing.platform.SOON_S", 0.05)
    room = Room()
    suite = OfAPlatform(room)
    suite.plugin = offering("platform", broken(room))

    with pytest.raises(ContractBroken, match=told):
        getattr(suite, test)()
