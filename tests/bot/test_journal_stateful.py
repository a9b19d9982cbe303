"""The journal beside a model of it in ten lines, over thousands of random steps and restarts."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from moabot.config import ChannelSettings, Defaults
from moabot.contract import Cancelled, Failure, Message, Prompt, Proposal, Scope, Turn, Usage
from moabot.journal import MOST_TRIES, DurableJournal, Entry
from moabot.store.sqlite import SqliteStore, opened

T = TypeVar("T")
Gave = Proposal | Failure | Cancelled
EVENTS = st.sampled_from(["E1", "E2", "E3", "E4"])
PROMPTS = st.sampled_from(["p", "q", "r"])
ROOM = Scope("test", "T1", "C1")


def prompt(text: str) -> Prompt:
    """A prompt of one turn."""
    return Prompt("system", (Turn("user", text),))


class JournalMachine(RuleBasedStateMachine):
    """`open` has the calls of each unfinished event that are remembered; `tries` its processes."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._folder = tempfile.TemporaryDirectory()
        self._stack = AsyncExitStack()
        self._store: SqliteStore
        self._journal: DurableJournal
        self._run(self._open())
        self.entries: dict[str, Entry] = {}
        self.known: dict[str, list[tuple[str, str]]] = {}
        self.tries: dict[str, int] = {}
        self.seen: set[str] = set()
        self.dead: set[str] = set()
        self.said: list[str] = []

    def _run(self, work: Coroutine[None, None, T]) -> T:
        return self._runner.run(work)

    def _call(self, begin: Callable[[], T]) -> T:
        """Call something that wants a running loop."""

        async def called() -> T:
            return begin()

        return self._run(called())

    async def _open(self) -> None:
        self._store = await self._stack.enter_async_context(
            opened(Path(self._folder.name), alone=True)
        )
        self._journal = DurableJournal(self._store)

    async def _revived(self, event: str) -> bool:
        return await self._store.revive(f"test:{event}")

    @rule(event=EVENTS)
    def a_message_is_delivered(self, event: str) -> None:
        """Taken on when it is new, however often it comes."""
        message = Message("test", "T1", "C1", "U1", f"{event}?", event)
        entry = self._run(self._journal.accept(message, ChannelSettings()))
        assert (entry is not None) == (event not in self.seen)
        if entry is not None:
            self.entries[event], self.known[event], self.tries[event] = entry, [], 1
        self.seen.add(event)

    @rule(event=EVENTS, text=PROMPTS, how=st.sampled_from(["ok", "failed", "cancelled"]))
    def a_call_ends(self, event: str, text: str, how: str) -> None:
        """Its outcome is remembered under its prompt."""
        entry = self.entries.get(event)
        if entry is None or entry.memo is None:
            return
        gaves: dict[str, Gave] = {
            "ok": Proposal("1.1", "a", "proposer", text, Usage(1, 1, 0, 1), 0.1),
            "failed": Failure("1.1", "a", "no", 0.1),
            "cancelled": Cancelled("1.1", "a", 0.1, Usage(1, 1, 0, 1, None, estimated=True)),
        }
        gave = gaves[how]
        memo = entry.memo
        self._call(lambda: memo.keep(prompt(text), gave))
        self._run(self._journal.settled(entry))
        self.known[event].append((text, how))

    @rule(event=EVENTS, horizon=st.integers(0, 9))
    def an_answer_begins(self, event: str, horizon: int) -> None:
        """Its plan is frozen."""
        if event in self.entries:
            entry = self.entries[event]
            self._call(lambda: self._journal.begin(entry, Defaults(), horizon=horizon))

    @rule(event=EVENTS, stopped=st.booleans())
    def an_answer_ends(self, event: str, *, stopped: bool) -> None:
        """Delivered, or stopped by the person after some words."""
        entry = self.entries.pop(event, None)
        if entry is None:
            return
        if stopped:
            self._journal.stop(entry.message)
            self._call(lambda: self._journal.stopped(entry, event))
            self._run(self._journal.lay_down("nowhere"))  # ends after whatever was written before
        else:
            self._run(self._journal.done(entry, text=event))
        self.said += [f"{event}?", event]

    @rule(orderly=st.booleans())
    def the_process_ends_and_another_begins(self, *, orderly: bool) -> None:
        """All that is unfinished comes back with all its calls, or is given up after three."""
        if orderly:
            self._run(self._journal.lay_down("test"))
        self._run(self._stack.aclose())
        self._run(self._open())
        back = {e.message.event_id: e for e in self._run(self._journal.resume("test"))}
        assert set(back) == set(self.entries)
        for event, entry in back.items():
            self.tries[event] += 0 if orderly else 1
            assert entry.given_up == (self.tries[event] > MOST_TRIES)
            assert entry.seed == self.entries[event].seed
            if entry.given_up:
                self._run(self._journal.give_up(entry, error="three"))
                self.dead.add(event)
        self.entries = {e: entry for e, entry in back.items() if not entry.given_up}

    @rule(event=EVENTS)
    def somebody_revives_a_dead_letter(self, event: str) -> None:
        """Only dead ones; calls that failed are to be made again."""
        revived = self._run(self._revived(event))
        assert revived == (event in self.dead)
        if revived:
            self.dead.remove(event)
            self.known[event] = [(text, how) for text, how in self.known[event] if how == "ok"]
            self.tries[event] = 0
            [entry] = [
                e for e in self._run(self._journal.resume("test")) if e.message.event_id == event
            ]
            for other in self.entries:  # to look was a try for those under way, too
                self.tries[other] += 1
            self.tries[event] = 1
            self.entries[event] = entry

    @invariant()
    def what_is_remembered_is_what_happened(self) -> None:
        """Neither more nor less."""
        for event in self.entries:
            steps = self._run(self._store.steps(f"test:{event}"))
            assert [step.outcome for step in steps] == [how for _, how in self.known[event]]
        turns = self._run(self._store.turns(ROOM, before=None, most=100))
        assert [turn.text for turn in turns] == self.said
        assert {row.event for row in self._run(self._store.dead())} == {
            f"test:{event}" for event in self.dead
        }

    def teardown(self) -> None:
        """Close."""
        self._run(self._stack.aclose())
        self._runner.close()
        self._folder.cleanup()


@pytest.mark.timeout(240)
def test_the_journal_does_what_its_model_does() -> None:
    """Two thousand random steps find what no one thought of."""
    chosen = settings(
        max_examples=50,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    JournalMachine.TestCase.settings = chosen
    JournalMachine.TestCase("runTest").runTest()
