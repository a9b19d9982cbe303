"""What peers are compared in: CPU, wall, throughput, many in flight, first token (G1 to G5)."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))
import processes
import upstream
from peer import Figures, Job, percentile
from processes import Peer

FLOOR, OURS, GATHER, TENSORZERO, LITELLM = (
    "floor",
    "corridor",
    "gather_class",
    "tensorzero_embedded",
    "litellm_sdk",
)
MODELS = ("p1", "p2", "p3", "agg")
STREAMING = {FLOOR, OURS, "openai_sdk", TENSORZERO, LITELLM}
CALL_S = 0.2


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    rounds: int = 4
    cpu: int = 100
    wall: int = 6
    at_once: Mapping[int, int] = field(default_factory=lambda: {64: 192, 256: 256})
    first: int = 2
    lag: int = 256
    in_flight: int = 1000
    in_flight_s: float = 6.0


TINY = Sizes(rounds=1, cpu=5, wall=2, at_once={4: 8}, first=1, lag=8, in_flight=8, in_flight_s=0.1)

Measured = dict[str, list[Figures]]
"""By peer: the figures of its rounds, in order, so that the same places were run side by side."""


def cpu(url: str, peers: Sequence[Peer], sizes: Sizes) -> Measured:
    """One query after the other, upstream without latency."""
    upstream.program(url, {})
    return processes.rounds(peers, Job(sizes.cpu), count=sizes.rounds)


def wall(url: str, peers: Sequence[Peer], sizes: Sizes) -> Measured:
    """One query after the other, 200 ms a call."""
    upstream.program(url, {name: {"ttft_s": CALL_S} for name in MODELS})
    return processes.rounds(peers, Job(sizes.wall), count=sizes.rounds)


def throughput(url: str, peers: Sequence[Peer], sizes: Sizes) -> dict[int, Measured]:
    """Many at once, 200 ms a call; by how many."""
    upstream.program(url, {name: {"ttft_s": CALL_S} for name in MODELS})
    return {
        at_once: processes.rounds(
            # Without a goal for it, the bare SDK's minutes at 256 are not worth waiting for.
            [peer for peer in peers if at_once < 256 or peer.name != "openai_sdk"],
            Job(queries, at_once),
            count=sizes.rounds,
        )
        for at_once, queries in sizes.at_once.items()
    }


def lag(url: str, peers: Sequence[Peer], sizes: Sizes) -> Measured:
    """64 at once that do not begin in one instant: how late the event loop wakes a sleeper."""
    upstream.program(url, {name: {"ttft_s": CALL_S} for name in MODELS})
    able = [peer for peer in peers if peer.name in {FLOOR, OURS}]
    job = Job(sizes.lag, at_once=64, probe=True, spread_s=2 * CALL_S)
    return processes.rounds(able, job, count=sizes.rounds)


def in_flight(url: str, names: Sequence[str], sizes: Sizes) -> Measured:
    """All at once, slow proposers; in fresh processes, since it is about their memory."""
    slow = {name: {"ttft_s": sizes.in_flight_s} for name in MODELS[:3]}
    figures: Measured = {}
    for name in names:
        upstream.program(url, {})
        with processes.all_started([name], url) as peers:
            upstream.program(
                url, {**slow, "agg": {"ttft_s": 1.0 if sizes.in_flight_s > 1 else 0.0}}
            )
            for peer in peers:
                job = Job(sizes.in_flight, at_once=sizes.in_flight)
                figures[name] = [peer.run(job)]
    return figures


def first_token(url: str, peers: Sequence[Peer], sizes: Sizes) -> tuple[Measured, Measured]:
    """The final answer streamed, 200 ms to the first token and 100 a second; then with a draft."""
    upstream.program(url, {name: {"ttft_s": CALL_S, "tps": 100} for name in MODELS})
    able = [peer for peer in peers if peer.name in STREAMING]
    streamed = processes.rounds(able, Job(sizes.first, stream=True), count=sizes.rounds)
    ours = [peer for peer in peers if peer.name == OURS]
    job = Job(sizes.first, stream=True, draft=True)
    return streamed, processes.rounds(ours, job, count=sizes.rounds)


def cpu_ms(figures: Figures) -> float:
    """CPU milliseconds of a query."""
    return 1000 * figures.cpu_s / len(figures.walls_s)


def wall_ms(figures: Figures) -> float:
    """Median milliseconds of a query."""
    return 1000 * median(figures.walls_s)


def first_ms(figures: Figures) -> float:
    """Median milliseconds to the first token of the final answer."""
    return 1000 * median(figures.firsts_s) if figures.firsts_s else math.nan


def queries_per_s(figures: Figures) -> float:
    """Throughput."""
    return len(figures.walls_s) / figures.wall_s


def p95_ms(figures: Figures) -> float:
    """The slow end of the queries."""
    return 1000 * percentile(figures.walls_s, 0.95)


def lag_ms(figures: Figures) -> float:
    """The event loop's lag that one wake-up in a hundred exceeds."""
    return 1000 * percentile(figures.lags_s, 0.99)


def kb_each(figures: Figures) -> float:
    """Memory of a conversation in flight."""
    return (figures.rss_peak_kb - figures.rss_before_kb) / len(figures.walls_s)


def failures(measured: Sequence[Figures]) -> int:
    """Failed queries of all rounds."""
    return sum(len(figures.failures) for figures in measured)
