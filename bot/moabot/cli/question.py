"""One question from the words of a command, from stdin and from files."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from moabot.contract import Attachment
from moabot.errors import QuestionRejected

__all__ = ["Asked", "gathered"]

IMAGE_BYTES = 20_000_000
"""No provider takes a larger picture."""
UTF8_BYTES = 4
"""A character of UTF-8 has at most four bytes."""

MAGIC = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was typed, with its files."""

    text: str
    attachments: tuple[Attachment, ...] = ()


def gathered(words: list[str], files: list[Path], *, limit: int) -> Asked:
    """The question in `words` (or stdin) with `files`: texts are appended, images attached.

    `limit` is the most characters a question may have, files included. Raises
    `QuestionRejected` that names what is too big, unreadable or of an unknown kind.
    """
    parts = [_question(words, limit=limit)]
    images: list[Attachment] = []
    for path in files:
        data = _read(path, limit=limit)
        kind = next((kind for magic, kind in MAGIC if magic.match(data)), None)
        if kind is not None:
            images.append(Attachment(path.name, kind, data))
        else:
            parts.append(_fenced(path.name, _text(data, named=str(path))))
            _bounded(sum(map(len, parts)), named=str(path), limit=limit)
    return Asked("\n\n".join(parts), tuple(images))


def _question(words: list[str], *, limit: int) -> str:
    if words and words != ["-"]:
        # An argument that is not UTF-8 arrives with surrogates, which nothing can send.
        return " ".join(words).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if not words and sys.stdin.isatty():
        raise QuestionRejected("There is no question.", fix='Ask one: moabot ask "…"')
    data = sys.stdin.buffer.read(limit * UTF8_BYTES + 1)
    if len(data) > limit * UTF8_BYTES:
        _bounded(len(data) // UTF8_BYTES + 1, named="stdin", limit=limit)
    text = _text(data, named="stdin").strip()
    _bounded(len(text), named="stdin", limit=limit)
    return text


def _read(path: Path, *, limit: int) -> bytes:
    bound = max(limit * UTF8_BYTES, IMAGE_BYTES)
    try:
        with path.open("rb") as file:
            data = file.read(bound + 1)  # bounded before it is read: /dev/zero has no end
    except OSError as error:
        raise QuestionRejected(
            f"The file {str(path)!r} cannot be read: {error.strerror}.", fix="Correct --file."
        ) from error
    if len(data) > bound:
        raise QuestionRejected(
            f"The file {str(path)!r} has more than {bound / 1e6:.0f} MB.",
            fix="Ask about a part of it.",
        )
    return data


def _text(data: bytes, *, named: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise QuestionRejected(
            f"{named} is neither text in UTF-8 nor a PNG, JPEG, GIF or WebP image.",
            fix="Convert it first.",
        )
    return text


def _bounded(chars: int, *, named: str, limit: int) -> None:
    if chars > limit:
        raise QuestionRejected(
            f"With {named} the question has {chars:,} characters or more; "
            f"at most {limit:,} are read.",
            fix="Shorten it, or raise [limits] question_chars.",
        )


def _fenced(name: str, text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    title = re.sub(r"[`\s]+", " ", name)
    return f"{fence} {title}\n{text.rstrip()}\n{fence}"
