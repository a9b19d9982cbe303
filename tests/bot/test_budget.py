"""An answer never costs a cent more than it may, and backups stay a fifth."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moabot.budget import Budget, HedgeBudget
from moabot.contract import Usage
from moabot.errors import BudgetSpent


def test_without_a_limit_everything_may_be_spent() -> None:
    """The default, also for models whose price nobody knows."""
    budget = Budget(None)
    budget.settle(budget.reserve(None), Usage(1, 10, 0, 5, cost_usd=None))

    assert budget.usage.calls == 1
    assert budget.usage.cost_usd is None


def test_an_unknown_price_under_a_limit_is_refused_with_what_to_do() -> None:
    """Unknown is not 0: a limit that cannot be kept must not look kept."""
    with pytest.raises(BudgetSpent) as raised:
        Budget(Decimal(1)).reserve(None, model="big")

    assert str(raised.value) == (
        "The price of the model 'big' is unknown, so nobody can keep to budget_usd of the panel. "
        "Set [models.big] price = {input = …, output = …}, in US dollars per million tokens, or "
        "remove the limit."
    )


def test_a_model_with_a_dot_is_named_as_toml_wants_it() -> None:
    """What is told to be written must be read as it was meant."""
    with pytest.raises(BudgetSpent, match=r'Set \[models\."big-1\.5"\] price'):
        Budget(Decimal(1)).reserve(None, model="big-1.5")


def test_after_a_call_that_cost_nobody_knows_what_no_limit_can_be_kept() -> None:
    """And the model of the next call is not to blame."""
    budget = Budget(Decimal(1))
    budget.recall(Usage(1))

    with pytest.raises(BudgetSpent, match="an earlier call of this answer cost is unknown"):
        budget.reserve(Decimal("0.1"), model="big")


def test_what_is_under_way_counts_as_spent() -> None:
    """Four proposers at once must not each see the same last cent."""
    budget = Budget(Decimal("0.10"))
    budget.reserve(Decimal("0.06"))

    with pytest.raises(BudgetSpent, match=r"could cost \$0\.0600.*of the answer's \$0\.10"):
        budget.reserve(Decimal("0.06"))


def test_what_was_not_used_is_given_back() -> None:
    """The worst case is reserved, the real case is billed."""
    budget = Budget(Decimal("0.10"))
    budget.settle(budget.reserve(Decimal("0.09")), Usage(1, cost_usd=Decimal("0.01")))

    assert budget.reserve(Decimal("0.09")) == Decimal("0.09")


calls = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 100), st.booleans()), min_size=1, max_size=40
)


@given(calls=calls)
def test_no_order_of_calls_overspends(calls: list[tuple[int, int, bool]]) -> None:
    """Reserve and settle in any order: the sum stays within the limit."""
    budget, under_way = Budget(Decimal(100)), list[tuple[Decimal, Decimal]]()
    for most, percent, settles_one in calls:
        try:
            reserved = budget.reserve(Decimal(most))
        except BudgetSpent:
            continue
        under_way.append((reserved, reserved * percent / 100))
        if settles_one:
            reserved, cost = under_way.pop(0)
            budget.settle(reserved, Usage(1, cost_usd=cost))
    for reserved, cost in under_way:
        budget.settle(reserved, Usage(1, cost_usd=cost))

    assert budget.usage.cost_usd is not None
    assert budget.usage.cost_usd <= 100


def test_backups_are_a_fifth_of_the_calls_in_the_long_run() -> None:
    """A slow day must not double the bill."""
    hedges = HedgeBudget()
    while hedges.take():
        pass
    taken = 0
    for _ in range(1000):
        hedges.earn()
        taken += hedges.take()

    assert taken == pytest.approx(200, abs=1)
