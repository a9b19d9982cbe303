"""Replay recorded answers through the engine: one model, votes of five, quorum, failures."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).parent))
import figures
from recorded import MODELS, Item, load
from replaying import Setup, ask, engine, with_virtual_time

FULL = {"plugin": "vote", "lead": 99, "ask_all_every": 0}
"""All are asked, and the lead is safe only when it cannot be lost."""
ALONE = {"fallback": MODELS[:1]}
QUORUM = {"quorum": 3}
ONCE = {"tries": 1}
FAIL = {"fail": 0.2}


@dataclass(frozen=True)
class Policy:
    """A strategy, and how its panel is set up."""

    name: str
    strategy: str
    setup: Setup = field(default_factory=Setup)


@dataclass(frozen=True)
class Outcome:
    """How often a policy was right, and the calls that each question took."""

    policy: Policy
    scores: figures.Scores
    calls: float
    support: Sequence[int]
    """How many of the models agreed with each answer."""


BEST = Policy("best single", "single", Setup(panel=ALONE))
VOTE_OF_FIVE = Policy("full vote of 5", "all", Setup(strategies={"all": FULL}))
VOTE = Policy("vote (as shipped)", "vote")
ALL_FIVE = Policy("wait for all 5", "at_quorum", Setup(panel={"quorum": 5}))
POLICIES = (
    BEST,
    VOTE_OF_FIVE,
    VOTE,
    ALL_FIVE,
    Policy("quorum 3 of 5 + 1 s", "at_quorum", Setup(panel=QUORUM)),
    Policy("quorum 3 of 5, 20 % fail", "at_quorum", Setup(panel={**QUORUM, **ONCE}, replay=FAIL)),
    Policy("vote, 20 % fail", "vote", Setup(panel=ONCE, replay=FAIL)),
    Policy("best single, 20 % fail", "single", Setup(panel={**ALONE, **ONCE}, replay=FAIL)),
)


async def replayed(policy: Policy, items: Sequence[Item], *, seed: int) -> Outcome:
    """Ask every item's question, one after the other."""
    scores: list[tuple[str, float]] = []
    calls: list[int] = []
    support: list[int] = []
    panel = {"hedge": False, **policy.setup.panel}  # backups buy time, not accuracy
    async with engine(items, replace(policy.setup, seed=seed, panel=panel)) as app:
        for item in items:
            answer = await ask(app, item.question, strategy=policy.strategy)
            scores.append((item.task, float(answer is not None and item.is_right(answer.text))))
            calls.append(answer.usage.calls if answer is not None else 1)
            agreed = answer.agreement if answer is not None else None
            support.append(agreed.support if agreed is not None else 0)
    return Outcome(policy, scores, mean(calls), support)


def all_replayed(policies: Sequence[Policy], items: Sequence[Item], *, seed: int) -> list[Outcome]:
    """Every policy in a process of its own, as many at once as there are cores."""
    run = partial(_replayed, items=items, seed=seed)
    with ProcessPoolExecutor() as pool:
        return list(pool.map(run, policies))


def _replayed(policy: Policy, *, items: Sequence[Item], seed: int) -> Outcome:
    return with_virtual_time(replayed(policy, items, seed=seed))


def row(outcome: Outcome, base: Outcome) -> dict[str, object]:
    """One line of the table, beside the best single model."""
    line: dict[str, object] = {
        "policy": outcome.policy.name,
        "right": f"{figures.macro(outcome.scores):.2f} %",
        "95 %": figures.within(figures.interval(outcome.scores)),
        "calls": f"{outcome.calls:.2f}",
        "to best single": "",
        "95 % ": "",
    }
    if outcome is not base:
        more = figures.difference(outcome.scores, base.scores)
        line["to best single"] = f"{figures.macro(more):+.2f}"
        line["95 % "] = figures.within(figures.interval(more), signed=True)
    return line


def by_agreement(outcome: Outcome) -> list[dict[str, object]]:
    """How often an answer was right, by how many of five agreed with it."""
    rights: defaultdict[int, list[float]] = defaultdict(list)
    for (_, right), support in zip(outcome.scores, outcome.support, strict=True):
        rights[support].append(right)
    return [
        {"agree": f"{n} of 5", "questions": len(found), "right": f"{mean(found):.1%}"}
        for n, found in sorted(rights.items(), reverse=True)
    ]


def main() -> None:
    """Print the table, and whether stopping early reaches its goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, help="questions, drawn at random; default: all 1,419")
    parser.add_argument("--seed", type=int, default=1, help="order, latencies and failures")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    items = load(limit=options.items, seed=options.seed)
    outcomes = all_replayed(POLICIES, items, seed=options.seed)
    rows = [row(outcome, outcomes[0]) for outcome in outcomes]
    full, early = outcomes[1], outcomes[2]
    lost = figures.macro(full.scores) - figures.macro(early.scores)
    share = early.calls / full.calls
    reached = lost <= 0.3 and share <= 0.6
    if options.json:
        goal = {"points_lost": lost, "share_of_calls": share, "reached": reached}
        agreed = by_agreement(outcomes[3])
        figures.show_json(
            {"items": len(items), "rows": rows, "stop_early": goal, "agreement": agreed}
        )
        return
    figures.show(
        f"{len(items)} questions of crux, math-l5 and gsm; accuracy is the mean of the three tasks",
        rows,
        note=f"stopping early: {lost:+.2f} points lost to the full vote (at most 0.30) at "
        f"{share:.0%} of its calls (at most 60 %): {'reached' if reached else 'MISSED'}",
    )
    figures.show("waiting for all 5, by how many agree with the answer", by_agreement(outcomes[3]))


if __name__ == "__main__":
    main()
