"""The command line starts at once, because it loads only what a command needs."""

from __future__ import annotations

import os
import subprocess
import sys

HEAVY = {
    "aiohttp",
    "anthropic",
    "faiss",
    "genai_prices",
    "google",
    "httpx2",
    "numpy",
    "onnxruntime",
    "openai",
    "pydantic",
    "tokenizers",
}
MOST_MODULES = 200
"""They are 171, and take 0.16 s of two cores; with asyncio and rich they would be 368."""
HELP = "import sys; sys.argv = ['moabot', '--help']; from moabot.cli import main; main()"


def _help(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *flags, "-c", HELP]
    # Coverage of subprocesses is switched on in the environment, and loads modules of its own.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=plain)


def test_help_loads_no_sdk() -> None:
    """The three SDKs together cost four seconds; who asks for help waits for none of them."""
    report = _help("-X", "importtime").stderr

    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in report.splitlines()}
    assert "moabot" in loaded
    assert loaded & HEAVY == set()


def test_help_loads_few_modules() -> None:
    """A count and not a time, which depends on the machine; bench/starting.py measures seconds."""
    report = _help("-X", "importtime").stderr

    assert len(report.splitlines()) < MOST_MODULES
