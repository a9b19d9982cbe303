"""A remembered answer is given at once and made anew behind it, which costs nobody their answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from moabot import Completion, Message, Prompt, Usage, Wrote
from moabot.app import App
from moabot.config import ChannelSettings
from moabot.contract import Answer, Question, Share
from moabot.journal import Entry, PassingJournal
from moabot.refreshing import MOST, Refreshing
from moabot.testing import RecordingReply, rehearsal

pytestmark = pytest.mark.virtual_time

SINGLE = {"defaults": {"strategy": "single", "preset": "fast"}}
QUESTION = "When does water boil?"


class Slow:
    """A provider whose answers take two seconds; it counts them, and how many run at once."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls = 0
        self.running = 0
        self.most = 0
        self._error = error

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Answer."""
        self.calls += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(2)
        finally:
            self.running -= 1
        if self._error is not None:
            raise self._error
        return Completion("At 100 degrees.", Usage(calls=1, cost_usd=Decimal(1)), "end")


class Old:
    """A cache that has an old answer to everything, and wants a new one."""

    def __init__(self) -> None:
        self.offered: list[Answer] = []

    async def find(self, question: Question, *, key: str, share: Share) -> Answer | None:
        """The old one."""
        return Answer("Soon.", "single", from_cache=True, refresh=True)

    async def keep(self, question: Question, answer: Answer, *, key: str, share: Share) -> None:
        """Note it."""
        self.offered.append(answer)

    async def joined(self, question: Question, *, key: str, share: Share) -> None:
        """Nobody joins."""

    async def forget(self, event: str) -> None:
        """Nobody complains."""


@asynccontextmanager
async def _bot(
    provider: Slow, cache: Old, tables: Mapping[str, object] = SINGLE
) -> AsyncGenerator[App]:
    async with rehearsal(provider, tables) as app:
        app.answering = replace(app.answering, cache=cache)
        async with Refreshing(app.answering, PassingJournal()) as refreshing:
            app.answering.recall.refresh = refreshing
            yield app


async def _ask(app: App, event: str, text: str = QUESTION) -> Answer | None:
    reply = RecordingReply()
    message = Message("test", "w", "c", "ann", text, event, thread=event)
    await app.answering.handle(message, reply)
    return reply.answer


async def test_the_old_answer_comes_at_once_and_the_new_one_is_kept() -> None:
    """Who asks first after a month must not be the one who waits."""
    async with _bot(provider := Slow(), cache := Old()) as app:
        began = asyncio.get_running_loop().time()
        answer = await _ask(app, "1")
        waited = asyncio.get_running_loop().time() - began
        offered = len(cache.offered)
        await asyncio.sleep(3)

    assert answer is not None
    assert (answer.text, answer.from_cache, waited, offered) == ("Soon.", True, 0, 0)
    assert [(each.text, each.from_cache) for each in cache.offered] == [("At 100 degrees.", False)]
    assert provider.calls == 1


async def test_equal_questions_are_answered_anew_once_and_nobody_waits() -> None:
    """A popular question has a hundred askers in the seconds that its new answer takes."""
    async with _bot(provider := Slow(), cache := Old()) as app:
        began = asyncio.get_running_loop().time()
        for number in range(20):
            await _ask(app, str(number))
        waited = asyncio.get_running_loop().time() - began
        await asyncio.sleep(3)

    assert (waited, provider.calls, len(cache.offered)) == (0, 1, 1)


async def test_few_are_answered_anew_at_once_and_a_bounded_number_waits() -> None:
    """People who wait for an answer share the models with what nobody waits for."""
    async with _bot(provider := Slow(), Old()) as app:
        for number in range(MOST + 20):
            await _ask(app, str(number), f"What is {number} times {number}?")
        await asyncio.sleep(500)

    assert (provider.most, provider.calls) == (2, MOST)


async def test_closing_waits_for_no_new_answer() -> None:
    """Ctrl-C means now."""
    async with _bot(provider := Slow(), cache := Old()) as app:
        await _ask(app, "1")
        await asyncio.sleep(1)
        running = provider.running
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() == began

    assert (running, provider.running, cache.offered) == (1, 0, [])


async def test_what_is_begun_after_closing_is_not_begun() -> None:
    """A message may still be under way when the bot is told to end."""
    async with rehearsal(provider := Slow(), SINGLE) as app:
        app.answering = replace(app.answering, cache=Old())
        async with Refreshing(app.answering, PassingJournal()) as refreshing:
            app.answering.recall.refresh = refreshing
        answer = await _ask(app, "1")

    assert answer is not None
    assert provider.calls == 0


class Torn(PassingJournal):
    """A ledger with a bug."""

    async def accept(self, message: Message, wish: ChannelSettings) -> Entry | None:
        """Break."""
        raise ValueError("a bug")


async def test_a_model_that_fails_leaves_the_old_answer(caplog: pytest.LogCaptureFixture) -> None:
    """It is tried anew when the cache wishes so again."""
    async with _bot(provider := Slow(OSError("down")), cache := Old()) as app:
        for event in ("1", "2"):
            await _ask(app, event)
            await asyncio.sleep(100)
        answer = await _ask(app, "3")

    assert answer is not None
    assert provider.calls >= 2
    assert cache.offered == []
    assert [record.message for record in caplog.records].count("not refreshed") == 2


async def test_a_bug_in_the_background_ends_neither_the_bot_nor_the_next_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A group of tasks dies with one of them, and would take with it whoever opened it."""
    async with rehearsal(Slow(), SINGLE) as app:
        app.answering = replace(app.answering, cache=Old())
        async with Refreshing(app.answering, Torn()) as refreshing:
            app.answering.recall.refresh = refreshing
            answers = [await _ask(app, "1")]
            await asyncio.sleep(1)
            answers.append(await _ask(app, "2"))
            await asyncio.sleep(1)

    assert all(answers)
    assert [record.message for record in caplog.records].count("not refreshed") == 2


async def test_without_money_nothing_is_answered_anew() -> None:
    """The remembered answer costs nothing, so it is given all the same."""
    tables = {
        **SINGLE,
        "models": {"a": {"provider": "scripted", "name": "a", "price": {"input": 1, "output": 1}}},
        "panels": {"default": {"proposers": [{"model": "a"}]}},
        "admission": {"user_day_usd": "0.5"},
    }
    async with _bot(provider := Slow(), Old(), tables) as app:
        answers: list[Answer | None] = []
        for event in ("1", "2"):
            answers.append(await _ask(app, event))
            await asyncio.sleep(3)

    assert all(answer is not None and answer.text == "Soon." for answer in answers)
    assert provider.calls == 1
