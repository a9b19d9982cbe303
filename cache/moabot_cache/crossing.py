"""A cross-encoder as verifier: reads both questions at once, and vouches for those it calls one."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from moabot.errors import ConfigError
from moabot_cache.embedder import session, tokenizer
from moabot_cache.settings import Settings
from moabot_cache.verifier import Near, no

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

__all__ = ["Crossing", "begun"]

T = TypeVar("T")
log = logging.getLogger("moabot")


class Run(Protocol):
    """Has something done in the worker's thread."""

    def __call__(self, work: Callable[[], T], /) -> asyncio.Future[T]:
        """Begins when its turn comes."""
        ...


def begun(settings: Settings, run: Run) -> Crossing:
    """The configured one, on its way into the worker's thread; raises `ConfigError`."""
    crossing = Crossing(
        settings.verifier_path or Path(),
        settings.verifier_sha256,
        least=settings.verifier_least,
        run=run,
    )
    run(crossing.load).add_done_callback(_say_if_failed)
    return crossing


def _say_if_failed(loading: asyncio.Future[None]) -> None:
    if not loading.cancelled() and (error := loading.exception()) is not None:
        log.error("cache without verifier", exc_info=error)


class Crossing:
    """A model in an ONNX file that takes BERT's uncased pieces of two texts.

    Its inputs are input_ids, attention_mask and token_type_ids; its one output is a logit for each
    pair, or two of which the second says "the same". The rules keep their word: it is asked only
    about what they find too far. `least` is the probability from which it vouches.
    """

    def __init__(self, path: Path, sha256: str, *, least: float = 0.5, run: Run) -> None:
        self._path = _pinned(path, sha256)
        self._least = least
        self._run = run
        self._session: InferenceSession | None = None
        self._tokenizer: Tokenizer | None = None

    def load(self) -> None:
        """Open the model; takes a second, so it is called in the worker's thread at the start."""
        self._tokenizer = tokenizer()
        self._session = session(self._path)

    def same(self, near: Near) -> asyncio.Future[bool]:
        """Judged in the worker's thread."""
        if near.refused != "nearness":
            return no()
        return self._run(lambda: self.score(near.asked.text, near.kept) >= self._least)

    def replied(self, name: str) -> None:
        """Nothing waits for it."""

    def score(self, asked: str, kept: str) -> float:
        """The probability, 0 to 1, that one answer serves both; 0 before the model is there."""
        if self._session is None or self._tokenizer is None:
            return 0.0
        read = self._tokenizer.encode(asked, kept)
        feeds = {
            "input_ids": np.array([read.ids], dtype=np.int64),
            "attention_mask": np.array([read.attention_mask], dtype=np.int64),
            "token_type_ids": np.array([read.type_ids], dtype=np.int64),
        }
        said = np.asarray(self._session.run(None, feeds)[0], dtype=np.float64).ravel()
        logit = float(said[-1] - said[0]) if said.size == 2 else float(said[0])
        return 1 / (1 + math.exp(-max(min(logit, 30.0), -30.0)))


def _pinned(path: Path, sha256: str) -> Path:
    """The file, if it is the one that was meant; raises `ConfigError`."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(
            f"[cache] verifier_path: {str(path)!r} cannot be read: {error.strerror}.",
            fix="Name the ONNX file of a cross-encoder.",
        ) from error
    if found != sha256.casefold():
        raise ConfigError(
            f"[cache] verifier_sha256: {str(path)!r} has {found}, not {sha256!r}.",
            fix="If you trust this file, set verifier_sha256 to what it has.",
        )
    return path
