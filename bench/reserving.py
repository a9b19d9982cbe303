"""1,000 answers at once spend from the same purses: cents over, microseconds, and what it refuses.

    python bench/reserving.py [--answers 1000] [--seed 1]

Each answer makes four calls of random prices through the real budget: it reserves the most that a
call can cost, waits a moment, and settles what it did cost. The bill is added up apart from the
purses, exactly. Exits with 1 when any day's purse is a cent over, or anything stays reserved.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections import Counter
from decimal import Decimal

from moabot.access import AdmissionSettings, ChannelRules, channel_key, user_key, workspace_key
from moabot.budget import Budget
from moabot.contract import Message, Usage
from moabot.errors import PurseEmpty
from moabot.purses import Purses

CALLS = 4
LIMITS = {"channel": Decimal(8), "workspace": Decimal(25), "user": Decimal("0.5")}
RULES = ChannelRules(budget_day_usd=LIMITS["channel"], workspace_day_usd=LIMITS["workspace"])


class Run:
    """The purses, and a bill by owner that knows nothing of them."""

    def __init__(self, seed: int) -> None:
        self.purses = Purses(AdmissionSettings(user_day_usd=LIMITS["user"]))
        self.chance = random.Random(seed)
        self.bill: Counter[tuple[str, str]] = Counter()
        self.refused = 0
        self.reserving_s = 0.0

    async def answer(self, number: int) -> None:
        """Four calls, each reserved before it waits."""
        author = f"U{number % 100}"
        message = Message("bench", "T1", f"C{number % 5}", author, "?", f"E{number}")
        owners = {
            "channel": channel_key(message),
            "workspace": workspace_key(message),
            "user": user_key(message, author),
        }
        with self.purses.opened(message, RULES) as purses:
            budget = Budget(Decimal(1), purses)
            for _ in range(CALLS):
                most = Decimal(self.chance.randint(1, 90_000)) / 1_000_000
                cost = most * self.chance.randint(0, 1000) / 1000
                began = time.perf_counter()
                try:
                    held = budget.reserve(most)
                except PurseEmpty:
                    self.refused += 1
                    continue
                finally:
                    self.reserving_s += time.perf_counter() - began
                await asyncio.sleep(self.chance.random() / 50)
                budget.settle(held, Usage(1, cost_usd=cost))
                for owner, key in owners.items():
                    self.bill[owner, key] += cost

    async def all(self, answers: int) -> None:
        """All at once."""
        async with asyncio.TaskGroup() as group:
            for number in range(answers):
                group.create_task(self.answer(number))


def main() -> int:
    """Run and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--answers", type=int, default=1000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    run = Run(chosen.seed)
    asyncio.run(run.all(chosen.answers))
    over = sum(max(spent - LIMITS[owner], Decimal(0)) for (owner, _), spent in run.bill.items())
    held = sum(account.reserved_usd for account in run.purses._accounts.values())
    calls = chosen.answers * CALLS
    spent = sum(cost for (owner, _), cost in run.bill.items() if owner == "workspace")
    print(f"{chosen.answers} answers at once, {calls} calls from {len(run.bill)} purses:")
    print(f"  {over * 100:8.4f} cents over      to reach: 0")
    print(f"  {held:8.4f} $ still reserved  to reach: 0")
    print(f"  {spent:8.4f} $ spent of ${LIMITS['workspace']} a day, {run.refused} calls refused")
    print(f"  {run.reserving_s / calls * 1e6:8.1f} microseconds for each reservation")
    print(f"load average {os.getloadavg()[0]:.1f}")
    return int(over > 0 or held != 0)


if __name__ == "__main__":
    sys.exit(main())
