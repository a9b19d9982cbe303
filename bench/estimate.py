"""Compare the cost that `explain` tells beforehand with what the run was then billed.

Answers have their recorded lengths. What a model is expected to write is its mean over one half
of the questions; the figures are of the other half. Prices are stated, not looked up.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).parent))
import figures
from recorded import MODELS, Item, load
from replaying import Setup, ask, engine, with_virtual_time

from moabot.config import ChannelSettings
from moabot.contract import Question

PRICES = ((3, 15), (2.5, 10), (2.5, 10), (3, 15), (0.15, 0.6))
"""US dollars for a million tokens read and written, in the order of MODELS."""
WAYS = (
    ("mixture", "thorough"),
    ("mixture", "deep"),
    ("vote", "balanced"),
    ("refinement", "thorough"),
)


@dataclass(frozen=True)
class Compared:
    """Sums over all questions of one strategy, in US dollars and in calls."""

    strategy: str
    preset: str
    estimated_usd: Decimal
    billed_usd: Decimal
    estimated_calls: int
    billed_calls: int

    @property
    def ratio(self) -> float:
        """1 is a perfect estimate."""
        return float(self.estimated_usd / self.billed_usd)


def expected(items: Sequence[Item]) -> Mapping[str, Mapping[str, object]]:
    """The keys of [models]: prices, and the mean length of what a model wrote."""
    return {
        model: {
            "price": {"input": read, "output": written},
            "expect_tokens": round(mean(item.chars[model] for item in items) / 4),
        }
        for model, (read, written) in zip(MODELS, PRICES, strict=True)
    }


async def compared(strategy: str, preset: str, items: Sequence[Item], setup: Setup) -> Compared:
    """Explain every question, then ask it."""
    usd, calls = [Decimal(0), Decimal(0)], [0, 0]
    wish = ChannelSettings.model_validate({"strategy": strategy, "preset": preset})
    async with engine(items, setup) as app:
        for item in items:
            plan = await app.explain(Question(item.question), wish=wish)
            answer = await ask(app, item.question, strategy=strategy, preset=preset)
            for place, usage in enumerate((plan.usage, answer.usage if answer else None)):
                if usage is None or usage.cost_usd is None:
                    raise SystemExit(f"{strategy}: a question has no answer, or a call no price")
                usd[place] += usage.cost_usd
                calls[place] += usage.calls
    return Compared(strategy, preset, usd[0], usd[1], calls[0], calls[1])


def row(compared: Compared, *, questions: int) -> dict[str, object]:
    """One line of the table."""
    return {
        "strategy": f"{compared.strategy} {compared.preset}",
        "calls told": f"{compared.estimated_calls / questions:.2f}",
        "calls made": f"{compared.billed_calls / questions:.2f}",
        "$ told": f"{compared.estimated_usd:.3f}",
        "$ billed": f"{compared.billed_usd:.3f}",
        "told to billed": f"{compared.ratio:.3f}",
        "within 15 %": "yes" if abs(compared.ratio - 1) <= 0.15 else "NO",
    }


def main() -> None:
    """Print one line for each strategy."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, help="questions, half to learn; default: all 1,419")
    parser.add_argument("--seed", type=int, default=1, help="order and latencies")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    items = load(limit=options.items, seed=options.seed)
    half = len(items) // 2
    setup = Setup(seed=options.seed, models=expected(items[:half]), whole=True)
    told = [
        with_virtual_time(compared(strategy, preset, items[half:], setup))
        for strategy, preset in WAYS
    ]
    rows = [row(one, questions=len(items) - half) for one in told]
    if options.json:
        figures.show_json({"questions": len(items) - half, "rows": rows})
        return
    prices = ", ".join(f"{m} {p[0]}/{p[1]}" for m, p in zip(MODELS, PRICES, strict=True))
    figures.show(
        f"{len(items) - half} questions; dollars are sums over all of them",
        rows,
        note=f"prices, $ for a million tokens read/written: {prices}",
    )


if __name__ == "__main__":
    main()
