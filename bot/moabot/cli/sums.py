"""The ledger's days summed for each key, and how such a sum is shown."""

from __future__ import annotations

import csv
import io
import math
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import get_args

from moabot.errors import ConfigError
from moabot.plugins import nearest
from moabot.store.rows import By, Spending

__all__ = ["Sum", "known_by", "since", "summed", "total", "written_csv"]

UNITS_S = {"h": 3600, "d": 86_400, "w": 604_800}
BARS = "▁▂▃▄▅▆▇█"
MOST_BARS = 16


@dataclass(frozen=True, slots=True)
class Sum:
    """What one key used; `days` are those of all keys, from the first to the last."""

    key: str
    rows: tuple[Spending, ...]
    days: range = field(default=range(0))

    @property
    def answers(self) -> int:
        """Answers that were begun."""
        return sum(row.answers for row in self.rows)

    @property
    def calls(self) -> int:
        """Calls of models."""
        return sum(row.calls for row in self.rows)

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return sum(row.input_tokens + row.output_tokens for row in self.rows)

    @property
    def cost_usd(self) -> Decimal:
        """What is known of the cost."""
        return sum((row.cost_usd for row in self.rows), Decimal(0))

    @property
    def estimated_usd(self) -> Decimal:
        """The part of it that no provider reported."""
        return sum((row.estimated_usd for row in self.rows), Decimal(0))

    @property
    def unpriced(self) -> int:
        """Calls whose cost nobody knows."""
        return sum(row.unpriced for row in self.rows)

    def money(self) -> str:
        """The cost in words: "~" when partly estimated, "?" for what is not known."""
        if self.unpriced == self.calls:
            return "?"
        about = "~" if self.estimated_usd else ""
        more = " + ?" if self.unpriced else ""
        return f"{about}${self.cost_usd:,.4f}{more}"

    def spark(self) -> str:
        """How cost came over the days (calls, when nothing cost anything), as small bars."""
        if not self.days:
            return ""
        width = min(len(self.days), MOST_BARS)
        bars = [0.0] * width
        for row in self.rows:
            amount = float(row.cost_usd) if self.cost_usd else float(row.calls)
            bars[(row.day - self.days.start) * width // len(self.days)] += amount
        most = max(bars)
        return "".join(BARS[math.ceil(bar / most * len(BARS)) - 1] if bar else " " for bar in bars)

    def record(self) -> dict[str, object]:
        """As plain values for JSON and CSV; money in US dollars."""
        return {
            "key": self.key,
            "answers": self.answers,
            "calls": self.calls,
            "input_tokens": sum(row.input_tokens for row in self.rows),
            "cached_input_tokens": sum(row.cached_input_tokens for row in self.rows),
            "output_tokens": sum(row.output_tokens for row in self.rows),
            "cost_usd": None if self.unpriced == self.calls else float(self.cost_usd),
            "estimated_usd": float(self.estimated_usd),
            "unpriced_calls": self.unpriced,
        }


def known_by(by: str) -> By:
    """`--by` as one of the four; raises `ConfigError`."""
    ways: tuple[By, ...] = get_args(By)
    for way in ways:
        if way == by:
            return way
    raise ConfigError(
        f"--by: there is no {by!r}{nearest(by, ways)}.", fix=f"Choose one of {', '.join(ways)}."
    )


def since(text: str) -> float:
    """`--since` in seconds since 1970: a day (in UTC) or a span before now."""
    if span := re.fullmatch(r"(\d{1,5})([hdw])", text):
        return time.time() - int(span[1]) * UNITS_S[span[2]]
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ConfigError(
            f"--since: {text!r} is no time.", fix="Write a day (2026-11-01) or a span (7d, 12h)."
        ) from None


def summed(rows: Iterable[Spending]) -> list[Sum]:
    """One sum for each key, the dearest first."""
    keys: dict[str, list[Spending]] = {}
    for row in rows:
        keys.setdefault(row.key, []).append(row)
    all_days = [row.day for each in keys.values() for row in each]
    days = range(min(all_days), max(all_days) + 1) if all_days else range(0)
    sums = [Sum(key, tuple(each), days) for key, each in keys.items()]
    return sorted(sums, key=lambda each: (-each.cost_usd, -each.calls, each.key))


def total(sums: Sequence[Sum]) -> Sum:
    """All of them together."""
    return Sum("all", tuple(row for each in sums for row in each.rows), sums[0].days)


def written_csv(by: str, sums: Sequence[Sum]) -> str:
    """A line of names, then one for each sum."""
    out = io.StringIO()
    names = list(Sum("", ()).record())
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([by, *names[1:]])
    for each in sums:
        key, *values = each.record().values()
        writer.writerow([_inert(str(key)), *values])
    return out.getvalue()


def _inert(text: str) -> str:
    """A name chosen by somebody must not become a formula in a spreadsheet."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
