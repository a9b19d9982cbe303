"""What is left of two questions when each word with a counterpart in the other is taken away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from propcache.api import cached_property

from moabot_cache.lexicon import LIGHT, QUALITIES, SIDES, synonyms
from moabot_cache.reading import Reading
from moabot_cache.spelling import misspelt

__all__ = ["Difference"]


class Difference:
    """What is left of two questions when all words with a counterpart are taken away.

    Worked out when a guard asks for it: equal words go first, then synonyms, then slips.
    """

    def __init__(self, asked: Reading, kept: Reading) -> None:
        self._asked = asked
        self._kept = kept

    @cached_property
    def _found(self) -> tuple[Mapping[int, int], Iterable[str]]:
        """Which word of the asked question is which of the kept one, and those that are none."""
        found: dict[int, int] = {}
        free = dict(enumerate(self._kept.words))
        for same in (_equal, _synonymous, misspelt):
            for i, word in enumerate(self._asked.words):
                if i not in found:
                    j = next((j for j, other in free.items() if same(word, other)), None)
                    if j is not None:
                        found[i] = j
                        del free[j]
        return found, free.values()

    @cached_property
    def _light(self) -> frozenset[str]:
        kinds = {self._asked.kind, self._kept.kind}
        if "whether" in kinds:
            return LIGHT - QUALITIES
        if "howmany" in kinds:
            return LIGHT - SIDES - COUNTED
        return LIGHT if kinds == {""} else LIGHT - SIDES

    @cached_property
    def all_asked(self) -> tuple[str, ...]:
        """Words of the asked question without a counterpart, also those that carry little."""
        found, _ = self._found
        return tuple(word for i, word in enumerate(self._asked.words) if i not in found)

    @cached_property
    def all_kept(self) -> tuple[str, ...]:
        """The same of the kept question."""
        return tuple(self._found[1])

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """Words of the asked question without a counterpart, that carry something."""
        return self._heavy(self.all_asked, self._asked, self._kept)

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """The same of the kept question."""
        return self._heavy(self.all_kept, self._kept, self._asked)

    def _heavy(self, words: Sequence[str], of: Reading, other: Reading) -> tuple[str, ...]:
        light = self._light | _sort(of, other)
        if "whatis" in {of.kind, other.kind}:
            light |= of.defining
        if of.is_extreme:
            light |= EVERYWHERE
        return tuple(word for word in words if word not in light)

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Places of counterparts, in the order of the asked question."""
        found, _ = self._found
        return tuple((self._asked.places[i], self._kept.places[found[i]]) for i in sorted(found))

    @property
    def flipped(self) -> bool:
        """Whether the shared words stand in another order."""
        return any(a[1] > b[1] for a, b in pairwise(self.pairs))


def _sort(of: Reading, other: Reading) -> frozenset[str]:
    """Which city is the capital is what the capital is; but which river is not which lake."""
    if other.sort or not (other.is_definite or other.kind == "who"):
        return frozenset()
    return of.sort


def _equal(a: str, b: str) -> bool:
    return a == b


@lru_cache(maxsize=1 << 15)
def _synonymous(a: str, b: str) -> bool:
    return not synonyms(a).isdisjoint(synonyms(b)) or _derived(a, b)


EVERYWHERE = frozenset({"earth", "world", "planet"})
"""Where the largest is the largest of all."""
COUNTED = frozenset({"person"})
ENDINGS = frozenset("ness ation ion ment al er or t ally".split())


def _derived(a: str, b: str) -> bool:
    """Install and installation, organise and organize: a long common beginning."""
    if min(len(a), len(b)) < 5:
        return False
    if a.replace("s", "z") == b.replace("s", "z") or a.replace("our", "or") == b.replace(
        "our", "or"
    ):
        return True
    short, long = sorted((a, b), key=len)
    return long.startswith(short) and long[len(short) :] in ENDINGS
