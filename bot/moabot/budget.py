"""What one answer may still spend, and what hedging may spend over all answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from moabot.contract import NOTHING, Usage
from moabot.errors import BudgetSpent
from moabot.purses import Purse

__all__ = ["Budget", "HedgeBudget"]


class Budget:
    """Money of one answer: reserve before a call, settle after it, never a cent over.

    `limit_usd` None means no limit. The call must also fit into each of `purses`; it takes from
    all of them or from none. `usage` is the sum of everything settled.
    """

    def __init__(self, limit_usd: Decimal | None, purses: Sequence[Purse] = ()) -> None:
        self.usage = NOTHING
        self.limit_usd = limit_usd
        self._purses = purses
        self._reserved = Decimal(0)

    @property
    def is_limited(self) -> bool:
        """Whether anything has to be reserved at all."""
        return self.limit_usd is not None or any(purse.is_limited for purse in self._purses)

    @property
    def left_usd(self) -> Decimal | None:
        """What the next call may cost; None: no limit, or nobody knows."""
        lefts = [purse.left_usd for purse in self._purses]
        if self.limit_usd is not None and self.usage.cost_usd is not None:
            lefts.append(self.limit_usd - self.usage.cost_usd - self._reserved)
        return min((left for left in lefts if left is not None), default=None)

    def reserve(self, cost_usd: Decimal | None, *, model: str = "NAME") -> Decimal:
        """Set the most that a call of `model` can cost aside and return it.

        Raises `BudgetSpent` when that is too much, or nobody knows (None) and it must be known.
        """
        if not self.is_limited:
            return Decimal(0)
        if cost_usd is None:
            raise self._unknown(f"The price of the model {model!r}", model)
        if self.limit_usd is not None and self.usage.cost_usd is None:
            raise self._unknown("What an earlier call of this answer cost", "NAME")
        self._check(cost_usd)
        for purse in self._purses:
            purse.check(cost_usd)
        self._reserved += cost_usd
        for purse in self._purses:
            purse.reserve(cost_usd)
        return cost_usd

    def settle(self, reserved: Decimal, usage: Usage) -> None:
        """A call is over: give back what was reserved and count what it used."""
        self._reserved -= reserved
        self.usage += usage
        for purse in self._purses:
            purse.settle(reserved, reserved if usage.cost_usd is None else usage.cost_usd)

    def recall(self, usage: Usage) -> None:
        """A call of an earlier process belongs to this answer; the purses know of it."""
        self.usage += usage

    def _unknown(self, what: str, model: str) -> BudgetSpent:
        limits = ["budget_usd of the panel"] if self.limit_usd is not None else []
        limits += [name for purse in self._purses for name in purse.limits]
        key = model if re.fullmatch(r"[\w-]+", model, re.ASCII) else f'"{model}"'
        return BudgetSpent(
            f"{what} is unknown, so nobody can keep to {' and '.join(limits)}.",
            fix=f"Set [models.{key}] price = {{input = …, output = …}}, in US dollars per million "
            "tokens, or remove the limit.",
        )

    def _check(self, cost_usd: Decimal) -> None:
        if self.limit_usd is None or self.usage.cost_usd is None:
            return
        if self.usage.cost_usd + self._reserved + cost_usd > self.limit_usd:
            raise BudgetSpent(
                f"The next call could cost ${cost_usd:.4f}, more than is left of the answer's "
                f"${self.limit_usd}.",
                fix="Raise budget_usd of the panel, or choose a smaller preset.",
            )


class HedgeBudget:
    """Backups may add at most a fifth to the calls, over time: each call earns 0.2 of one."""

    EARNED = 0.2
    MOST = 20.0

    def __init__(self) -> None:
        self._saved = self.MOST

    def earn(self) -> None:
        """An ordinary call was made."""
        self._saved = min(self.MOST, self._saved + self.EARNED)

    def take(self) -> bool:
        """Whether one backup may be made now; if so it is paid for."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True
