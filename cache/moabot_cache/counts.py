"""How often something happened in the cache, by day; written now and then."""

from __future__ import annotations

import time
from collections import Counter, defaultdict

from moabot.store.answers import Answers
from moabot.store.rows import Tally

__all__ = ["LOOKUPS", "Counts"]

DAY_S = 86_400.0
TALLY_S = 10.0
LOOKUPS = (
    (0.0001, "lookup up to 0.1 ms"),
    (0.001, "lookup up to 1 ms"),
    (0.003, "lookup up to 3 ms"),
    (0.01, "lookup up to 10 ms"),
    (0.03, "lookup up to 30 ms"),
    (0.1, "lookup up to 100 ms"),
    (float("inf"), "lookup longer"),
)
"""Seconds up to which a lookup is counted under a name."""


class Counts:
    """Counts in memory. What a crash takes of them is no loss."""

    def __init__(self, rows: Answers) -> None:
        self._rows = rows
        self._times: Counter[str] = Counter()
        self._saved: defaultdict[str, float] = defaultdict(float)
        self._written_at = time.monotonic()

    def add(self, name: str, *, saved_usd: float = 0.0) -> None:
        """It happened once more."""
        self._times[name] += 1
        if saved_usd:
            self._saved[name] += saved_usd

    def took(self, seconds: float) -> None:
        """A lookup took so long."""
        self.add(next(name for most, name in LOOKUPS if seconds <= most))

    def write_when_due(self) -> None:
        """Write, unless that was done a moment ago."""
        if time.monotonic() > self._written_at + TALLY_S:
            self.write()

    def write(self) -> None:
        """Write all; nobody waits for it."""
        self._written_at = time.monotonic()
        day = int(time.time() // DAY_S)
        tallies = [Tally(day, name, n, self._saved[name]) for name, n in self._times.items()]
        self._times.clear()
        self._saved.clear()
        if tallies:
            self._rows.count(tallies)
