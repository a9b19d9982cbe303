"""What the cache would do with a question, candidate by candidate, guard by guard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moabot.contract import Question
from moabot.store.answers import Answers
from moabot.store.rows import Brief
from moabot_cache.admission import alone
from moabot_cache.difference import Difference
from moabot_cache.embedder import Encoder
from moabot_cache.exact import normal
from moabot_cache.guards import GUARDS
from moabot_cache.nearness import Ruling, needed
from moabot_cache.reading import Reading
from moabot_cache.said import essence
from moabot_cache.settings import Settings

__all__ = ["Candidate", "explained"]

PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A kept question beside the one asked.

    `needed` is the cosine that it would take; `guards` are all that object. `room` is where it
    was asked: it is given there only, or in its workspace.
    """

    question: str
    room: str
    cosine: float
    needed: float
    exact: bool
    guards: tuple[str, ...]
    hit: bool


async def explained(
    question: str, answers: Answers, encoder: Encoder, *, settings: Settings, most: int = 5
) -> tuple[str, Sequence[Candidate]]:
    """Why the question has no semantic tier (or nothing), and the nearest kept ones, best first."""
    asked = Reading(question)
    vector = encoder.encode([essence(question)])[0]
    near: list[tuple[float, Brief]] = []
    place = 0
    while rows := await answers.after(place, most=PAGE):
        place = rows[-1].place
        for row in rows:
            same = normal(row.question) == normal(question)
            cosine = 1.0 if same else -1.0
            if row.vector and row.encoder == encoder.fingerprint:
                cosine = float(
                    np.frombuffer(row.vector, dtype=np.float16).astype(np.float32) @ vector
                )
            if cosine >= 0:
                near.append((cosine + same, row))
        near = sorted(near, key=lambda pair: -pair[0])[:most]
    why = "" if alone(Question(question), asked) else "it does not stand alone, or is not English"
    return why, [
        await _candidate(question, row, answers, cosine=cosine, settings=settings)
        for cosine, row in near
    ]


async def _candidate(
    question: str, row: Brief, answers: Answers, *, cosine: float, settings: Settings
) -> Candidate:
    asked, kept = Reading(question), Reading(row.question)
    exact = normal(row.question) == normal(question)
    cosine -= exact
    left = Difference(asked, kept)
    guards = tuple(name for name, guard in GUARDS.items() if guard(asked, kept, left))
    ruling = Ruling(next(iter(guards), ""), needed(asked, kept, left))
    bounds = {"nearest": settings.nearest, "caution": settings.caution}
    whole = await answers.at(row.place)
    room = "gone"
    if whole is not None:
        scope = whole.scope
        room = f"{scope.platform}:{scope.workspace}/{scope.channel}"
    near = not ruling.refusal(cosine, **bounds) and alone(Question(question), asked)
    takes = ruling.takes(**bounds)
    return Candidate(row.question, room, cosine, takes, exact, guards, exact or near)
