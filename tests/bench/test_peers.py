"""The benchmarks still run: the smallest sizes, the floor and moabot only."""

from __future__ import annotations

import json
import subprocess
import sys
from math import isfinite
from pathlib import Path
from typing import TypedDict

import pytest

BENCH = Path(__file__).parents[2] / "bench"


class Reached(TypedDict):
    """A goal as `--json` prints it."""

    name: str
    what: str
    measured: float
    passed: bool


@pytest.mark.timeout(90)  # five processes start one after the other
def test_the_comparison_runs_and_moabot_answers_all_that_it_is_asked() -> None:
    """A benchmark that rots unseen is worse than none, and every figure stands on these peers."""
    ran = subprocess.run(
        [sys.executable, str(BENCH / "peers.py"), "--tiny", "--json"],
        check=True,
        capture_output=True,
        text=True,
    )

    goals: list[Reached] = json.loads(ran.stdout)

    assert {goal["name"] for goal in goals} == {"G1", "G2", "G3", "G4", "G5", "G10"}
    assert all(goal["passed"] for goal in goals if "failures" in goal["what"])
    assert all(isfinite(goal["measured"]) for goal in goals), "a figure is missing"
