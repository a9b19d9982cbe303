"""A question as the guards read it: its words, and what each of them does there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations, product

from moabot_cache import meanings as words_of
from moabot_cache import tables
from moabot_cache.phrases import IRREGULAR, groups, phrases, replaced, root, tree_of
from moabot_cache.signs import CLOCK, TOKEN, spelt, symbols, tight

__all__ = [
    "LIGHT",
    "MOST_WORDS",
    "OPERATIONS",
    "PARTICLES",
    "QUALITIES",
    "REVERSALS",
    "SILENT",
    "Reading",
    "essence",
    "pairs",
    "read",
    "rivals",
    "synonyms",
]

MOST_WORDS = 24
"""Words of content that are compared; a question with more has no twin in other words either."""

GROUPED = re.compile(r"(?<=\d),(?=\d{3}\b)")
THOUSANDS = re.compile(r"\b(\d+(?:\.\d+)?)k\b")
GLUED = re.compile(
    r"\b(\d+(?:\.\d+)?)(m|kg|km|cm|mm|mg|lb|lbs|gb|mb|kb|tb|ms|hz|ghz|min|hr|hrs|ml)\b"
)
SHORT = re.compile(
    "|".join(
        rf"\b{re.escape(short)}\b" if short[0] != "'" and short != "n't" else rf"{short}\b"
        for short in tables.CONTRACTIONS
    )
)
SPOKEN_OF = re.compile(
    r"\b(?:words?|phrase|term|meaning of|say|spell|pronounce|translate|define|definition of"
    r"|origin of|synonyms?|antonyms?|opposite of|use of|does (?=.*\bmean\b))\b|\"|(?<!\w)'(?=\w)"
)
"""From here on a text may speak of words, also of polite ones."""
CAPITAL = re.compile(r"(?<![.!?:\n\"'] )(?<!^)(?<![A-Za-z0-9'])[A-Z][\w-]*")
SENTENCE = re.compile(r"(?<=[.!?])\s+")

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
TOWARDS = {"into": "to", "until": "to", "outof": "from"}
MARKS = frozenset("from to into outof before after than over by against until".split())
MIRRORED = frozenset(
    "difference between similar same together married dating engaged related connected close"
    " equal identical adjacent compatible friends acquaintance neighbour neighbor colleague cousin"
    " sibling roommate".split()
)
"""What holds in both directions: who is married to whom, and what is between them."""
JOINTS = frozenset({"and", "or"})
PERSONS = {"he": "m", "him": "m", "his": "m", "she": "f", "her": "f", "hers": "f"}
BE = frozenset("is are was were be been being".split())
HOW = {
    **dict.fromkeys("do can to should would could".split(), "how"),
    **dict.fromkeys(BE, "howis"),
}
"""What "how" asks, by the next word."""
PARTS = frozenset("percentage percent proportion fraction share".split())
"""How many of those are such: not as many as such are those."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One question: `words` are roots of its content words in order, the rest are what was found.

    `places` are where the words stand, `marks` where words of direction do, `joints` where "and"
    does, `mirrored` where words that hold in both directions; `ways` are the words next after words
    of direction, with these. `kind` is the type of
    the question, empty for an order. `capitals` are words with a capital inside a sentence.
    `symbols` is what is neither word nor the punctuation of a sentence, `tight` are words of one or
    two letters as they were written, `particles` those of small words that have an opposite.
    `denied` are the words next after a negation. `english` tells whether the tables know its language.
    """

    words: tuple[str, ...]
    places: tuple[int, ...]
    marks: tuple[int, ...]
    joints: tuple[int, ...]
    directions: frozenset[str]
    ways: frozenset[tuple[str, str]]
    kind: str
    numbers: tuple[str, ...]
    versions: tuple[str, ...]
    symbols: tuple[str, ...]
    tight: frozenset[str]
    particles: tuple[str, ...]
    dates: frozenset[str]
    units: frozenset[str]
    names: frozenset[str]
    formats: frozenset[str]
    aspects: frozenset[str]
    restrictions: frozenset[str]
    persons: tuple[str, ...]
    manner: frozenset[str]
    modals: frozenset[str]
    capitals: frozenset[str]
    negated: bool
    denied: frozenset[str]
    mirrored: frozenset[int]
    passive: bool
    english: bool


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
ONE = frozenset({"one"})
ONES = {"one": "1", **{word: n for word, n in tables.NUMBERS.items() if re.match(r"\d\D*$", n)}}
UNCOUNTED = frozenset("which no any every each this that the".split())
"""Before a "one" that counts nothing."""
DEFINITE = frozenset("the this that these those my your our their".split())
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


def _said(text: str) -> list[str]:
    """Words in one spelling each, without politeness: contractions, times, thousands written out."""
    text = text.casefold()
    if "'" in text:
        text = SHORT.sub(lambda found: tables.CONTRACTIONS[found.group()], text)
    text = GROUPED.sub("", text)
    text = GLUED.sub(r"\1 \2", CLOCK.sub(r"\1 \2m", THOUSANDS.sub(_thousands, text)))
    spoken_of = SPOKEN_OF.search(text)
    at = len(text) if spoken_of is None else spoken_of.start()
    return replaced(_tokens(text[:at]), FILLERS) + _tokens(text[at:])


def _thousands(found: re.Match[str]) -> str:
    return f"{float(found[1]) * 1000:.0f}"


def _tokens(text: str) -> list[str]:
    return replaced([token.removesuffix("'s") for token in TOKEN.findall(text)], SPELLINGS)


def essence(text: str) -> str:
    """What a question says without politeness, hurry and punctuation: what the encoder is given."""
    return " ".join(_said(spelt(text)))


def read(text: str) -> Reading:
    """Read one question; takes about a tenth of a millisecond."""
    text = spelt(text)
    sentences = [replaced(_said(sentence), PHRASES) for sentence in SENTENCE.split(text)]
    tokens = [token for sentence in sentences for token in sentence]
    both = [(place, token, root(token)) for place, token in enumerate(tokens)]
    numbers = _numbers(tokens)
    content = [
        (place, NAMES.get(token, stem))
        for place, token, stem in both
        if token not in SILENT and not (numbers and token in UNITS) and not _number(token)
    ][: MOST_WORDS + 1]
    negations = sum(token in TURNING for token in tokens)
    return Reading(
        words=tuple(word for _, word in content),
        places=tuple(place for place, _ in content),
        marks=_marks(tokens),
        joints=tuple(place for place, token, _ in both if token in JOINTS),
        directions=frozenset(TOWARDS.get(mark, mark) for mark in MARKS.intersection(tokens)),
        ways=_ways(both, content),
        kind=_kind(sentences, text),
        numbers=numbers,
        versions=tuple(filter(_is_version, tokens)),
        symbols=symbols(text.casefold()),
        tight=tight(text),
        particles=tuple(sorted(stem for _, _, stem in both if stem in SMALL)),
        dates=_found(tokens, DATES),
        units=_found(tokens, UNITS),
        names=_found(tokens, NAMES),
        formats=_formats(tokens),
        aspects=_found(tokens, ASPECTS),
        restrictions=_found(tokens, RESTRICTIONS),
        persons=tuple(PERSONS[token] for token in tokens if token in PERSONS),
        manner=_found(tokens, MANNERS),
        modals=MODALS & _found(tokens, MANNERS),
        capitals=_capitals(text),
        negated=negations % 2 == 1,
        denied=_denied(tokens, content),
        mirrored=frozenset(place for place, token, _ in both if token in MIRRORED),
        passive=_passive(tokens),
        english=_english(text),
    )


def _found(tokens: Sequence[str], table: Mapping[str, str]) -> frozenset[str]:
    return frozenset(table[token] for token in tokens if token in table)


def _marks(tokens: Sequence[str]) -> tuple[int, ...]:
    marks = MARKS if PARTS.isdisjoint(tokens) else MARKS | BE
    return tuple(at for at, token in enumerate(tokens) if token in marks or _number(token))


def _formats(tokens: Sequence[str]) -> frozenset[str]:
    """What is to be made; "the table" is there already."""
    return frozenset(
        FORMATS[token]
        for before, token in zip(("", *tokens), tokens, strict=False)
        if token in FORMATS and before not in DEFINITE
    )


def _ways(
    both: Sequence[tuple[int, str, str]], content: Sequence[tuple[int, str]]
) -> frozenset[tuple[str, str]]:
    """From where and to where: each word of direction, and the next word of content after it."""
    marks = [(place, TOWARDS.get(token, token)) for place, token, _ in both if token in MARKS]
    after = [
        (mark, next((word for at, word in content if at > place), "")) for place, mark in marks
    ]
    return frozenset((mark, word) for mark, word in after if word)


def _numbers(tokens: Sequence[str]) -> tuple[str, ...]:
    """All values in order; "one" counts something only right before it."""
    around = zip(("", *tokens), tokens, (*tokens[1:], "a"), strict=False)
    found = [
        "1" if word in ONE and before not in UNCOUNTED and after not in SILENT else _number(word)
        for before, word, after in around
    ]
    return tuple(filter(None, found))


@lru_cache(maxsize=1 << 14)
def _number(token: str) -> str:
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


def _is_version(token: str) -> bool:
    return (
        not token.isalpha() and any(c.isdigit() for c in token) and any(c.isalpha() for c in token)
    )


def _kind(sentences: Sequence[Sequence[str]], text: str) -> str:
    """What the last question asks, else how the first sentence begins."""
    asking = [tokens for tokens in sentences if tokens]
    if not asking:
        return ""
    tokens = asking[-1] if text.endswith("?") else asking[0]
    if tokens[:2] == ["do", "not"] and not text.endswith("?"):
        return ""
    for place, token in enumerate(tokens[:3]):
        kind = KINDS.get(token, "")
        if kind == token == "how":
            return HOW.get("".join(tokens[place + 1 : place + 2]), "what")
        if kind and (
            place == 0 or kind in ASKING or kind in {"how", "what", "whatis", "difference"}
        ):
            return kind
    return ""


def _denied(tokens: Sequence[str], content: Sequence[tuple[int, str]]) -> frozenset[str]:
    """The first word of content after each negation."""
    negations = [place for place, token in enumerate(tokens) if token in NEGATIONS]
    after = (next((word for at, word in content if at > place), "") for place in negations)
    return frozenset(word for word in after if word)


def _passive(tokens: Sequence[str]) -> bool:
    if "by" not in tokens or BE.isdisjoint(tokens):
        return False
    before = tokens[tokens.index("by") - 1]
    return before.endswith(("ed", "en")) or before in IRREGULAR or before == "left"


def _capitals(text: str) -> frozenset[str]:
    """Words with a capital inside a sentence, unless Every Word Has One."""
    found = CAPITAL.findall(text)
    if len(found) > 2 and len(found) > 0.6 * (len(text.split()) - 1):
        found = []
    first = re.match(r"[A-Z][\w-]*", text)
    if first and any(c.isupper() or c.isdigit() for c in first.group()[1:]):
        found.append(first.group())
    return frozenset(root(word.casefold()) for word in found if word.casefold() not in STOPS)


def _english(text: str) -> bool:
    """Whether the tables can judge it: Latin letters, and not the words of another language."""
    letters = sum(map(str.isalpha, text))
    if letters == 0:
        return False
    if not text.isascii() and sum(c.isascii() and c.isalpha() for c in text) < 0.9 * letters:
        return False
    words = [word.strip("¿?¡!.,;:\"'") for word in text.casefold().split()]
    return sum(word in FOREIGN for word in words) <= sum(word in STOPS for word in words)
