"""Files that came with a question: pictures for the models, texts in its words, notes on the rest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from moabot.contract import Attachment, Message

__all__ = ["MOST", "Fetched", "gathered", "is_wanted"]

MOST = 5
"""Files of one message that are read."""
TEXT_CHARS = 20_000
TEXTUAL = ("text/", "application/json", "application/xml", "application/x-yaml", "application/toml")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What could be read: pictures, and `words` to put after the question."""

    pictures: tuple[Attachment, ...] = ()
    words: str = ""

    def added_to(self, message: Message) -> Message:
        """The question with what came with it."""
        text = "\n\n".join(each for each in (message.text, self.words) if each)
        return replace(message, text=text, attachments=self.pictures)


def is_wanted(media_type: str) -> bool:
    """Whether models can be shown such a file."""
    return Attachment("", media_type, b"").is_image or media_type.startswith(TEXTUAL)


def gathered(files: Sequence[tuple[str, Attachment | str]]) -> Fetched:
    """Each file's name with the file, or with the reason why there is none."""
    pictures: list[Attachment] = []
    words: list[str] = []
    for name, found in files:
        if isinstance(found, str):
            words.append(f"[The file {name!r} was not read: {found}.]")
        elif found.is_image:
            pictures.append(found)
        else:
            words.append(_quoted(found))
    return Fetched(tuple(pictures), "\n\n".join(words))


def _quoted(file: Attachment) -> str:
    text = file.data.decode("utf-8-sig", errors="replace")
    cut = "" if len(text) <= TEXT_CHARS else " (its beginning)"
    shown = text[:TEXT_CHARS].rstrip()
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", shown)), 3)
    return f"The file {file.name!r}{cut}:\n{fence}\n{shown}\n{fence}"
