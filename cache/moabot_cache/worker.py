"""The one thread that encodes and searches, so that the event loop never waits for either."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from moabot.errors import MoabotError, StoreError
from moabot.store.rows import Brief
from moabot_cache.embedder import Encoder, Vectors, opened
from moabot_cache.index import Index

__all__ = ["Found", "Worker"]

T = TypeVar("T")
log = logging.getLogger("moabot")
BATCH = 16
"""Questions that are encoded together when several wait."""
CANDIDATES = 3
VECTORS = 512
"""Vectors of questions just looked for, which may be kept next."""


@dataclass(frozen=True, slots=True)
class Found:
    """What lies near a question: places of rows with cosines, best first, and their questions."""

    candidates: tuple[tuple[int, float, str], ...]


@dataclass(frozen=True, slots=True)
class _Look:
    partition: str
    text: str
    done: asyncio.Future[Found]


class Worker:
    """Encoder and indexes, one for each partition; all of it is touched in its thread only."""

    def __init__(self, model: str | None) -> None:
        self._model = model
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="moabot-cache")
        self._builder = ThreadPoolExecutor(1, thread_name_prefix="moabot-pack")
        self._encoder: Encoder | None = None
        self._indexes: dict[str, Index] = {}
        self._questions: dict[int, tuple[str, str]] = {}
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._waiting: list[_Look] = []
        self._looking = False
        self._packing: dict[str, list[tuple[int, Vectors]]] = {}
        self._loaded_to = 0
        self._closed = False
        self.ready = False

    def close(self) -> None:
        """Stop both threads; what they do now is finished."""
        self._closed = True
        self._thread.shutdown(wait=True)
        self._builder.shutdown(wait=True)

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Have something done in the thread; raises `StoreError` when it is closed."""
        if self._closed:
            raise _closed()
        return asyncio.get_running_loop().run_in_executor(self._thread, work)

    @property
    def fingerprint(self) -> str:
        """The encoder's; empty until it is loaded."""
        return "" if self._encoder is None else self._encoder.fingerprint

    def load(self, pages: Callable[[int], Sequence[Brief]]) -> int:
        """Open the encoder, then take in all rows; returns how many are of another encoder.

        In the thread. `pages(place)` gives the rows after a place, none at the end. All are read
        also when the encoder cannot be opened; then its error is raised at the end.
        """
        problem: MoabotError | None = None
        encoder: Encoder | None = None
        try:
            encoder = None if self._model is None else opened(self._model)
        except MoabotError as error:
            problem = error
        places: defaultdict[str, list[int]] = defaultdict(list)
        halves: defaultdict[str, list[bytes]] = defaultdict(list)
        strange = 0
        while rows := pages(self._loaded_to):
            for row in rows:
                if encoder is not None and row.vector and row.encoder == encoder.fingerprint:
                    places[row.partition].append(row.place)
                    halves[row.partition].append(row.vector)
                    self._questions[row.place] = (row.partition, row.question)
                else:
                    strange += bool(row.vector)
            self._loaded_to = rows[-1].place
        if problem is not None:
            raise problem
        if encoder is not None:
            self._serve(encoder, places, halves)
        return strange

    def _serve(
        self,
        encoder: Encoder,
        places: Mapping[str, Sequence[int]],
        halves: Mapping[str, Sequence[bytes]],
    ) -> None:
        """Build the indexes; from now on, all is found."""
        encoder.encode(["the first one takes longest"])
        for partition, found in places.items():
            vectors = _floats(b"".join(halves[partition]), encoder.size)
            self._indexes[partition] = Index(encoder.size, found, vectors)
        self._encoder = encoder
        self.ready = True

    def look(self, partition: str, text: str) -> asyncio.Future[Found]:
        """Find what lies near; several that wait are encoded together."""
        done: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        if self._closed:
            raise _closed()
        self._waiting.append(_Look(partition, text, done))
        if not self._looking:
            self._next()
        return done

    async def vector(self, text: str) -> bytes:
        """The vector of a text as halves, mostly known from looking."""
        return await self.run(lambda: self._vector(text).astype(np.float16).tobytes())

    def add(self, partition: str, place: int, *, text: str, question: str) -> asyncio.Future[None]:
        """From now on, this row can be found."""
        return self.run(lambda: self._add(partition, place, text=text, question=question))

    def remove(self, places: Sequence[int]) -> asyncio.Future[None]:
        """From now on, these rows are not found."""
        return self.run(lambda: self._remove(places))

    def _next(self) -> None:
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        self._looking = True
        searching = self.run(lambda: self._search([(look.partition, look.text) for look in batch]))
        searching.add_done_callback(lambda found: self._tell(batch, found))

    def _tell(self, batch: Sequence[_Look], found: asyncio.Future[list[Found]]) -> None:
        self._looking = False
        if self._closed:
            _fail(self._waiting, _closed())
        elif self._waiting:
            self._next()
        error = found.exception()
        if error is not None:
            _fail(batch, error)
            return
        for look, each in zip(batch, found.result(), strict=True):
            if not look.done.done():
                look.done.set_result(each)

    def _search(self, looks: Sequence[tuple[str, str]]) -> list[Found]:
        vectors = self._encoded([text for _, text in looks])
        return [
            self._near(partition, vector)
            for (partition, _), vector in zip(looks, vectors, strict=True)
        ]

    def _near(self, partition: str, vector: Vectors) -> Found:
        index = self._indexes.get(partition)
        if index is None:
            return Found(())
        found = index.search(vector, most=CANDIDATES)
        return Found(tuple((place, cosine, self._questions[place][1]) for place, cosine in found))

    def _encoded(self, texts: Sequence[str]) -> Vectors:
        if self._encoder is None:
            raise RuntimeError("The encoder is not loaded yet.")
        vectors = self._encoder.encode(texts)
        for text, vector in zip(texts, vectors, strict=True):
            self._vectors[text] = vector
        while len(self._vectors) > VECTORS:
            self._vectors.popitem(last=False)
        return vectors

    def _vector(self, text: str) -> Vectors:
        known = self._vectors.get(text)
        return known if known is not None else self._encoded([text])[0]

    def _add(self, partition: str, place: int, *, text: str, question: str) -> None:
        if place in self._questions or self._encoder is None:
            return  # read from the store already
        # As it is stored, so that it is found the same after a restart.
        vector = self._vector(text).astype(np.float16).astype(np.float32)
        if partition not in self._indexes:
            self._indexes[partition] = Index(self._encoder.size)
        self._indexes[partition].add([place], vector.reshape(1, -1))
        self._questions[place] = (partition, question)
        if partition in self._packing:
            self._packing[partition].append((place, vector))
        elif self._indexes[partition].worn:
            self._pack(partition)

    def _remove(self, places: Sequence[int]) -> None:
        for place in places:
            partition, _ = self._questions.pop(place, ("", ""))
            index = self._indexes.get(partition)
            if index is None:
                continue
            index.remove(place)
            if len(index) == 0:
                del self._indexes[partition]
            elif index.worn and partition not in self._packing:
                self._pack(partition)

    def _pack(self, partition: str) -> None:
        """Build anew beside the work, then put it in place with what came meanwhile."""
        places, vectors = self._indexes[partition].contents()
        size = self._indexes[partition].size
        late: list[tuple[int, Vectors]] = []
        self._packing[partition] = late

        def build() -> None:
            packed = Index(size, places, vectors)
            self._thread.submit(put, packed)

        def put(packed: Index) -> None:
            del self._packing[partition]
            for place, vector in late:
                packed.add([place], vector.reshape(1, -1))
            for place in (*places, *(place for place, _ in late)):
                if place not in self._questions:
                    packed.remove(place)
            if partition in self._indexes:
                self._indexes[partition] = packed

        def failed(building: Future[None]) -> None:
            if not building.cancelled() and (error := building.exception()) is not None:
                log.error("cache could not pack an index", exc_info=error)
                with suppress(RuntimeError):  # closed meanwhile
                    self._thread.submit(self._packing.pop, partition, None)

        self._builder.submit(build).add_done_callback(failed)


def _closed() -> StoreError:
    return StoreError("The cache is closed.", fix="Ask again when the bot runs.")


def _fail(looks: Sequence[_Look], error: BaseException) -> None:
    for look in looks:
        if not look.done.done():
            look.done.set_exception(error)


def _floats(halves: bytes, size: int) -> Vectors:
    return np.frombuffer(halves, dtype=np.float16).reshape(-1, size).astype(np.float32)
