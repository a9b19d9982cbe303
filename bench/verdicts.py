"""A goal, what was measured, and whether it was reached; printed as a table or as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of the verdict: `measured` is to be at `most` or at `least` the bound `reach`."""

    name: str
    what: str
    measured: float
    unit: str
    reach: float
    least: bool = False

    @property
    def passed(self) -> bool:
        """Whether it was reached; a figure that could not be measured (NaN) was not."""
        return self.measured >= self.reach if self.least else self.measured <= self.reach


def show(goals: Sequence[Goal], *, as_json: bool = False) -> None:
    """Print every goal, and how many were reached."""
    if as_json:
        print(json.dumps([asdict(goal) | {"passed": goal.passed} for goal in goals], indent=1))
        return
    width = max(len(goal.what) for goal in goals)
    for goal in goals:
        sign = ">=" if goal.least else "<="
        print(
            f"{goal.name:4} {goal.what:{width}}  {goal.measured:9.3g} {goal.unit:4} "
            f"to reach {sign} {goal.reach:g}  {'pass' if goal.passed else 'FAIL'}"
        )
    print(f"{sum(goal.passed for goal in goals)} of {len(goals)} reached")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a head, first column to the left, the others to the right."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        first, *rest = (
            cell.ljust(w) if not i else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join([first, *rest]))
