"""What starting costs (G10): CPU seconds and memory of imports, wall seconds of `--help`.

CPU seconds include the interpreter's own start; on a quiet machine they are the wall's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))
import verdicts
from verdicts import Goal

TIMES = 5
HEAVY = (
    "openai anthropic google.genai torch sentence_transformers faiss slack_bolt discord llama_cpp"
)
MEASURE = """
import json, sys, time
{code}
seconds = time.process_time()
rss = next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]
heavy = [name for name in "{heavy}".split() if name in sys.modules]
print(json.dumps({{"seconds": seconds, "mb": int(rss) / 1024, "heavy": heavy}}))
"""
CORE = "import moabot, moabot.app"
SDKS = "import openai, anthropic"
ADAPTERS = """
import asyncio
from moabot import app, config
from moabot.plugins import Plugins
table = {
    "providers": {name: {"plugin": name} for name in ("openai", "anthropic")},
    "models": {name: {"provider": name, "name": name, "price": {"input": 1, "output": 1}} for name in ("openai", "anthropic")},
    "panels": {"default": {"proposers": [{"model": "openai"}, {"model": "anthropic"}]}},
}
async def main():
    async with app.opened(config.parse(table, source="here"), Plugins()):
        pass
asyncio.run(main())
"""


def goals() -> list[Goal]:
    """Each import in a fresh process, in turn, five times; the median."""
    taken: dict[str, list[dict[str, float]]] = {CORE: [], SDKS: [], ADAPTERS: []}
    heavy: set[str] = set()
    for _ in range(TIMES):
        for code, figures in taken.items():
            figures.append(_measured(code))
    heavy.update(*(figure["heavy"] for figure in taken[CORE]))  # type: ignore[arg-type]
    seconds = {code: median(f["seconds"] for f in figures) for code, figures in taken.items()}
    megabytes = {code: median(f["mb"] for f in figures) for code, figures in taken.items()}
    return [
        Goal("G10", "import of the core", seconds[CORE], "s", 0.6),
        Goal("G10", "memory of the core", megabytes[CORE], "MB", 60),
        Goal("G10", "SDKs that the core loads", len(heavy), "", 0),
        Goal("G10", "with openai and anthropic opened, over their SDKs", seconds[ADAPTERS] - seconds[SDKS], "s", 0.5),
        Goal("G10", "memory with both", megabytes[ADAPTERS], "MB", 130),
        Goal("G10", "moabot --help", _help_s(), "s", 0.3),
    ]  # fmt: skip


def _measured(code: str) -> dict[str, float]:
    script = MEASURE.format(code=code, heavy=HEAVY)
    keys = {"OPENAI_API_KEY": "none", "ANTHROPIC_API_KEY": "none"}
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **keys},
        capture_output=True,
        check=True,
        text=True,
    )
    figures: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return figures


def _help_s() -> float:
    command = [str(Path(sys.executable).with_name("moabot")), "--help"]
    taken: list[float] = []
    for _ in range(TIMES):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - began)
    return median(taken)


if __name__ == "__main__":
    verdicts.show(goals())
