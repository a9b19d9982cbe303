"""The same question twice at once is answered once: who comes second waits for who came first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from moabot.contract import NOTHING, Answer, Question, Share

__all__ = ["Flights", "Name", "flight"]

Name = tuple[object, ...]


class Flights:
    """Answers that are being made, by the name of what they answer."""

    def __init__(self) -> None:
        self._flying: dict[Name, asyncio.Future[Answer | None]] = {}

    async def joined(self, name: Name) -> Answer | None:
        """The answer that somebody else is making; None when we have to make it.

        When the leader is stopped, the next in line leads. When it gets no good answer, nobody
        waits a second time: all who waited make their own, beside each other.
        """
        while (leader := self._flying.get(name)) is not None:
            await asyncio.wait([leader])
            if not leader.cancelled():
                return leader.result()
        return None

    @contextmanager
    def leading(self, name: Name) -> Generator[Callable[[Answer], None]]:
        """Others wait for what is handed to the yielded function, until the block ends.

        While somebody leads by that name already, nobody waits for us.
        """
        name = (object(),) if name in self._flying else name
        landing: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._flying[name] = landing
        found: list[Answer] = []
        try:
            yield found.append
        except asyncio.CancelledError:
            if not found:  # else it was stopped after it landed
                landing.cancel()
            raise
        finally:
            del self._flying[name]
            if not landing.cancelled():
                landing.set_result(_shared(found[0]) if found else None)


def _shared(answer: Answer) -> Answer | None:
    if answer.degraded:
        return None
    asked_at = answer.asked_at or datetime.now(UTC)
    return replace(answer, from_cache=True, asked_at=asked_at, usage=NOTHING, seconds=0.0)


def flight(question: Question, *, key: str, share: Share) -> Name:
    """What two questions must have in common to be one: words, what was said before, who shares."""
    scope = question.scope
    shared = share == "workspace" and not scope.private
    room = None if shared else (scope.channel, scope.private)
    text = question.text.strip()  # not casefolded: -d is not -D
    words = text if "\n" in text else tuple(text.split())  # several lines may be code
    return (scope.platform, scope.workspace, room, key, words, question.history, question.images)
