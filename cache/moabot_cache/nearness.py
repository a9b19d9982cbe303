"""Whether a kept question's answer may be given to the asked one: the guards, then how near they lie."""

from __future__ import annotations

from dataclasses import dataclass

from moabot_cache.difference import Difference
from moabot_cache.guards import refusal
from moabot_cache.reading import Reading

__all__ = ["Ruling", "needed", "ruled"]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules say of two questions: the first guard that objects, or the cosine they need.

    The one rule by which the cache gives answers, explains itself and is tuned.
    """

    guard: str
    needed: float

    def takes(self, *, nearest: float, caution: float) -> float:
        """The cosine from which it is given when no guard objects."""
        return max(nearest, self.needed + caution)

    def refusal(self, cosine: float, *, nearest: float, caution: float) -> str:
        """Which rule forbids it at this cosine: a guard, "nearness", or none (empty)."""
        far = cosine < self.takes(nearest=nearest, caution=caution)
        return self.guard or ("nearness" if far else "")


def ruled(asked: Reading, kept: Reading) -> Ruling:
    """Read both against each other."""
    left = Difference(asked, kept)
    guard = refusal(asked, kept, left)
    return Ruling(guard, 0.0 if guard else needed(asked, kept, left))


def needed(asked: Reading, kept: Reading, left: Difference) -> float:
    """The cosine that makes up for what has no counterpart.

    One word more or less, or one for another, is how traps are made, so it takes most; when much
    is worded anew, nearness means more. Orders need less than questions.
    """
    few, many = sorted((len(left.asked), len(left.kept)))
    needs = _needs(asked, kept, is_equal=many == 0)
    alike = _alike(asked.manner, kept.manner)
    if many == 0:
        said = min(len(asked.words), len(kept.words))
        equal = (needs.single, needs.short, needs.equal)[min(max(said, 1), 3) - 1]
        if left.all_asked and left.all_kept:  # two words that carry little may be opposites
            equal = max(equal, needs.one_for_one)
        return equal if alike else max(equal, needs.elsewise)
    if few == 0:
        return needs.one_more if many == 1 else needs.more
    if not alike:
        return needs.anew
    if many == 1:
        return needs.one_for_one
    return needs.many_for_many if few > 1 else needs.one_for_many


def _needs(asked: Reading, kept: Reading, *, is_equal: bool) -> _Needs:
    """Views are many; where words are compared or spoken of, another word is another question."""
    if asked.kind == kept.kind == "":
        return ORDERS
    if asked.opinion or kept.opinion:
        return DELICATE
    of_words = asked.of_words or kept.of_words or "difference" in {asked.kind, kept.kind}
    return DELICATE if of_words and not is_equal else QUESTIONS


@dataclass(frozen=True, slots=True)
class _Needs:
    """Cosines by what is left over; chosen on labelled pairs (decision record 13).

    Nothing: `equal` words, or a `short` question's, which say little ("What is X?" and "What is in
    X?"), or a `single` word, or `elsewise` of others than it was. On one side: `one_more` word, or
    `more`. On both: `one_for_one`, `one_for_many`, `many_for_many`, or any number in another
    manner, `anew`.
    """

    equal: float
    short: float
    single: float
    elsewise: float
    one_more: float
    more: float
    one_for_one: float
    one_for_many: float
    many_for_many: float
    anew: float


QUESTIONS = _Needs(
    equal=0.80,
    short=0.87,
    single=0.955,
    elsewise=0.96,
    one_more=0.97,
    more=0.90,
    one_for_one=0.92,
    one_for_many=0.86,
    many_for_many=0.84,
    anew=0.88,
)
DELICATE = _Needs(
    equal=0.97,
    short=0.97,
    single=0.98,
    elsewise=0.97,
    one_more=0.99,
    more=0.97,
    one_for_one=0.98,
    one_for_many=0.97,
    many_for_many=0.95,
    anew=0.97,
)
ORDERS = _Needs(
    equal=0.78,
    short=0.90,
    single=0.96,
    elsewise=0.96,
    one_more=0.98,
    more=0.90,
    one_for_one=0.93,
    one_for_many=0.83,
    many_for_many=0.84,
    anew=0.82,
)
PERSONS = frozenset({"i", "you", "we", "they"})


def _alike(asked: frozenset[str], kept: frozenset[str]) -> bool:
    """The return policy is your return policy, but my friends are not yours."""
    who = asked & PERSONS, kept & PERSONS
    return asked - PERSONS == kept - PERSONS and (who[0] == who[1] or not (who[0] and who[1]))
