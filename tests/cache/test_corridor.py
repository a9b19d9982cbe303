"""The corridor asks the cache first, and joins those who ask the same at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from moabot import Asker, Completion, Message, Prompt, Scope, Usage, Wrote
from moabot.app import App
from moabot.desk import Desk
from moabot.testing import RecordingReply, ScriptedProvider, rehearsal, says
from moabot_cache.semantic import SemanticCache


class Counting:
    """A provider that takes a moment, and counts its calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.asked = asyncio.Event()
        self.go = asyncio.Event()

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Answer."""
        self.calls += 1
        self.asked.set()
        await self.go.wait()
        return Completion("Water boils at 100 degrees.", Usage(calls=1), "end")


def _tables(path: Path) -> dict[str, object]:
    return {
        "data_dir": str(path),
        "defaults": {"strategy": "single", "preset": "fast", "cache": "channel"},
        "cache": {"semantic": False},
    }


async def _ask(app: App, event: str, text: str = "When does water boil?") -> RecordingReply:
    reply = RecordingReply()
    message = Message("test", "w", "c", f"ann {event}", text, event, thread=event)
    await app.answering.handle(message, reply)
    return reply


async def test_a_hundred_people_who_ask_at_once_cost_one_answer(tmp_path: Path) -> None:
    """Each gets a reply to their own message."""
    provider = Counting()
    async with rehearsal(provider, _tables(tmp_path), keep="all") as app:
        asking = [asyncio.create_task(_ask(app, str(n))) for n in range(100)]
        await provider.asked.wait()
        await asyncio.sleep(0.02)
        provider.go.set()
        replies = await asyncio.gather(*asking)

    assert provider.calls == 1
    answers = [reply.answer for reply in replies if reply.answer is not None]
    assert len(answers) == 100
    assert sum(answer.from_cache for answer in answers) == 99


async def test_an_answer_is_remembered_over_a_restart(tmp_path: Path) -> None:
    """The second process asks no model."""
    provider = Counting()
    provider.go.set()
    async with rehearsal(provider, _tables(tmp_path), keep="all") as app:
        await _ask(app, "1")
    async with rehearsal(provider, _tables(tmp_path), keep="all") as app:
        reply = await _ask(app, "2")

    assert provider.calls == 1
    assert reply.answer is not None
    assert reply.answer.from_cache


async def test_with_the_cache_off_everybody_is_answered_anew(tmp_path: Path) -> None:
    """Off means off, also for joining."""
    provider = Counting()
    provider.go.set()
    tables = {**_tables(tmp_path), "defaults": {"strategy": "single", "preset": "fast"}}
    async with rehearsal(provider, tables, keep="all") as app:
        await asyncio.gather(*(_ask(app, str(n)) for n in range(3)))

    assert provider.calls == 3


async def test_a_near_miss_is_judged_by_the_configured_model_and_paid(tmp_path: Path) -> None:
    """What the judge costs stands in the ledger, under the channel of whoever asked."""
    provider = ScriptedProvider({"referee": says("DIFFERENT")})
    tables = {
        **_tables(tmp_path),
        "cache": {"verifier": "judge", "judge": "referee"},
    }
    async with rehearsal(
        provider, tables, models=("a", "referee"), panel={"proposers": [{"model": "a"}]}, keep="all"
    ) as app:
        cache, store = app.cache, app.memory.store
        assert isinstance(cache, SemanticCache)
        assert store is not None
        await cache.loaded()
        await _ask(app, "1", "How do I reset my password?")
        await _ask(app, "2", "How do I reset my company password?")
        spent: dict[str, int] = {}
        for _ in range(200):
            if "cache" in spent:
                break
            await asyncio.sleep(0.01)
            spent = {each.key: each.calls for each in await store.spending("strategy", since=0)}

    assert [prompt.temperature for prompt in provider.asked("referee")] == [0.0]
    assert spent == {"single": 2, "cache": 1}


async def test_an_answer_that_was_rated_down_is_never_given_again(tmp_path: Path) -> None:
    """The button is the only way in which a person can mend the cache."""
    provider = Counting()
    provider.go.set()
    async with rehearsal(provider, _tables(tmp_path), keep="all") as app:
        desk = Desk(app.answering, app.memory)
        for event in ("1", "2"):
            await _ask(app, event)
        before = provider.calls
        await desk.rate(Asker(Scope("test", "w", "c"), "ann 2"), "test:2", -1)
        reply = await _ask(app, "3")

    assert (before, provider.calls) == (1, 2)
    assert reply.answer is not None
    assert not reply.answer.from_cache
