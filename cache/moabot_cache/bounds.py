"""Which answers stay when there is no more room: those asked for often, and dear to make."""

from __future__ import annotations

from collections import Counter
from random import Random

__all__ = ["Bounds"]

SAMPLE = 12
"""Entries that are looked at to find one to give up; a full order would cost more than it is worth."""
HALVING = 10
"""After how many times its size in questions all counts are halved, so that old fame fades."""


class Bounds:
    """Counts how often each question is asked, also those that are not kept, and picks who leaves.

    A newcomer asked once does not displace what was asked twice, so a stream of questions that
    nobody repeats leaves the others alone.
    """

    def __init__(self, *, most: int, seed: int = 0) -> None:
        self.most = most
        self._asked: Counter[str] = Counter()
        self._since = 0
        self._names: list[str] = []
        self._at: dict[str, int] = {}
        self._worth: dict[str, float] = {}
        self._random = Random(seed)  # noqa: S311 - a sample, no secret

    def __len__(self) -> int:
        return len(self._names)

    def asked(self, name: str) -> None:
        """Somebody asked this."""
        self._asked[name] += 1
        self._since += 1
        if self._since >= HALVING * self.most:
            self._since = 0
            self._asked = Counter({n: c // 2 for n, c in self._asked.items() if c > 1})

    def admit(self, name: str, *, worth: float = 1.0) -> str | None:
        """Take `name` in; returns who has to leave for it, which may be itself, or None.

        `worth` is what one answer saves, in any unit.
        """
        if name in self._at:
            return None
        self._at[name] = len(self._names)
        self._names.append(name)
        self._worth[name] = worth
        if len(self._names) <= self.most:
            return None
        victim = min(self._sample(name), key=self._value)
        self.remove(victim)
        return victim

    def remove(self, name: str) -> None:
        """It is gone, for whatever reason."""
        at = self._at.pop(name, None)
        if at is None:
            return
        last = self._names.pop()
        if last != name:
            self._names[at] = last
            self._at[last] = at
        del self._worth[name]

    def _sample(self, name: str) -> list[str]:
        return [name, *(self._random.choice(self._names) for _ in range(SAMPLE))]

    def _value(self, name: str) -> float:
        return self._asked[name] * self._worth[name]
