"""What our messages carry, so that any process can tell what they belong to.

A button's id names the event and its thread; a text's component id is a number made of the event
and its page. Neither can be seen, and both come back with the message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, get_args

__all__ = ["Press", "Pressed", "mark", "nonce", "read_press"]

Pressed = Literal["good", "bad", "again", "deeper", "shown", "turned", "stop"]
WORDS: dict[str, Pressed] = {word: word for word in get_args(Pressed)}
PRESS = re.compile(rf"moabot:({'|'.join(WORDS)}):(i?\d{{1,20}}):(\w{{0,21}}):(\d{{1,4}})")


@dataclass(frozen=True, slots=True)
class Press:
    """A click: what it wants of which event, in which thread, and for "turned" to which page."""

    what: Pressed
    event_id: str
    thread: str
    page: int = 0

    def __str__(self) -> str:
        return f"moabot:{self.what}:{self.event_id}:{self.thread}:{self.page}"

    @property
    def event(self) -> str:
        """The event's name over all platforms."""
        return f"discord:{self.event_id}"


def read_press(custom_id: str) -> Press | None:
    """The click that a button's id stands for; None for what is not ours."""
    found = PRESS.fullmatch(custom_id)
    if found is None:
        return None
    return Press(WORDS[found[1]], found[2], found[3], int(found[4]))


def mark(event_id: str, page: int) -> int:
    """The component id of one page: positive, 31 bits, as Discord wants them."""
    return int.from_bytes(_hash(event_id, page)[:4]) % (2**31 - 1000) + 1000


def nonce(event_id: str, page: int, generation: int = 0) -> str:
    """The same for the same post, so that Discord itself drops a second one; 25 characters at most.

    A `generation` more is a new post, wanted when the first was deleted.
    """
    return _hash(event_id, page, generation).hex()[:24]


def _hash(*parts: object) -> bytes:
    return blake2b(repr(parts).encode(), digest_size=16).digest()
