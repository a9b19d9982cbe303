"""What may be remembered, and what may be looked for in other words."""

from __future__ import annotations

import re
import time
from collections import Counter

from moabot.contract import Answer, Question
from moabot_cache.reading import MOST_WORDS, Reading
from moabot_cache.said import essence
from moabot_cache.signs import LONGEST, MENTION

__all__ = ["Quota", "alone", "keepable"]

FLEETING = re.compile(
    r"\b(today|tonight|tomorrow|yesterday|now|right now|currently|at the moment|this (week|month|year"
    r"|morning|afternoon|evening)|latest|newest|up to date|so far|recently|news|weather|forecast"
    r"|what time is it|what day is it|stock price|exchange rate|score of|who is the current)\b"
)
PERSONAL = re.compile(
    r"^\W*(what|when|where|which|who|is|are|was|were|has|have|did|do i|am i|how (much|many|long|old))\b"
    r"[^.?!]*\b(my|mine|our|ours|i)\b"
)
MINE = re.compile(
    r"^\W*(?:please |can you |could you )*(?:list|show|tell|give|send|check|find|get|open|read|summari[sz]e)"
    r"\b[^.?!]*\b(?:my|mine|our|ours)\b"
)
"""An order about what is mine: what it gives is for nobody else."""
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")
ELSEWHERE = frozenset(
    """heute morgen gestern jetzt gerade aktuell aktuelle aktuellen neueste neuesten wetter mein meine
    meinen meinem meiner mich mir unser unsere unseren hoy mañana ayer ahora actual clima mi mis nuestro
    nuestra aujourd'hui demain hier maintenant actuellement météo mon ma mes notre nos oggi domani ieri
    adesso ora meteo mio mia miei mie nostro nostra hoje amanhã ontem agora meu minha meus minhas nosso
    vandaag gisteren weer mijn ons onze dziś dzisiaj teraz pogoda mój moja moje idag imorgon väder min
    mitt mina bugün şimdi benim""".split()
)
"""About now, or about who asks, in other languages that the table of foreign words knows."""
DOING = re.compile(r"\b(ways?|steps?|should|do|need|can|could|best) (i |we )?(do |to |take )")
INDENTED = re.compile(r"\n[ \t]+\S")
"""Code, in which spaces count that no reading knows of."""
LEANING = re.compile(
    r"\b(the above|as above|above\W*$|former|latter|aforementioned|previous|earlier|you said|you wrote|what about"
    r"|how about|same (thing|question)|instead(?! of))\b|^\W*(and|but|or|also|so|then|why|how|really)\W*$"
    r"|^\W*(and|but|also|then)\b"
)
POINTING = re.compile(
    r"\b(?:this|these|those) (?!(?:year|month|week|day|days|world|planet|country|time)\b)\w"
    r"|\bthe (?:\w+ )?(?:following|attached)\b|\bbelow\W*$|\b(?:shown|given|described) below\b"
    r"|\bthat (?:problem|error|question|issue|code|message|file|page|command|line)\b"
    r"|\bsee (?:\w+ )?(?:details|description|below)\b|\bbelow given\b|\bas (?:shown|attached)\b"
)
"""In a question, what it is about and does not say: this code, the following."""
QUOTING = re.compile(r":\s+\S.{10}|[\"\n].{3}")
"""Unless it stands there."""
IT = re.compile(r"\b(?:it|its)\b|\bthis(?=\s*(?:[?.!,]|$))")
CLAUSE = re.compile(r".*(?:[.?!,;]|\b(?:and|or|if|when|because|but|so)\b)", re.DOTALL)
BARE = re.compile(
    r"\b(?:he|she|they|him|his|her|hers|it|them|their|theirs|this|that|these|those|here|there|you)\b"
    r"|\bthe (?!(?:earth|moon|sun|sky|internet|world|pope)\b)\w+\W*$"
)
"""Beside one word of content, what was spoken of before: when did she die, what is the answer."""
SAID = 3
"""Content words after which an "it" stands for one of them: my phone is locked, how do I open it."""
NOBODY = re.compile(
    r"\bworth it\b|\b(is|was|does|did|will|would|has|could|should|can) it\b|\bit (is|was|takes?|costs?)\b"
)
"""An "it" that stands for nothing said before: is it possible, how long does it take."""
FEWEST = 2
"""Content words without which an order stands for nothing by itself; a question has enough with one."""

DAY_S = 86_400


class Quota:
    """How many answers to one person's questions may be kept in a day, so that none fills it all."""

    def __init__(self, a_day: int) -> None:
        self._a_day = a_day
        self._day = 0
        self._kept: Counter[tuple[str, str, str]] = Counter()

    def spend(self, question: Question) -> bool:
        """Whether one more may be kept for who asks this; it is counted."""
        today = int(time.time() // DAY_S)
        if today != self._day:
            self._day = today
            self._kept.clear()
        author = (question.scope.platform, question.scope.workspace, question.author)
        self._kept[author] += 1
        return self._kept[author] <= self._a_day


def keepable(question: Question, answer: Answer) -> bool:
    """Whether this answer will still be right later, and for others.

    "What is my balance?" has another answer for everybody, "How do I reset my password?" has not.
    Of other languages than English only the commonest words are known.
    """
    text = question.text.casefold()
    if question.images or answer.degraded or answer.from_cache or not answer.text.strip():
        return False
    if not (_is_text(question.text) and _is_text(answer.text)):
        return False
    if FLEETING.search(text):
        return False
    if not ELSEWHERE.isdisjoint(_words(text)) and not Reading(question.text).english:
        return False
    said = [each for sentence in SENTENCE.split(text) for each in _begun(sentence)]
    if any(map(MINE.search, said)):
        return False
    return not any(map(PERSONAL.search, said)) or DOING.search(text) is not None


def _begun(sentence: str) -> tuple[str, str]:
    """As it is, and without the greeting or the politeness that another may leave out."""
    return sentence, essence(MENTION.sub("", sentence))


def _words(text: str) -> set[str]:
    return {word.strip("¿?¡!.,;:\"'") for word in text.split()}


def _is_text(text: str) -> bool:
    """Half a pair of UTF-16 can be in a string, but in no file and no database."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def alone(question: Question, reading: Reading) -> bool:
    """Whether the question says all that it means, in the language that the guards know."""
    if question.history or question.images or not reading.english:
        return False
    if INDENTED.search(question.text):
        return False
    if len(question.text) > LONGEST or len(reading.words) > MOST_WORDS:
        return False  # they are not read to the end, and most of what two share tells nothing
    fewest = 1 if reading.kind else FEWEST
    return len(reading.words) >= fewest and not _leans(question.text.casefold(), reading)


def _clauses_before(text: str, end: int) -> str:
    found = CLAUSE.match(text, 0, end)
    return "" if found is None else found.group()


def _leans(text: str, reading: Reading) -> bool:
    """Whether it is about something that it does not say."""
    pointing = POINTING.search(text) if reading.kind else None
    if pointing is not None and not QUOTING.search(text, pointing.end()):
        return True
    if len(reading.words) == 1 and BARE.search(text):
        return True
    text = NOBODY.sub(" ", text)
    it = IT.search(text)
    if it is not None:
        said = text[: it.start()] if it.group() == "its" else _clauses_before(text, it.start())
        if len(Reading(said).words) < SAID:
            return True
    return LEANING.search(text) is not None
