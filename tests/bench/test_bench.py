"""The benchmarks of quality and resilience still run: a few questions each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

# They begin as whole programs, some with two more of their own.
pytestmark = pytest.mark.timeout(60)

BENCH = Path(__file__).parents[2] / "bench"


class StopEarly(BaseModel):
    """What stopping a vote early costs and saves."""

    points_lost: float
    share_of_calls: float


class Injected(BaseModel):
    """How many requests the injection texts changed."""

    texts: int
    instructions_changed: int


class Printed(BaseModel):
    """What the scripts print with `--json`; each prints some of it."""

    rows: list[dict[str, str | int | float]]
    stop_early: StopEarly | None = None
    agreement: list[dict[str, str | int]] = []
    injections: Injected | None = None
    dead: dict[str, str | int] | None = None


def printed(script: str, *options: str) -> Printed:
    """The figures of one run."""
    ran = subprocess.run(
        [sys.executable, str(BENCH / script), "--json", *options],
        check=True,
        capture_output=True,
        text=True,
    )
    return Printed.model_validate_json(ran.stdout)


def test_the_votes_of_recorded_answers_can_be_counted() -> None:
    """What we say about the vote must come from a script that anybody can run."""
    figures = printed("zeroeval.py", "--items", "30")

    assert figures.rows[0]["policy"] == "best single"
    assert figures.rows[0]["calls"] == "1.00"
    assert figures.stop_early is not None
    assert 0.4 <= figures.stop_early.share_of_calls < 1
    assert figures.agreement[0]["agree"] == "5 of 5"
    assert sum(int(row["questions"]) for row in figures.agreement) == 30


def test_no_injected_text_reaches_the_instructions_of_an_aggregator() -> None:
    """A single proposer that can give orders owns every answer of the panel."""
    figures = printed("poisoned.py", "--items", "6", "--pairs", "1")

    assert figures.injections is not None
    assert figures.injections.texts >= 40
    assert figures.injections.instructions_changed == 0


def test_half_of_all_calls_may_fail_and_everybody_is_answered_and_told() -> None:
    """Providers do fail; an unlabelled half answer is worse than a slow one."""
    figures = printed("unreliable.py", "--questions", "40")

    half = figures.rows[-1]
    assert half["answered"] == "100.00%"
    assert half["unlabelled"] == 0
    assert figures.dead is not None
    assert int(figures.dead["calls until the breaker opened"]) <= 5


def test_what_explain_tells_is_near_to_what_is_billed() -> None:
    """Nobody believes an estimate twice that was wrong by half."""
    figures = printed("estimate.py", "--items", "40")

    ratios = {row["strategy"]: float(row["told to billed"]) for row in figures.rows}
    assert set(ratios) >= {"mixture thorough", "mixture deep", "vote balanced"}
    assert all(0.6 < ratio < 1.6 for ratio in ratios.values())
