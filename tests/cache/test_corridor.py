"""The corridor asks the cache first, and joins those who ask the same at once."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from moabot import Asker, Completion, Message, Prompt, Scope, Usage, Wrote
from moabot.app import App
from moabot.desk import Desk
from moabot.store import Store
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


@pytest.mark.parametrize("whom", [{"user": "test:w/ann 1"}, {"channel": "test:w/c"}])
async def test_who_is_erased_while_being_answered_leaves_nothing(
    whom: dict[str, str], tmp_path: Path
) -> None:
    """The answer comes after the erasure, and would be given to whoever asks next."""
    provider = Counting()
    async with rehearsal(provider, _tables(tmp_path), keep="all") as app:
        store = app.memory.store
        assert store is not None
        asking = asyncio.create_task(_ask(app, "1"))
        await provider.asked.wait()
        left = [await store.erase(**whom)]
        provider.go.set()
        reply = await asking
        rows = await store.answers.size()
        left += [await store.erase(**whom)]
        again = await _ask(app, "2")

    assert (left, rows) == ([(0, 0)] * 2, (0, 0))
    assert [each.answer is not None and each.answer.from_cache for each in (reply, again)] == [
        False,
        False,
    ]
    assert provider.calls == 2


def _age(path: Path, days: float) -> None:
    """Let all answers be that much older."""
    with closing(sqlite3.connect(path / "moabot.db")) as other:
        other.execute("UPDATE answers SET expires = expires - ?", (days * 86_400,))
        other.commit()


async def _spent(store: Store, purpose: str) -> int:
    """The calls for a purpose, as soon as there are any."""
    for _ in range(200):
        calls = {each.key: each.calls for each in await store.spending("strategy", since=0)}
        if purpose in calls:
            return calls[purpose]
        await asyncio.sleep(0.01)
    return 0


async def test_an_answer_past_its_time_is_given_and_made_anew_and_counted(tmp_path: Path) -> None:
    """The ledger tells what nobody waited for from what somebody asked."""
    tables = {**_tables(tmp_path), "cache": {"semantic": False, "keep_days": 1, "stale_hours": 48}}
    provider = Counting()
    provider.go.set()
    async with rehearsal(provider, tables, keep="all") as app:
        await _ask(app, "1")
    _age(tmp_path, 2)
    async with rehearsal(provider, tables, keep="all") as app:
        store = app.memory.store
        assert store is not None
        reply = await _ask(app, "2")
        spent = await _spent(store, "refresh")
    _age(tmp_path, 0.5)
    async with rehearsal(provider, tables, keep="all") as app:
        await _ask(app, "3")

    assert reply.answer is not None
    assert reply.answer.from_cache
    assert spent == 1
    assert provider.calls == 2


async def test_a_drawn_hit_that_the_models_contradict_is_answered_anew_next_time(
    tmp_path: Path,
) -> None:
    """A wrong hit is found without anybody who complains."""
    provider = ScriptedProvider({"a": [says("Call 112."), *[says("Press 7 keys.")] * 2]})
    tables = {**_tables(tmp_path), "cache": {"semantic": False, "shadow": 1}}
    panel = {"proposers": [{"model": "a"}]}
    async with rehearsal(provider, tables, models=("a",), panel=panel, keep="all") as app:
        store = app.memory.store
        assert store is not None
        await _ask(app, "1")
        hit = await _ask(app, "2")
        for _ in range(200):
            if await store.answers.size() == (0, 0):
                break
            await asyncio.sleep(0.01)
        anew = await _ask(app, "3")

    assert [each.answer and each.answer.text for each in (hit, anew)] == [
        "Call 112.",
        "Press 7 keys.",
    ]
    assert anew.answer is not None
    assert not anew.answer.from_cache
