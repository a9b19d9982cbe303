"""The semantic cache beside its floor: embed and search alone. Also start, memory, exact, eviction.

    python bench/caching.py [--most ENTRIES]

Figures of one run on one machine; read them as ratios. GPTCache is measured when it is
installed in the same environment (pip install gptcache==0.1.44).
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from moabot.contract import Question
from moabot.store import sqlite
from moabot.store.rows import Kept
from moabot_cache import exact
from moabot_cache.bounds import Bounds
from moabot_cache.embedder import Vectors
from moabot_cache.embedder import opened as encoder_of
from moabot_cache.said import essence
from moabot_cache.scope import partition
from moabot_cache.semantic import SemanticCache, opened
from moabot_cache.settings import Settings

ROUNDS = 600
DAY_S = 86_400
SHELF = partition(Question("q"), key="k", share="channel")
VERBS = "clean open paint repair replace tune inspect oil carry sell".split()
THINGS = "bicycle kettle window violin engine printer ladder camera boat oven lamp clock".split()
WHERE = (
    "garden garage kitchen cellar attic office school hotel harbour forest desert museum".split()
)


def question(number: int) -> str:
    """One of many questions that differ in what they are about."""
    chance = random.Random(number)
    verb, thing, place = chance.choice(VERBS), chance.choice(THINGS), chance.choice(WHERE)
    return f"How do I {verb} the {thing} model {number} that stands in the {place}?"


def percentiles(times: Sequence[float]) -> str:
    """p50 and p95 in milliseconds."""
    p50, p95 = np.percentile(times, [50, 95]) * 1e3
    return f"p50 {p50:8.3f} ms   p95 {p95:8.3f} ms"


def rows(count: int, fingerprint: str, vectors: Vectors) -> Sequence[Kept]:
    """Entries with made-up vectors, or real ones where there are any."""
    now = time.time()
    return [
        Kept(
            partition=SHELF,
            name=exact.name(Question(question(n))),
            scope=Question("q").scope,
            author="",
            question=question(n),
            encoder=fingerprint,
            vector=vectors[n].astype(np.float16).tobytes(),
            answer='{"text": "Like this.", "strategy": "single"}',
            cost_usd=0.01,
            at=now,
            expires=now + 30 * DAY_S,  # fresh
        )
        for n in range(count)
    ]


async def fill(path: Path, kept: Sequence[Kept]) -> None:
    """Write entries, a thousand at a time."""
    async with sqlite.opened(path, alone=True) as store:
        for start in range(0, len(kept), 1000):
            await asyncio.gather(*(store.answers.keep(row) for row in kept[start : start + 1000]))


async def lookups(path: Path, count: int) -> None:
    """Whole lookups, interleaved with embed and search alone, and with an exact repeat."""
    encoder = encoder_of("minilm")
    texts = [question(count + n) for n in range(ROUNDS)]
    async with sqlite.opened(path, alone=True) as store, opened(Settings(), store) as cache:
        await cache.loaded()
        index = cache._worker._indexes[SHELF]
        floor: list[float] = []
        whole: list[float] = []
        for turn, text in enumerate(texts):
            # Either goes first in turn: who comes second finds the words in the processor's cache.
            for first in (turn % 2 == 0, turn % 2 == 1):
                begin = time.perf_counter()
                if first:
                    index.search(encoder.encode([text])[0], most=3)
                else:
                    await cache.find(Question(text), key="k", share="channel")
                (floor if first else whole).append(time.perf_counter() - begin)
        hot = await _timed(cache, question(7), times=2000)
    print(f"embed + search alone, {count:,} entries       {percentiles(floor)}")
    print(f"the whole lookup                        {percentiles(whole)}")
    ratio = np.percentile(whole, [50, 95]) / np.percentile(floor, [50, 95])
    print(f"ratio (to reach: 1.10, 1.15)             p50 {ratio[0]:.3f}       p95 {ratio[1]:.3f}")
    print(f"exact hit (to reach: p95 0.1 ms)         {percentiles(hot)}")


async def _timed(cache: SemanticCache, text: str, *, times: int) -> list[float]:
    found: list[float] = []
    for _ in range(times):
        begin = time.perf_counter()
        assert await cache.find(Question(text), key="k", share="channel") is not None
        found.append(time.perf_counter() - begin)
    return found


class Ready:
    """An encoder that knows every vector already, so that a lookup costs nothing else."""

    def __init__(self, fingerprint: str, vectors: dict[str, Vectors]) -> None:
        self.fingerprint = fingerprint
        self.size = 384
        self._vectors = vectors

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Look them up."""
        return np.stack([self._vectors[text] for text in texts])


