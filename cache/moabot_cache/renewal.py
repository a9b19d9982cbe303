"""Which remembered answers are to be made anew: those past their time, and a sample of the others."""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from dataclasses import dataclass

from moabot.agreement import supports
from moabot.contract import Answer, Question
from moabot.store.rows import Given
from moabot_cache.counts import Counts
from moabot_cache.settings import Settings

__all__ = ["Renewal", "Sampled"]

DAY_S = 86_400.0
HOUR_S = 3_600.0
JITTER = 0.1
"""Share of the lifetime by which entries of one day differ, so that they do not expire together."""
AGAIN_S = 600.0
"""After which a new answer is asked for once more, if none came: no money was left, say."""
MOST = 10_000
"""Rows of which is known when a new answer was asked for."""
PENDING = 1_000
"""Samples whose new answer may still come."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """What was given, and its text, which the new answer must support."""

    given: Given
    text: str

    def is_right(self, question: Question, answer: Answer) -> bool:
        """Whether the answer made anew says the same, judged by words and numbers alone."""
        return supports(self.text, answer.text, question=question.text)


class Renewal:
    """A row is kept a grace longer than it is fresh; within that it is given and made anew."""

    def __init__(self, settings: Settings, counts: Counts) -> None:
        self._fresh_s = settings.keep_days * DAY_S
        self._grace_s = settings.stale_hours * HOUR_S
        self._shadow = settings.shadow
        self._counts = counts
        self._asked_for: OrderedDict[int, float] = OrderedDict()
        self._samples: OrderedDict[str, Sampled] = OrderedDict()

    def expiry(self, at: float) -> float:
        """When a row that is kept at a time leaves (seconds since 1970)."""
        return at + self._fresh_s * random.uniform(1 - JITTER, 1) + self._grace_s  # noqa: S311 - no secret

    def wanted(self, name: str, *, given: Given, text: str, expires: float) -> bool:
        """Whether the question of this name, given this, is to be answered anew."""
        if expires - self._grace_s < time.time():
            self._counts.add("given stale")
            return self._is_due(given.place)
        if random.random() >= self._shadow:  # noqa: S311 - a sample, no secret
            return False
        self._counts.add("sampled")
        self._samples[name] = Sampled(given, text)
        while len(self._samples) > PENDING:
            self._samples.popitem(last=False)
        return True

    def sampled(self, name: str) -> Sampled | None:
        """What the question of this name was given when it was drawn; once."""
        return self._samples.pop(name, None)

    def _is_due(self, place: int) -> bool:
        """Each row seldom, however many ways there are to ask for it."""
        now = time.monotonic()
        if now < self._asked_for.get(place, float("-inf")) + AGAIN_S:
            return False
        self._asked_for[place] = now
        self._asked_for.move_to_end(place)
        while len(self._asked_for) > MOST:
            self._asked_for.popitem(last=False)
        return True
