"""How much Discord takes: buckets by route, fifty requests a second in all, and what it counts."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Fault = Literal["500", "502", "cut", "lost", "slow", "429", "banned"]
KINDS: tuple[Fault, ...] = ("500", "502", "cut", "lost", "slow", "429")

# Requests, and the seconds in which they may come, for each channel, message or token.
BUCKETS: dict[str, tuple[int, float]] = {
    "POST /channels/{channel}/messages": (5, 5.0),
    "PATCH /channels/{channel}/messages/{message}": (5, 5.0),
    "DELETE /channels/{channel}/messages/{message}": (5, 1.0),
    "POST /channels/{channel}/typing": (5, 5.0),
    "PUT /channels/{channel}/messages/{message}/reactions/{emoji}/@me": (1, 0.25),
    "DELETE /channels/{channel}/messages/{message}/reactions/{emoji}/@me": (1, 0.25),
    "POST /webhooks/{application}/{token}": (5, 2.0),
    "PATCH /webhooks/{application}/{token}/messages/{message}": (5, 2.0),
}
GLOBAL = (50, 1.0)
INVALID = (10_000, 600.0)


@dataclass(slots=True)
class Window:
    """So many in so many seconds, counted from the first."""

    limit: int
    seconds: float
    used: int = 0
    ends_s: float = 0.0

    def take(self, now_s: float) -> bool:
        """Count one; False when it is one too many."""
        if now_s >= self.ends_s:
            self.used, self.ends_s = 0, now_s + self.seconds
        self.used += 1
        return self.used <= self.limit

    def headers(self, now_s: float, name: str) -> dict[str, str]:
        """What Discord tells about it with each answer."""
        left_s = max(self.ends_s - now_s, 0.001)
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(self.limit - self.used, 0)),
            "X-RateLimit-Reset": f"{now_s + left_s:.3f}",
            "X-RateLimit-Reset-After": f"{left_s:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(name.encode()).hexdigest()[:32],
        }


@dataclass(slots=True)
class Limits:
    """What Discord enforces. `pace` divides every window of requests: 100 makes 5 s 50 ms.

    The three seconds and fifteen minutes of interactions run on the clock instead, which a test
    can move.
    """

    pace: float = 1.0
    identifies: int = 1000
    identify_every_s: float = 5.0
    sends: tuple[int, float] = (120, 60.0)
    heartbeat_s: float = 41.25
    acknowledge_s: float = 3.0
    token_s: float = 900.0
    nonce_s: float = 180.0
    windows: dict[str, Window] = field(default_factory=dict[str, Window])

    def window(self, name: str, size: tuple[int, float]) -> Window:
        """The one of that name, which is made when it is first asked for."""
        if name not in self.windows:
            self.windows[name] = Window(size[0], size[1] / self.pace)
        return self.windows[name]


@dataclass(slots=True)
class Faults:
    """What goes wrong: what is in `coming` first, each once, then by `chance` of a seeded dice.

    500 and 502 are answers without effect; "cut" breaks the connection before anything happens,
    "lost" after it has; "slow" takes `slow_s` longer; "429" is a limit shared with others; "banned"
    is the limit of an address, which tells `retry_after`, if that is anything.
    `hits` says whether a request (such as "POST /channels/{channel}/messages") may be hit.
    """

    chance: float = 0.0
    seed: int = 0
    kinds: tuple[Fault, ...] = KINDS
    slow_s: float = 0.02
    retry_after: str = ""
    coming: deque[Fault] = field(default_factory=deque[Fault])
    hits: Callable[[str], bool] = lambda _: True
    happened: Counter[str] = field(default_factory=Counter[str])
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - a seed repeats a run

    def next(self, request: str) -> Fault | None:
        """What goes wrong with this request."""
        if not self.hits(request):
            return None
        if self.coming:
            fault = self.coming.popleft()
        elif self.chance and self.dice.random() < self.chance:
            fault = self.dice.choice(self.kinds)
        else:
            return None
        self.happened[fault] += 1
        return fault
