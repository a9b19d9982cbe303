"""Stragglers, live at 1/20 of their time, beside the reference that waits for all (G6).

    python bench/stragglers.py            # four minutes; --queries 960 for steadier percentiles

Every call is lognormal with a median of 3 s and a p95 of 12 s; 1 % hang, 2 % fail fast. The same
is then done with slowness that the calls of one question share (correlation 0.5). Times below are
scaled back; a question without an answer counts as 60 s. Policies take turns, chunk by chunk.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import processes
import upstream
import verdicts
from peer import Job, percentile
from processes import Peer
from verdicts import Goal

SCALE = 20
LOST_S = 60.0
AT_ONCE = 12
CHUNK = 60
MODELS = ("p1", "p2", "p3", "agg")
PATIENCE = f"""
quorum = 2
grace_s = {1 / SCALE}
call_timeout_s = {30 / SCALE}
deadline_s = {LOST_S / SCALE}
"""
REFERENCE = "waits for all (gather class)"
OURS = "2 of 3 + 1 s, aggregator hedged"
POLICIES = {
    REFERENCE: ("gather_class", str(30 / SCALE)),
    "2 of 3 + 1 s": ("corridor", PATIENCE + "hedge = false"),
    OURS: ("corridor", PATIENCE),
}
BUCKET_S = 4
BUCKETS = 11


@dataclass(slots=True)
class Tally:
    """What one policy took, in seconds scaled back."""

    walls_s: list[float] = field(default_factory=list)
    lost: int = 0
    calls: int = 0
    aborted: int = 0
    busy_s: float = 0.0

    def add(self, walls_s: Sequence[float], models: dict[str, dict[str, float]]) -> None:
        """Count one chunk and what the upstream saw of it."""
        self.walls_s += [LOST_S if math.isinf(s) else s * SCALE for s in walls_s]
        self.lost += sum(map(math.isinf, walls_s))
        self.calls += int(sum(model["started"] for model in models.values()))
        self.aborted += int(sum(model["aborted"] for model in models.values()))
        self.busy_s += SCALE * sum(model["busy_s"] for model in models.values())

    def at(self, share: float) -> float:
        """The percentile."""
        return percentile(self.walls_s, share)

    def each(self, total: float) -> float:
        """A total for one question."""
        return total / len(self.walls_s)


def profile(alike: float) -> dict[str, object]:
    """One model's behaviour; an error asks to be retried after half a second (scaled)."""
    return {
        "ttft_s": {"median": 3 / SCALE, "p95": 12 / SCALE},
        "alike": alike,
        "mode": {"hang": 0.01, "error": 0.02},
        "error_s": 0.1 / SCALE,
        "retry_after_s": 0.5 / SCALE,
    }


def run(queries: int, *, alike: float) -> dict[str, Tally]:
    """All policies on the same questions, taking turns."""
    tallies = {policy: Tally() for policy in POLICIES}
    with upstream.running() as url, ExitStack() as stack:
        upstream.program(url, {})
        peers: dict[str, Peer] = {}
        for policy, (name, argument) in POLICIES.items():
            peers[policy] = stack.enter_context(processes.started(name, url, argument))
            peers[policy].run(Job(20))
        upstream.program(url, dict.fromkeys(MODELS, profile(alike)))
        for number in range(0, queries, CHUNK):
            for policy, peer in peers.items():
                upstream.ask(url + "/admin/reset")
                walls_s = peer.run(Job(CHUNK, AT_ONCE, number)).walls_s
                tallies[policy].add(walls_s, upstream.counters(url)["models"])
            print(".", end="", file=sys.stderr, flush=True)
    return tallies


def goals(tallies: dict[str, Tally]) -> list[Goal]:
    """Ours against the reference."""
    ours, reference = tallies[OURS], tallies[REFERENCE]
    return [
        Goal("G6", "p95: ours / reference", ours.at(0.95) / reference.at(0.95), "x", 0.6),
        Goal("G6", "p99: ours / reference", ours.at(0.99) / reference.at(0.99), "x", 0.6),
        Goal(
            "G6",
            "upstream busy seconds: ours / reference",
            ours.busy_s / reference.busy_s,
            "x",
            0.85,
        ),
        Goal("G6", "no answer", 100 * ours.each(ours.lost), "%", 0.1),
    ]


def show(tallies: dict[str, Tally]) -> None:
    """The table, and the distribution as a plot."""
    verdicts.table(
        ["policy", "p50 s", "p95 s", "p99 s", "<= 20 s", "none", "calls", "aborted", "busy s"],
        [
            [
                policy,
                *(f"{tally.at(share):.1f}" for share in (0.5, 0.95, 0.99)),
                f"{100 * tally.each(sum(s <= 20 for s in tally.walls_s)):.1f} %",
                f"{100 * tally.each(tally.lost):.2f} %",
                f"{tally.each(tally.calls):.2f}",
                f"{tally.each(tally.aborted):.2f}",
                f"{tally.each(tally.busy_s):.1f}",
            ]
            for policy, tally in tallies.items()
        ],
    )
    print("\nshare of the answers by seconds:")
    columns = [REFERENCE, OURS]
    print("          " + "".join(f"{policy:36}" for policy in columns))
    for bucket in range(BUCKETS):
        low, last = bucket * BUCKET_S, bucket == BUCKETS - 1
        high = math.inf if last else low + BUCKET_S
        shares = [
            tallies[policy].each(sum(low <= s < high for s in tallies[policy].walls_s))
            for policy in columns
        ]
        bars = [f"{'█' * round(40 * share)} {100 * share:.1f} %" for share in shares]
        name = f"{low:3}+" if last else f"{low:3} to {low + BUCKET_S:2}"
        print(f"{name:10}" + "".join(f"{bar:36}" for bar in bars))
    print()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--queries", type=int, default=480)
    queries = parser.parse_args(arguments).queries
    print(f"before: {processes.conditions()}")
    independent = run(queries, alike=0.0)
    correlated = run(queries, alike=0.5)
    print(
        f"after:  {processes.conditions()}\n\n{queries} questions for each policy, independent:\n"
    )
    show(independent)
    print("correlated 0.5:\n")
    show(correlated)
    quoted = ", ".join(f"{goal.what} {goal.measured:.2f} {goal.unit}" for goal in goals(correlated))
    print(f"With correlated slowness, for which no goal is set: {quoted}\n")
    reached = goals(independent)
    verdicts.show(reached)
    return 0 if all(goal.passed for goal in reached) else 1


if __name__ == "__main__":
    sys.exit(main())
