"""Who floods the bot is told so, but not a thousand times."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

__all__ = ["EVERY_S", "MOST", "Refusals"]

EVERY_S = 60.0
"""A person is told once in this time in each channel."""
MOST = 1000
"""People who are told in that time; chats take fewer such posts from a bot."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """Whom one process has told why they get no answer: (channel, person), longest ago first.

    The times are those of the loop's clock.
    """

    told_at: dict[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])

    def may_tell(self, channel: str, person: str) -> bool:
        """Whether it is time to tell somebody of a refusal; then it counts as told."""
        now, told_at = asyncio.get_running_loop().time(), self.told_at
        while told_at and now - told_at[first := next(iter(told_at))] >= EVERY_S:
            del told_at[first]
        if (channel, person) in told_at or len(told_at) >= MOST:
            return False
        told_at[channel, person] = now
        return True
