"""The cache cannot cost an answer, and equal questions asked at once are answered once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from moabot import Completion, Message, Prompt, Usage, Wrote
from moabot.app import App
from moabot.contract import Answer, Question, Scope, Share
from moabot.errors import ProviderRejected
from moabot.flights import flight
from moabot.testing import RecordingReply, ScriptedProvider, rehearsal, says

pytestmark = pytest.mark.virtual_time

SINGLE = {"defaults": {"strategy": "single", "preset": "fast"}}


class Slow:
    """A provider whose answers take two seconds, and which counts them."""

    def __init__(self) -> None:
        self.calls = 0

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Answer."""
        self.calls += 1
        await asyncio.sleep(2)
        return Completion("Water boils at 100 degrees.", Usage(calls=1), "end")


class Memory:
    """A cache that looks at once, and takes a second to say what it saw."""

    def __init__(self) -> None:
        self.kept: dict[str, Answer] = {}
        self.told: list[tuple[str, str]] = []

    async def find(self, question: Question, *, key: str, share: Share) -> Answer | None:
        """What was there when it was asked."""
        found = self.kept.get(question.text)
        await asyncio.sleep(1)
        return found and replace(found, from_cache=True)

    async def keep(self, question: Question, answer: Answer, *, key: str, share: Share) -> None:
        """Keep it."""
        self.kept[question.text] = answer

    async def joined(self, question: Question, *, key: str, share: Share) -> None:
        """Note it."""
        self.told.append(("joined", question.event))

    async def forget(self, event: str) -> None:
        """Note it."""
        self.told.append(("forgotten", event))


class Broken(Memory):
    """A cache that can do nothing."""

    async def find(self, question: Question, *, key: str, share: Share) -> Answer | None:
        """Break."""
        raise OSError("nobody knows why")

    async def keep(self, question: Question, answer: Answer, *, key: str, share: Share) -> None:
        """Break."""
        raise OSError("nobody knows why")

    async def joined(self, question: Question, *, key: str, share: Share) -> None:
        """Break."""
        raise OSError("nobody knows why")

    async def forget(self, event: str) -> None:
        """Break."""
        raise OSError("nobody knows why")


class Silent(Memory):
    """A cache that never comes back."""

    async def find(self, question: Question, *, key: str, share: Share) -> Answer | None:
        """Wait."""
        return await asyncio.Future()

    async def keep(self, question: Question, answer: Answer, *, key: str, share: Share) -> None:
        """Wait."""
        await asyncio.Future()


class Cancelled(Memory):
    """A cache that gives up its own work, which looks as if we had been told to stop."""

    async def find(self, question: Question, *, key: str, share: Share) -> Answer | None:
        """Give up."""
        raise asyncio.CancelledError

    async def keep(self, question: Question, answer: Answer, *, key: str, share: Share) -> None:
        """Give up."""
        raise asyncio.CancelledError


@asynccontextmanager
async def _bot(provider: Slow, memory: Memory) -> AsyncGenerator[App]:
    async with rehearsal(provider, SINGLE) as app:
        app.answering = replace(app.answering, cache=memory)
        yield app


async def _ask(app: App, event: str, *, after_s: float = 0) -> Answer | None:
    await asyncio.sleep(after_s)
    reply = RecordingReply()
    message = Message("test", "w", "c", "ann", "When does water boil?", event, thread=event)
    await app.answering.handle(message, reply)
    return reply.answer


async def test_a_broken_cache_costs_no_answer_and_is_named() -> None:
    """Whoever asks wants an answer, whoever runs the bot wants to know."""
    async with _bot(provider := Slow(), Broken()) as app:
        answers = await asyncio.gather(_ask(app, "1"), _ask(app, "2", after_s=1))
        await app.answering.recall.forget("test:1")
        problems = app.plugins.problems

    assert provider.calls == 1
    assert [answer is not None and answer.from_cache for answer in answers] == [False, True]
    assert problems == [
        "Plugin moabot_cache.plugin: The cache 'semantic' raised OSError: nobody knows why. Update or remove it."
    ]


@pytest.mark.parametrize(
    ("memory", "problem"),
    [
        (Silent(), "did not answer within 60 s"),
        (Cancelled(), "raised CancelledError"),
    ],
    ids=["silent", "cancelled"],
)
async def test_a_cache_that_hangs_or_gives_up_costs_no_answer(memory: Memory, problem: str) -> None:
    """An answer that is written and paid must reach who asked."""
    async with _bot(Slow(), memory) as app:
        answer = await _ask(app, "1")
        problems = " ".join(app.plugins.problems)

    assert answer is not None
    assert problem in problems


async def test_who_asks_what_gets_no_good_answer_waits_for_one_other_at_most() -> None:
    """Six in a row behind a model that is down would wait six times as long as one."""
    down = ProviderRejected("It is down.", provider="scripted", model="a")
    provider = ScriptedProvider({"a": says(error=down, seconds=2)})
    panel = {"hedge": False, "tries": 1}
    async with rehearsal(provider, SINGLE, models=("a",), panel=panel) as app:
        app.answering = replace(app.answering, cache=Memory())
        asking = [asyncio.create_task(_ask(app, str(n))) for n in range(6)]
        await asyncio.sleep(2)  # one second for looking, two for the answer of the first
        first = len(provider.prompts)
        await asyncio.sleep(3)
        rest = len(provider.prompts)
        await asyncio.gather(*asking)

    assert (first, rest) == (1, 6)


async def test_who_asks_while_the_first_is_served_never_starts_a_second_run() -> None:
    """Who looked before, and saw nothing, must not answer anew what has come meanwhile.

    The answer is there after three seconds; some ask less than a look's second before.
    """
    async with _bot(provider := Slow(), memory := Memory()) as app:
        await asyncio.gather(*(_ask(app, str(n), after_s=n / 4) for n in range(16)))

    assert provider.calls == 1
    assert ("joined", "test:11") in memory.told


async def test_when_the_first_is_stopped_the_next_takes_over() -> None:
    """One person's Ctrl-C is not everybody's."""
    async with _bot(provider := Slow(), memory := Memory()) as app:
        first = asyncio.create_task(_ask(app, "1"))
        others = [asyncio.create_task(_ask(app, str(n))) for n in (2, 3)]
        await asyncio.sleep(2)
        first.cancel()
        answers = await asyncio.gather(*others)

    assert first.cancelled()
    assert provider.calls == 2
    assert [answer is not None and answer.from_cache for answer in answers] == [False, True]
    assert memory.told == [("joined", "test:3")]


async def test_a_complaint_reaches_the_cache() -> None:
    """By the name of the message, which is all that a chat knows of it."""
    async with _bot(Slow(), memory := Memory()) as app:
        await _ask(app, "1")
        await app.answering.recall.forget("test:1")

    assert memory.told == [("forgotten", "test:1")]


@pytest.mark.parametrize(
    ("text", "other", "names"),
    [
        ("Why  is it so?", "Why is it so? ", 1),
        ("git branch -d", "git branch -D", 2),
        ("if a:\n  b\nc", "if a:\n  b\n  c", 2),
    ],
)
def test_spaces_tell_questions_apart_only_where_lines_do(text: str, other: str, names: int) -> None:
    """What a program does depends on how far its lines are indented."""
    room = Scope("slack", "T1", "C1")
    found = {
        flight(Question(each, (), room, (), "ann", ""), key="k", share="channel")
        for each in (text, other)
    }

    assert len(found) == names
