"""Who is asked about a candidate that the rules alone do not let pass."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from moabot.contract import Question

__all__ = ["Near", "Off", "Verifier", "vouched"]

WITHIN_S = 0.25
"""How long a lookup waits for a verifier."""


@dataclass(frozen=True, slots=True)
class Near:
    """A kept question beside the one asked, and the rule that objects: its `cosine` is near.

    `name` stands for the asked question in its partition, `place` is the kept row's.
    """

    asked: Question
    name: str
    kept: str
    place: int
    cosine: float
    refused: str


class Verifier(Protocol):
    """Somebody who can tell whether one answer serves two questions."""

    def same(self, near: Near) -> asyncio.Future[bool]:
        """Begins at once. True lets the kept answer be given; late or failed is no."""
        ...

    def replied(self, name: str) -> None:
        """The question of this name has got its reply: what is slow may begin."""
        ...


class Off:
    """Nobody: the rules alone decide."""

    def same(self, near: Near) -> asyncio.Future[bool]:
        """No."""
        return no()

    def replied(self, name: str) -> None:
        """Nothing waits for it."""


def no() -> asyncio.Future[bool]:
    """A verdict that is there already."""
    verdict: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    verdict.set_result(False)
    return verdict


async def vouched(verifier: Verifier, near: Near) -> bool:
    """Whether the verifier says in time that it is the same question; whatever fails is no."""
    saying = verifier.same(near)
    if not saying.done():
        await asyncio.wait([saying], timeout=WITHIN_S)
    if not saying.done():
        saying.cancel()
        return False
    return not saying.cancelled() and saying.exception() is None and saying.result() is True
