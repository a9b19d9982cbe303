"""Proposals as data: anonymous, shuffled, capped, inside delimiters that nobody can forge."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from hashlib import blake2b

from moabot.contract import Proposal

__all__ = ["fence"]

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""C0 and C1 controls but tab and newline, zero-width and bidirectional marks."""


def fence(
    proposals: Sequence[Proposal], *, instruction: str, seed: bytes, chars: int, slot: str
) -> str:
    """The proposals as one block of text that ends a prompt.

    The tag and the order come from `seed`, a secret of this answer that no proposer knows, and
    from `slot`, so that two aggregators read different orders and a resumed answer the same one.
    Each text is cut after `chars` characters. `instruction` names the tag by "{tag}".
    """
    tag = blake2b(slot.encode(), key=seed, digest_size=12).hexdigest()
    shuffled = sorted(proposals, key=lambda proposal: proposal.slot)
    random.Random(tag).shuffle(shuffled)  # noqa: S311 - its seed is secret, see above
    blocks = [
        f"[proposal {number} {tag}]\n{_bounded(proposal.text, chars)}\n[end {number} {tag}]"
        for number, proposal in enumerate(shuffled, start=1)
    ]
    return "\n\n".join([instruction.replace("{tag}", tag), *blocks])


def _bounded(text: str, chars: int) -> str:
    clean = CONTROLS.sub("", text)
    return clean if len(clean) <= chars else f"{clean[:chars]}\n[cut here: longer than asked for]"
