r"""How far proposals say the same, judged from their words alone, without asking a model.

Where both texts state a final answer ("Answer: 42", \boxed{42}, or one word alone), these are
compared. Otherwise the words that the question did not already contain must overlap, the numbers
must not contradict, a yes must not meet a no, nor a sentence its denial.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from moabot.contract import Agreement, Proposal

__all__ = ["agreement", "best", "final_answer", "normal", "supports"]

OVERLAP = 0.4
SAME_WORDS = 0.75
"""With this share of words in common, a "not" in one text alone is a contradiction."""

BOXED = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}")
# Each is matched against one stripped line, so that no text can make them slow.
STATED = re.compile(r"[*_#> -]*(?:the )?(?:final )?answer(?: is)?[*_ ]*[:=](.+)", re.IGNORECASE)
SAID = re.compile(r"(?:.{0,80}\b)?answer is (\S+(?: \S+){0,2})", re.IGNORECASE)
NUMBER = re.compile(r"(?:(?<![\d.])-)?\d[\d,]*(?:\.\d+)?")
MARKER = re.compile(r"(?m)^[ \t]{0,20}\d{1,3}[.)][ \t]")
DIGIT = re.compile(r"\d")
WORD = re.compile(r"[^\W\d_]{2,}")
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]{2,}")
"""Scripts that are written without spaces: compared by pairs of letters."""
YES_NO = re.compile(r"^\W*(yes|no|true|false)\b", re.IGNORECASE)
DENIALS = frozenset({"not", "never", "cannot"})
COUNTED = {
    word: str(number)
    for number, word in enumerate(
        "two three four five six seven eight nine ten eleven twelve".split(), start=2
    )
}
IDLE = frozenset(
    "the an is are was were be been of to in on at by for with and or as it its this that these "
    "those from has have had will would can could should may might do does did wo ca but if "
    "then than so such there here which who whom what when where why how you your we our they their "
    "he she his her answer also very more most some any each other into about over only".split()
)


def final_answer(text: str) -> str | None:
    """The answer that a text states on a line of its own, or in a box; the last one; else None."""
    found = BOXED.findall(text) if "\\boxed" in text else []
    if found:
        return str(found[-1]).strip()
    if "answer" not in text.casefold():
        return None
    for line in reversed(text.splitlines()):
        stated = STATED.match(line.strip()) or SAID.fullmatch(line.strip())
        if stated and (answer := stated[1].strip("*_ \t")):
            return answer
    return None


def normal(answer: str) -> str:
    """A stated answer in the form in which two are compared: 42, 42.0, (42) and $42 are one."""
    plain = re.sub(r"\\text\{([^{}]*)\}", r"\1", answer.replace("\\$", "").replace("\\,", ""))
    plain = re.sub(r"\s+", " ", plain.strip("`*_$\"'“”. \n\t").casefold())
    if plain.startswith("(") and plain.endswith(")"):
        plain = plain[1:-1]
    number = plain.lstrip("$€£ ").rstrip("% ")
    return _value(number) if NUMBER.fullmatch(number) else COUNTED.get(plain, plain)


def _value(number: str) -> str:
    return f"{float(number.replace(',', '')):.15g}"


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
    denies: bool
    numbers: frozenset[str]
    words: frozenset[str]

    @classmethod
    def of(cls, text: str, asked: _Gist | None = None) -> _Gist:
        # One word is an answer, too: the choice of "B", a colour, a file name.
        alone = len(text) < 80 and len(text.split()) == 1 and not UNSPACED.search(text)
        stated = final_answer(text) or (text if alone else None)
        verdict = YES_NO.match(text)
        words = _words(text)
        numbers = _numbers(text)
        if counted := words & COUNTED.keys():
            numbers |= {COUNTED[word] for word in counted}
        denies = not words.isdisjoint(DENIALS)
        words -= DENIALS | COUNTED.keys()
        return cls(
            None if stated is None else normal(stated),
            verdict[1].casefold() if verdict else "",
            denies,
            numbers - asked.numbers if asked else numbers,
            (words - asked.words or words) if asked else words,
        )


def _words(text: str) -> frozenset[str]:
    plain = text.casefold().replace("\u2019", "'").replace("n't", " not")
    words = frozenset(WORD.findall(plain)) - IDLE
    if text.isascii() or not UNSPACED.search(text):
        return words
    pairs = {run[i : i + 2] for run in UNSPACED.findall(text) for i in range(len(run) - 1)}
    return frozenset(word for word in words if not UNSPACED.search(word)) | pairs


def _numbers(text: str) -> frozenset[str]:
    if not DIGIT.search(text):
        return frozenset()
    return frozenset(_value(number) for number in NUMBER.findall(MARKER.sub("", text)))


def _same(one: _Gist, other: _Gist) -> bool:
    if one.stated is not None and other.stated is not None:
        return one.stated == other.stated
    if one.verdict and other.verdict and one.verdict != other.verdict:
        return False
    if one.numbers and other.numbers and not one.numbers & other.numbers:
        return False
    common = len(one.words & other.words)
    if one.denies != other.denies and not (one.verdict or other.verdict):
        more = max(len(one.words), len(other.words))
        if common >= SAME_WORDS * more:
            return False
    fewer = min(len(one.words), len(other.words))
    return not fewer or common >= OVERLAP * fewer
