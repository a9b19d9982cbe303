"""What is left of the budgets of channels, workspaces and people, by the ledger."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from moabot.channels import Channels
from moabot.config import Config
from moabot.contract import Scope
from moabot.store import Store
from moabot.store.rows import By, Spending

__all__ = ["Left", "left"]

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Left:
    """The budget of one owner for a "day" or a "month" (UTC), and what is left of it."""

    key: str
    period: str
    limit_usd: Decimal
    left_usd: Decimal

    def __str__(self) -> str:
        when = "today" if self.period == "day" else "this month"
        return f"{self.key}: ${self.left_usd:,.4f} of ${self.limit_usd} left {when}"

    def record(self) -> dict[str, object]:
        """As plain values for JSON; money in US dollars."""
        return {
            "key": self.key,
            "period": self.period,
            "limit_usd": float(self.limit_usd),
            "left_usd": float(self.left_usd),
        }


async def left(store: Store, config: Config, by: By) -> list[Left]:
    """One for each limited owner that spent this month; of models and strategies there is none."""
    if by in {"model", "strategy"}:
        return []
    today = datetime.fromtimestamp(time.time(), UTC).replace(hour=0, minute=0, second=0)
    first = today.replace(day=1, microsecond=0).timestamp()
    keys: dict[str, list[Spending]] = {}
    for row in await store.spending(by, since=first):
        keys.setdefault(row.key, []).append(row)
    channels = Channels(config, strategies=None, store=store)
    found: list[Left] = []
    for key, rows in keys.items():
        day_usd, month_usd = await _limits(channels, config, by, key)
        for period, limit, since in (
            ("day", day_usd, today.timestamp()),
            ("month", month_usd, first),
        ):
            if limit is not None:
                spent = sum((r.cost_usd for r in rows if r.day >= since // DAY_S), Decimal(0))
                found.append(Left(key, period, limit, limit - spent))
    return found


async def _limits(
    channels: Channels, config: Config, by: By, key: str
) -> tuple[Decimal | None, Decimal | None]:
    if by == "user":
        return config.admission.user_day_usd, config.admission.user_month_usd
    platform, _, place = key.partition(":")
    workspace, _, channel = place.partition("/")
    rules = await channels.settings(Scope(platform, workspace, channel))
    if by == "workspace":
        return rules.workspace_day_usd, rules.workspace_month_usd
    return rules.budget_day_usd, rules.budget_month_usd
