"""What goes wrong at Slack and on the way to it: by chance, seeded, or next in line."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

KINDS = ("busy", "broken", "slow", "lost", "cut")
"""429 · 500 · a late answer · applied, but the answer never comes · cut before it is read."""


@dataclass(slots=True)
class Faults:
    """Shares are from 0 to 1, of the calls to the methods in `of` (all, if empty).

    `lost` is the cruel one: the caller cannot know whether it was done.
    """

    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - no secret
    busy: float = 0.0
    busy_s: int = 1
    broken: float = 0.0
    slow: float = 0.0
    slow_s: float = 2.0
    lost: float = 0.0
    cut: float = 0.0
    of: frozenset[str] = frozenset()

    twice: float = 0.0
    """Share of events that are delivered again although they were acked."""
    late: float = 0.0
    late_s: float = 30.0
    """Share of events that come up to `late_s` later, and so out of order."""

    refusing: dict[str, str] = field(default_factory=dict[str, str])
    """The error with which all calls to a method are refused."""
    next: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """(method, kind): the next call to the method fails so; each is used once."""

    def of_call(self, method: str) -> str:
        """How this call fails; "" if it does not."""
        for place, (named, kind) in enumerate(self.next):
            if named == method:
                del self.next[place]
                return kind
        if self.of and method not in self.of:
            return ""
        drawn = self.chance.random()
        for kind in KINDS:
            share: float = getattr(self, kind)
            if drawn < share:
                return kind
            drawn -= share
        return ""

    def delay_s(self) -> float:
        """How much later an event comes than it should."""
        return self.chance.uniform(0, self.late_s) if self.chance.random() < self.late else 0.0

    def again(self) -> bool:
        """Whether an event that was acked comes once more."""
        return self.chance.random() < self.twice
