"""Vectors of one shelf, searched by cosine: flat while small, in cells when large."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moabot_cache.embedder import Vectors

if TYPE_CHECKING:
    import faiss

__all__ = ["Index"]

FLAT = 20_000
"""Entries up to which looking at each is quicker than looking for the right cells."""
PROBES = 16
CELLS = 1.25
"""Cells, for each root of the number of entries: half of them take half as long to find at start,
and a search no longer; of 573 neighbours of 200 questions among 100,000, none was lost."""
TRAINING = 20
"""Entries looked at, for each cell, to find the cells."""
DEAD_SHARE = 0.2
"""Entries gone, of all, from which on the rest is packed anew."""


class Index:
    """Places (of rows in the store) by vector. One thread at a time.

    What is removed is only marked, since FAISS takes 22 ms to remove one of 100,000; `pack`
    makes an index without the marked ones, which can be done elsewhere.
    """

    def __init__(
        self, size: int, places: Sequence[int] = (), vectors: Vectors | None = None
    ) -> None:
        self.size = size
        self._places: list[int] = []
        self._gone: set[int] = set()
        self._faiss = _made(size, vectors)
        if vectors is not None and len(places):
            self.add(places, vectors)

    def __len__(self) -> int:
        return len(self._places) - len(self._gone)

    def add(self, places: Sequence[int], vectors: Vectors) -> None:
        """Add rows; a place is never used twice."""
        self._faiss.add(np.ascontiguousarray(vectors))
        self._places.extend(places)

    def remove(self, place: int) -> None:
        """Never find this place again."""
        self._gone.add(place)

    def search(self, vector: Vectors, *, most: int) -> list[tuple[int, float]]:
        """Up to `most` places with their cosines, best first."""
        wanted = min(len(self._places), most + min(len(self._gone), 64))
        if wanted == 0:
            return []
        near: npt.NDArray[np.float32]
        found: npt.NDArray[np.int64]
        near, found = self._faiss.search(vector.reshape(1, -1), wanted)
        live = [
            (self._places[int(at)], float(cosine))
            for at, cosine in zip(found.flat, near.flat, strict=True)
            if at >= 0 and self._places[int(at)] not in self._gone
        ]
        return live[:most]

    @property
    def worn(self) -> bool:
        """Whether `pack` would help: many are gone, or it has grown too large to be flat."""
        grown = len(self._places) > 2 * FLAT and not hasattr(self._faiss, "nprobe")
        return grown or len(self._gone) > max(64, DEAD_SHARE * len(self._places))

    def contents(self) -> tuple[list[int], Vectors]:
        """What is left, in order; vectors as they were stored."""
        import faiss

        kept = [at for at, place in enumerate(self._places) if place not in self._gone]
        vectors = np.empty((len(self._places), self.size), dtype=np.float32)
        if len(self._places):
            if isinstance(self._faiss, faiss.IndexIVF):
                self._faiss.make_direct_map()
            self._faiss.reconstruct_n(0, len(self._places), vectors)
        rows: Vectors = vectors[np.array(kept, dtype=np.int64)] if kept else vectors[:0]
        return [self._places[at] for at in kept], rows

    def pack(self) -> Index:
        """The same without what is gone, of the kind that suits its size."""
        places, vectors = self.contents()
        return Index(self.size, places, vectors)


def _made(size: int, vectors: npt.NDArray[np.float32] | None) -> faiss.Index:
    import faiss

    faiss.omp_set_num_threads(1)
    half, product = faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    if vectors is None or len(vectors) <= FLAT:
        return faiss.IndexScalarQuantizer(size, half, product)
    cells = int(CELLS * len(vectors) ** 0.5)
    coarse = faiss.IndexFlatIP(size)
    index = faiss.IndexIVFScalarQuantizer(coarse, size, cells, half, product)
    step = max(1, len(vectors) // (TRAINING * cells))
    index.cp.niter = 4
    index.cp.min_points_per_centroid = 1  # else it warns on stderr below 39
    index.train(np.ascontiguousarray(vectors[::step]))
    index.nprobe = PROBES
    return index
