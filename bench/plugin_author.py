"""Play an author who writes a provider, and count: steps, lines, seconds.

In a fresh environment with moabot in it: `plugins new`, an edit, the tests, `plugins install`, a
question. Each step is a command as it would be typed; the edit makes the template's provider answer
in its own way. Prints a table and the goals: at most 16 lines of Python and TOML for a provider, and
2 steps for who uses it.
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
MOST_LINES = 16
MOST_STEPS = 2
EDIT = ('greeting: str = "You said"', 'greeting: str = "Acme says"')
CONFIG = (
    '\n[providers.acme]\nplugin = "acme"\n\n[models.loud]\nprovider = "acme"\nname = "loud-1"\n'
)


@dataclass(frozen=True)
class Step:
    """One thing that was done: by whom, what, and the seconds it took."""

    who: str
    what: str
    seconds: float


class Author:
    """Somebody with an empty folder, and an environment that has moabot and pytest."""

    def __init__(self, folder: Path, moabot: str) -> None:
        self.folder = folder
        self.steps: list[Step] = []
        self._bin = folder / "env/bin"
        uv = Path(sys.executable).with_name("uv")
        python = self._bin / "python"
        self._run([str(uv), "venv", "--quiet", "--python", sys.executable, str(self._bin.parent)])
        self._run([str(uv), "pip", "install", "-q", "--python", str(python), moabot, "pytest"])

    def types(self, who: str, *words: str, below: str = ".") -> str:
        """Run one command; returns what it printed."""
        began = time.perf_counter()
        said = self._run([str(self._bin / words[0]), *words[1:]], below)
        self.steps.append(Step(who, " ".join(words), time.perf_counter() - began))
        return said

    def writes(self, who: str, what: str, file: Path, text: str) -> None:
        """Write a file."""
        file.write_text(text)
        self.steps.append(Step(who, what, 0.0))

    def _run(self, command: list[str], below: str = ".") -> str:
        path = f"{self._bin}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            command,
            cwd=self.folder / below,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{command} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


def main() -> None:
    """Play it, and print the figures."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--moabot", default=str(ROOT), help="what to install: a wheel, or a folder")
    with tempfile.TemporaryDirectory() as folder:
        author = Author(Path(folder), asked.parse_args().moabot)
        answer = play(author)
        template = author.folder / "moabot-acme"
        lines = counted(template / "moabot_acme.py"), counted(template / "pyproject.toml")
        tests = counted(template / "tests/test_acme.py")
    print(f"moabot {version('moabot')}, load average {os.getloadavg()[0]:.1f}\n")
    for step in author.steps:
        print(f"{step.who:7} {step.seconds:6.1f} s  {step.what}")
    users = [step for step in author.steps if step.who == "user"]
    example = ROOT / "examples/moabot-acme"
    toml = counted(example / "pyproject.toml") - 1  # without the line of its strategy
    shortest = counted(example / "moabot_acme/__init__.py") + toml
    print(f"\nanswer: {answer}")
    print(f"template: {lines[0]} lines of Python, {lines[1]} of TOML, {tests} of tests, 1 edited")
    print(f"shortest provider: {shortest} lines of Python and TOML (goal: {MOST_LINES})")
    print(f"steps of its user: {len(users)} (goal: {MOST_STEPS})")
    sys.exit(not (shortest <= MOST_LINES and len(users) <= MOST_STEPS and "Acme" in answer))


def play(author: Author) -> str:
    """Do all that there is to do; returns the answer."""
    module = author.folder / "moabot-acme/moabot_acme.py"
    author.types("author", "moabot", "plugins", "new", "provider", "acme")
    author.writes("author", "edit moabot_acme.py", module, module.read_text().replace(*EDIT))
    author.types("author", "python", "-m", "pytest", "-q", below="moabot-acme")
    author.types("user", "moabot", "plugins", "install", "./moabot-acme", "--yes")
    config = author.folder / "config.toml"
    author.writes("user", "name a model in config.toml", config, config.read_text() + CONFIG)
    return author.types("then", "moabot", "ask", "--strategy", "single", "Is it so?").strip()


def counted(file: Path) -> int:
    """Lines that are neither empty nor a comment."""
    lines = [line.strip() for line in file.read_text().splitlines()]
    return sum(bool(line) and not line.startswith("#") for line in lines)


if __name__ == "__main__":
    main()
