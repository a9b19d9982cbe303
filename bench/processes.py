"""The driver's side of a comparison: starts peers, gives them jobs in turn, states the conditions."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "peers"))
from peer import Figures, Job

VENVS = HERE.parent / ".bench"
NEEDS = {
    "tensorzero_embedded": ["tensorzero==2026.6.0"],
    "litellm_sdk": ["litellm==1.106.2"],
}
"""Peers whose dependencies contradict ours live in a virtual environment of their own."""


@dataclass(slots=True)
class Peer:
    """A running child."""

    name: str
    process: subprocess.Popen[str]
    versions: Mapping[str, str]
    rss_kb: int

    def run(self, job: Job) -> Figures:
        """Give it a job and wait for its figures."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asdict(job)) + "\n")
        self.process.stdin.flush()
        return Figures(**_answer(self.process))  # type: ignore[arg-type]


@contextmanager
def started(name: str, url: str, *arguments: str) -> Iterator[Peer]:
    """Start one peer against the upstream at `url`; stops it at the end."""
    command = [python_of(name), str(HERE / "peers" / f"{name}.py"), url, *arguments]
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as process:
        try:
            hello = _answer(process)
            yield Peer(name, process, hello["versions"], hello["rss_kb"])  # type: ignore[arg-type]
        finally:
            process.terminate()


@contextmanager
def all_started(names: Sequence[str], url: str) -> Iterator[list[Peer]]:
    """Start several and warm them up; those that cannot start are named and left out."""
    with ExitStack() as stack:
        peers: list[Peer] = []
        for name in names:
            try:
                peer = stack.enter_context(started(name, url))
            except (OSError, EOFError, subprocess.CalledProcessError) as error:
                print(f"{name}: not run ({error})", file=sys.stderr)
                continue
            peer.run(Job(20))
            peer.run(Job(5, stream=True))
            peers.append(peer)
        yield peers


def rounds(peers: Sequence[Peer], job: Job, *, count: int) -> dict[str, list[Figures]]:
    """Give every peer the same job `count` times, in another order each time."""
    figures: dict[str, list[Figures]] = {peer.name: [] for peer in peers}
    for _ in range(count):
        for peer in random.sample(peers, len(peers)):
            figures[peer.name].append(peer.run(job))
            print(".", end="", file=sys.stderr, flush=True)
    return figures


def python_of(name: str) -> str:
    """The interpreter of a peer; makes its virtual environment when it is not there yet."""
    if name not in NEEDS:
        return sys.executable
    python = VENVS / name / "bin" / "python"
    if not python.exists():
        quiet = ["--quiet", "--disable-pip-version-check"]
        subprocess.run([sys.executable, "-m", "venv", VENVS / name], check=True)
        subprocess.run([python, "-m", "pip", "install", *quiet, *NEEDS[name]], check=True)
    return str(python)


def conditions() -> str:
    """One line: the machine and how busy it was."""
    loads = ", ".join(f"{load:.2f}" for load in os.getloadavg())
    return f"load average {loads} on {os.cpu_count()} cores, Python {sys.version.split()[0]}"


def _answer(process: subprocess.Popen[str]) -> dict[str, object]:
    """The next JSON line; some peers log to stdout, too."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            answer: dict[str, object] = json.loads(line)
            return answer
    raise EOFError("it ended before it answered")
