"""The tables as a reading looks them up: meanings by word, opposites and synonyms by root."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import permutations, product

from moabot_cache import meanings as words_of
from moabot_cache import tables
from moabot_cache.phrases import groups, phrases, root, tree_of

__all__ = [
    "ASKING",
    "ASPECTS",
    "DATES",
    "DEFINING",
    "FILLERS",
    "FOREIGN",
    "FORMATS",
    "KINDS",
    "LIGHT",
    "MANNERS",
    "MODALS",
    "NAMES",
    "NEGATIONS",
    "ONES",
    "OPERATIONS",
    "OPINIONS",
    "PARTICLES",
    "PHRASES",
    "QUALITIES",
    "RESTRICTIONS",
    "REVERSALS",
    "SIDES",
    "SILENT",
    "SMALL",
    "SPELLINGS",
    "STOPS",
    "TENS",
    "TURNING",
    "UNITS",
    "pairs",
    "rivals",
    "synonyms",
]

ASKING = "howlong howmany howmuch howoften howfar howold howbig why when where who".split()
KINDS = {
    **{word: word for word in ASKING},
    **dict.fromkeys("what which howdoes".split(), "what"),
    "whatis": "whatis",
    "difference": "difference",
    "whether": "whether",
    **dict.fromkeys("how howto".split(), "how"),
    **dict.fromkeys(
        "can may could is are am was were does do did has have will would".split(), "whether"
    ),
    "whom": "who",
    "should": "should",
}


def _meaning(text: str, *, inflected: bool = False) -> Mapping[str, str]:
    """From each word of a table, and if wanted from its root, to the first of its line."""
    found = {word: group[0] for group in reversed(groups(text)) for word in group}
    roots = {root(word): meaning for word, meaning in found.items()} if inflected else {}
    return {**roots, **found}


DATES = _meaning(tables.DATES)
UNITS = _meaning(tables.UNITS)
NAMES = _meaning(tables.NAMES)
FORMATS = {
    form: meaning
    for word, meaning in _meaning(tables.FORMATS).items()
    for form in (word, f"{word}s")
}
OPERATIONS = _meaning(tables.OPERATIONS, inflected=True)
ASPECTS = _meaning(tables.ASPECTS, inflected=True)
RESTRICTIONS = _meaning(tables.RESTRICTIONS)
LIGHT = frozenset(map(root, tables.LIGHT))
OPINIONS = frozenset(tables.OPINIONS)
DEFINING = frozenset(map(root, tables.DEFINING))
SIDES = frozenset(map(root, tables.SIDES))
QUALITIES = frozenset(map(root, tables.QUALITIES))
MANNERS = _meaning(tables.MANNERS)
MODALS = frozenset(map(MANNERS.__getitem__, tables.MODALS))
NEGATIONS = frozenset(tables.NEGATIONS)
REVERSALS = frozenset(map(root, words_of.REVERSALS))
STOPS = frozenset(tables.STOPS)
TURNING = NEGATIONS | (REVERSALS & STOPS)
"""What denies, and what turns round but is too small to be compared as a word (down)."""
FOREIGN = frozenset(tables.FOREIGN) - STOPS
SILENT = (STOPS | NEGATIONS | frozenset(KINDS) | {"insteadof"}) - {"difference"}
TENS = frozenset("twenty thirty forty fifty sixty seventy eighty ninety".split())
ONES = {"one": "1", **{word: n for word, n in tables.NUMBERS.items() if re.match(r"\d\D*$", n)}}
NONE: frozenset[int] = frozenset()


def pairs(text: str, *, degrees: bool = False) -> Iterable[tuple[str, str]]:
    """The roots of opposites, each pair in both directions; if wanted, in all degrees of both."""
    for pair in filter(str.strip, text.replace("\n", ";").split(";")):
        a, b = (_degrees(word.strip())[: 3 if degrees else 1] for word in pair.split("/"))
        for x, y in product(map(root, a), map(root, b)):
            yield x, y
            yield y, x


def rivals(text: str) -> Iterable[tuple[str, str]]:
    """The roots of each two words of a line, in both directions."""
    for line in text.strip().split("\n"):
        yield from permutations(map(root, line.split()), 2)


def _degrees(word: str) -> tuple[str, str, str]:
    """Easy, easier, easiest; of what is no adjective, words that nobody says."""
    stem = re.sub(r"(?<=[^aeiou])y$", "i", word.removesuffix("e"))
    stem = re.sub(r"^([^aeiou]*[aeiou])([^aeiouwxy])$", r"\1\2\2", stem) if stem == word else stem
    return word, f"{stem}er", f"{stem}est"


PARTICLES = frozenset(pairs(words_of.PARTICLES))
SMALL = frozenset(word for pair in PARTICLES for word in pair)


def _synonyms() -> Mapping[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, group in enumerate(groups(words_of.SYNONYMS + tables.OPERATIONS)):
        for word in group if len(group) > 1 else ():
            found.setdefault(root(word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


SYNONYMS = _synonyms()


def synonyms(word: str) -> frozenset[int]:
    """The groups of synonyms that a root belongs to."""
    return SYNONYMS.get(word, NONE)


SPELLINGS = tree_of(phrases(tables.SPELLINGS))
PHRASES = tree_of(phrases(tables.PHRASES))
FILLERS = tree_of(
    [(group, ()) for group in groups(tables.FILLERS)]
    + [((can, "you", verb), (verb,)) for verb in tables.POLITE for can in ("can", "could", "would")]
)
