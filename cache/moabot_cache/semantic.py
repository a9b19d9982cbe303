"""Finds and keeps answers: the same question at once, one in other words when no guard objects."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from moabot.contract import Answer, Ask, Question, Share
from moabot.errors import MoabotError, StoreError
from moabot.findings import Finding
from moabot.store import Store
from moabot.store.rows import Brief, Given, Kept
from moabot_cache import crossing, exact
from moabot_cache.admission import Quota, alone, keepable
from moabot_cache.bounds import GROUP, Bounds, worth
from moabot_cache.checking import encoder, room
from moabot_cache.complaints import Complaints
from moabot_cache.counts import Counts
from moabot_cache.filling import Filling
from moabot_cache.judge import Judge
from moabot_cache.nearness import ruled
from moabot_cache.promotion import alias, origin
from moabot_cache.reading import Reading
from moabot_cache.removals import Removals
from moabot_cache.renewal import Renewal
from moabot_cache.said import essence
from moabot_cache.scope import partition
from moabot_cache.settings import Settings
from moabot_cache.verifier import Near, Off, Verifier, vouched
from moabot_cache.worker import Worker
from moabot_cache.written import answered, as_row

__all__ = ["SemanticCache", "opened"]

log = logging.getLogger("moabot")
MEGABYTE = 1_000_000
PAGE = 1_000
"""Rows that are taken in at once; the event loop has a part in it."""


class SemanticCache:
    """The two tiers over the rows in the store; made by `opened`."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._rows = store.answers
        self._worker = Worker(settings.encoder if settings.semantic else None)
        self._bounds = Bounds(most=settings.most_mb * MEGABYTE, share=settings.scope_share)
        self._quota = Quota(settings.author_a_day)
        self._counts = Counts(store.answers)
        self._complaints = Complaints(store.answers)
        self._renewal = Renewal(settings, self._counts)
        self.verifier: Verifier = Off()
        self.filling = Filling(store.answers, self._worker, self._let_in)
        self._hot: OrderedDict[str, Kept] = OrderedDict()
        self._places: dict[str, int] = {}
        self._names: dict[int, str] = {}
        # Deleted with the next that comes: who only looks changes nothing.
        self._surplus: list[int] = []
        self._complete = False
        self._removals = Removals(store.answers)
        self._loading: asyncio.Future[int] | None = None

    async def find(self, question: Question, *, key: str, share: Share) -> Answer | None:
        """The exact tier, then for a question that stands alone the semantic one."""
        if question.images:
            return None
        begun = time.perf_counter()
        shelf = partition(question, key=key, share=share)
        name = f"{shelf}{exact.name(question)}"
        self._bounds.asked(name)
        try:
            kept = await self._followed(await self._exactly(shelf, name))
            tier = "exact"
            if kept is None:
                kept = await self._nearly(question, shelf, name)
                tier = "semantic"
        except StoreError as error:
            log.warning("cache fails", extra={"error": str(error)})
            return None
        finally:
            self._counts.took(time.perf_counter() - begun)
        return self._given(question, name, kept, tier=tier)

    async def keep(self, question: Question, answer: Answer, *, key: str, share: Share) -> None:
        """Write the row, then make it findable; what will not stay true is not kept."""
        shelf = partition(question, key=key, share=share)
        vector = b""
        try:
            if await self._contradicts(question, answer, f"{shelf}{exact.name(question)}"):
                return
            if not keepable(question, answer) or not self._quota.spend(question):
                self._counts.add("not kept")
                return
            encoder = self._worker.fingerprint
            if encoder and alone(question, Reading(question.text)):
                vector = await self._worker.vector(essence(question.text))
            row = as_row(question, answer, shelf=shelf, encoder=encoder, vector=vector)
            row = replace(row, expires=self._renewal.expiry(row.at))
            if (place := await self._rows.keep(row)) == 0:
                return
            row = replace(row, place=place)
            self._take_in(f"{shelf}{row.name}", row)
            await self._let_in(row)
            if not encoder and self._worker.ready:  # it came while the row was written
                await self.filling.fill(row)
        except StoreError as error:
            log.warning("cache fails", extra={"error": str(error)})
        self.verifier.replied(f"{shelf}{exact.name(question)}")

    async def joined(self, question: Question, *, key: str, share: Share) -> None:
        """Count it, and note what a complaint would mean."""
        shelf = partition(question, key=key, share=share)
        self._counts.add("joined")
        self._complaints.gave(question.event, shelf, exact.name(question))

    async def forget(self, event: str) -> None:
        """Remove what this message was given; if it was asked in other words, part the two."""
        try:
            given = await self._complaints.meant(event)
            if given is None:
                return
            await self._retract(given)
        except StoreError as error:
            log.warning("cache fails", extra={"error": str(error)})
        self._counts.add("forgotten")

    async def _retract(self, given: Given) -> None:
        row = await self._rows.named(given.partition, given.asked)
        near = await self._rows.at(given.place)
        if near is not None and near.name != given.asked:
            await self._complaints.part(given.partition, asked=given.asked, kept=near.name)
        await self._remove([each.place for each in (row, near) if each is not None])

    async def _contradicts(self, question: Question, answer: Answer, name: str) -> bool:
        """Whether it was made to try a remembered one, and is another: then neither is given again."""
        sampled = self._renewal.sampled(name)
        if sampled is None:
            return False
        right = sampled.is_right(question, answer)
        self._counts.add("agreed" if right else "disagreed")
        if not right:
            await self._retract(sampled.given)
        return not right

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

    async def _nearly(self, question: Question, shelf: str, name: str) -> Kept | None:
        if not self._worker.ready:
            return None
        asked = Reading(question.text)
        if not alone(question, asked):
            return None
        found = await self._worker.look(shelf, essence(question.text))
        nearest, caution = self._settings.nearest, self._settings.caution
        near = [each for each in found.candidates if each[1] >= nearest]
        doubted: list[Near] = []
        for place, cosine, other in near:
            parted = self._parted(shelf, name, place)
            refused = ruled(asked, Reading(other)).refusal(cosine, nearest=nearest, caution=caution)
            refused = refused or ("complaint" if parted else "")
            if refused:
                self._counts.add(f"refused: {refused}")
                if not parted:
                    doubted.append(Near(question, name, other, place, cosine, refused))
                continue
            kept = await self._rows.at(place)
            if kept is not None:
                return kept
            await self._miss_row(place)
            return await self._nearly(question, shelf, name)  # what it stood before may be right
        if near:
            self._counts.add("near miss")
        return await self._vouched(doubted)

    async def _miss_row(self, place: int) -> None:
        """No longer find what has expired, or has no row at all, which nobody told us."""
        left = await self._rows.after(place - 1, most=1)
        if not left or left[0].place != place:
            log.warning("cache had a question without its row", extra={"place": place})
        await self._worker.remove([place])

    async def _vouched(self, doubted: Sequence[Near]) -> Kept | None:
        """What a verifier lets through of what the rules refused; it is asked about the nearest."""
        if doubted and await vouched(self.verifier, doubted[0]):
            self._counts.add("verified")
            return await self._rows.at(doubted[0].place)
        return None

    async def promote(self, near: Near, *, same: bool) -> None:
        """From now on, the asked question has the kept one's answer, unless it has its own."""
        self._counts.add(f"judged {'the same' if same else 'different'}")
        kept = await self._rows.at(near.place) if same else None
        if kept is None or await self._rows.named(kept.partition, near.name[GROUP:]) is not None:
            return
        row = alias(near, kept)
        if (place := await self._rows.keep(row)) == 0:
            return
        row = replace(row, place=place)
        self._take_in(near.name, row)
        await self._let_in(row)

    async def _followed(self, row: Kept | None) -> Kept | None:
        """The row that a promoted one points to; when that is gone, both are."""
        place = None if row is None else origin(row)
        if row is None or place is None:
            return row
        kept = await self._rows.at(place)
        if kept is None:
            await self._remove([row.place])
        return kept

    def _parted(self, shelf: str, name: str, place: int) -> bool:
        other = self._names.get(place, "")
        return self._complaints.parted(shelf, name[GROUP:], other[GROUP:])

    def _given(
        self, question: Question, name: str, kept: Kept | None, *, tier: str
    ) -> Answer | None:
        answer = None if kept is None else answered(kept)
        if kept is None or answer is None:
            self._counts.add("miss")
            return None
        given = Given(question.event, kept.partition, name[GROUP:], kept.place)
        self._complaints.gave(given.event, given.partition, given.asked, place=given.place)
        self._counts.add(tier, saved_usd=kept.cost_usd or 0.0)
        refresh = self._renewal.wanted(name, given=given, text=answer.text, expires=kept.expires)
        return replace(answer, refresh=refresh)

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

    async def _let_in(self, row: Kept) -> None:
        """Have the row found in other words too, and let those out that are worth less."""
        name = f"{row.partition}{row.name}"
        if self._places.get(name) != row.place:
            return  # it left while it was written: nobody would take it away again
        text, question = essence(row.question), row.question
        doing: list[Awaitable[None]] = []
        if row.vector:
            doing.append(self._worker.add(row.partition, row.place, text=text, question=question))
        leaving = self._bounds.admit(name, size=row.size, worth=worth(row.cost_usd))
        if leaving:
            self._counts.add("made room")
        known = (self._places.get(each) for each in leaving)
        places = [*self._surplus, *(place for place in known if place is not None)]
        self._surplus.clear()
        if places:
            doing.append(self._remove(places))
        await asyncio.gather(*doing)

    async def _remove(self, places: Sequence[int]) -> None:
        self._leave(places)
        self._worker.remove(places)
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
        if not self._removals.due():
            return
        gone = await self._removals.heard()
        if gone is None:  # a quiet day, or a large flush: only the rows themselves can tell
            self._hot.clear()
            gone = await self._removals.missing(list(self._names))
        if gone:
            self._leave(gone)
            # Not awaited: its thread does all in turn, and while it loads it waits for this.
            self._worker.remove(gone)
        self._counts.write_when_due()
        self._complaints.write()

    def begin(self) -> None:
        """Load encoder and rows in the worker's thread; until then only exact repeats are found."""
        loop = asyncio.get_running_loop()

        async def read_page(after: int) -> Sequence[Brief]:
            if after == 0:
                await self._hear_of_removals()
                await self._complaints.load()
            return await self._rows.after(after, most=PAGE)

        def page(after: int) -> Sequence[Brief]:
            rows = asyncio.run_coroutine_threadsafe(read_page(after), loop).result()
            loop.call_soon_threadsafe(self._know, rows)
            return rows

        self._loading = self._worker.run(lambda: self._worker.load(page))
        self._loading.add_done_callback(self._loaded)

    def _know(self, rows: Sequence[Brief]) -> None:
        leaving: list[str] = []
        for row in rows:
            name = f"{row.partition}{row.name}"
            if self._places.setdefault(name, row.place) == row.place:
                self._names[row.place] = name
                saves = worth(row.cost_usd)
                leaving += self._bounds.admit(name, size=row.size, worth=saves)
        if leaving:  # there is less room than there was
            places = [self._places[name] for name in leaving]
            self._leave(places)
            self._worker.remove(places)
            self._surplus += places

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
            self.filling.begin()
            if loading.result():
                log.warning("cache has vectors of another encoder", extra={"n": loading.result()})

    async def check(self) -> Sequence[Finding]:
        """What is kept, and whether other words are found; for `moabot check`."""
        await self.loaded()
        kept, size = await self._rows.size()
        return [
            room(kept, size, most_mb=self._settings.most_mb),
            *encoder(self._settings, self._worker.fingerprint, self._loading),
        ]

    def cross(self) -> None:
        """Have the configured cross-encoder loaded, and asked; raises `ConfigError`."""
        self.verifier = crossing.begun(self._settings, self._worker.run)

    def look_again(self) -> None:
        """Do not trust for another second what other processes have left."""
        self._removals.look_again()

    async def loaded(self) -> None:
        """Wait until the semantic tier is there; for tests and measurements."""
        if self._loading is not None:
            await asyncio.wait([self._loading])
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Wait for the thread, write what was counted."""
        await self.loaded()
        self._counts.write()
        self._complaints.write()
        self._worker.close()


@asynccontextmanager
async def opened(
    settings: Settings, store: Store, ask: Ask | None = None
) -> AsyncGenerator[SemanticCache]:
    """The cache on a store that is open; it serves at once, and in other words a second later.

    Without `ask` there is no judge, whatever the settings say.
    """
    cache = SemanticCache(settings, store)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(cache.close)
        await stack.enter_async_context(cache.filling)
        cache.begin()
        if settings.verifier == "judge" and ask is not None:
            cache.verifier = await stack.enter_async_context(Judge(ask, cache.promote))
        elif settings.verifier == "cross-encoder":
            cache.cross()
        yield cache
