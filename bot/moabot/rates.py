"""How many questions a person, a channel and a workspace may ask a minute."""

from __future__ import annotations

import math
from collections import OrderedDict

from aiolimiter import AsyncLimiter

from moabot.access import AdmissionSettings, channel_key, user_key, workspace_key
from moabot.contract import Message
from moabot.errors import Refused

__all__ = ["Rates"]

MINUTE_S = 60.0
MOST_LIMITERS = 30_000
"""About 0.5 kB each. The one that was quiet longest goes first: after a minute it knows nothing."""


class Rates:
    """Leaky buckets: a minute's questions may come at once, then one at a time as they leak out."""

    def __init__(self, settings: AdmissionSettings) -> None:
        self.settings = settings
        self._limiters: OrderedDict[tuple[str, int], AsyncLimiter] = OrderedDict()

    async def take(self, message: Message) -> None:
        """Count one question, or raise `Refused` and count none."""
        own, limiters = self.settings, list[AsyncLimiter]()
        for who, name, most in (
            ("You have", f"user {user_key(message, message.author)}", own.user_per_minute),
            ("This channel has", f"channel {channel_key(message)}", own.channel_per_minute),
            ("This workspace has", f"workspace {workspace_key(message)}", own.workspace_per_minute),
        ):
            if most is None:
                continue
            limiter = self._limiter(name, most)
            if not limiter.has_capacity():
                raise Refused(
                    f"{who} asked {most} questions within a minute, as many as are allowed.",
                    fix=f"Ask again in {math.ceil(MINUTE_S / most)} s.",
                )
            limiters.append(limiter)
        for limiter in limiters:
            await limiter.acquire()  # there is room, so this does not wait

    def _limiter(self, name: str, most: int) -> AsyncLimiter:
        key = name, most  # so that under other settings only another limit begins anew
        limiter = self._limiters.get(key)
        if limiter is None:
            limiter = self._limiters[key] = AsyncLimiter(most, MINUTE_S)
            if len(self._limiters) > MOST_LIMITERS:
                self._limiters.popitem(last=False)
        self._limiters.move_to_end(key)
        return limiter
