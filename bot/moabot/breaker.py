"""Leaving a failing model alone for a while."""

from __future__ import annotations

import random
from collections import deque

__all__ = ["Breaker"]

IN_A_ROW = 5
WINDOW = 20
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 60.0
HAIR_S = 0.001


class Breaker:
    """Open after 5 failures in a row, or half of the last 20 calls; then one probe at a time.

    The pause doubles with every failed probe, from 5 to 60 seconds, with jitter. A cancelled
    call counts neither way: purgatory 3.0.1 opened on three cancelled tasks. All times are loop
    times.
    """

    def __init__(self) -> None:
        self._recent: deque[bool] = deque(maxlen=WINDOW)
        self._row = 0
        self._openings = 0
        self._open_until = 0.0
        self._probing = False

    def rests(self, now: float) -> bool:
        """Whether its pause is still running; clocks that fire a hair early are forgiven."""
        return self._open_until - now > HAIR_S

    def pause_s(self, now: float) -> float:
        """Seconds that its pause still runs; asking takes no probe."""
        return self._open_until - now if self.rests(now) else 0.0

    def closed_in(self, now: float) -> float:
        """Seconds until a call is let through; 0 means now, and takes the probe when half open."""
        if self.rests(now):
            return self._open_until - now
        if self._openings == 0:
            return 0.0
        if self._probing:
            return FIRST_PAUSE_S
        self._probing = True
        return 0.0

    def succeeded(self) -> None:
        """A call came back well: an open breaker closes."""
        if self._openings:
            self._recent.clear()
            self._open_until = 0.0  # but a Retry-After that opened nothing still holds
        self._recent.append(True)
        self._row = self._openings = 0
        self._probing = False

    def failed(self, now: float, *, retry_after_s: float | None = None) -> None:
        """A call failed through the provider's fault; `retry_after_s` is the pause it asked for."""
        probed, self._probing = self._probing, False
        # What fails though the breaker is open began before that, or was a last resort.
        open_already = self._openings > 0 and not probed
        if probed or (not open_already and self._worn_out()):
            self._openings += 1
            longest = min(FIRST_PAUSE_S * 2 ** (self._openings - 1), LONGEST_PAUSE_S)
            self._open_until = now + random.uniform(longest / 2, longest)  # noqa: S311 - jitter
            self._row = 0
            self._recent.clear()
        if retry_after_s is not None:
            self._open_until = max(self._open_until, now + retry_after_s)

    def _worn_out(self) -> bool:
        self._recent.append(False)
        self._row += 1
        half = len(self._recent) == WINDOW and self._recent.count(False) * 2 >= WINDOW
        return half or self._row >= IN_A_ROW

    def let_go(self) -> None:
        """A call was cancelled: it says nothing about the provider, but frees the probe."""
        self._probing = False
