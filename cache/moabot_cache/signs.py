"""A question as it is written: one spelling of its signs, its tokens, and what is no word."""

from __future__ import annotations

import re
import unicodedata

from moabot_cache import tables

__all__ = ["CASED", "CLOCK", "LONGEST", "MENTION", "TOKEN", "spelt", "symbols", "tight"]

LONGEST = 1000
"""Characters of a question that can have a twin in other words; a longer one is found exactly or not."""

QUOTES = {
    0x2018: "'",
    0x2019: "'",
    0x201C: '"',
    0x201D: '"',
    0x2013: "-",
    0x2014: ", ",
    0x60: " ",
    0x2212: "-",
    0x2026: ".",
}
MENTION = re.compile(r"^(?:\s*<@[!&]?[\w-]{1,64}>[\s,:]*)+")
"""Whom a message calls, as platforms write it; a bare @word may be a decorator."""
TOKEN = re.compile(
    r"v?\d+(?:[.,:]\d+)*[a-z]{0,2}\b|v?\d+(?:[.,:]\d+)*|[a-z]+(?:[.&/'-]?[a-z0-9]+)*(?:\+\+|#)?|[$€£¥₹%]"
)
CLOCK = re.compile(r"\b(\d{1,2})(?::00)?\s?([ap])\.?m\b\.?", re.IGNORECASE)
CASED = frozenset("true false none null nil string integer boolean object double float".split())
TIGHT = re.compile(
    rf"(?<![A-Za-z])(?:(?:-|\d ?)?[A-Za-z]{{1,2}}|(?i:{'|'.join(sorted(CASED))}))(?![A-Za-z+#])"
)
"""Where a capital makes another thing: mW and MW, -d and -D, True and true in a program."""
INITIALS = re.compile(r"(?<![\w.-])US(?![\w-])|(?<=\bthe )WHO(?!\w)")
IN_FULL = {"US": "USA", "WHO": "World health organization"}
"""Names that would be words which carry nothing, if they were small."""
AND = re.compile(r"(?<=\w) & (?=\w)")
COUNTED = re.compile(r"(?<=\d)-(?=[A-Za-z]{2})")
COMPOUND = re.compile(r"(?<![\w-])([a-z]{3,})-([a-z]{4,})(?![\w-])", re.IGNORECASE)
WHOLE = frozenset((*tables.STOPS, *tables.NEGATIONS, *tables.NUMBERS, "well", "just", "really"))
"""What would say nothing any more by itself: well-done, must-have, twenty-one."""
DASH = re.compile(r"(?<=[^\W\d_]{2}) -(?= [^\W\d_]{2})")
PAUSE = re.compile(r"(?<=[^\W\d_]{2})[:;](?=\s)")
RELATION = re.compile(r"(?<![\w.])([\w.]+)\s*(=>|->|[<>]=?|==?)\s*([\w.]+)")
"""Which side is which counts: a = b is not b = a."""
FACTORIAL = re.compile(r"(?:\d|\b[a-z]|\))!(?!=)")
ALIKE = frozenset(tables.STOPS) - frozenset("sdtm")
"""Where a capital only tells that a sentence begins."""


def spelt(text: str) -> str:
    """Its beginning, each sign in one form."""
    text = unicodedata.normalize("NFC", text[:LONGEST]).translate(QUOTES)
    if "-" in text:
        text = DASH.sub(",", COUNTED.sub(" ", COMPOUND.sub(_apart, text)))
    return AND.sub(" and ", INITIALS.sub(lambda found: IN_FULL[found.group()], text)).strip()


def _apart(found: re.Match[str]) -> str:
    both = found[1], found[2]
    return found.group() if WHOLE.intersection(map(str.casefold, both)) else " ".join(both)


def symbols(text: str) -> tuple[str, ...]:
    """What the tokens leave over, but for the punctuation of a sentence; "!" counts after numbers."""
    left = [run.strip(",'\"()") for run in TOKEN.sub(" ", PAUSE.sub(" ", text)).split()]
    found = [run.rstrip("?.!") for run in left]
    related = map(" ".join, RELATION.findall(text))
    return (*filter(None, found), *("!" for _ in FACTORIAL.findall(text)), *related)


def tight(text: str) -> frozenset[str]:
    """Short words, and those of programs, as they were written unless they only begin a sentence."""
    return frozenset(
        word.casefold() if word.casefold() in ALIKE and not word[1:].isupper() else word
        for word in TIGHT.findall(CLOCK.sub("", text))
    )
