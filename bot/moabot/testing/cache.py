"""What every cache keeps: it gives again what it was given, to those who may have it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Final, TypeGuard

from moabot.contract import Answer, Cache, Question, Scope
from moabot.opening import nobody
from moabot.plugins import Kind
from moabot.store import sqlite
from moabot.store.rows import Accepted
from moabot.testing.checked import Checked, ContractBroken, hold

__all__ = ["CacheContract"]

QUESTION = Question(
    "What is the capital of Australia?", scope=Scope("test", "w", "c"), event="test:1"
)
ASKED = Accepted(
    event=QUESTION.event,
    scope=QUESTION.scope,
    author="ann",
    text=QUESTION.text,
    addressed=True,
    said_at=0.0,
    seed=b"",
    at=0.0,
)
"""The message, which a store wants to have before it keeps what was made for it."""
SHARE: Final = "channel"
ANSWER = Answer("Canberra.", "mixture")
KEY = "mixture/balanced"


class CacheContract(Checked):
    """The suite for a cache of answers.

    >>> class TestShelf(CacheContract):
    ...     plugin = "moabot_shelf"
    """

    kind: ClassVar[Kind] = "cache"

    def test_what_was_kept_is_found(self) -> None:
        """Else it costs time and saves nothing."""

        async def kept(cache: Cache) -> None:
            await cache.keep(QUESTION, ANSWER, key=KEY, share=SHARE)
            found = await cache.find(QUESTION, key=KEY, share=SHARE)
            hold(found is not None and found.text == ANSWER.text, f"It gave {found!r}.")

        self.run(self._with(kept))

    def test_what_was_never_kept_is_not_found(self) -> None:
        """A wrong answer from a cache looks as sure of itself as a right one."""
        others = {
            "another question": replace(QUESTION, text="Who painted the Mona Lisa?"),
            "another channel": replace(QUESTION, scope=Scope("test", "w", "other")),
            "another workspace": replace(QUESTION, scope=Scope("test", "other", "c")),
        }

        async def apart(cache: Cache) -> None:
            await cache.keep(QUESTION, ANSWER, key=KEY, share=SHARE)
            for what, question in others.items():
                found = await cache.find(question, key=KEY, share=SHARE)
                hold(found is None, f"It gave {found!r} for {what}.")
            found = await cache.find(QUESTION, key="another strategy", share=SHARE)
            hold(found is None, f"It gave {found!r} under another key.")

        self.run(self._with(apart))

    def test_what_was_forgotten_is_not_found(self) -> None:
        """Somebody said that it is wrong."""

        async def forgotten(cache: Cache) -> None:
            await cache.keep(QUESTION, ANSWER, key=KEY, share=SHARE)
            await cache.forget(QUESTION.event)
            found = await cache.find(QUESTION, key=KEY, share=SHARE)
            hold(found is None, f"It gave {found!r} after it was told to forget it.")

        self.run(self._with(forgotten))

    async def opened(self, stack: AsyncExitStack) -> object:
        """The cache, with a database of its own and nobody to ask."""
        folder = Path(stack.enter_context(TemporaryDirectory()))
        store = await stack.enter_async_context(sqlite.opened(folder, alone=True))
        await store.accept(ASKED)
        return await self.entered(stack, store, nobody)

    async def _with(self, work: Callable[[Cache], Awaitable[None]]) -> None:
        async with AsyncExitStack() as stack:
            cache = await self.opened(stack)
            if not _is_cache(cache):
                raise ContractBroken("It lacks one of find, keep, joined and forget.")
            await work(cache)


def _is_cache(opened: object) -> TypeGuard[Cache]:
    names = ("find", "keep", "joined", "forget")
    return all(callable(getattr(opened, name, None)) for name in names)
