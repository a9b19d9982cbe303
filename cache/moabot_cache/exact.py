"""The same question again: equal but for spaces, politeness, and how words begin."""

from __future__ import annotations

import re
import unicodedata

from moabot.contract import Question
from moabot_cache import tables
from moabot_cache.scope import digest, history
from moabot_cache.signs import CASED

__all__ = ["name", "normal"]

THANKS = "please|pls|thanks|thank you|thx"
BEFORE = re.compile(
    rf"^(?:(?:hi|hello|hey|{THANKS})\s*[,!.]+\s*(?!world\b)|(?:could|can) you please\s+"
    rf"|(?:please|pls)\s+(?=(?:{'|'.join(tables.POLITE)})\b))+",
    re.IGNORECASE,
)
AFTER = re.compile(rf"(?:\s*[,.!]+\s*(?:{THANKS}))+[\s.!?]*$")
SPOKEN_OF = re.compile(
    r"[:\"\u201c\u201d]|(?<!\w)'|\b(?:say|says|said|write|word|words|translate|spell|mean)\b"
)
"""Where these are, polite words may be what the question is about."""
MARKS = re.compile(r"(?:(?<=[^\W\d_]{2})[.?!]+|(?<=[\w)\"'#+%>])[.?]+)?(?:\s+\?*)?$")
"""At the end; but 5! is a factorial, and "cd .." no end of a sentence."""
USUAL = re.compile(r"(?<![\w./-])[^\W\d_]{3,}(?!\w)")
"""A word that may begin a sentence or not: units, flags and codes are shorter, or written otherwise."""
FIRST = re.compile(
    r"^(?:Am|An?|As|At|Be|By|Do|Go|He|I[fns]?|It|My|No|O[fnr]|So|To|Up|We)(?= [^\W\d_])"
)
MYSELF = re.compile(r"(?<=\b(?:do|am|if) )I\b|(?<=\b(?:can|did|may|how) )I\b|(?<=\bshould )I\b")
TAIL = 80
SPACES = re.compile(r"\s+")


def normal(text: str) -> str:
    """The question in the spelling under which it is kept; what would be empty stays as it is."""
    plain = unicodedata.normalize("NFC", text).strip()
    if "\n" in plain:
        return plain  # it may be code, in which all counts
    plain = USUAL.sub(_as_usual, SPACES.sub(" ", plain))
    begun = BEFORE.sub("", plain)
    begun = MYSELF.sub("i", FIRST.sub(lambda found: found.group().lower(), begun))
    cut = max(len(begun) - TAIL, 0)  # only the end is searched, so that a long text costs no more
    head, tail = begun[:cut], begun[cut:]
    if not SPOKEN_OF.search(begun):
        tail = AFTER.sub("", tail)
    return (head + MARKS.sub("", tail)) or plain


def _as_usual(found: re.Match[str]) -> str:
    """Small when only its first letter is not, unless that makes it another thing."""
    word = found.group()
    return word.lower() if word[1:].islower() and word.lower() not in CASED else word


def name(question: Question) -> str:
    """A hash of the question with all that was said before it."""
    return digest((normal(question.text), history(question)))
