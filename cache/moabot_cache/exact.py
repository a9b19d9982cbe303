"""The same question again: equal but for case, spaces, politeness and whom it calls."""

from __future__ import annotations

import re
import unicodedata

from moabot.contract import Question
from moabot_cache.scope import digest, history

__all__ = ["name", "normal"]

MENTION = re.compile(r"^(?:\s*(?:<@[!&]?[\w-]{1,64}>|@[\w.-]{1,64})[\s,:]*)+")
BEFORE = re.compile(
    r"^(?:(?:hi|hello|hey|please|pls|could you please|can you please|thanks|thank you)[\s,!.]+)+"
)
AFTER = re.compile(r"(?:[\s,.!]+(?:please|pls|thanks|thank you|thx))+[\s.!?]*$")
TAIL = 80
SPACES = re.compile(r"\s+")


def normal(text: str) -> str:
    """The question in the spelling under which it is kept; what would be empty stays as it is."""
    plain = MENTION.sub("", unicodedata.normalize("NFKC", text))
    plain = SPACES.sub(" ", plain.casefold()).strip()
    begun = BEFORE.sub("", plain)
    cut = max(len(begun) - TAIL, 0)  # only the end is searched, so that a long text costs no more
    bare = begun[:cut] + AFTER.sub("", begun[cut:])
    return bare.rstrip(" ?!.") or plain


def name(question: Question) -> str:
    """A hash of the question with all that was said before it."""
    return digest((normal(question.text), history(question)))
