"""How far proposals say the same, judged from their words alone, without asking a model.

Where both texts state a final answer ("Answer: 42", \\boxed{42}), these are compared. Otherwise
the words that the question did not already contain must overlap, the numbers must not
contradict, and a yes must not meet a no.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from moabot.contract import Agreement, Proposal

__all__ = ["agreement", "best", "final_answer", "normal", "supports"]

OVERLAP = 0.4
BOXED = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}")
STATED = re.compile(
    r"(?im)^[\s*_#>-]*(?:the\s+)?(?:final\s+)?answer(?:\s+is)?[\s*_]*[:=][\s*_]*(.+?)[\s*_]*$"
)
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
WORD = re.compile(r"[^\W\d_]{2,}")
YES_NO = re.compile(r"^\W*(yes|no|true|false)\b", re.IGNORECASE)
IDLE = frozenset(
    "the an is are was were be been of to in on at by for with and or as it its this that these "
    "those from has have had will would can could should may might do does did not but if then "
    "than so such there here which who whom what when where why how you your we our they their "
    "he she his her answer also very more most some any each other into about over only".split()
)


def final_answer(text: str) -> str | None:
    """The answer that a text states on a line of its own, or in a box; the last one; else None."""
    found = BOXED.findall(text) if "\\boxed" in text else []
    if not found and "answer" in text.casefold():
        found = STATED.findall(text)
    return found[-1].strip() if found else None


def normal(answer: str) -> str:
    """A stated answer in the form in which two are compared: 42, 42.0 and $42 are one."""
    plain = answer.strip().strip("`*_$\"'“”. ").casefold()
    plain = re.sub(r"\s+", " ", plain.replace("\\$", "").replace("\\,", ""))
    number = plain.lstrip("$€£ ").rstrip("% ").replace(",", "")
    try:
        return f"{float(number):g}" if NUMBER.fullmatch(number) else plain
    except (ValueError, OverflowError):
        return plain


def supports(one: str, other: str, *, question: str = "") -> bool:
    """Whether two texts give the same answer to `question`; symmetric."""
    asked = _Gist.of(question)
    return _same(_Gist.of(one, asked), _Gist.of(other, asked))


def agreement(proposals: Sequence[Proposal], text: str, *, question: str = "") -> Agreement | None:
    """How many of two or more proposals support `text`, and who dissents; None for fewer."""
    if len(proposals) < 2:
        return None
    asked = _Gist.of(question)
    given = _Gist.of(text, asked)
    dissent = tuple(p.slot for p in proposals if not _same(_Gist.of(p.text, asked), given))
    return Agreement(len(proposals) - len(dissent), len(proposals), dissent)


def best(proposals: Sequence[Proposal], *, question: str = "") -> Proposal:
    """The proposal that most of the others support; the first of several such."""
    asked = _Gist.of(question)
    gists = [_Gist.of(proposal.text, asked) for proposal in proposals]
    support = [sum(_same(one, other) for other in gists) for one in gists]
    return proposals[support.index(max(support))]


@dataclass(frozen=True, slots=True)
class _Gist:
    """What of a text is compared; words and numbers that the question already has say nothing."""

    stated: str | None
    verdict: str
    numbers: frozenset[str]
    words: frozenset[str]

    @classmethod
    def of(cls, text: str, asked: _Gist | None = None) -> _Gist:
        stated = final_answer(text)
        verdict = YES_NO.match(text)
        numbers = frozenset(map(normal, NUMBER.findall(text)))
        words = frozenset(WORD.findall(text.casefold())) - IDLE
        return cls(
            None if stated is None else normal(stated),
            verdict[1].casefold() if verdict else "",
            numbers - asked.numbers if asked else numbers,
            (words - asked.words or words) if asked else words,
        )


def _same(one: _Gist, other: _Gist) -> bool:
    if one.stated is not None and other.stated is not None:
        return one.stated == other.stated
    if one.verdict and other.verdict and one.verdict != other.verdict:
        return False
    if one.numbers and other.numbers and not one.numbers & other.numbers:
        return False
    fewer = min(len(one.words), len(other.words))
    return not fewer or len(one.words & other.words) >= OVERLAP * fewer
