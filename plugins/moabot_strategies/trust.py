"""Which voters side with the majority far less often than the others do: these are set aside.

Measured on stored answers: proposers that always give the most popular wrong answer take 3.5
points from a vote of five when there is one of them, and 20 when two of them collude. Two that
agree with each other win every question on which the honest are divided, so only questions with
a strict majority are evidence, and only those that everybody was asked, since a voter who is
asked when the others disagree sees nothing but hard ones.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from statistics import median_low

__all__ = ["Trust"]

REMEMBERED = 24
ENOUGH = 8
FAR = 0.65
"""Set aside below this share of the median voter's. From 0.65 to 0.85 made no difference."""
WHILE_LEARNING = 3
"""Every third question is asked of everybody until there is evidence."""


class Trust:
    """What was learned in this process; `every` so many questions everybody is asked."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._questions = 0
        self._sided: defaultdict[str, deque[bool]] = defaultdict(
            lambda: deque[bool](maxlen=REMEMBERED)
        )

    def is_due(self, models: Iterable[str]) -> bool:
        """Count one question; whether to ask all of `models` this time."""
        self._questions += 1
        learning = any(len(self._sided[model]) < REMEMBERED for model in models)
        every = min(self._every, WHILE_LEARNING) if learning else self._every
        return self._every > 0 and self._questions % every == 0

    def note(self, votes: Sequence[tuple[str, str]]) -> None:
        """Learn from (model, vote) of everybody, if more than half say the same."""
        if len(votes) < 3:
            return
        said, times = Counter(vote for _, vote in votes).most_common(1)[0]
        if times * 2 > len(votes):
            for model, vote in votes:
                self._sided[model].append(vote == said)

    def doubted(self, models: Iterable[str]) -> frozenset[str]:
        """Those of `models` that stand far apart from the others; always fewer than half."""
        shares = {m: sum(self._sided[m]) / len(self._sided[m]) for m in models if self._knows(m)}
        usual = median_low(shares.values()) if shares else 0.0
        return frozenset(model for model, share in shares.items() if share < FAR * usual)

    def _knows(self, model: str) -> bool:
        return len(self._sided[model]) >= ENOUGH
