"""Replay recorded answers while one or two of five give the most popular wrong answer.

Also hands injection texts to aggregators and counts requests whose instructions changed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).parent))
import figures
from injections import INJECTIONS, altered
from recorded import MODELS, Item, load
from replaying import Setup, with_virtual_time
from zeroeval import FULL, Outcome, Policy, all_replayed

PLAIN = {"plugin": "vote", "ask_all_every": 0}
"""Stops as early as the shipped vote, and counts everybody."""
POLICIES = (
    Policy("full vote, all counted", "all", Setup(strategies={"all": FULL})),
    Policy("stops early, all counted", "plain", Setup(strategies={"plain": PLAIN})),
    Policy("vote (as shipped)", "vote"),
)
NOBODY: tuple[tuple[str, ...], ...] = ((),)
ONE = tuple((model,) for model in MODELS)
TWO = tuple((MODELS[i], MODELS[(i + step) % 5]) for step in (1, 2) for i in range(5))


def run(policy: Policy, items: Sequence[Item], *, pairs: int, seed: int) -> list[list[Outcome]]:
    """One outcome for each group of poisoned models: with none, with one, with two of them."""
    groups = (NOBODY, ONE, TWO[:pairs])
    poisoned = [
        replace(policy, setup=replace(policy.setup, poisoned=models))
        for group in groups
        for models in group
    ]
    outcomes = iter(all_replayed(poisoned, items, seed=seed))
    return [list(islice(outcomes, len(group))) for group in groups]


def accuracy(outcomes: Sequence[Outcome]) -> float:
    """The mean over all groups, in per cent."""
    return mean(figures.macro(outcome.scores) for outcome in outcomes)


def recovered(now: float, *, clean: float, plain: float) -> float:
    """The share of what `plain` lost of `clean` that is there again."""
    return (now - plain) / (clean - plain) if clean > plain else 1.0


def row(policy: Policy, *by_count: Sequence[Outcome]) -> dict[str, object]:
    """One line of the table: none, one and two poisoned, and the worst group of two."""
    clean, one, two = by_count
    return {
        "policy": policy.name,
        "none": f"{accuracy(clean):.2f} %",
        "1 of 5": f"{accuracy(one):.2f} %",
        "2 of 5": f"{accuracy(two):.2f} %",
        "worst pair": f"{min(figures.macro(outcome.scores) for outcome in two):.2f} %",
        "calls": f"{mean(outcome.calls for outcome in clean):.2f}",
    }


def main() -> None:
    """Print accuracies, the share of the loss that was recovered, and the injections."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--items", type=int, default=600, help="questions, drawn at random, of 1,419"
    )
    parser.add_argument("--pairs", type=int, default=5, help="pairs of poisoned models, up to 10")
    parser.add_argument("--seed", type=int, default=1, help="order and latencies")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    items = load(limit=options.items, seed=options.seed)
    ran = [run(policy, items, pairs=options.pairs, seed=options.seed) for policy in POLICIES]
    rows = [row(policy, *by_count) for policy, by_count in zip(POLICIES, ran, strict=True)]
    shares = {
        f"{count} of 5, against {name}": recovered(
            accuracy(ran[2][count]), clean=accuracy(ran[base][0]), plain=accuracy(ran[base][count])
        )
        for base, name in ((0, "the full vote"), (1, "the vote that stops early"))
        for count in (1, 2)
    }
    changed = with_virtual_time(altered())
    if options.json:
        injected = {"texts": len(INJECTIONS), "instructions_changed": changed}
        figures.show_json(
            {"items": len(items), "rows": rows, "recovered": shares, "injections": injected}
        )
        return
    told = [f"{name}: {share:.0%} of the loss recovered" for name, share in shares.items()]
    told.append(f"{len(INJECTIONS)} injection texts: {changed} requests with other instructions")
    figures.show(
        f"{len(items)} questions; each of 5 models and {options.pairs} pairs poisoned in turn",
        rows,
        note="\n".join(told),
    )


if __name__ == "__main__":
    main()
