"""The index finds what is near, forgets what is gone, and grows out of looking at each."""

from __future__ import annotations

import numpy as np
import pytest

from moabot_cache import index as module
from moabot_cache.embedder import Vectors
from moabot_cache.index import Index


def _vectors(count: int, *, seed: int = 1) -> Vectors:
    found = np.random.default_rng(seed).normal(size=(count, 64)).astype(np.float32)
    unit: Vectors = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


def test_the_nearest_come_first_with_their_cosines() -> None:
    """The best candidate is looked at first."""
    vectors = _vectors(100)
    index = Index(64, list(range(1000, 1100)), vectors)

    found = index.search(vectors[7], most=3)

    assert found[0][0] == 1007
    assert found[0][1] == pytest.approx(1, abs=1e-3)
    assert [cosine for _, cosine in found] == sorted((c for _, c in found), reverse=True)


def test_what_is_removed_is_not_found_before_and_after_packing() -> None:
    """A mark is enough until there are many."""
    vectors = _vectors(200)
    index = Index(64, list(range(200)), vectors)
    for place in range(100):
        index.remove(place)

    assert index.worn
    assert index.search(vectors[7], most=3)[0][0] >= 100
    packed = index.pack()
    assert len(packed) == 100
    assert not packed.worn
    assert packed.search(vectors[150], most=1)[0][0] == 150


def test_nothing_is_found_in_nothing() -> None:
    """A new room has no answers yet."""
    assert Index(64).search(_vectors(1)[0], most=3) == []


def test_a_large_index_still_finds_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells are searched instead of everything; the nearest must not get lost."""
    monkeypatch.setattr(module, "FLAT", 2_000)
    vectors = _vectors(6_000)
    index = Index(64, list(range(6_000)), vectors)

    found = [index.search(vectors[place], most=1)[0][0] for place in range(0, 6_000, 60)]

    assert found == list(range(0, 6_000, 60))
    packed = index.pack()
    assert packed.search(vectors[11], most=1)[0][0] == 11
