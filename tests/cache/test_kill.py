"""What was said to be kept is kept, also when the process is killed in the middle of its writes."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from tests.cache.conftest import Open, asking

WRITES = """
import asyncio, sys
from pathlib import Path
from moabot.contract import Answer, Question, Scope
from moabot.store import sqlite
from moabot_cache.semantic import opened
from moabot_cache.settings import Settings

async def main():
    settings = Settings(semantic=False)
    async with sqlite.opened(Path(sys.argv[1]), alone=True) as store:
        async with opened(settings, store) as cache:
            async def keep(n):
                question = Question(f"Question number {n}?", scope=Scope("slack", "T1", "C1"))
                await cache.keep(question, Answer(f"Answer {n}.", "single"), key="k", share="channel")
                print(n, flush=True)
            for start in range(0, 100_000, 8):
                await asyncio.gather(*(keep(n) for n in range(start, start + 8)))

asyncio.run(main())
"""


@pytest.mark.timeout(60)
async def test_a_kill_in_the_middle_loses_nothing_that_was_acknowledged(
    tmp_path: Path, open_cache: Open
) -> None:
    """Three times, on the same database."""
    acknowledged: set[int] = set()
    for enough in (5, 40, 90):
        writing = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITES, str(tmp_path), stdout=asyncio.subprocess.PIPE
        )
        assert writing.stdout is not None
        for _ in range(enough):
            acknowledged.add(int(await writing.stdout.readline()))
        writing.send_signal(signal.SIGKILL)
        acknowledged |= {int(line) for line in (await writing.stdout.read()).splitlines()}
        await writing.wait()

    async with open_cache(semantic=False) as cache:
        lost = [
            n
            for n in sorted(acknowledged)
            if await cache.find(asking(f"Question number {n}?"), key="k", share="channel") is None
        ]
    assert len(acknowledged) >= 90
    assert lost == []
