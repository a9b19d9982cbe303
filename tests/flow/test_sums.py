"""How `moabot usage` says a sum: what is known, what is guessed, what nobody knows."""

from __future__ import annotations

import csv
import io
import time
from dataclasses import replace
from decimal import Decimal

import pytest

from moabot.cli.sums import Sum, known_by, since, summed, total, written_csv
from moabot.errors import ConfigError
from moabot.store.rows import Spending

DAY = Spending("a", 20_000, 2, 8, 800, 100, 80, Decimal("0.5"), Decimal(0), 0)


@pytest.mark.parametrize(
    ("row", "money"),
    [
        (DAY, "$0.5000"),
        (replace(DAY, cost_usd=Decimal(0)), "$0.0000"),
        (replace(DAY, estimated_usd=Decimal("0.1")), "~$0.5000"),
        (replace(DAY, unpriced=3), "$0.5000 + ?"),
        (replace(DAY, unpriced=8, cost_usd=Decimal(0)), "?"),
    ],
    ids=["known", "free", "estimated", "partly", "unknown"],
)
def test_money_says_how_sure_it_is(row: Spending, money: str) -> None:
    """A sum without its doubts is a lie to whoever pays."""
    assert Sum("a", (row,)).money() == money


def test_the_line_over_the_days_is_high_where_much_was_spent() -> None:
    """One look tells when it happened; a day without anything is empty."""
    rows = [DAY, replace(DAY, day=20_002, cost_usd=Decimal(4)), replace(DAY, key="b", day=20_003)]
    a, b = summed(rows)

    assert (a.key, a.spark()) == ("a", "▁ █ ")
    assert (b.key, b.spark()) == ("b", "   █")
    assert total([a, b]).spark() == "▁ █▁"
    assert Sum("none", ()).spark() == ""


def test_a_long_time_is_drawn_in_sixteen_bars() -> None:
    """A year must fit beside the figures, on 80 columns."""
    rows = [replace(DAY, day=20_000 + day) for day in range(365)]

    assert summed(rows)[0].spark() == "█" * 16


def test_what_cost_nothing_is_drawn_by_its_calls() -> None:
    """Local models are free, and yet one wants to see them work."""
    rows = [
        replace(DAY, cost_usd=Decimal(0)),
        replace(DAY, cost_usd=Decimal(0), day=20_001, calls=80),
    ]

    assert summed(rows)[0].spark() == "▁█"


def test_csv_holds_no_formula() -> None:
    """Somebody's name becomes a cell in somebody else's spreadsheet."""
    table = written_csv("user", summed([replace(DAY, key='=HYPERLINK("http://x")')]))

    header, row = csv.reader(io.StringIO(table))
    assert header[0] == "user"
    assert row[0] == '\'=HYPERLINK("http://x")'
    assert dict(zip(header, row, strict=True))["cost_usd"] == "0.5"


def test_since_takes_days_and_spans() -> None:
    """In UTC, as the ledger's days are."""
    assert since("2026-11-01") == 1_793_491_200
    assert since("2d") == pytest.approx(time.time() - 172_800, abs=5)
    with pytest.raises(ConfigError, match="is no time"):
        since("2026-13-01")


def test_an_unknown_way_of_summing_is_refused() -> None:
    """With the nearest right one."""
    assert known_by("user") == "user"
    with pytest.raises(ConfigError, match="did you mean 'channel'"):
        known_by("channels")
