"""How fast a model was lately: when to lose patience with it, and what a stopped call had cost."""

from __future__ import annotations

from collections import deque
from statistics import median

__all__ = ["Pace"]

REMEMBERED = 200
ENOUGH = 10
HEDGE_AT = 2.0
"""Times the median. Measured: one hedge of the aggregator there halves the p99 for +0.2 calls."""
SOONEST_S = 0.25
"""Below it, twice the median is within the jitter of network and event loop."""


class Pace:
    """Latencies of one model's last 200 good calls, streamed and whole ones apart."""

    def __init__(self) -> None:
        self._firsts: dict[bool, deque[float]] = {
            streamed: deque(maxlen=REMEMBERED) for streamed in (True, False)
        }
        self._wholes: deque[float] = deque(maxlen=REMEMBERED)
        self._tokens: deque[int] = deque(maxlen=REMEMBERED)

    def note(self, *, first_s: float, whole_s: float, tokens: int, streamed: bool) -> None:
        """A call went well: seconds to its first sign and to its end, tokens it wrote."""
        self._firsts[streamed].append(first_s)
        self._wholes.append(whole_s)
        self._tokens.append(tokens)

    def patience_s(self, *, streamed: bool, default_s: float) -> float:
        """Seconds of silence after which a backup is worth its money."""
        firsts = self._firsts[streamed]
        return default_s if len(firsts) < ENOUGH else max(HEDGE_AT * median(firsts), SOONEST_S)

    def written_by(self, seconds: float, *, usual: int) -> int:
        """Tokens that a call had probably written after `seconds`; `usual` is its full length."""
        if not self._wholes:
            return usual
        return round(median(self._tokens) * min(1.0, seconds / max(median(self._wholes), 1e-6)))

    @property
    def usual_s(self) -> float | None:
        """The median length of a call in seconds, None before the first."""
        return median(self._wholes) if self._wholes else None
