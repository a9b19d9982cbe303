"""The whole corridor under load, with the journal on disk: what it adds to the models' own time.

    python bench/load.py [--seconds 60] [--rate 50]

50 answers a second, each of six calls (three proposers, two aggregators, a synthesizer that
streams) which take real seconds and cost nothing, so that about 600 answers are under way. Rates are
counted, and so high that nobody is refused; channels and workspace have budgets. Added
latency is the time from delivery to the whole answer, less the calls' own longest path.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

from moabot.app import opened
from moabot.config import parse
from moabot.contract import Answer, Completion, Message, Prompt, Provider, Usage, Wrote
from moabot.desk import Desk
from moabot.hookspecs import hookimpl
from moabot.plugins import BUILT_IN, NoSettings, Plugins, Register
from moabot.testing import RecordingReply

GOALS = {
    "added latency p50": 60,
    "added latency p99": 400,
    "loop lag p99": 20,
    "ack p99": 100,
    "RSS": 600,
}
PIECES = 20
TEXT = "Light is scattered by the air, the short waves far more than the long ones. " * 8
MODELS = ("a", "b", "c")


@dataclass
class Taking:
    """A provider whose calls take real time; remembers how long, by question and stage."""

    chance: random.Random
    stages: dict[str, list[list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: [[], [], []])
    )

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Wait as a model does, and stream in pieces to whoever listens."""
        seconds = min(self.chance.lognormvariate(1.2, 0.35), 9.0)
        asked = prompt.turns[-1].text.split(" ", 1)[0]
        stage = 0 if "[proposal 1 " not in prompt.turns[-1].text else 2 if wrote else 1
        self.stages[asked][stage].append(seconds)
        if wrote is None:
            await asyncio.sleep(seconds)
        else:
            size = -(-len(TEXT) // PIECES)
            until = asyncio.get_running_loop().time() + seconds
            for place in range(PIECES):
                left = until - asyncio.get_running_loop().time()
                await asyncio.sleep(max(0.0, left / (PIECES - place)))
                wrote(TEXT[place * size : (place + 1) * size])
        return Completion(TEXT, Usage(1, 500, 0, 200, None), "end")

    def own_s(self, asked: str) -> float:
        """The longest path through the calls of one answer."""
        return sum(max(stage) for stage in self.stages.pop(asked))


class Plugin:
    """The plugin that offers it."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    @hookimpl
    def moabot_register(self, register: Register) -> None:
        """Offer the provider."""
        register.provider("taking", lambda _: nullcontext(self.provider), settings=NoSettings)


@dataclass
class Seen:
    """What was measured, in milliseconds."""

    added: list[float] = field(default_factory=list)
    acks: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0
    failed: int = 0


class Timed(RecordingReply):
    """A reply that notes when it had the whole answer."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = 0.0

    async def finish(self, answer: Answer) -> None:
        """Note when."""
        self.ended = time.perf_counter()
        await super().finish(answer)


async def watch(seen: Seen) -> None:
    """How late the loop wakes a sleeper."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.005)
        seen.lags.append((time.perf_counter() - began - 0.005) * 1000)


async def one(desk: Desk, provider: Taking, seen: Seen, number: int) -> None:
    """One question, as a chat brings it."""
    asked = f"Q{number}"
    channel, author = f"C{number % 40}", f"U{number % 200}"
    message = Message("load", "T1", channel, author, f"{asked} Why?", asked, thread=asked)
    seen.under_way += 1
    seen.most_under_way = max(seen.most_under_way, seen.under_way)
    began, reply = time.perf_counter(), Timed()
    entry = await desk.accept(message)
    seen.acks.append((time.perf_counter() - began) * 1000)
    if entry is None:
        raise RuntimeError("it was there before")
    await desk.answer(entry, reply)
    took = reply.ended - began
    seen.under_way -= 1
    if reply.answer is None or reply.answer.degraded:
        seen.failed += 1
        return
    seen.added.append((took - provider.own_s(asked)) * 1000)


async def load(folder: str, *, seconds: float, rate: float) -> Seen:
    """Deliver evenly, and wait for the last answer."""
    provider, seen = Taking(random.Random(7)), Seen()
    free = {"input": 0, "output": 0}
    table = {
        "data_dir": folder,
        "providers": {"p": {"plugin": "taking"}},
        "models": {m: {"provider": "p", "name": m, "price": free} for m in (*MODELS, "d")},
        "panels": {
            "default": {
                "proposers": [{"model": m} for m in MODELS],
                "aggregators": ["a", "b"],
                "synthesizer": "d",
                "quorum": 3,
                "hedge": False,
            }
        },
        "defaults": {
            "strategy": "mixture",
            "preset": "deep",
            "draft": False,
            "cache": "off",
            "budget_day_usd": 1000,
            "workspace_month_usd": 1000,
        },
        "limits": {"calls": 10_000, "calls_per_provider": 10_000},
        "admission": {f"{who}_per_minute": 10_000 for who in ("user", "channel", "workspace")},
    }
    plugins = Plugins(built_in=[n for n in BUILT_IN if n.startswith("moabot_strategies.")])
    plugins.admit("taking", Plugin(provider))
    async with opened(parse(table, source="load"), plugins, keep="all") as app:
        journal = app.memory.durable
        if journal is None:
            raise RuntimeError("the journal is not durable")
        desk, watching = Desk(app.answering, app.memory), asyncio.create_task(watch(seen))
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(int(seconds * rate)):
                await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
                group.create_task(one(desk, provider, seen, number))
        watching.cancel()
    return seen


def quantile(values: Sequence[float], share: float) -> float:
    """A quantile, without interpolation."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def main() -> int:
    """Run and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--rate", type=float, default=50)
    chosen = options.parse_args()
    cpu = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        seen = asyncio.run(load(folder, seconds=chosen.seconds, rate=chosen.rate))
    cpu_ms = (time.process_time() - cpu) / max(len(seen.added), 1) * 1000
    figures = {
        "added latency p50": quantile(seen.added, 0.5),
        "added latency p99": quantile(seen.added, 0.99),
        "loop lag p99": quantile(seen.lags, 0.99),
        "ack p99": quantile(seen.acks, 0.99),
        "RSS": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(
        f"{len(seen.added)} answers of six calls at {chosen.rate:.0f}/s, {seen.failed} failed, at most "
        f"{seen.most_under_way} under way, {cpu_ms:.1f} CPU ms an answer"
    )
    for name, value in figures.items():
        unit = "MB" if name == "RSS" else "ms"
        print(f"  {name:<18} {value:7.1f} {unit}   to reach: < {GOALS[name]}")
    return int(bool(seen.failed) or any(figures[name] >= GOALS[name] for name in GOALS))


if __name__ == "__main__":
    sys.exit(main())
