"""Finds and keeps answers: the same question at once, one in other words when no guard objects."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from moabot.contract import Answer, Question, Share
from moabot.errors import MoabotError, StoreError
from moabot.store import Store
from moabot.store.rows import Kept, Tally
from moabot_cache import exact
from moabot_cache.admission import alone, keepable
from moabot_cache.bounds import Bounds
from moabot_cache.guards import judged
from moabot_cache.reading import essence, read
from moabot_cache.scope import partition
from moabot_cache.settings import Settings
from moabot_cache.worker import Worker
from moabot_cache.written import answered, written

__all__ = ["SemanticCache", "opened"]

log = logging.getLogger("moabot")
DAY_S = 86_400.0
PAGE = 5_000
LOOK_S = 1.0
"""How old our knowledge may be of what other processes removed (`moabot erase`, `cache flush`)."""
TALLY_S = 10.0
SERVED = 10_000
"""Questions of which is known what they were given, so that it can be taken back."""
JITTER = 0.1
"""Share of the lifetime by which entries of one day differ, so that they do not expire together."""


class SemanticCache:
    """The two tiers over the rows in the store; made by `opened`."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._rows = store.answers
        self._worker = Worker(settings.encoder)
        self._bounds = Bounds(most=settings.most)
        self._hot: OrderedDict[str, Kept] = OrderedDict()
        self._places: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._served: OrderedDict[str, int] = OrderedDict()
        self._complete = False
        self._gone_to = 0
        self._looked_at = float("-inf")
        self._counts: Counter[str] = Counter()
        self._saved: defaultdict[str, float] = defaultdict(float)
        self._counted_at = time.monotonic()
        self._loading: asyncio.Future[int] | None = None

    async def find(self, question: Question, *, key: str, share: Share) -> Answer | None:
        """The exact tier, then for a question that stands alone the semantic one."""
        if question.images:
            return None
        shelf = partition(question, key=key, share=share)
        name = f"{shelf}{exact.name(question)}"
        self._bounds.asked(name)
        try:
            kept = await self._exactly(shelf, name)
            tier = "exact"
            if kept is None:
                kept = await self._nearly(question, shelf)
                tier = "semantic"
        except StoreError as error:
            log.warning("cache fails", extra={"error": str(error)})
            return None
        return self._given(name, kept, tier)

    async def keep(self, question: Question, answer: Answer, *, key: str, share: Share) -> None:
        """Write the row, then make it findable; what will not stay true is not kept."""
        if not keepable(question, answer):
            self._count("not kept")
            return
        shelf = partition(question, key=key, share=share)
        name = f"{shelf}{exact.name(question)}"
        text, vector = essence(question.text), b""
        findable = self._worker.ready and alone(question, read(question.text))
        if findable:
            vector = await self._worker.vector(text)
        row = self._row(question, answer, shelf=shelf, vector=vector)
        try:
            row = replace(row, place=await self._rows.keep(row))
            self._take_in(name, row)
            if findable:
                await self._worker.add(shelf, row.place, text=text, question=question.text)
            leaving = self._bounds.admit(name, worth=1.0 + float(answer.usage.cost_usd or 0))
            if leaving is not None:
                await self._remove([self._places[leaving]])
        except StoreError as error:
            log.warning("cache fails", extra={"error": str(error)})

    async def forget(self, question: Question, *, key: str, share: Share) -> None:
        """Remove what was given for this question, for everybody."""
        shelf = partition(question, key=key, share=share)
        name = f"{shelf}{exact.name(question)}"
        places = {self._served.get(name), self._places.get(name)} - {None}
        try:
            row = await self._rows.named(shelf, name[len(shelf) :])
            found = [place for place in places if place is not None]
            await self._remove([*found, *([row.place] if row is not None else [])])
        except StoreError as error:
            log.warning("cache fails", extra={"error": str(error)})
        self._count("forgotten")

    async def _exactly(self, shelf: str, name: str) -> Kept | None:
        await self._hear_of_removals()
        hot = self._hot.get(name)
        if hot is not None and hot.expires > time.time():
            self._hot.move_to_end(name)
            return hot
        if self._complete and name not in self._places:
            return None
        kept = await self._rows.named(shelf, name[len(shelf) :])
        if kept is not None:
            self._take_in(name, kept)
        return kept

    async def _nearly(self, question: Question, shelf: str) -> Kept | None:
        if not self._settings.semantic or not self._worker.ready:
            return None
        asked = read(question.text)
        if not alone(question, asked):
            return None
        found = await self._worker.look(shelf, essence(question.text))
        for place, cosine, other in found.candidates:
            if cosine < self._settings.nearest:
                break
            refused = judged(asked, read(other), cosine, caution=self._settings.caution)
            if refused:
                self._count(f"refused: {refused}")
                continue
            kept = await self._rows.at(place)
            if kept is not None:
                return kept
            await self._worker.remove([place])  # the row is gone, so the index is wrong
        return None

    def _given(self, name: str, kept: Kept | None, tier: str) -> Answer | None:
        answer = None if kept is None else answered(kept)
        if kept is None or answer is None:
            self._count("miss")
            return None
        self._served[name] = kept.place
        while len(self._served) > SERVED:
            self._served.popitem(last=False)
        self._count(tier, saved_usd=kept.cost_usd or 0.0)
        return answer

    def _row(self, question: Question, answer: Answer, *, shelf: str, vector: bytes) -> Kept:
        now = time.time()
        lifetime = self._settings.keep_days * DAY_S * random.uniform(1 - JITTER, 1)  # noqa: S311 - no secret
        cost = answer.usage.cost_usd
        return Kept(
            partition=shelf,
            name=exact.name(question),
            scope=question.scope,
            author=question.author,
            question=question.text,
            encoder=self._worker.fingerprint if vector else "",
            vector=vector,
            answer=written(answer),
            cost_usd=None if cost is None else float(cost),
            at=now,
            expires=now + lifetime,
        )

    def _take_in(self, name: str, row: Kept) -> None:
        before = self._places.get(name)
        if before is not None and before != row.place:
            self._worker.remove([before])
            self._names.pop(before, None)
        self._places[name] = row.place
        self._names[row.place] = name
        self._hot[name] = row
        self._hot.move_to_end(name)
        while len(self._hot) > self._settings.hot:
            self._hot.popitem(last=False)

    async def _remove(self, places: Sequence[int]) -> None:
        self._leave(places)
        await self._worker.remove(places)
        await self._rows.remove(places)

    def _leave(self, places: Sequence[int]) -> None:
        """Forget these rows in memory."""
        for place in places:
            name = self._names.pop(place, "")
            if self._places.get(name) == place:
                del self._places[name]
                self._hot.pop(name, None)
                self._bounds.remove(name)

    async def _hear_of_removals(self) -> None:
        if (now := time.monotonic()) < self._looked_at + LOOK_S:
            return
        self._looked_at = now
        gone = await self._rows.gone(self._gone_to)
        if gone:
            self._gone_to = gone[-1][0]
            places = [place for _, place in gone]
            self._leave(places)
            await self._worker.remove(places)
        if now > self._counted_at + TALLY_S:
            self._write_counts()

    def _count(self, name: str, *, saved_usd: float = 0.0) -> None:
        self._counts[name] += 1
        if saved_usd:
            self._saved[name] += saved_usd

    def _write_counts(self) -> None:
        """Not waited for: a count that is lost with a crash is no loss."""
        self._counted_at = time.monotonic()
        day = int(time.time() // DAY_S)
        tallies = [Tally(day, n, times, self._saved[n]) for n, times in self._counts.items()]
        self._counts.clear()
        self._saved.clear()
        if tallies:
            self._rows.count(tallies)

    def begin(self) -> None:
        """Load encoder and rows in the worker's thread; until then only exact repeats are found."""
        loop = asyncio.get_running_loop()

        def page(after: int) -> Sequence[Kept]:
            reading = asyncio.run_coroutine_threadsafe(self._rows.after(after, most=PAGE), loop)
            rows = reading.result()
            loop.call_soon_threadsafe(self._know, rows)
            return rows

        self._loading = self._worker.run(lambda: self._worker.load(page))
        self._loading.add_done_callback(self._loaded)

    def _know(self, rows: Sequence[Kept]) -> None:
        for row in rows:
            name = f"{row.partition}{row.name}"
            if name not in self._places:
                self._places[name] = row.place
                self._names[row.place] = name
                self._bounds.admit(name, worth=1.0 + (row.cost_usd or 0.0))

    def _loaded(self, loading: asyncio.Future[int]) -> None:
        if loading.cancelled():
            return
        error = loading.exception()
        if isinstance(error, MoabotError):
            log.error("cache without semantic tier", extra={"error": str(error)})
        elif error is not None:
            log.error("cache without semantic tier", exc_info=error)
        else:
            self._complete = True
            if loading.result():
                log.warning("cache has vectors of another encoder", extra={"n": loading.result()})

    def look_again(self) -> None:
        """Do not trust for another second what other processes have left."""
        self._looked_at = float("-inf")

    async def loaded(self) -> None:
        """Wait until the semantic tier is there; for tests and measurements."""
        if self._loading is not None:
            await asyncio.wait([self._loading])
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Wait for the thread, write what was counted."""
        await self.loaded()
        self._write_counts()
        self._worker.close()


@asynccontextmanager
async def opened(settings: Settings, store: Store) -> AsyncGenerator[SemanticCache]:
    """The cache on a store that is open; it serves at once, and in other words a second later."""
    cache = SemanticCache(settings, store)
    cache.begin()
    try:
        yield cache
    finally:
        await cache.close()
