"""What the cache did, drawn for a terminal: hits, refusals, how long lookups took, day by day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moabot_platforms.words import counted

if TYPE_CHECKING:
    from moabot.store.rows import Tally

__all__ = ["Hits"]

BAR = 40
"""Characters of the longest bar."""
TIERS = ("exact", "semantic", "joined", "miss")
SHADOW = ("sampled", "agreed", "disagreed")
REFUSED = "refused: "
LOOKUP = "lookup "


@dataclass(frozen=True, slots=True)
class Hits:
    """Tallies of some days, and what is kept now (`size` in bytes)."""

    tallies: Sequence[Tally]
    entries: int
    size: int

    def record(self) -> dict[str, object]:
        """As JSON; `near_misses` are lookups of which the guards refused all that was near."""
        counts = self._counts()
        return {
            "entries": self.entries,
            "bytes": self.size,
            "saved_usd": self._saved(),
            "hits": {tier: counts[tier] for tier in TIERS},
            "near_misses": counts["near miss"],
            "refusals": _of(counts, REFUSED),
            "lookups": _of(counts, LOOKUP),
            "shadow": {name: counts[name] for name in SHADOW},
            "counts": dict(counts),
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        counts = self._counts()
        yield f"{counted(self.entries, 'answer')}, {self.size / 1e6:.1f} MB; saved ${self._saved():.2f}"
        yield from _bars("answered from", {tier: counts[tier] for tier in TIERS if counts[tier]})
        yield from _bars("refused by guard", _of(counts, REFUSED))
        yield from _bars("how long it took", _of(counts, LOOKUP))
        yield from _shadow(counts)
        named = {*TIERS, *SHADOW, *(name for name in counts if name.startswith((REFUSED, LOOKUP)))}
        rest = {name: times for name, times in counts.most_common() if name not in named}
        yield from _bars("besides", rest)
        yield from self._days()

    def _counts(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for tally in self.tallies:
            counts[tally.name] += tally.times
        return counts

    def _saved(self) -> float:
        return round(sum(tally.saved_usd for tally in self.tallies), 6)

    def _days(self) -> Iterator[str]:
        """The share of lookups that hit."""
        hits: defaultdict[int, int] = defaultdict(int)
        looked: defaultdict[int, int] = defaultdict(int)
        for tally in self.tallies:
            if tally.name in TIERS:
                looked[tally.day] += tally.times
                hits[tally.day] += tally.times if tally.name != "miss" else 0
        if looked:
            yield "answered without a model, by day"
        for day, times in sorted(looked.items()):
            name = datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%d")
            share = hits[day] / times
            yield f"  {name}  {'█' * round(BAR * share):<{BAR}} {share:4.0%} of {times:,}"


def _shadow(counts: Counter[str]) -> Iterator[str]:
    """Hits that were answered anew all the same, and the share whose new answer was another."""
    if not counts["sampled"]:
        return
    yield from _bars("hits tried by a new answer", {n: counts[n] for n in SHADOW if counts[n]})
    compared = counts["agreed"] + counts["disagreed"]
    if compared:
        yield f"  {counts['disagreed'] / compared:.1%} of {compared:,} compared differ"


def _of(counts: Counter[str], prefix: str) -> dict[str, int]:
    """Counts whose names begin so, without that beginning; times in order, others by number."""
    found = {n.removeprefix(prefix): t for n, t in counts.most_common() if n.startswith(prefix)}
    return dict(sorted(found.items(), key=_seconds)) if prefix == LOOKUP else found


def _seconds(pair: tuple[str, int]) -> float:
    """Where "up to 0.1 ms" stands; what has no number is longest."""
    numbers = [float(word) for word in pair[0].split() if word[0].isdigit()]
    return numbers[0] if numbers else float("inf")


def _bars(title: str, counts: Mapping[str, int]) -> Iterator[str]:
    if not counts:
        return
    yield title
    most = max(counts.values())
    for name, times in counts.items():
        yield f"  {name:<24} {times:>9,}  {'█' * max(1, round(BAR * times / most))}"
