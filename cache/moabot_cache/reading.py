"""A question as the guards read it: its words, and what each of them does there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from propcache.api import cached_property

from moabot_cache.kinds import BE, kind_of
from moabot_cache.lexicon import (
    ASPECTS,
    DATES,
    DEFINING,
    FOREIGN,
    FORMATS,
    KINDS,
    MANNERS,
    MODALS,
    NAMES,
    NEGATIONS,
    OPINIONS,
    PHRASES,
    RESTRICTIONS,
    SILENT,
    SMALL,
    STOPS,
    TURNING,
    UNITS,
)
from moabot_cache.numerals import number, numbers
from moabot_cache.phrases import IRREGULAR, replaced, root
from moabot_cache.said import SPOKEN_OF, plainly, said
from moabot_cache.signs import spelt, symbols, tight

__all__ = ["MOST_WORDS", "Reading"]

MOST_WORDS = 24
"""Words of content that are compared; a question with more has no twin in other words either."""

OF_YOU = re.compile(
    r"\byou(?:'ve| have)? ever\b|\b(?:have|did) you\b|\byou've\b|\bto you\b|\baccording to you\b"
    r"|\b(?:do|would) you (?:\w+ )?(?:think|like|love|prefer|feel|hate|enjoy|believe|want|regret|date)\b"
    r"|\byour (?:\w+ )?(?:opinion|life|experience|view|thought|passion|story|dream|mistake)s?\b"
)
"""What is asked of a person: what they think, like or have done."""
CAPITAL = re.compile(r"(?<![.!?:\n\"'] )(?<!^)(?<![A-Za-z0-9'])[A-Z][\w-]*")
SENTENCE = re.compile(
    r"(?<=[.!?])\s+|,\s+(?=(?:can|could|may|should|do|does|did|is|are|will|would|how|what|why|where)\b)"
)
"""Where another sentence begins, also one that asks after a comma: if it rains, what is open?"""

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
NOT_MORE = frozenset({"", "why", "whether", "difference"})
"""What follows an "and" without being another question; and why is told anyway."""
AUXILIARIES = frozenset("can could may should do does did will would must".split())
AS = frozenset({"as"})
ARTICLES = frozenset({"a", "an", "the"})
WHATIS = frozenset({"whatis"})
MEAN = frozenset({root("mean")})
MEANS = re.compile(r"\b(?:do|does|did) \w.* mean\b|\bmeans?\W*$")
LISTING = frozenset("list show display print".split())
HELPING = re.compile(r"\b(?:do|does|did)\b")
ABBREVIATION = re.compile(r"\b[A-Z]{3,}\b")
WHICH = frozenset({"which", "what"})
TO_ME = frozenset("tell give show help for to teach explain let send".split())
HAVE = frozenset("have has had".split())
PARTS = frozenset(
    "percentage percentages percent % proportion portion ratio fraction share howmany".split()
)
"""How many of those are such: not as many as such are those."""
DEFINITE = frozenset("the this that these those my your our their".split())


class Reading:
    """One question. What a guard asks of it is worked out when first asked: most guards never ask."""

    def __init__(self, text: str) -> None:
        self._text = spelt(text)
        text = plainly(self._text)
        self._sentences = [replaced(said(each), PHRASES) for each in SENTENCE.split(text)]
        self._tokens = [token for sentence in self._sentences for token in sentence]

    @cached_property
    def _content(self) -> Sequence[tuple[int, str]]:
        """Places and roots of the words that carry something."""
        numbers = self.numbers
        return [
            (place, NAMES.get(token) or root(token))
            for place, token in enumerate(self._tokens)
            if token not in SILENT and not (numbers and token in UNITS) and not number(token)
        ][: MOST_WORDS + 1]

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Roots of its content words, in order."""
        return tuple(word for _, word in self._content)

    @cached_property
    def places(self) -> tuple[int, ...]:
        """Where the words stand."""
        return tuple(place for place, _ in self._content)

    @cached_property
    def marks(self) -> tuple[int, ...]:
        """Where words of direction and numbers stand, and between a part and its whole, "are"."""
        marks = MARKS if PARTS.isdisjoint(self._tokens) else MARKS | BE | HAVE
        both = enumerate(self._tokens)
        return tuple(at for at, token in both if token in marks or number(token))

    @cached_property
    def joints(self) -> tuple[int, ...]:
        """Where "and" and "or" stand."""
        return tuple(at for at, _ in self._where(JOINTS))

    @cached_property
    def mirrored(self) -> frozenset[int]:
        """Where words stand that hold in both directions."""
        return frozenset(at for at, _ in self._where(MIRRORED))

    @cached_property
    def directions(self) -> frozenset[str]:
        """Words of direction."""
        return frozenset(TOWARDS.get(mark, mark) for mark in MARKS.intersection(self._tokens))

    @cached_property
    def ways(self) -> frozenset[tuple[str, str]]:
        """From where and to where: each word of direction, and the next word of content after it."""
        after = ((token, self._next_word(at)) for at, token in self._where(MARKS))
        return frozenset((TOWARDS.get(mark, mark), word) for mark, word in after if word)

    @cached_property
    def kind(self) -> str:
        """The type of the question, empty for an order."""
        return kind_of(self._sentences, self._text)

    @cached_property
    def is_definite(self) -> bool:
        """Whether it asks what the thing is: the capital."""
        return "the" in self._next(WHATIS)

    @cached_property
    def is_extreme(self) -> bool:
        """Whether it asks for the largest, or the most of something."""
        return any(word == "most" or word.endswith("est") for word in self._tokens)

    @cached_property
    def defining(self) -> frozenset[str]:
        """Words that only ask what something is: define it, what does it mean."""
        ends = frozenset(self.words[:1] + self.words[-1:]) & DEFINING
        means = "mean" in self._next(WHATIS) or MEANS.search(self._text.casefold())
        return ends | MEAN if means else ends

    @cached_property
    def lists_all(self) -> bool:
        """Whether it wants a list of all, as it would without the word."""
        return self.kind in {"", "how"} and "all" in self._next(LISTING)

    @cached_property
    def helped(self) -> bool:
        """Whether a "do" makes the question: what do snakes eat."""
        return HELPING.search(self._text.casefold()) is not None

    @cached_property
    def initials(self) -> frozenset[str]:
        """Words all in capitals."""
        return frozenset(ABBREVIATION.findall(self._text))

    @cached_property
    def is_named(self) -> bool:
        """Whether a word inside has a capital."""
        return CAPITAL.search(self._text) is not None

    @cached_property
    def has_article(self) -> bool:
        """Whether it is about a thing of many."""
        return not ARTICLES.isdisjoint(self._tokens)

    @cached_property
    def also(self) -> int:
        """How many more questions follow an "and": and how is it made."""
        both = pairwise(self._tokens)
        return sum(a == "and" and KINDS.get(b, "") not in NOT_MORE for a, b in both)

    @cached_property
    def sort(self) -> frozenset[str]:
        """What sort of thing is asked for: which city."""
        after = self._next(WHICH)
        return frozenset(map(root, after - SILENT))

    @cached_property
    def of_words(self) -> bool:
        """Whether it may speak of words: what they mean, how to say them."""
        return SPOKEN_OF.search(self._text.casefold()) is not None

    @cached_property
    def opinion(self) -> bool:
        """Whether it asks for views: what is best, what you think."""
        if not OPINIONS.isdisjoint(self._tokens):
            return True
        return OF_YOU.search(self._text.casefold()) is not None

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """All values, in order."""
        return numbers(self._tokens)

    @cached_property
    def versions(self) -> tuple[str, ...]:
        """What is of letters and digits."""
        return tuple(filter(_is_version, self._tokens))

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """What is neither word nor the punctuation of a sentence."""
        return symbols(self._text.casefold())

    @cached_property
    def tight(self) -> frozenset[str]:
        """Words of one or two letters, as they were written."""
        return tight(self._text)

    @cached_property
    def particles(self) -> tuple[str, ...]:
        """Small words that have an opposite."""
        return tuple(sorted(stem for stem in map(root, self._tokens) if stem in SMALL))

    @cached_property
    def dates(self) -> frozenset[str]:
        """Days, and when it is to be; "am" after a number only."""
        found = self._found(DATES)
        is_clock = any(number(a) and b == "am" for a, b in pairwise(self._tokens))
        return found if is_clock else found - {"am"}

    @cached_property
    def units(self) -> frozenset[str]:
        """What is measured in."""
        return self._found(UNITS)

    @cached_property
    def names(self) -> frozenset[str]:
        """Languages, systems, places that the tables know."""
        return self._found(NAMES)

    @cached_property
    def formats(self) -> frozenset[str]:
        """What is to be made; "the table" is there already."""
        return frozenset(
            FORMATS[token]
            for before, token in zip(("", *self._tokens), self._tokens, strict=False)
            if token in FORMATS and before not in DEFINITE
        )

    @cached_property
    def aspects(self) -> frozenset[str]:
        """Which side of a thing is asked about."""
        found = self._found(ASPECTS)
        return found - {"become"} if self.kind == "how" else found  # how to become, or to be

    @cached_property
    def restrictions(self) -> frozenset[str]:
        """What narrows it: only, without."""
        return self._found(RESTRICTIONS)

    @cached_property
    def persons(self) -> tuple[str, ...]:
        """He or she, in order."""
        return tuple(PERSONS[token] for token in self._tokens if token in PERSONS)

    @cached_property
    def myself(self) -> str:
        """Whether I do it, or it is done to me: "i", "me", or neither or both."""
        around = zip(("", *self._tokens), self._tokens, strict=False)
        mine = {t for before, t in around if t == "i" or (t == "me" and before not in TO_ME)}
        return "".join(mine) if len(mine) == 1 else ""

    @cached_property
    def actor(self) -> str:
        """Who is to do it, in "can I" and "can my landlord": "i" or "my"."""
        after = self._next(AUXILIARIES) & {"i", "my"}
        return "".join(after) if len(after) == 1 else ""

    @cached_property
    def roles(self) -> frozenset[str]:
        """What somebody is there: as a nurse."""
        after = (self._tokens[at + 1 : at + 3] for at, _ in self._where(AS))
        return frozenset(root(two[-1]) for two in after if len(two) > 1 and two[0] in ARTICLES)

    @cached_property
    def manner(self) -> frozenset[str]:
        """Small words that say who, whether and when."""
        return self._found(MANNERS)

    @cached_property
    def modals(self) -> frozenset[str]:
        """Those of manner that say whether it will be, can be or should be."""
        return MODALS & self.manner

    @cached_property
    def capitals(self) -> frozenset[str]:
        """Roots of words with a capital inside a sentence."""
        return _capitals(self._text)

    @cached_property
    def negated(self) -> bool:
        """Whether an odd number of words turns it round."""
        return sum(token in TURNING for token in self._tokens) % 2 == 1

    @cached_property
    def denied(self) -> frozenset[str]:
        """The first word of content after each negation."""
        return frozenset(filter(None, (self._next_word(at) for at, _ in self._where(NEGATIONS))))

    @cached_property
    def passive(self) -> bool:
        """Whether "by" tells who does it."""
        return _passive(self._tokens)

    @cached_property
    def english(self) -> bool:
        """Whether the tables know its language."""
        return _english(self._text)

    def _found(self, table: Mapping[str, str]) -> frozenset[str]:
        return frozenset(table[token] for token in self._tokens if token in table)

    def _where(self, of: frozenset[str]) -> Sequence[tuple[int, str]]:
        return [(at, token) for at, token in enumerate(self._tokens) if token in of]

    def _next(self, of: frozenset[str]) -> frozenset[str]:
        return frozenset(b for a, b in pairwise(self._tokens) if a in of)

    def _next_word(self, place: int) -> str:
        return next((word for at, word in self._content if at > place), "")


def _is_version(token: str) -> bool:
    return (
        not token.isalpha() and any(c.isdigit() for c in token) and any(c.isalpha() for c in token)
    )


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
