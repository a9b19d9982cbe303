"""Proposals as data: anonymous, shuffled, capped, inside delimiters that nobody can forge."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from hashlib import blake2b
from itertools import count

from moabot.contract import Proposal

__all__ = ["Unfenced", "fence", "unfenced"]

UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    r"\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""What a reader does not see and a model may: controls but tab and newline, line separators,
zero-width and bidirectional marks, tag characters; and halves of pairs, which no JSON can carry.
The joiners U+200C and U+200D stay: Persian, Hindi and many emoji are spelt with them."""

DELIMITER = re.compile(r"\[(?:proposal|end) (?:N|[0-9]{1,3}) [0-9a-f]{12,40}\]")
"""Also with a tag that was copied with a slip."""
BROKEN_OFF = re.compile(r"\[(?:proposal|end) (?:N|[0-9]{1,3}) [0-9a-f]{1,40}\Z")
LONGEST = len("[proposal 100 ]") + 40


def fence(
    proposals: Sequence[Proposal], *, instruction: str, seed: bytes, chars: int, slot: str
) -> str:
    """The proposals as one block of text that ends a prompt.

    The tag and the order come from `seed`, a secret of this answer that no proposer knows, and
    from `slot`, so that two aggregators read different orders and a resumed answer the same one.
    A tag that stands in a text (an earlier reader may have given it away) is not used. Each text
    is cut after `chars` characters. `instruction` names the tag by "{tag}".
    """
    texts = [_bounded(p.text, chars) for p in sorted(proposals, key=lambda p: p.slot)]
    tags = (
        blake2b(f"{slot}/{turn}".encode(), key=seed, digest_size=12).hexdigest() for turn in count()
    )
    tag = next(tag for tag in tags if not any(tag in text.casefold() for text in texts))
    random.Random(tag).shuffle(texts)  # noqa: S311 - its seed is secret, see above
    blocks = [
        f"[proposal {number} {tag}]\n{text}\n[end {number} {tag}]"
        for number, text in enumerate(texts, start=1)
    ]
    return "\n\n".join([instruction.replace("{tag}", tag), *blocks])


def unfenced(text: str) -> str:
    """A whole `text` without delimiters, which a weak model that reads them repeats."""
    return BROKEN_OFF.sub("", DELIMITER.sub("", text))


class Unfenced:
    """The same for a text that comes in pieces: what may yet become a delimiter is held back."""

    def __init__(self) -> None:
        self._held = ""

    def __call__(self, piece: str) -> str:
        """What can be shown now that `piece` has come."""
        text = DELIMITER.sub("", self._held + piece)
        begun = text.rfind("[")
        shown = begun if begun >= 0 and _may_become_one(text[begun:]) else len(text)
        self._held = text[shown:]
        return text[:shown]


def _may_become_one(end: str) -> bool:
    begins = (word.startswith(end) or end.startswith(word) for word in ("[proposal ", "[end "))
    return "]" not in end and len(end) < LONGEST and any(begins)


def _bounded(text: str, chars: int) -> str:
    clean = UNSEEN.sub("", text)
    return clean if len(clean) <= chars else f"{clean[:chars]}\n[cut here: longer than asked for]"
