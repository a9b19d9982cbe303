"""A store with a cache on it, as the bot opens them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from moabot.contract import Answer, Question, Scope, Turn
from moabot.store import sqlite
from moabot.store.rows import Accepted
from moabot_cache.semantic import SemanticCache, opened
from moabot_cache.settings import Settings

EVENTS = tuple(f"slack:{number}" for number in range(501))
Open = Callable[..., AbstractAsyncContextManager[SemanticCache]]


@pytest.fixture
def open_cache(tmp_path: Path) -> Open:
    """Opens the cache on the same database again and again, ready to serve in other words.

    The messages of `EVENTS` have arrived there.
    """

    @asynccontextmanager
    async def open_it(**settings: object) -> AsyncGenerator[SemanticCache]:
        chosen = Settings.model_validate(settings)
        async with sqlite.opened(tmp_path, alone=True) as store, opened(chosen, store) as cache:
            await asyncio.gather(
                *(store.accept(arrived(asking("Hi", event=event))) for event in EVENTS)
            )
            await cache.loaded()
            yield cache

    return open_it


def asking(
    text: str, *said: str, scope: Scope | None = None, author: str = "ann", event: str = ""
) -> Question:
    """A question, after what was `said` in turns."""
    turns = tuple(
        Turn("assistant" if place % 2 else "user", words) for place, words in enumerate(said)
    )
    return Question(text, turns, scope or Scope("slack", "T1", "C1"), (), author, event)


def arrived(question: Question) -> Accepted:
    """The row of the inbox for the message that asks this."""
    return Accepted(
        event=question.event,
        scope=question.scope,
        author=question.author,
        text=question.text,
        addressed=True,
        said_at=1.0,
        seed=b"",
        at=1.0,
    )


def answer(text: str = "Like this.") -> Answer:
    """A whole answer."""
    return Answer(text, "mixture", "balanced")