async def overhead(path: Path, count: int, vectors: Vectors) -> float:
    """Seconds of a semantic hit at the median, without embedding; prints it."""
    asked = [f"{question(n).removesuffix('?')}, my dear friend" for n in range(ROUNDS)]
    known = {essence(text): vectors[n] for n, text in enumerate(asked)}
    async with sqlite.opened(path, alone=True) as store, opened(Settings(), store) as cache:
        await cache.loaded()
        encoder = cache._worker._encoder
        assert encoder is not None
        cache._worker._encoder = Ready(encoder.fingerprint, known)
        times: list[float] = []
        for text in asked:
            begin = time.perf_counter()
            await cache.find(Question(text), key="k", share="channel")
            times.append(time.perf_counter() - begin)
    print(f"lookup without embedding, {count:,} entries    {percentiles(times)}")
    return float(np.median(times))


def gptcache(path: Path, count: int, vectors: Vectors) -> float | None:
    """The same with GPTCache (sqlite, faiss), vectors given; None when it is not installed."""
    try:
        from gptcache import Cache  # noqa: PLC0415
        from gptcache.adapter.api import get, put  # noqa: PLC0415
        from gptcache.manager import CacheBase, VectorBase, get_data_manager  # noqa: PLC0415
        from gptcache.processor.pre import get_prompt  # noqa: PLC0415
        from gptcache.similarity_evaluation.distance import (  # noqa: PLC0415
            SearchDistanceEvaluation,
        )
    except ImportError:
        print("GPTCache is not installed here: no comparison")
        return None
    known = {question(n): vectors[n] for n in range(count)}
    other = Cache()
    manager = get_data_manager(
        CacheBase("sqlite", sql_url=f"sqlite:///{path / 'gpt.db'}"),
        VectorBase("faiss", dimension=384, index_path=str(path / "gpt.index")),
        max_size=10 * count,
    )
    other.init(
        pre_embedding_func=get_prompt,
        embedding_func=lambda text, **_: known[text],
        data_manager=manager,
        similarity_evaluation=SearchDistanceEvaluation(),
    )
    for n in range(count):
        put(question(n), "Like this.", cache_obj=other)
    times: list[float] = []
    for n in range(ROUNDS // 3):
        begin = time.perf_counter()
        assert get(question(n), cache_obj=other)
        times.append(time.perf_counter() - begin)
    print(f"GPTCache 0.1.44, {count:,} entries             {percentiles(times)}")
    return float(np.median(times))


async def at_size(path: Path, count: int) -> None:
    """Start, search and removal with many entries."""
    begin = time.perf_counter()
    async with sqlite.opened(path, alone=True) as store, opened(Settings(), store) as cache:
        assert await cache.find(Question(question(count - 1)), key="k", share="channel")
        print(f"{count:,} entries: exact tier after          {time.perf_counter() - begin:.3f} s")
        await cache.loaded()
        print(f"{count:,} entries: all after                 {time.perf_counter() - begin:.3f} s")
        index = cache._worker._indexes[SHELF]
        _, vectors = index.contents()
        times = [_spent(lambda v=v: index.search(v, most=3)) for v in vectors[:300]]
        print(f"{count:,} entries: search                    {percentiles(times)}")
        places = list(cache._names)[:200]
        times = [_spent(lambda p=p: index.remove(p)) for p in places]
        print(f"{count:,} entries: remove                    {percentiles(times)}")


def _spent(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


START = """
import time
from pathlib import Path
begin = time.perf_counter()
from moabot_cache.embedder import opened
opened("minilm").encode(["How do I reset my password?"])
rss = next(l for l in Path("/proc/self/status").read_text().splitlines() if l.startswith("VmRSS"))
print(time.perf_counter() - begin, int(rss.split()[1]) / 1024)
"""


def start() -> None:
    """A process of its own: from its first line to a vector, and how large it became."""
    begin = time.perf_counter()
    said = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
    seconds, rss = map(float, said.stdout.split())
    whole = time.perf_counter() - begin
    print(f"process start to first vector (1.5 s)    {whole:.2f} s ({seconds:.2f} s of it ours)")
    print(f"RSS with the encoder (250 MB)            {rss:.0f} MB")


def eviction() -> None:
    """Hit rates on 200,000 requests, 30 % of them one-offs, the rest Zipf; 1,000 places."""
    for exponent in (0.8, 1.0):
        chance = np.random.default_rng(3)
        weights = 1 / np.arange(1, 50_001) ** exponent
        popular = chance.choice(50_000, 200_000, p=weights / weights.sum())
        once = chance.random(200_000) < 0.3
        names = [
            f"once {n}" if o else f"{p}" for n, (p, o) in enumerate(zip(popular, once, strict=True))
        ]
        ours, lru = _ours(names, 1_000), _lru(names, 1_000)
        print(
            f"eviction, Zipf {exponent}: ours {ours:.1%}, least recently used {lru:.1%} (+5 points)"
        )


def _ours(names: Sequence[str], most: int) -> float:
    bounds = Bounds(most=most)
    kept: set[str] = set()
    hits = 0
    for name in names:
        bounds.asked(name)
        if name in kept:
            hits += 1
            continue
        kept.add(name)
        kept.difference_update(bounds.admit(name, size=1))
    return hits / len(names)


def _lru(names: Sequence[str], most: int) -> float:
    kept: OrderedDict[str, None] = OrderedDict()
    hits = 0
    for name in names:
        hits += name in kept
        kept[name] = None
        kept.move_to_end(name)
        if len(kept) > most:
            kept.popitem(last=False)
    return hits / len(names)


def main() -> None:
    """Print every figure."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--most", type=int, default=100_000, help="entries of the largest cache")
    most = asked.parse_args().most
    eviction()
    start()
    encoder = encoder_of("minilm")
    real = np.concatenate(
        [
            encoder.encode([essence(question(n)) for n in range(start, start + 50)])
            for start in range(0, 10_000, 50)
        ]
    )
    for count in (1_000, 10_000):
        with tempfile.TemporaryDirectory() as place:
            path = Path(place)
            asyncio.run(fill(path, rows(count, encoder.fingerprint, real)))
            if count == 10_000:
                asyncio.run(lookups(path, count))
            ours = asyncio.run(overhead(path, count, real))
            theirs = gptcache(path, count, real)
            if theirs is not None:
                print(f"GPTCache takes as long as (10): {theirs / ours:.1f} of ours")
    with tempfile.TemporaryDirectory() as place:
        spread = np.random.default_rng(1).normal(size=(2_000, 384))
        chance = np.random.default_rng(2)
        many = spread[chance.integers(0, 2_000, most)] + chance.normal(size=(most, 384)) * 0.5
        many /= np.linalg.norm(many, axis=1, keepdims=True)
        asyncio.run(fill(Path(place), rows(most, encoder.fingerprint, many.astype(np.float32))))
        asyncio.run(at_size(Path(place), most))
    print(f"RSS at the end {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
