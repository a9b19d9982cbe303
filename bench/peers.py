"""moabot beside its peers, in one interleaved run: the figures, and the goals G1 to G10 but G6.

    python bench/peers.py                 # the table of the peers
    python bench/peers.py --goals         # the goals, each with what was measured; --json for JSON
    python bench/peers.py --occasional    # also peers that take minutes to install (litellm)

Every peer runs in a process of its own against bench/upstream.py, in another order each round.
Ratios are the median of the rounds' ratios, since neighbours in time share the machine's mood.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))
import comparing
import processes
import promises
import starting
import upstream
import verdicts
from comparing import FLOOR, GATHER, LITELLM, OURS, TENSORZERO, TINY, Measured, Sizes
from peer import Figures
from verdicts import Goal

USUAL = (FLOOR, OURS, GATHER, "openai_sdk", TENSORZERO)


@dataclass(frozen=True, slots=True)
class Run:
    """All that was measured of the peers, and their versions."""

    versions: dict[str, dict[str, str]]
    cpu: Measured
    wall: Measured
    throughput: dict[int, Measured]
    lag: Measured
    in_flight: Measured
    streamed: Measured
    drafted: Measured


def measure(names: Sequence[str], sizes: Sizes) -> Run:
    """Run all comparisons."""
    with upstream.running() as url:
        with processes.all_started(names, url) as peers:
            versions = {peer.name: dict(peer.versions) for peer in peers}
            cpu = comparing.cpu(url, peers, sizes)
            wall = comparing.wall(url, peers, sizes)
            streamed, drafted = comparing.first_token(url, peers, sizes)
            lag = comparing.lag(url, peers, sizes)
            throughput = comparing.throughput(url, peers, sizes)
        # The gather class lets 998 of 1,000 fail and takes a minute for it.
        many = [name for name in names if name in {FLOOR, OURS, TENSORZERO}]
        in_flight = comparing.in_flight(url, many, sizes)
    return Run(versions, cpu, wall, throughput, lag, in_flight, streamed, drafted)


def ratio(measured: Measured, figure: Callable[[Figures], float], to: str) -> float:
    """Ours to another's, the median over the rounds; NaN when the other did not run."""
    pairs = zip(measured[OURS], measured.get(to, []), strict=False)
    ratios = [figure(ours) / figure(other) for ours, other in pairs]
    return median(ratios) if ratios else float("nan")


def over_floor(measured: Measured, figure: Callable[[Figures], float]) -> float:
    """Ours minus the floor's, medians of the rounds."""
    return median(map(figure, measured[OURS])) - median(map(figure, measured[FLOOR]))


def compared(run: Run) -> list[Goal]:
    """G1 to G5, and the event loop's lag of G10."""
    goals = [
        Goal("G1", f"CPU a query: ours / {to}", ratio(run.cpu, comparing.cpu_ms, to), "x", reach)
        for to, reach in ((FLOOR, 2.0), (GATHER, 0.35), (TENSORZERO, 1.6), (LITELLM, 0.12))
        if to in run.cpu
    ]
    over_ms = over_floor(run.wall, comparing.wall_ms)
    goals.append(Goal("G2", "wall at 200 ms a call: ours - floor", over_ms, "ms", 5.0))
    for at_once, measured in run.throughput.items():
        least = (
            ((FLOOR, 0.85), (GATHER, 2.0), (LITELLM, 3.0))
            if at_once < 256
            else ((FLOOR, 0.7), (GATHER, 6.0))
        )
        goals += [
            Goal(
                "G3",
                f"queries a second, {at_once} at once: ours / {to}",
                ratio(measured, comparing.queries_per_s, to),
                "x",
                reach,
                least=True,
            )
            for to, reach in least
            if to in measured
        ]
        failed = comparing.failures(measured[OURS])
        goals.append(Goal("G3", f"failures, {at_once} at once", failed, "", 0))
    many = run.in_flight
    size = len(many[OURS][0].walls_s)
    goals += [
        Goal("G4", f"{size:,} in flight: failures", comparing.failures(many[OURS]), "", 0),
        Goal("G4", f"{size:,} in flight: p95, ours / floor", ratio(many, comparing.p95_ms, FLOOR), "x", 1.5),
        Goal("G4", "memory of a conversation", comparing.kb_each(many[OURS][0]), "KB", 150),
        Goal("G5", "first token of the answer: ours - floor", over_floor(run.streamed, comparing.first_ms), "ms", 15),
        Goal("G10", "event loop's lag at 64 at once, p99", median(map(comparing.lag_ms, run.lag[OURS])), "ms", 20),
        Goal("G5", "draft visible after the first proposer's first token", median(1000 * s - 200 for f in run.drafted[OURS] for s in f.drafts_s), "ms", 100),
    ]  # fmt: skip
    return goals


def show_peers(run: Run) -> None:
    """The table of the peers."""
    figures: list[tuple[str, Measured, Callable[[Figures], float]]] = [
        ("CPU ms", run.cpu, comparing.cpu_ms),
        ("wall ms", run.wall, comparing.wall_ms),
        *(
            (f"q/s at {at_once}", measured, comparing.queries_per_s)
            for at_once, measured in run.throughput.items()
        ),
        ("lag ms", run.lag, comparing.lag_ms),
        ("first token ms", run.streamed, comparing.first_ms),
        ("in flight p95 ms", run.in_flight, comparing.p95_ms),
        ("KB each", run.in_flight, comparing.kb_each),
    ]
    rows = [
        [name, *(_figure(measured.get(name), figure) for _, measured, figure in figures)]
        for name in run.versions
    ]
    verdicts.table(["peer", *(head for head, _, _ in figures)], rows)
    for name, packages in run.versions.items():
        print(
            f"{name}: {', '.join(f'{package} {version}' for package, version in packages.items())}"
        )


def _figure(measured: list[Figures] | None, figure: Callable[[Figures], float]) -> str:
    if not measured:
        return "-"
    lost = comparing.failures(measured)
    return f"{median(map(figure, measured)):.2f}" + (f" ({lost} failed)" if lost else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--goals", action="store_true", help="measure G1 to G10 (without G6)")
    parser.add_argument("--occasional", action="store_true", help="also litellm")
    parser.add_argument("--json", action="store_true", help="the goals as JSON")
    parser.add_argument("--tiny", action="store_true", help="a smoke test: floor and moabot only")
    parser.add_argument("--rounds", type=int, default=Sizes().rounds)
    chosen = parser.parse_args(arguments)
    names = (FLOOR, OURS) if chosen.tiny else USUAL + (LITELLM,) * chosen.occasional
    began = processes.conditions()
    run = measure(names, TINY if chosen.tiny else Sizes(rounds=chosen.rounds))
    goals = compared(run)
    if chosen.goals:
        goals += promises.kept() + starting.goals()
    if not chosen.json:
        show_peers(run)
        print(f"before: {began}\nafter:  {processes.conditions()}")
        if not chosen.occasional and not chosen.tiny:
            print(
                "litellm: not run (--occasional); optillm: not run (its 3.2 GB are no dependency)"
            )
    verdicts.show(goals, as_json=chosen.json)
    if chosen.goals and not chosen.json:  # G9 has a script of its own
        subprocess.run([sys.executable, Path(__file__).with_name("sdk_streams.py")], check=False)
    return 0 if all(goal.passed for goal in goals) or chosen.tiny else 1


if __name__ == "__main__":
    sys.exit(main())
