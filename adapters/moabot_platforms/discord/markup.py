"""Markdown as Discord shows it: tables and deep headings, which it does not know, become others."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.cells import cell_len

from moabot_platforms.markdown import JOINER, harmless

__all__ = ["shown"]

HEADING = re.compile(r"#{4,6}[ \t]+(.*?)[ \t]*#*")
CODE_OR_LINK = re.compile(
    r"```.*?```|``.*?``|`[^`\n]+`"
    r"|(?<!<)(\bhttps?://(?:[^\s<>()\[\]`]|\([^\s<>()\[\]`]*+\))++)",
    re.DOTALL | re.IGNORECASE,
)
RULE = "⎯" * 12


def shown(text: str) -> str:
    """A model's Markdown, harmless and as Discord understands it; no word is lost.

    Tables become code blocks with even columns, headings below the third level bold lines, and no
    link is fetched for a preview.
    """
    lines = harmless(text).split("\n")
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    tokens = parser.parse("\n".join(lines))
    for place in range(len(tokens) - 1, -1, -1):  # from the end: earlier line numbers stay
        token = tokens[place]
        if token.level or token.map is None:
            continue
        first, last = token.map
        match token.type:
            case "table_open":
                lines[first:last] = _table(tokens, place)
            case "heading_open" if (deep := HEADING.fullmatch(lines[first].strip())) is not None:
                lines[first] = f"**{deep[1].replace('**', '')}**" if deep[1] else ""
            case "hr":
                lines[first:last] = [RULE]
            case _:
                pass
    return CODE_OR_LINK.sub(_unfurled_not, "\n".join(lines))


def _unfurled_not(match: re.Match[str]) -> str:
    """In angle brackets a link shows no preview, for which Discord would fetch it."""
    if match[1] is None:
        return match[0]  # code
    link = match[1].rstrip(".,;:!?'\"*_~|\\")
    return f"<{link}>{match[1][len(link) :]}"


def _table(tokens: Sequence[Token], place: int) -> list[str]:
    rows: list[list[str]] = []
    for token in tokens[place:]:
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            # Three backticks would end the block.
            rows[-1].append(token.content.replace("```", f"``{JOINER}`"))
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    lines = [_row(row, widths) for row in rows]
    lines.insert(1, "─┼─".join("─" * width for width in widths))
    return ["```", *lines, "```"]


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (w - cell_len(cell)) for cell, w in zip(cells, widths, strict=True))
    return " │ ".join(padded).rstrip()
