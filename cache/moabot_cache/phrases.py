"""Words in one form: the root that inflected ones share, and one spelling for each phrase."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from moabot_cache import tables
from moabot_cache.signs import TOKEN

__all__ = ["IRREGULAR", "Tree", "groups", "phrases", "replaced", "root", "tree_of"]


@lru_cache(maxsize=1 << 15)
def root(word: str) -> str:
    """The part of an English word that its forms share; not itself a word."""
    word = IRREGULAR.get(word, word)
    if len(word) < 4 or not word.isalpha():
        return word
    if word.endswith(("ies", "ied")):
        word = word[:-3] + "y"
    elif word.endswith("sses"):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending, shortest in (("ing", 3), ("ed", 3), ("ly", 4)):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= shortest and re.search("[aeiouy]", stem):
            doubled = ending != "ly" and len(stem) > 3 and stem[-1] == stem[-2]
            kept = "sz" if len(stem) > 5 else "lsz"  # cancelling, but selling
            word = stem[:-1] if doubled and stem[-1] not in kept else stem
            break
    return word.removesuffix("e") if len(word) > 3 else word


def groups(text: str) -> list[list[str]]:
    """A table's groups of words, each of one meaning."""
    found = [group.split() for line in text.strip().split("\n") for group in line.split(";")]
    return [group for group in found if group]


IRREGULAR: dict[str, str] = {}
IRREGULAR.update((past, now) for past, now in groups(tables.IRREGULAR))

Tree = Mapping[tuple[str, str | None], Sequence[tuple[list[str], Sequence[str]]]]


def tree_of(pairs: Iterable[tuple[Sequence[str], Sequence[str]]]) -> Tree:
    """Phrases by the root of their first word, which may be inflected, and the second; longest first.

    A phrase of one word is that word, and has no second.
    """
    tree: dict[tuple[str, str | None], list[tuple[list[str], Sequence[str]]]] = {}
    for phrase, instead in sorted(pairs, key=lambda pair: -len(pair[0])):
        key = (root(phrase[0]), phrase[1]) if len(phrase) > 1 else (phrase[0], None)
        tree.setdefault(key, []).append((list(phrase[2:]), instead))
    return tree


def phrases(text: str) -> Iterable[tuple[Sequence[str], Sequence[str]]]:
    """A table's phrases, and what each is read as."""
    for line in text.strip().split("\n"):
        for pair in line.split(";"):
            phrase, _, instead = pair.partition("=")
            yield TOKEN.findall(phrase), instead.split()


def replaced(tokens: list[str], tree: Tree) -> list[str]:
    """The tokens, with each phrase as it is read; the longest one wins."""
    found: list[str] = []
    place = 0
    while place < len(tokens):
        count, instead = _phrase(tokens, place, tree)
        found += instead
        place += count
    return found


def _phrase(tokens: list[str], place: int, tree: Tree) -> tuple[int, Sequence[str]]:
    """How many tokens the phrase takes that begins here, and what is read instead."""
    token = tokens[place]
    if place + 1 < len(tokens):
        for rest, instead in tree.get((root(token), tokens[place + 1]), ()):
            if not rest or tokens[place + 2 : place + 2 + len(rest)] == rest:
                return 2 + len(rest), instead
    alone = tree.get((token, None))
    return 1, alone[0][1] if alone else (token,)
