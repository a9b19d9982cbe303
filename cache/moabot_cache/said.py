"""What a text says: one spelling for each word, nothing that is only polite."""

from __future__ import annotations

import re

from moabot_cache import tables
from moabot_cache.lexicon import FILLERS, SPELLINGS
from moabot_cache.phrases import replaced
from moabot_cache.signs import CLOCK, TOKEN, spelt

__all__ = ["SPOKEN_OF", "essence", "plainly", "said"]

DIGIT = re.compile(r"\d")
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
WAY = re.compile(
    r"\bwhat(?:'?s| is| are)? (?:the |an? |some (?:of the )?)?((?:\w+ ){0,2})ways? to\b",
    re.IGNORECASE,
)
GOOD = frozenset(
    "best easiest easy good right correct proper effective most recommended usual".split()
)


def plainly(text: str) -> str:
    """With each "what is a polite way to" as the "how to" that it is."""
    return WAY.sub(_how, text)


def _how(found: re.Match[str]) -> str:
    """A polite way to refuse is how to refuse politely; a good one is just a way."""
    return " ".join(["how to", *(word for word in found[1].casefold().split() if word not in GOOD)])


def said(text: str) -> list[str]:
    """Words in one spelling each, without politeness: contractions, times, thousands written out."""
    text = text.casefold()
    if "'" in text:
        text = SHORT.sub(lambda found: tables.CONTRACTIONS[found.group()], text)
    if DIGIT.search(text):
        text = THOUSANDS.sub(_thousands, GROUPED.sub("", text))
        text = GLUED.sub(r"\1 \2", CLOCK.sub(r"\1 \2m", text))
    spoken_of = SPOKEN_OF.search(text)
    at = len(text) if spoken_of is None else spoken_of.start()
    return replaced(_tokens(text[:at]), FILLERS) + _tokens(text[at:])


def _thousands(found: re.Match[str]) -> str:
    return f"{float(found[1]) * 1000:.0f}"


def _tokens(text: str) -> list[str]:
    return replaced([token.removesuffix("'s") for token in TOKEN.findall(text)], SPELLINGS)


def essence(text: str) -> str:
    """What a question says without politeness, hurry and punctuation: what the encoder is given."""
    return " ".join(said(spelt(text)))
