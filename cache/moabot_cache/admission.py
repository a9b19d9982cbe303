"""What may be remembered, and what may be looked for in other words."""

from __future__ import annotations

import re

from moabot.contract import Answer, Question
from moabot_cache.reading import Reading

__all__ = ["alone", "keepable"]

FLEETING = re.compile(
    r"\b(today|tonight|tomorrow|yesterday|now|right now|currently|at the moment|this (week|month|year"
    r"|morning|afternoon|evening)|latest|newest|up to date|so far|recently|news|weather|forecast"
    r"|what time is it|what day is it|stock price|exchange rate|score of|who is the current)\b"
)
PERSONAL = re.compile(r"\b(my|mine|our|ours)\b")
DOING = re.compile(r"\b(how (do|can|could|should|would|to)|steps|way to|ways to|set up)\b")
LEANING = re.compile(
    r"\b(it|its|above|former|latter|aforementioned|previous|earlier|you said|you wrote|what about"
    r"|how about|same (thing|question)|instead)\b|^\W*(and|but|or|also|so|then|why|how|really)\W*$"
    r"|^\W*(and|but|also|then)\b"
)
FEWEST = 2
"""Content words without which a question stands for nothing by itself."""


def keepable(question: Question, answer: Answer) -> bool:
    """Whether this answer will still be right later, and for others.

    Of questions about "my" this and that only those are kept that ask how something is done.
    """
    text = question.text.casefold()
    if question.images or answer.degraded or answer.from_cache or not answer.text.strip():
        return False
    if FLEETING.search(text):
        return False
    return not PERSONAL.search(text) or DOING.search(text) is not None


def alone(question: Question, reading: Reading) -> bool:
    """Whether the question says all that it means, in the language that the guards know."""
    if question.history or question.images or not reading.english:
        return False
    return len(reading.words) >= FEWEST and not LEANING.search(question.text.casefold())
