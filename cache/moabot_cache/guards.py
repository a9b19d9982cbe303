"""Rules that tell two questions apart which lie close together: one difference is enough to refuse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise, product

from moabot_cache import meanings
from moabot_cache.difference import Difference
from moabot_cache.lexicon import (
    OPERATIONS,
    PARTICLES,
    REVERSALS,
    SILENT,
    pairs,
    rivals,
    synonyms,
)
from moabot_cache.reading import Reading

__all__ = ["ANTONYMS", "GUARDS", "refusal"]

PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "de", "mis", "anti", "re", "under", "over")


ANTONYMS = frozenset(pairs(meanings.ANTONYMS, degrees=True)) | frozenset(rivals(meanings.RIVALS))
NONE: frozenset[int] = frozenset()


def _opposed() -> Mapping[str, frozenset[int]]:
    """From a root to the groups of synonyms of its opposites: keep and sell, so hold and sell."""
    found: dict[str, frozenset[int]] = {}
    for word, opposite in ANTONYMS:
        found[word] = found.get(word, NONE) | synonyms(opposite)
    return found


OPPOSED = _opposed()


@lru_cache(maxsize=1 << 15)
def _opposite(a: str, b: str) -> bool:
    if (
        (a, b) in ANTONYMS
        or a + "est" == b
        or b + "est" == a
        or not (
            OPPOSED.get(a, NONE).isdisjoint(synonyms(b))
            and OPPOSED.get(b, NONE).isdisjoint(synonyms(a))
        )
    ):
        return True
    short, long = sorted((a, b), key=len)
    if len(short) > 2 and any(long == prefix + short for prefix in PREFIXES):
        return True
    return (a.removesuffix("ful") != a and b == a.removesuffix("ful") + "less") or (
        b.removesuffix("ful") != b and a == b.removesuffix("ful") + "less"
    )


def _number(a: Reading, b: Reading, d: Difference) -> bool:
    return a.numbers != b.numbers


def _version(a: Reading, b: Reading, d: Difference) -> bool:
    return a.versions != b.versions


def _symbol(a: Reading, b: Reading, d: Difference) -> bool:
    return a.symbols != b.symbols


def _case(a: Reading, b: Reading, d: Difference) -> bool:
    """A milliwatt is no megawatt: one short word in two cases; but who types ui may mean UI."""
    both = product(a.tight - b.tight, b.tight - a.tight)
    return _is_renamed(a, b) or any(
        x.casefold() == y.casefold() and not _careless(x, y) for x, y in both
    )


def _careless(a: str, b: str) -> bool:
    small = a.casefold()
    return len(a) > 1 and a.isalpha() and small not in SILENT and {a, b} == {small, a.upper()}


def _is_renamed(a: Reading, b: Reading) -> bool:
    """A ram is no RAM, nor an apple Apple: where one word is all, its capitals and article count."""
    if min(len(a.words), len(b.words)) != 1:
        return False
    return a.initials != b.initials or (a.is_named != b.is_named and a.has_article != b.has_article)


def _particle(a: Reading, b: Reading, d: Difference) -> bool:
    """Zoom in, or out: small words that carry nothing else."""
    if a.particles == b.particles:
        return False
    in_a, in_b = Counter(a.particles), Counter(b.particles)
    return any((x, y) in PARTICLES for x in in_a - in_b for y in in_b - in_a)


def _date(a: Reading, b: Reading, d: Difference) -> bool:
    return a.dates != b.dates and bool((a.dates and b.dates) or (a.dates ^ b.dates) - NOW)


NOW = frozenset({"now"})
"""What tells no date by itself: who asks wants to know it now."""


def _unit(a: Reading, b: Reading, d: Difference) -> bool:
    if a.units == b.units:
        return False
    is_counted = bool(a.numbers or b.numbers)
    return bool((a.units and b.units) or (is_counted and (a.units ^ b.units) - PERIODS))


PERIODS = frozenset({"second", "minute", "hour", "day", "week", "month", "year"})


def _negation(a: Reading, b: Reading, d: Difference) -> bool:
    """One denies what the other does not, or each denies what the other says."""
    if a.negated != b.negated:
        return _is_turned(a, d.asked) != _is_turned(b, d.kept)
    only_a, only_b = a.denied - b.denied, b.denied - a.denied
    return bool(only_a and only_b) and only_a <= set(b.words) and only_b <= set(a.words)


def _reversal(a: Reading, b: Reading, d: Difference) -> bool:
    return _is_turned(a, d.asked) != _is_turned(b, d.kept) and bool(d.asked or d.kept)


def _is_turned(reading: Reading, left: Sequence[str]) -> bool:
    """Whether an odd number of words turns it round; those with a counterpart do so on both sides."""
    return (reading.negated + sum(word in REVERSALS for word in left)) % 2 == 1


def _antonym(a: Reading, b: Reading, d: Difference) -> bool:
    """Opposites; but not to remove something is to keep it."""
    return a.negated == b.negated and any(_opposite(x, y) for x in d.all_asked for y in d.all_kept)


def _name(a: Reading, b: Reading, d: Difference) -> bool:
    return a.names != b.names


def _entity(a: Reading, b: Reading, d: Difference) -> bool:
    return not (a.capitals.isdisjoint(d.asked) and b.capitals.isdisjoint(d.kept))


def _format(a: Reading, b: Reading, d: Difference) -> bool:
    return a.formats != b.formats


def _operation(a: Reading, b: Reading, d: Difference) -> bool:
    """Each is to do what the other is not: "summarize" is in "write a summary", "translate" is not."""
    only_a = {OPERATIONS[word] for word in d.asked if word in OPERATIONS}
    only_b = {OPERATIONS[word] for word in d.kept if word in OPERATIONS}
    return bool(only_a and only_b) and not only_a | only_b <= PRODUCING


PRODUCING = frozenset({"create", "write", "compile"})
"""A text that is to be there afterwards: one verb is as good as the other."""


def _aspect(a: Reading, b: Reading, d: Difference) -> bool:
    return a.aspects != b.aspects


def _restriction(a: Reading, b: Reading, d: Difference) -> bool:
    """To list users is to list all users; but not all birds that are birds fly."""
    different = a.restrictions ^ b.restrictions
    return bool(different - {"all"}) or (bool(different) and not (a.lists_all or b.lists_all))


def _question(a: Reading, b: Reading, d: Difference) -> bool:
    kinds = {a.kind, b.kind}
    return len(kinds) == 2 and kinds not in ALIKE


ALIKE = (
    {"", "how"},
    {"", "why"},
    {"", "what"},
    {"", "whatis"},
    {"what", "whatis"},
    {"what", "who"},
    {"how", "what"},
    {"", "whatdo"},
    {"what", "whatdo"},
    *({"howis", kind} for kind in ("", "how", "what")),
    *({"difference", kind} for kind in ("", "how", "howis", "what", "whatis")),
)


def _conjunct(a: Reading, b: Reading, d: Difference) -> bool:
    """One more thing is asked for: bikes and boats, or bikes; or one more question."""
    if a.also != b.also:
        return True
    is_more = not d.asked or not d.kept
    if "difference" in {a.kind, b.kind}:
        return False
    return is_more and d.asked != d.kept and len(a.joints) != len(b.joints)


def _modal(a: Reading, b: Reading, d: Difference) -> bool:
    """I will pay, or I should; in an order with the same words also: I paid."""
    if a.modals == b.modals:
        return False
    is_same_order = a.kind == b.kind == "" and not d.asked and not d.kept
    return is_same_order or bool(a.modals and b.modals)


def _person(a: Reading, b: Reading, d: Difference) -> bool:
    """She or he, I or me, can I or can my landlord, a nurse or as a nurse."""
    if a.persons != b.persons or {a.myself, b.myself} == {"i", "me"}:
        return True
    shared = frozenset(a.words) & frozenset(b.words)
    return {a.actor, b.actor} == {"i", "my"} or bool((a.roles ^ b.roles) & shared)


def _order(a: Reading, b: Reading, d: Difference) -> bool:
    """Whether two shared words have changed places around a third, or around a word of direction.

    Where much else is worded anew on both sides, a sentence is built anew too, and order tells
    nothing, unless it tells from where and to where.
    """
    is_about = {a.kind, b.kind} <= {"what", "whatis", "who"} and not (d.all_asked or d.all_kept)
    if is_about and d.flipped and a.helped != b.helped and not a.defining | b.defining:
        return True  # what eats snakes, what do snakes eat
    if _is_anew(d) and not (a.directions & b.directions) - SMALLEST:
        return False
    if a.passive != b.passive:
        return not d.flipped
    if not d.flipped or _is_exchanged(a, b, d):
        return False
    return any(
        y[1] < x[1]
        and ((_between(a.marks, x[0], y[0]) and _between(b.marks, y[1], x[1])) or _turned(d, x, y))
        for n, x in enumerate(d.pairs)
        for y in d.pairs[n + 1 :]
    )


SMALLEST = frozenset({"to", "by"})
"""Seldom a direction: to go, by going."""


def _is_anew(d: Difference) -> bool:
    return len(d.asked) > 1 and len(d.kept) > 1


def _is_exchanged(a: Reading, b: Reading, d: Difference) -> bool:
    """Whether two parts have changed places as wholes, where that means the same: tea and coffee.

    To buy tea and sell coffee is not to sell tea and buy coffee: there, words of both parts have.
    """
    pairs = [(x, y) for x, y in d.pairs if x not in a.mirrored]
    here, there = _falls(pairs), _falls(sorted((y, x) for x, y in pairs))
    if len(here) != 1 or len(there) != 1:
        return False
    joined = _between(a.joints, *here[0]) and _between(b.joints, *there[0])
    return joined or bool(a.mirrored and b.mirrored)


def _falls(pairs: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    """Each two words that follow each other here, and the other way round there: their places."""
    return [(x[0], y[0]) for x, y in pairwise(pairs) if x[1] > y[1]]


def _between(marks: tuple[int, ...], low: int, high: int) -> bool:
    return any(low < mark < high for mark in marks)


def _turned(d: Difference, x: tuple[int, int], y: tuple[int, int]) -> bool:
    return any(x[0] < z[0] < y[0] and y[1] < z[1] < x[1] for z in d.pairs)


def _direction(a: Reading, b: Reading, d: Difference) -> bool:
    """From here, or to here: the same word after its opposite; or no other difference than one."""
    here, there = a.ways - b.ways, b.ways - a.ways
    if any((OPPOSITE.get(way), word) in there for way, word in here):
        return True
    only_a, only_b = a.directions - b.directions, b.directions - a.directions
    return not d.asked and not d.kept and bool(only_a and only_b)


OPPOSITE = {"from": "to", "to": "from", "before": "after", "after": "before"}


Guard = Callable[[Reading, Reading, Difference], bool]
GUARDS: Mapping[str, Guard] = {
    "number": _number,
    "symbol": _symbol,
    "case": _case,
    "date": _date,
    "unit": _unit,
    "version": _version,
    "negation": _negation,
    "reversal": _reversal,
    "antonym": _antonym,
    "particle": _particle,
    "name": _name,
    "entity": _entity,
    "format": _format,
    "operation": _operation,
    "question": _question,
    "aspect": _aspect,
    "restriction": _restriction,
    "conjunct": _conjunct,
    "modal": _modal,
    "person": _person,
    "order": _order,
    "direction": _direction,
}


def refusal(asked: Reading, kept: Reading, left: Difference) -> str:
    """The name of the first guard that tells them apart, or nothing."""
    return next((name for name, guard in GUARDS.items() if guard(asked, kept, left)), "")
