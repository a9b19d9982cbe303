"""Which voters side with the majority far less often than the others do: these are set aside.

Measured on stored answers: proposers that always give the most popular wrong answer take 3.7
points from a full vote of five when there is one of them, and 14 when there are two. Two that
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
WHILE_LEARNING = 2
"""Every other question is asked of everybody at first."""


class Trust:
    """What was learned in this process; `every` so many questions everybody is asked."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._questions = 0
        self._sided: defaultdict[str, deque[bool]] = defaultdict(
            lambda: deque[bool](maxlen=REMEMBERED)
        )

    def is_due(self) -> bool:
        """Count one question; whether to ask everybody this time."""
        self._questions += 1
        learning = self._questions <= WHILE_LEARNING * REMEMBERED
        every = min(self._every, WHILE_LEARNING) if learning else self._every
        return self._every > 0 and self._questions % every == 0

    def knows(self, model: str) -> bool:
        """Whether there is enough evidence to judge a model by."""
        return len(self._sided[model]) >= ENOUGH

    def note(self, votes: Sequence[tuple[str, str]], *, of: int) -> None:
        """Learn from (model, vote), if more than half of all the voters (`of`) say the same."""
        tally = Counter(vote for _, vote in votes).most_common(1)
        if of > 2 and tally and tally[0][1] * 2 > of:
            for model, vote in votes:
                self._sided[model].append(vote == tally[0][0])

    def doubted(self, models: Iterable[str]) -> frozenset[str]:
        """Those of `models` that stand far apart from the others; always fewer than half."""
        shares = {m: sum(self._sided[m]) / len(self._sided[m]) for m in models if self.knows(m)}
        usual = median_low(shares.values()) if shares else 0.0
        return frozenset(model for model, share in shares.items() if share < FAR * usual)
