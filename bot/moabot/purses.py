"""What channels, workspaces and people have spent today and this month, and may yet spend.

The ledger tells it at the start; from then on it is kept in memory, since calls reserve and settle
without waiting for a disk. Days and months are those of UTC.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from moabot.access import AdmissionSettings, ChannelRules, channel_key, user_key, workspace_key
from moabot.contract import Message
from moabot.errors import PurseEmpty
from moabot.store import Store

__all__ = ["Purse", "Purses"]

Owner = Literal["channel", "workspace", "user"]
WHOSE: dict[Owner, str] = {
    "channel": "this channel's",
    "workspace": "this workspace's",
    "user": "your",
}
SETTINGS: dict[Owner, str] = {"channel": "budget", "workspace": "workspace", "user": "user"}
NO_MONEY = Decimal(0)
EPOCH = date(1970, 1, 1)


@dataclass(slots=True)
class _Account:
    """Money of one owner: spent on `day` and in its month, reserved for calls under way.

    `users` counts the answers under way that may spend from it.
    """

    day: date
    day_usd: Decimal = NO_MONEY
    month_usd: Decimal = NO_MONEY
    reserved_usd: Decimal = NO_MONEY
    users: int = 0

    def turn(self, today: date) -> None:
        """A new day may have begun; a clock that was set back fills nothing again."""
        if today <= self.day:
            return
        if (today.year, today.month) != (self.day.year, self.day.month):
            self.month_usd = NO_MONEY
        self.day, self.day_usd = today, NO_MONEY


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """What one owner's day and month may cost, as far as each is limited."""

    owner: Owner
    day_limit_usd: Decimal | None
    month_limit_usd: Decimal | None
    contact: str
    today: Callable[[], date] = field(repr=False)
    account: _Account

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return self.day_limit_usd is not None or self.month_limit_usd is not None

    @property
    def limits(self) -> tuple[str, ...]:
        """The settings that limit it, by their names in config.toml."""
        return tuple(f"{SETTINGS[self.owner]}_{period}_usd" for period, _, _ in self._bounds())

    @property
    def left_usd(self) -> Decimal | None:
        """What the next call may cost; None: no limit."""
        held = self.account.reserved_usd
        return min((limit - spent - held for _, limit, spent in self._bounds()), default=None)

    def check(self, cost_usd: Decimal) -> None:
        """Raise `PurseEmpty`, with when or whom to ask, if a call could cost more than is left."""
        for period, limit, spent in self._bounds():
            if spent + self.account.reserved_usd + cost_usd > limit:
                raise self._empty(period, limit, spent=spent, cost_usd=cost_usd)

    def reserve(self, cost_usd: Decimal) -> None:
        """Set aside what was checked."""
        self.account.reserved_usd += cost_usd

    def settle(self, reserved_usd: Decimal, cost_usd: Decimal) -> None:
        """Give back what was set aside, and count what was spent."""
        self.account.turn(self.today())
        self.account.reserved_usd -= reserved_usd
        self.account.day_usd += cost_usd
        self.account.month_usd += cost_usd

    def _bounds(self) -> list[tuple[str, Decimal, Decimal]]:
        self.account.turn(self.today())
        bounds = (
            ("day", self.day_limit_usd, self.account.day_usd),
            ("month", self.month_limit_usd, self.account.month_usd),
        )
        return [(period, limit, spent) for period, limit, spent in bounds if limit is not None]

    def _empty(
        self, period: str, limit: Decimal, *, spent: Decimal, cost_usd: Decimal
    ) -> PurseEmpty:
        budget = f"{WHOSE[self.owner]} budget of ${limit} a {period}"
        if cost_usd > limit:
            return PurseEmpty(
                f"One call may cost ${cost_usd:.4f}, more than {budget}.",
                fix=f"Please ask {self.contact} for more, or choose a smaller preset.",
            )
        if spent + cost_usd <= limit:
            return PurseEmpty(
                f"Answers under way may need what is left of {budget}.",
                fix="Ask again in a minute.",
            )
        again = _after(self.account.day, period)
        return PurseEmpty(
            f"Not enough is left of {budget}.",
            fix=f"Ask again after {again} 00:00 UTC, or ask {self.contact} for more.",
        )


class Purses:
    """The accounts of all owners; `clock` gives seconds since 1970.

    Kept are those that spent this month, and those from which an answer under way may spend.
    """

    def __init__(self, settings: AdmissionSettings, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self._clock = clock
        self._accounts: dict[tuple[Owner, str], _Account] = {}
        self._month = self._today().month

    async def load(self, store: Store) -> None:
        """Count what the ledger has of this month; raises `StoreError`."""
        today = self._today()
        first = datetime(today.year, today.month, 1, tzinfo=UTC)
        for owner in WHOSE:
            for row in await store.spending(owner, since=first.timestamp()):
                account = self._account(owner, row.key)
                account.month_usd += row.cost_usd
                if row.day == (today - EPOCH).days:
                    account.day_usd += row.cost_usd

    @contextmanager
    def opened(self, message: Message, rules: ChannelRules) -> Generator[tuple[Purse, ...]]:
        """The purses from which an answer is paid, all of them."""
        self._forget_last_month()
        purses = self._purses(message, rules)
        for purse in purses.values():
            purse.account.users += 1
        try:
            yield tuple(purses.values())
        finally:
            for name, purse in purses.items():
                purse.account.users -= 1
                self._forget(name)

    def _purses(self, message: Message, rules: ChannelRules) -> dict[tuple[Owner, str], Purse]:
        own = self.settings
        owners: tuple[tuple[Owner, str, Decimal | None, Decimal | None], ...] = (
            ("channel", channel_key(message), rules.budget_day_usd, rules.budget_month_usd),
            (
                "workspace",
                workspace_key(message),
                rules.workspace_day_usd,
                rules.workspace_month_usd,
            ),
            ("user", user_key(message, message.author), own.user_day_usd, own.user_month_usd),
        )
        return {
            (owner, key): Purse(
                owner=owner,
                day_limit_usd=day,
                month_limit_usd=month,
                contact=own.contact,
                today=self._today,
                account=self._account(owner, key),
            )
            for owner, key, day, month in owners
        }

    def _account(self, owner: Owner, key: str) -> _Account:
        return self._accounts.setdefault((owner, key), _Account(self._today()))

    def _forget_last_month(self) -> None:
        today = self._today()
        if today.month != self._month:
            self._month = today.month
            for name, account in list(self._accounts.items()):
                account.turn(today)
                self._forget(name)

    def _forget(self, name: tuple[Owner, str]) -> None:
        account = self._accounts[name]
        if not account.users and not account.month_usd:
            del self._accounts[name]

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock(), UTC).date()


def _after(day: date, period: str) -> date:
    """The day on which the next period begins."""
    if period == "day":
        return day + timedelta(days=1)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
