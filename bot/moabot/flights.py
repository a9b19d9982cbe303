"""The same question twice at once is answered once: who comes second waits for who came first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

from moabot.contract import Answer, Question, Share, Usage

__all__ = ["Flights", "flight"]

Name = tuple[object, ...]


class Flights:
    """Answers that are being made, by the name of what they answer."""

    def __init__(self) -> None:
        self._flying: dict[Name, asyncio.Future[Answer | None]] = {}

    async def join(self, name: Name, think: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer of whoever flies under `name`, else our own from `think`.

        When the leader is stopped or gets a lesser answer, the next in line leads.
        """
        while (leader := self._flying.get(name)) is not None:
            answer = await asyncio.shield(leader)
            if answer is not None:
                return answer
        landing: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._flying[name] = landing
        shared: Answer | None = None
        try:
            answer = await think()
            if not answer.degraded:
                now = datetime.now(UTC)
                shared = replace(answer, from_cache=True, asked_at=now, usage=Usage(), seconds=0.0)
            return answer
        finally:
            del self._flying[name]
            landing.set_result(shared)


def flight(question: Question, *, key: str, share: Share) -> Name:
    """What two questions must have in common to be one: words, what was said before, who shares."""
    scope = question.scope
    shared = share == "workspace" and not scope.private
    room = None if shared else (scope.channel, scope.private)
    words = tuple(question.text.casefold().split())
    return (scope.platform, scope.workspace, room, key, words, question.history, question.images)
