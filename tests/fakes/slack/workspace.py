"""What is kept at Slack: people, channels, posts, views, files."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack.shown import pictures, pings, reading

Json = dict[str, Any]


@dataclass(slots=True)
class Person:
    """A member of a workspace."""

    id: str
    name: str
    admin: bool = False
    owner: bool = False
    bot: bool = False
    team: str = ""
    """The workspace they are from; empty: the one they are asked about in."""


@dataclass(slots=True)
class Channel:
    """`kind` is channel, group (private) or im."""

    id: str
    name: str
    kind: str
    team: str
    members: set[str] = field(default_factory=set[str])
    archived: bool = False


@dataclass(slots=True)
class Stream:
    """The making of a streamed message; `tasks` are its task cards by id."""

    began: float
    last: float
    to: str
    mode: str = ""
    open: bool = True
    plan: str = ""
    tasks: dict[str, Json] = field(default_factory=dict[str, Json])
    blocks: list[Json] = field(default_factory=list[Json])


@dataclass(slots=True)
class Post:
    """A message. `to` is who alone sees it; `before` are the texts that stood there earlier."""

    ts: str
    channel: str
    user: str
    text: str = ""
    markdown: str = ""
    blocks: list[Json] = field(default_factory=list[Json])
    thread_ts: str = ""
    to: str = ""
    metadata: Json | None = None
    files: list[Json] = field(default_factory=list[Json])
    stream: Stream | None = None
    edits: int = 0
    before: list[str] = field(default_factory=list[str])
    deleted: bool = False
    unfurls: bool = True
    by_name: bool = False
    """Whether @name rings as well: link_names, or parse=full."""
    reactions: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    bot_id: str = ""

    @property
    def shown(self) -> str:
        """The text on the screen; of blocks, each one's, line by line."""
        return reading(self.text, self.markdown, self._all_blocks())

    @property
    def pings(self) -> list[str]:
        """Whom its text rings: <!channel>, <@U1> and the like."""
        return pings(self.text, self.markdown, self._all_blocks(), by_name=self.by_name)

    @property
    def pictures(self) -> list[str]:
        """Addresses that a reader's client loads by itself."""
        return pictures(self.markdown, self._all_blocks())

    @property
    def streaming(self) -> bool:
        """Whether more text may come."""
        return self.stream is not None and self.stream.open

    @property
    def tasks(self) -> dict[str, Json]:
        """Its task cards, by id."""
        return self.stream.tasks if self.stream else {}

    def _all_blocks(self) -> list[Json]:
        return [*self.blocks, *(self.stream.blocks if self.stream else [])]

    def wire(self, *, team: str, metadata: bool = False) -> Json:
        """As the Web API and events hand it out."""
        said: Json = {
            "type": "message",
            "user": self.user,
            "text": self.text or self.markdown,
            "ts": self.ts,
            "team": team,
        }
        optional: Json = {
            "thread_ts": self.thread_ts,
            "blocks": self.blocks,
            "files": self.files,
            "bot_id": self.bot_id,
            "edited": {"user": self.user, "ts": self.ts} if self.edits else None,
            "metadata": self.metadata if metadata else None,
            "reactions": [
                {"name": name, "users": sorted(users), "count": len(users)}
                for name, users in self.reactions.items()
            ],
        }
        return said | {name: value for name, value in optional.items() if value}


@dataclass(slots=True)
class View:
    """A modal, or somebody's App Home."""

    id: str
    user: str
    content: Json
    hash: str
    open: bool = True
    root: str = ""
    errors: dict[str, str] = field(default_factory=dict[str, str])

    def wire(self, *, team: str, bot: str) -> Json:
        """As Slack hands it out."""
        filled: Json = {"state": {"values": {}}, "private_metadata": "", "callback_id": ""}
        return filled | {
            **self.content,
            "id": self.id,
            "team_id": team,
            "hash": self.hash,
            "root_view_id": self.root or self.id,
            "previous_view_id": None,
            "app_id": "A1",
            "bot_id": bot,
        }


@dataclass(frozen=True, slots=True)
class Call:
    """One Web API call. `error` is what Slack refused it with, or the fault that hit it."""

    at: float
    method: str
    args: Json
    team: str
    error: str = ""


@dataclass(slots=True)
class Team:
    """A workspace that installed the app."""

    id: str
    token: str
    bot: str
    bot_id: str
    scopes: tuple[str, ...]
    name: str = ""


@dataclass(slots=True)
class Workspace:
    """All of it. Timestamps are unique over all channels."""

    teams: dict[str, Team] = field(default_factory=dict[str, Team])
    people: dict[str, Person] = field(default_factory=dict[str, Person])
    channels: dict[str, Channel] = field(default_factory=dict[str, Channel])
    posts: dict[tuple[str, str], Post] = field(default_factory=dict[tuple[str, str], Post])
    views: dict[str, View] = field(default_factory=dict[str, View])
    homes: dict[str, View] = field(default_factory=dict[str, View])
    files: dict[str, tuple[Json, bytes]] = field(default_factory=dict[str, tuple[Json, bytes]])
    statuses: dict[tuple[str, str], tuple[float, str, list[str]]] = field(
        default_factory=dict[tuple[str, str], tuple[float, str, list[str]]]
    )
    sessions: dict[tuple[str, str], Json] = field(default_factory=dict[tuple[str, str], Json])
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _threads: dict[tuple[str, str], list[Post]] = field(
        default_factory=dict[tuple[str, str], list[Post]]
    )
    _last: int = 0

    def stamp(self, now: float) -> str:
        """A timestamp that nothing else has, as Slack writes them."""
        self._last = max(self._last + 1, int(now * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def name(self, kind: str) -> str:
        """A new id."""
        return f"{kind}{next(self._numbers):08d}"

    def add(self, post: Post) -> None:
        """Put it where it is found."""
        self.posts[post.channel, post.ts] = post
        self._threads.setdefault((post.channel, post.thread_ts or post.ts), []).append(post)

    def thread(self, channel: str, ts: str) -> list[Post]:
        """What stands in a thread, the first message included, in order."""
        return [post for post in self._threads.get((channel, ts), []) if not post.deleted]
