"""Play a newcomer with the built wheel, an empty folder and no key, and count: steps, seconds.

Builds the wheel, makes a fresh environment where no source root can be imported, and types what the
README says: install, `moabot init --yes`, `moabot check`, `moabot ask`. Prints each step with its
time, the answer, and the goal: ten minutes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
GOAL_S = 600.0
TYPED = (
    ("python", "-m", "venv", ".venv"),
    (".venv/bin/pip", "install", "--quiet", "WHEEL"),
    (".venv/bin/moabot", "init", "--yes"),
    (".venv/bin/moabot", "check"),
    (".venv/bin/moabot", "ask", "What is the capital of France?"),
)
ROOMS = "moabot, moabot_cache, moabot_platforms, moabot_providers, moabot_strategies"
PROVE = f"import {ROOMS} as last; assert '.venv' in last.__file__ and '.venv' in moabot.__file__"


@dataclass(frozen=True)
class Step:
    """One command as it was typed, its seconds, and what it printed."""

    typed: str
    seconds: float
    printed: str


def main() -> None:
    """Play it, and print the figures."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--moabot", type=Path, help="a wheel; default: one built now")
    given: Path | None = asked.parse_args().moabot
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        wheel = given.resolve() if given else built(folder / "wheel")
        home = folder / "home"
        home.mkdir()
        steps = play(home, wheel)
    took = sum(step.seconds for step in steps)
    print(f"moabot {version('moabot')}, load average {os.getloadavg()[0]:.1f}\n")
    for step in steps:
        print(f"{step.seconds:6.1f} s  {step.typed}")
    print(f"\nwhat check said last: {steps[3].printed.splitlines()[-1]}")
    print(f"answer: {steps[-1].printed}")
    print(f"\n{len(steps)} steps, {took:.0f} s to the first answer (goal: {GOAL_S:.0f} s)")
    sys.exit(took > GOAL_S or not steps[-1].printed)


def built(folder: Path) -> Path:
    """The wheel of this checkout."""
    uv = Path(sys.executable).with_name("uv")
    run(
        [str(uv), "build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT)], folder.parent
    )
    return next(folder.glob("*.whl"))


def play(home: Path, wheel: Path) -> list[Step]:
    """Type everything, the last thing being the question."""
    steps: list[Step] = []
    for words in TYPED:
        typed = [str(wheel) if word == "WHEEL" else word for word in words]
        began = time.perf_counter()
        printed = run([sys.executable if typed[0] == "python" else typed[0], *typed[1:]], home)
        seconds = time.perf_counter() - began
        steps.append(Step(" ".join(words).replace("WHEEL", wheel.name), seconds, printed))
    run([".venv/bin/python", "-c", PROVE], home)
    return steps


def run(command: list[str], folder: Path) -> str:
    """Run one command with no key of anybody; returns what it printed, or ends with what failed."""
    env = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_API_KEY_FILE"))}
    env.pop("PYTHONPATH", None)
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


if __name__ == "__main__":
    main()
