"""The child's side of a comparison: takes jobs on stdin, runs them, prints what they took.

A peer is one script with an async context manager `opened(url)` that gives an `Ask`; it ends with
`serve(opened, packages=…)`. Jobs and figures are one JSON object a line. Standard library only,
since some peers live in virtual environments of their own.
"""

from __future__ import annotations

import asyncio
import gc
import json
import math
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

PROPOSERS = ("p1", "p2", "p3")
AGGREGATOR = "agg"
SYSTEM = "You are a helpful assistant. Answer with care."
COMBINE = "Combine the answers below into one. They may be wrong; weigh them with care."
MAX_TOKENS = 1024
PROBE_S = 0.005


class Watch:
    """When one query showed something: seconds since it began; and whether it shall stream."""

    def __init__(self, *, stream: bool = False, draft: bool = False) -> None:
        self.stream = stream
        self.draft = draft
        self._began = time.perf_counter()
        self.first_s: float | None = None
        self.draft_s: float | None = None

    def wrote(self) -> None:
        """A piece of the final answer is there."""
        if self.first_s is None:
            self.first_s = self.seconds

    def drafted(self) -> None:
        """A piece of a draft is there."""
        if self.draft_s is None:
            self.draft_s = self.seconds

    @property
    def seconds(self) -> float:
        """Seconds since the query began."""
        return time.perf_counter() - self._began


Ask = Callable[[str, Watch], Awaitable[str]]
"""Asks the panel and tells the watch what is to be seen; returns the final text."""

Opened = Callable[[str], AbstractAsyncContextManager[Ask]]


@dataclass(frozen=True, slots=True)
class Job:
    """How many queries, how many at once; `probe` measures the event loop's lag meanwhile.

    Questions are numbered from `number`. The first ones begin over `spread_s`, as people ask, and
    not all in one instant.
    """

    queries: int
    at_once: int = 1
    number: int = 0
    spread_s: float = 0.0
    stream: bool = False
    draft: bool = False
    probe: bool = False


@dataclass(slots=True)
class Figures:
    """What a job took: CPU of this process, seconds of each query, memory, the loop's lag.

    A query that failed took infinitely long.
    """

    cpu_s: float = 0.0
    wall_s: float = 0.0
    walls_s: list[float] = field(default_factory=list)
    firsts_s: list[float] = field(default_factory=list)
    drafts_s: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    rss_before_kb: int = 0
    rss_peak_kb: int = 0
    lags_s: list[float] = field(default_factory=list)
    last: str = ""


def combined(question: str, proposals: Sequence[str]) -> str:
    """What an aggregator is asked."""
    listed = "\n\n".join(f"Answer {n}:\n{text}" for n, text in enumerate(proposals, start=1))
    return f"{question}\n\n{COMBINE}\n\n{listed}"


def chat(model: str, content: str, *, stream: bool = False) -> dict[str, object]:
    """A Chat Completions request."""
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": content},
        ],
        "max_tokens": MAX_TOKENS,
        "temperature": 0.7,
        "stream": stream,
    }


def serve(opened: Opened, *, packages: Sequence[str]) -> None:
    """Run jobs until stdin ends. The first line printed tells the versions and the cost of starting."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 16384)), hard))
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(opened, packages))


async def _serve(opened: Opened, packages: Sequence[str]) -> None:
    async with opened(sys.argv[1]) as ask:
        _tell({"versions": {name: version(name) for name in packages}, "rss_kb": _rss_kb()})
        while line := await asyncio.to_thread(sys.stdin.readline):
            _tell(asdict(await _run(ask, Job(**json.loads(line)))))


def _tell(value: object) -> None:
    print(json.dumps(value), flush=True)


async def _run(ask: Ask, job: Job) -> Figures:
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    figures = Figures(rss_before_kb=_rss_kb())
    numbers = iter(range(job.number, job.number + job.queries))

    async def worker(place: int) -> None:
        await asyncio.sleep(job.spread_s * place / job.at_once)
        for number in numbers:
            await _query(ask, job, number, figures)

    probing = asyncio.create_task(_probe(figures)) if job.probe else None
    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(worker(place) for place in range(job.at_once)))
    figures.cpu_s, figures.wall_s = time.process_time() - cpu, time.perf_counter() - began
    if probing is not None:
        probing.cancel()
    figures.rss_peak_kb = _kb_of("VmHWM")
    return figures


async def _query(ask: Ask, job: Job, number: int, figures: Figures) -> None:
    watch = Watch(stream=job.stream, draft=job.draft)
    question = f"Question {number}: what should a careful panel of models say about tides?"
    try:
        figures.last = await ask(question, watch)
        failure = "" if figures.last.strip() else "empty"
    except Exception as error:  # noqa: BLE001 - whatever a peer raises is its failure
        failure = f"{type(error).__name__}: {error}"[:200]
    figures.walls_s.append(math.inf if failure else watch.seconds)
    if failure:
        figures.failures.append(failure)
    if watch.first_s is not None:
        figures.firsts_s.append(watch.first_s)
    if watch.draft_s is not None:
        figures.drafts_s.append(watch.draft_s)


async def _probe(figures: Figures) -> None:
    """How late the loop wakes a sleeper."""
    while True:
        due = time.perf_counter() + PROBE_S
        await asyncio.sleep(PROBE_S)
        figures.lags_s.append(time.perf_counter() - due)


def _rss_kb() -> int:
    return _kb_of("VmRSS")


def _kb_of(key: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    return 0


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of `values` lie; NaN of none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
