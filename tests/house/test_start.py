"""The command line starts at once, because it loads only what a command needs."""

from __future__ import annotations

import resource
import subprocess
import sys

HEAVY = {
    "aiohttp",
    "anthropic",
    "faiss",
    "numpy",
    "onnxruntime",
    "tokenizers",
    "genai_prices",
    "google",
    "httpx2",
    "openai",
    "pydantic",
}
MAX_CPU_S = 0.3
HELP = "import sys; sys.argv = ['moabot', '--help']; from moabot.cli import main; main()"


def _help(*flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *flags, "-c", HELP], capture_output=True, text=True, check=True
    )


def test_help_loads_no_sdk() -> None:
    """The three SDKs together cost four seconds; who asks for help waits for none of them."""
    report = _help("-X", "importtime").stderr

    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in report.splitlines()}
    assert "moabot" in loaded
    assert loaded & HEAVY == set()


def test_help_takes_less_than_a_third_of_a_second() -> None:
    """CPU seconds of the quickest of three, since other programs also run here."""
    taken: list[float] = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        _help()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)

    assert min(taken) < MAX_CPU_S
