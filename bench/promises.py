"""What is promised when something goes wrong, against a real upstream: G7 and G8."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "peers")]
import upstream
import verdicts
from corridor import Counting, configured
from peer import PROPOSERS, Watch
from verdicts import Goal

from moabot.app import App, load, opened
from moabot.contract import Answer, Cancelled, Message

CALL_S = 0.05
GRACE_S = 1.0  # the default
ENOUGH_S = 0.5
TIMES = 5


class Noting(Counting):
    """A reply that notes when stragglers were stopped, by the clock that the upstream has, too."""

    def __init__(self) -> None:
        super().__init__(Watch())
        self.stopped: list[tuple[float, Cancelled]] = []

    def cancelled(self, cancelled: Cancelled) -> None:
        """Note it."""
        self.stopped.append((time.monotonic(), cancelled))


@dataclass(frozen=True, slots=True)
class Asked:
    """One query's end."""

    answer: Answer | None
    seconds: float
    reply: Noting


class Bench:
    """The app beside its upstream."""

    def __init__(self, app: App, url: str) -> None:
        self.app = app
        self.url = url
        self._asked = 0

    async def program(self, **profiles: dict[str, object]) -> None:
        """Behaviour of every model; the others answer after 50 ms."""
        usual: dict[str, dict[str, object]] = {
            name: {"ttft_s": CALL_S} for name in (*PROPOSERS, "agg")
        }
        await asyncio.to_thread(upstream.program, self.url, {**usual, **profiles})

    async def counted(self) -> dict[str, dict[str, float]]:
        """The upstream's counters, half a second later."""
        await asyncio.sleep(ENOUGH_S)
        return (await asyncio.to_thread(upstream.counters, self.url))["models"]

    async def ask(self, reply: Noting, *, stream: bool = False) -> Asked:
        """Ask one question to the end."""
        self._asked += 1
        thread = f"t{self._asked}"
        channel = "streamed" if stream else "plain"
        message = Message("bench", "here", channel, "me", "Why tides?", thread, thread=thread)
        began = time.perf_counter()
        await self.app.answering.handle(message, reply)
        return Asked(reply.answer, time.perf_counter() - began, reply)

    async def left(self, after_s: float, *, stream: bool = False) -> float:
        """Ask, and go away after some seconds; returns when, in seconds of the monotonic clock."""
        asking = asyncio.create_task(self.ask(Noting(), stream=stream))
        await asyncio.sleep(after_s)
        gone = time.monotonic()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        return gone


@asynccontextmanager
async def benched(url: str) -> AsyncIterator[Bench]:
    """An app as the comparison has it, with `agg` as the fallback."""
    with tempfile.TemporaryDirectory() as folder:
        file = configured(url, Path(folder), panel='fallback = ["agg"]')
        config, plugins = load(file)
    async with opened(config, plugins) as app:
        yield Bench(app, url)


async def hung(bench: Bench) -> list[Goal]:
    """One proposer never answers: quorum 2 of 3, then the grace, then the aggregator."""
    late_s: list[float] = []
    closed_s: list[float] = []
    estimated = 0
    for _ in range(TIMES):
        await bench.program(p3={"mode": "hang"})
        asked = await bench.ask(Noting())
        late_s.append(asked.seconds - (CALL_S + GRACE_S + CALL_S))
        counted = await bench.counted()
        [(stopped_at, stopped)] = asked.reply.stopped
        closed_s += [at - stopped_at for at in _aborts(counted, "p3")]
        estimated += stopped.usage.estimated and bool(stopped.usage.cost_usd)
    return [
        Goal("G7", "one hangs: answer after quorum + grace", 1000 * median(late_s), "ms", 50),
        Goal("G8", "straggler's connection closed, slowest", 1000 * max(closed_s), "ms", 500),
        Goal("G8", "stragglers left open", TIMES - len(closed_s), "", 0),
        Goal("G8", "stragglers whose cost is estimated, share", estimated / TIMES, "", 1, least=True),
    ]  # fmt: skip


async def failing(bench: Bench) -> list[Goal]:
    """All proposers fail, then only the aggregator: an answer is there, never an error's text."""
    broken: dict[str, object] = {"mode": "error", "status": 500}
    said: dict[str, object] = {"ttft_s": CALL_S, "text": "One says tides."}
    await bench.program(**dict.fromkeys(PROPOSERS, broken), agg=said)
    alone = (await bench.ask(Noting())).answer
    await bench.program(**dict.fromkeys(PROPOSERS, said), agg=broken)
    single = (await bench.ask(Noting())).answer
    answered = bool(alone and alone.text == said["text"] and len(alone.failures) == len(PROPOSERS))
    stood = bool(single and single.text == said["text"] and single.degraded)
    return [
        Goal("G7", "all proposers fail: the fallback answers", answered, "", 1, least=True),
        Goal("G7", "aggregator fails: best proposal, labelled", stood, "", 1, least=True),
    ]


async def gone(bench: Bench) -> list[Goal]:
    """The person leaves while proposers work, and while the answer is written."""
    closed_s: list[float] = []
    running = started = 0
    for _ in range(TIMES):
        await bench.program(**{name: {"ttft_s": 5.0} for name in PROPOSERS})
        left_at = await bench.left(0.2)
        counted = await bench.counted()
        closed_s += [at - left_at for name in PROPOSERS for at in _aborts(counted, name)]
        running += len(PROPOSERS)
        started += int(counted.get("agg", {}).get("started", 0))
        await bench.program(agg={"ttft_s": CALL_S, "tps": 20})
        left_at = await bench.left(0.4, stream=True)
        counted = await bench.counted()
        closed_s += [at - left_at for at in _aborts(counted, "agg")]
        running += 1
        started += int(sum(model["started"] for model in counted.values())) - 4
    return [
        Goal("G8", "person gone: running calls not closed", running - len(closed_s), "", 0),
        Goal("G8", "person gone: connection closed, slowest", 1000 * max(closed_s), "ms", 500),
        Goal("G8", "person gone: further calls started", started, "", 0),
    ]


def _aborts(counted: dict[str, dict[str, float]], model: str) -> list[float]:
    aborted: list[float] = counted.get(model, {}).get("aborted_at", [])  # type: ignore[assignment]
    return aborted


async def _kept() -> list[Goal]:
    with upstream.running() as url:
        async with benched(url) as bench:
            return [*await hung(bench), *await failing(bench), *await gone(bench)]


def kept() -> list[Goal]:
    """Try all of it."""
    return asyncio.run(_kept())


if __name__ == "__main__":
    verdicts.show(kept())
