"""Which words and digits of a text are numbers, and their values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from moabot_cache import tables
from moabot_cache.lexicon import ONES, SILENT, TENS

__all__ = ["number", "numbers"]

ONE = frozenset({"one"})
UNCOUNTED = frozenset("which no any every each this that the".split())
"""Before a "one" that counts nothing."""


def numbers(tokens: Sequence[str]) -> tuple[str, ...]:
    """All values in order; "one" counts something only right before it."""
    around = zip(("", *tokens), tokens, (*tokens[1:], "a"), strict=False)
    found = [
        "1" if word in ONE and before not in UNCOUNTED and after not in SILENT else number(word)
        for before, word, after in around
    ]
    return tuple(filter(None, found))


@lru_cache(maxsize=1 << 14)
def number(token: str) -> str:
    """The value of a numeral, or nothing."""
    if not token[0].isdigit():
        tens, _, ones = token.partition("-")
        if tens in TENS and ones in ONES:
            return f"{tables.NUMBERS[tens][0]}{ONES[ones]}"
        return tables.NUMBERS.get(token, "")
    whole, point, part = token.partition(".")
    if not whole.isdigit() or (point and not part.isdigit()):
        return token
    return f"{whole.lstrip('0') or '0'}.{part.rstrip('0')}".rstrip(".")
