"""What stands on the fake Discord: people, channels, messages, and how Discord writes each as JSON."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

SUPPRESS_EMBEDS = 1 << 2
EPHEMERAL = 1 << 6
LOADING = 1 << 7
COMPONENTS_V2 = 1 << 15

MANAGE_GUILD = 1 << 5
VIEW_CHANNEL = 1 << 10
ATTACH_FILES = 1 << 15
SEND_MESSAGES = 1 << 11
MENTION_EVERYONE = 1 << 17
CREATE_PUBLIC_THREADS = 1 << 35
SEND_IN_THREADS = 1 << 38
READ_HISTORY = 1 << 16
EVERYBODY_MAY = (
    VIEW_CHANNEL
    | SEND_MESSAGES
    | MENTION_EVERYONE
    | CREATE_PUBLIC_THREADS
    | SEND_IN_THREADS
    | READ_HISTORY
    | 1 << 6  # add reactions
    | 1 << 14  # embed links
    | ATTACH_FILES
    | 1 << 31  # use application commands
)
TEXT, DM, GROUP, PUBLIC_THREAD, PRIVATE_THREAD = 0, 1, 3, 11, 12
DISCORDS_BIRTH_MS = 1_420_070_400_000


@dataclass(slots=True)
class Clock:
    """Discord's clock: the event loop's, virtual if that is, and what a test lets pass at once."""

    passed_s: float = 0.0
    _began: float = field(default_factory=time.time)
    _began_loop: float | None = None
    _last_id: int = 0

    def now_s(self) -> float:
        """Seconds since 1970."""
        loop_s = asyncio.get_running_loop().time()
        if self._began_loop is None:
            self._began_loop = loop_s
        return self._began + loop_s - self._began_loop + self.passed_s

    def date(self) -> str:
        """The time as Discord writes it."""
        return datetime.fromtimestamp(self.now_s(), UTC).isoformat()

    def snowflake(self) -> str:
        """A new id: later ones are greater, and milliseconds stand in the upper bits."""
        ms = int(self.now_s() * 1000) - DISCORDS_BIRTH_MS
        self._last_id = max(self._last_id + 1, ms << 22)
        return str(self._last_id)


@dataclass(slots=True, eq=False)
class User:
    """A person or a bot. One who `manages` may change the server's settings."""

    id: str
    name: str
    bot: bool = False
    manages: bool = False

    def wire(self) -> Json:
        """As Discord writes it."""
        return {
            "id": self.id,
            "username": self.name,
            "global_name": self.name.capitalize(),
            "discriminator": "0",
            "avatar": None,
            "bot": self.bot,
            "system": False,
            "public_flags": 0,
        }


@dataclass(slots=True, eq=False)
class Channel:
    """A text channel, a thread in one, or a direct message to `person`.

    `denied` are the permission bits that the bot lacks here; `known` says whether the bot's
    application is on the server at all: elsewhere it answers people who installed it themselves.
    """

    id: str
    name: str
    type: int = TEXT
    guild_id: str = ""
    parent_id: str | None = None
    person: User | None = None
    denied: int = 0
    private: bool = False
    known: bool = True
    posts: dict[str, Post] = field(default_factory=dict[str, "Post"], repr=False)

    @property
    def is_thread(self) -> bool:
        """Whether it is one."""
        return self.type in {PUBLIC_THREAD, PRIVATE_THREAD}

    def wire(self, bot: User) -> Json:
        """As Discord writes it."""
        common: Json = {"id": self.id, "type": self.type, "last_message_id": None, "flags": 0}
        if self.person is not None:
            return common | {"recipients": [self.person.wire()]}
        if self.type == GROUP:
            return common | {"recipients": [], "name": self.name, "owner_id": None, "icon": None}
        common |= {
            "guild_id": self.guild_id,
            "name": self.name,
            "parent_id": self.parent_id,
            "rate_limit_per_user": 0,
        }
        if self.is_thread:
            return common | self._thread(bot)
        denied_to_all = VIEW_CHANNEL if self.private else 0
        overwrites = [
            {"id": self.guild_id, "type": 0, "allow": "0", "deny": str(denied_to_all)},
            {
                "id": bot.id,
                "type": 1,
                "allow": str(denied_to_all & ~self.denied),
                "deny": str(self.denied),
            },
        ]
        return common | {
            "topic": None,
            "position": 0,
            "nsfw": False,
            "permission_overwrites": overwrites,
        }

    def _thread(self, bot: User) -> Json:
        joined = datetime.now(UTC).isoformat()
        return {
            "owner_id": bot.id,
            "message_count": len(self.posts),
            "total_message_sent": len(self.posts),
            "member_count": 1,
            "thread_metadata": {
                "archived": False,
                "auto_archive_duration": 1440,
                "archive_timestamp": joined,
                "create_timestamp": joined,
                "locked": False,
            },
            "member": {
                "id": self.id,
                "user_id": bot.id,
                "join_timestamp": joined,
                "flags": 0,
            },
        }


