"""Budgets beside a ledger of every cent, over thousands of random calls, days and new limits."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from moabot.access import AdmissionSettings, ChannelRules, channel_key, user_key, workspace_key
from moabot.budget import Budget
from moabot.contract import Message, Usage
from moabot.errors import BudgetSpent
from moabot.purses import Purses

BEGIN = datetime(2026, 11, 20, tzinfo=UTC).timestamp()
DAY_S = 86_400.0
LIMITS = ChannelRules(
    budget_day_usd=Decimal(30),
    budget_month_usd=Decimal(200),
    workspace_day_usd=Decimal(45),
    workspace_month_usd=Decimal(300),
)
OWN = AdmissionSettings(user_day_usd=Decimal(20), user_month_usd=Decimal(120))
ANSWER = Decimal(15)
BOUNDS = {
    "channel": (LIMITS.budget_day_usd, LIMITS.budget_month_usd),
    "workspace": (LIMITS.workspace_day_usd, LIMITS.workspace_month_usd),
    "user": (OWN.user_day_usd, OWN.user_month_usd),
}


class BudgetMachine(RuleBasedStateMachine):
    """`paid` has each settled call: its owner, its day, its cost. `calls` are under way."""

    def __init__(self) -> None:
        super().__init__()
        self.day = 0
        self.purses = Purses(OWN, lambda: BEGIN + self.day * DAY_S)
        self.answers: list[tuple[ExitStack, Budget, tuple[str, ...]]] = []
        self.calls: list[tuple[Budget, tuple[str, ...], Decimal]] = []
        self.paid: list[tuple[tuple[str, ...], int, Decimal]] = []

    @rule(channel=st.sampled_from("AB"), author=st.sampled_from("xyz"))
    def an_answer_begins(self, channel: str, author: str) -> None:
        """It may spend from three purses and from its own budget."""
        message = Message("slack", "T", channel, author, "?", "E")
        stack = ExitStack()
        purses = stack.enter_context(self.purses.opened(message, LIMITS))
        keys = (channel_key(message), workspace_key(message), user_key(message, author))
        self.answers.append((stack, Budget(ANSWER, purses), keys))

    @rule(which=st.integers(0, 9), most=st.integers(0, 16))
    def a_call_is_made(self, which: int, most: int) -> None:
        """It fits everywhere and is reserved everywhere, or nothing changes."""
        if not self.answers:
            return
        _, budget, keys = self.answers[which % len(self.answers)]
        before = self.held()
        try:
            self.calls.append((budget, keys, budget.reserve(Decimal(most))))
        except BudgetSpent:
            assert self.held() == before

    @rule(which=st.integers(0, 9), percent=st.integers(0, 100), known=st.booleans())
    def a_call_ends(self, which: int, percent: int, *, known: bool) -> None:
        """It cost what the provider says, or, when nobody says, what was held for it."""
        if not self.calls:
            return
        budget, keys, held = self.calls.pop(which % len(self.calls))
        cost = held * percent / 100 if known else held
        budget.settle(held, Usage(1, cost_usd=cost))
        self.paid.append((keys, self.day, cost))

    @rule(which=st.integers(0, 9))
    def an_answer_ends(self, which: int) -> None:
        """After all its calls."""
        if not self.answers:
            return
        stack, budget, _ = self.answers[which % len(self.answers)]
        if all(made is not budget for made, _, _ in self.calls):
            self.answers = [kept for kept in self.answers if kept[0] is not stack]
            stack.close()

    @rule(days=st.sampled_from([1, 1, 9]))
    def time_passes(self, days: int) -> None:
        """With calls under way, which then count for the new day."""
        self.day += days

    def held(self) -> list[Decimal]:
        """What is reserved, everywhere."""
        return sorted(account.reserved_usd for account in self.purses._accounts.values())

    @invariant()
    def nobody_is_a_cent_over(self) -> None:
        """Of no day, no month, no owner and no answer."""
        for _, budget, _ in self.answers:
            assert budget.usage.cost_usd is None or budget.usage.cost_usd <= ANSWER
        for (owner, key), account in self.purses._accounts.items():
            day, month = BOUNDS[owner]
            assert day is not None
            assert month is not None
            assert account.day_usd + account.reserved_usd <= day, (owner, key)
            assert account.month_usd + account.reserved_usd <= month, (owner, key)
            held = sum((h for _, keys, h in self.calls if key in keys), Decimal(0))
            assert account.reserved_usd == held

    @invariant()
    def the_bills_of_each_day_and_month_are_within_the_limits(self) -> None:
        """By the record of what was paid, which knows nothing of purses."""
        for place, limits in enumerate(BOUNDS.values()):
            for limit, is_day in zip(limits, (True, False), strict=True):
                sums: dict[tuple[str, object], Decimal] = {}
                for keys, day, cost in self.paid:
                    when = datetime.fromtimestamp(BEGIN + day * DAY_S, UTC)
                    period = when.date() if is_day else (when.year, when.month)
                    sums[keys[place], period] = sums.get((keys[place], period), Decimal(0)) + cost
                assert limit is not None
                assert all(total <= limit for total in sums.values())


@pytest.mark.timeout(240)
def test_no_cent_is_spent_twice_in_four_thousand_steps() -> None:
    """Random steps find what no one thought of."""
    chosen = settings(
        max_examples=80,
        stateful_step_count=50,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    BudgetMachine.TestCase.settings = chosen
    BudgetMachine.TestCase("runTest").runTest()
