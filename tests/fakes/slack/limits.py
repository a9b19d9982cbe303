"""How much Slack takes, and how often: its documented limits, and those that others ran into."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field

TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
"""Calls a minute, for each method, workspace and app."""

TIER_OF = {  # apps.connections.open is of tier 1 on paper; ten at once are allowed and usual
    "chat.startStream": 2,
    "chat.stopStream": 2,
    "agents.sessions.rename": 3,
    "agents.sessions.setStatus": 3,
    "chat.delete": 3,
    "chat.update": 3,
    "conversations.history": 3,
    "conversations.info": 3,
    "conversations.replies": 3,
    "reactions.add": 3,
    "reactions.remove": 2,
    "chat.appendStream": 4,
    "chat.postEphemeral": 4,
    "conversations.members": 4,
    "files.info": 4,
    "oauth.v2.access": 4,
    "users.info": 4,
    "views.open": 4,
    "views.publish": 4,
    "views.push": 4,
    "views.update": 4,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in characters, times in seconds. `tiers`: whether calls are counted."""

    tiers: bool = False
    post_text: int = 40_000
    """chat.postMessage cuts what is longer."""
    update_text: int = 4_000
    """chat.update refuses what is longer."""
    markdown_text: int = 12_000
    blocks: int = 50
    blocks_text: int = 13_200
    stream_text: int = 12_000
    """In all; nobody is known to have got more through."""
    stream_life_s: float = 300.0
    stream_silence_s: float = 300.0
    status_life_s: float = 120.0
    loading_messages: int = 10
    ack_s: float = 3.0
    retries_s: tuple[float, ...] = (0.0, 60.0, 300.0)
    """How long after a failure the next try comes."""
    trigger_s: float = 3.0
    response_uses: int = 5
    response_s: float = 1800.0
    posts_a_second: float = 1.0
    """In each channel."""
    posts_at_once: int = 5
    connections: int = 10
    body_bytes: int = 4_000_000


@dataclass(slots=True)
class Rates:
    """Who called what when, over the last minute."""

    limits: Limits
    _calls: dict[tuple[str, str], deque[float]] = field(
        default_factory=lambda: defaultdict(deque[float])
    )
    _posts: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])

    def wait_s(self, method: str, team: str, channel: str, *, now: float) -> int:
        """Seconds that a call has to wait; 0: it is counted, and goes through."""
        if not self.limits.tiers:
            return 0
        if method == "chat.postMessage":
            return self._post(channel, now)
        allowed = TIERS.get(TIER_OF.get(method, 0))
        if allowed is None:
            return 0
        calls = self._calls[method, team]
        while calls and calls[0] <= now - 60:
            calls.popleft()
        if len(calls) >= allowed:
            return max(1, math.ceil(calls[0] + 60 - now))
        calls.append(now)
        return 0

    def _post(self, channel: str, now: float) -> int:
        """A bucket for each channel, refilled steadily."""
        most = float(self.limits.posts_at_once)
        left, at = self._posts.get(channel, (most, now))
        left = min(most, left + (now - at) * self.limits.posts_a_second)
        self._posts[channel] = (left - 1, now) if left >= 1 else (left, now)
        return 0 if left >= 1 else max(1, math.ceil((1 - left) / self.limits.posts_a_second))