@dataclass(slots=True, eq=False)
class Post:
    """A message as it stands now. `before` are the texts that it had, `only_for` who alone sees it.

    `files` maps a name to its bytes; `reply_to` is the message it answers; `allowed` is what the
    bot said may ping, None when it said nothing.
    """

    id: str
    channel: Channel
    author: User
    date: str
    content: str = ""
    components: list[Json] = field(default_factory=list[Json])
    embeds: list[Json] = field(default_factory=list[Json])
    attachments: list[Json] = field(default_factory=list[Json])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes], repr=False)
    flags: int = 0
    edited: str | None = None
    nonce: str | None = None
    reply_to: Post | None = field(default=None, repr=False)
    mentions: list[User] = field(default_factory=list[User])
    allowed: Json | None = None
    only_for: User | None = None
    asked_with: Json | None = field(default=None, repr=False)
    reactions: list[str] = field(default_factory=list[str])
    before: list[str] = field(default_factory=list[str], repr=False)
    deleted: bool = False
    thread: Channel | None = field(default=None, repr=False)

    @property
    def loading(self) -> bool:
        """Whether it still says that the bot is thinking."""
        return bool(self.flags & LOADING)

    @property
    def text(self) -> str:
        """What a person reads: the content, or the texts of the components."""
        if self.loading:
            return ""
        return self.content or "\n".join(texts(self.components))

    @property
    def buttons(self) -> dict[str, str]:
        """The labels of the buttons that can be pressed, each with its custom id."""
        return {
            str(part.get("label") or part.get("emoji", {}).get("name")): part["custom_id"]
            for part in walk(self.components)
            if part["type"] == 2 and "custom_id" in part and not part.get("disabled")
        }

    def wire(self, *, content_for: User | None = None, depth: int = 1) -> Json:
        """As Discord writes it; empty for a bot `content_for` that may not read it.

        A bot without the Message Content intent reads its own messages, direct messages, and
        those that mention it.
        """
        hidden = content_for is not None and not self.is_readable(content_for)
        value: Json = {
            "id": self.id,
            "channel_id": self.channel.id,
            "author": self.author.wire(),
            "content": "" if hidden else self.content,
            "timestamp": self.date,
            "edited_timestamp": self.edited,
            "tts": False,
            "mention_everyone": False,
            "mentions": [user.wire() for user in self.mentions],
            "mention_roles": [],
            "attachments": [] if hidden else self.attachments,
            "embeds": [] if hidden else self.embeds,
            "components": [] if hidden else self.components,
            "reactions": [],
            "pinned": False,
            "type": 0,
            "flags": self.flags,
        }
        if self.nonce is not None:
            value["nonce"] = self.nonce
        if self.author.bot:
            value["application_id"] = self.author.id
        if self.asked_with is not None:
            value |= {"type": 20, "interaction_metadata": self.asked_with}
        if self.reply_to is not None:
            value |= self._reference(content_for, depth)
        return value

    def is_readable(self, bot: User) -> bool:
        """Whether a bot without the Message Content intent may read this message."""
        return self.channel.type == DM or self.author is bot or bot in self.mentions

    def _reference(self, content_for: User | None, depth: int) -> Json:
        original = self.reply_to
        assert original is not None
        reference: Json = {"type": 0, "message_id": original.id, "channel_id": original.channel.id}
        if original.channel.guild_id:
            reference["guild_id"] = original.channel.guild_id
        value: Json = {"type": 19, "message_reference": reference}
        if depth:
            shown = original.wire(content_for=content_for, depth=depth - 1)
            value["referenced_message"] = None if original.deleted else shown
        return value


def walk(components: list[Json]) -> list[Json]:
    """Every component, those inside others too, in the order in which they are seen."""
    found: list[Json] = []
    for part in components:
        found.append(part)
        found += walk(part.get("components", []))
        found += walk([part[inner] for inner in ("accessory", "component") if inner in part])
    return found


def texts(components: list[Json]) -> list[str]:
    """The texts of text displays."""
    return [str(part["content"]) for part in walk(components) if part["type"] == 10]
