"""What the benchmarks print: means over tasks, bootstrap intervals, tables."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import mean

RESAMPLES = 1000

Scores = Sequence[tuple[str, float]]
"""(task, score) of each question."""


def macro(scores: Scores) -> float:
    """The mean of the tasks' means, in per cent."""
    return 100 * mean(mean(of_task) for of_task in _by_task(scores).values())


def interval(scores: Scores, *, seed: int = 1) -> tuple[float, float]:
    """The 95 % bootstrap interval of `macro`, resampled within each task."""
    chance = random.Random(seed)
    tasks = list(_by_task(scores).values())
    drawn = sorted(
        100 * mean(sum(chance.choices(task, k=len(task))) / len(task) for task in tasks)
        for _ in range(RESAMPLES)
    )
    return drawn[RESAMPLES // 40], drawn[-1 - RESAMPLES // 40]


def difference(scores: Scores, base: Scores) -> Scores:
    """What `scores` are above `base`, question by question."""
    return [(task, one - other) for (task, one), (_, other) in zip(scores, base, strict=True)]


def within(bounds: tuple[float, float], *, signed: bool = False) -> str:
    """`bounds` in brackets."""
    form = "+.2f" if signed else ".2f"
    return f"[{bounds[0]:{form}}, {bounds[1]:{form}}]"


def show(title: str, rows: Sequence[Mapping[str, object]], *, note: str = "") -> None:
    """A table of equal rows, and what it shows below it."""
    print(f"\n{title}")
    cells = [list(rows[0])] + [[str(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  " + "  ".join(padded).rstrip())
    if note:
        print(note)


def show_json(figures: Mapping[str, object]) -> None:
    """One JSON object on one line."""
    print(json.dumps(figures, ensure_ascii=False))


def _by_task(scores: Scores) -> Mapping[str, list[float]]:
    tasks: defaultdict[str, list[float]] = defaultdict(list)
    for task, score in scores:
        tasks[task].append(score)
    return tasks
