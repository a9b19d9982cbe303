"""What one answer may still spend, and what hedging may spend over all answers."""

from __future__ import annotations

from decimal import Decimal

from moabot.contract import NOTHING, Usage
from moabot.errors import BudgetSpent

__all__ = ["Budget", "HedgeBudget"]


class Budget:
    """Money of one answer: reserve before a call, settle after it, never a cent over.

    `limit_usd` None means no limit. `usage` is the sum of everything settled.
    """

    def __init__(self, limit_usd: Decimal | None) -> None:
        self.limit_usd = limit_usd
        self.usage = NOTHING
        self._reserved = Decimal(0)

    def reserve(self, cost_usd: Decimal | None) -> Decimal:
        """Set the most that a call can cost aside and return it, or raise `BudgetSpent`."""
        if self.limit_usd is None:
            return Decimal(0)
        if cost_usd is None or self.usage.cost_usd is None:
            raise BudgetSpent(
                "The panel has a budget, but the price of a model in it is unknown.",
                fix="Set [models.X] price, or remove budget_usd.",
            )
        if self.usage.cost_usd + self._reserved + cost_usd > self.limit_usd:
            raise BudgetSpent(
                f"The next call could cost ${cost_usd:.4f}, more than is left of the answer's "
                f"${self.limit_usd}.",
                fix="Raise budget_usd of the panel, or choose a smaller preset.",
            )
        self._reserved += cost_usd
        return cost_usd

    def settle(self, reserved: Decimal, usage: Usage) -> None:
        """A call is over: give back what was reserved and count what it used."""
        self._reserved -= reserved
        self.usage += usage


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
