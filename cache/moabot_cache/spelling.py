"""Whether one word is another with a slip of the finger: told by what the encoder's vocabulary knows."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files

__all__ = ["misspelt", "words"]

SHORTEST = 4
"""Letters of a word in which a slip can be told from another word."""


@cache
def words() -> tuple[str, ...]:
    """The encoder's vocabulary (WordPiece, in the order of its ids)."""
    text = (files("moabot_cache") / "vocabulary.txt").read_text(encoding="utf-8")
    return tuple(text.removesuffix("\n").split("\n"))


@cache
def _known() -> frozenset[str]:
    return frozenset(words())


@lru_cache(maxsize=1 << 14)
def misspelt(a: str, b: str) -> bool:
    """Whether two roots are one slip apart, and one of them is no word.

    Two words that both exist are two words, however alike: affect and effect.
    """
    short, long = sorted((a, b), key=len)
    if len(short) < SHORTEST or len(long) - len(short) > 1 or not (a + b).isalpha():
        return False
    return _slipped(short, long) and not (_exists(a) and _exists(b))


def _exists(root: str) -> bool:
    return any(root + ending in _known() for ending in ("", "e", "es", "ed", "ing", "y"))


def _slipped(short: str, long: str) -> bool:
    """One letter more, one other, or two neighbours swapped."""
    start = next(
        (i for i, (x, y) in enumerate(zip(short, long, strict=False)) if x != y), len(short)
    )
    if len(short) < len(long):
        return short[start:] == long[start + 1 :]
    swapped = short[start : start + 2] == long[start : start + 2][::-1]
    return short[start + 1 :] == long[start + 1 :] or (
        swapped and short[start + 2 :] == long[start + 2 :]
    )
