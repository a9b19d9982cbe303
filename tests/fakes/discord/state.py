"""What the fake Discord knows: one application, one server, its channels, people and messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from tests.fakes.discord.limits import Faults, Limits
from tests.fakes.discord.reading import Ping
from tests.fakes.discord.world import (
    EVERYBODY_MAY,
    MANAGE_GUILD,
    Channel,
    Clock,
    Json,
    Post,
    User,
)

T = TypeVar("T")
TOKEN = "MTA5OTk5OTk5OTk5OTk5OTk5OQ.GfAkE0.a-token-that-opens-nothing-but-this-fake"
MESSAGE_CONTENT_LIMITED = 1 << 19


@dataclass(frozen=True, slots=True)
class Request:
    """One REST request as it was answered: `route` is "POST /channels/{channel}/messages"."""

    route: str
    path: str
    status: int
    at_s: float
    body: Json = field(repr=False)


@dataclass(slots=True)
class State:
    """All that is known; `touch` wakes whoever waits for a change."""

    limits: Limits = field(default_factory=Limits)
    faults: Faults = field(default_factory=Faults)
    message_content: bool = False
    token: str | None = TOKEN
    clock: Clock = field(default_factory=Clock)
    url: str = ""
    guild_id: str = field(init=False)
    bot: User = field(init=False)
    users: dict[str, User] = field(default_factory=dict[str, User])
    channels: dict[str, Channel] = field(default_factory=dict[str, Channel])
    commands: dict[str, list[Json]] = field(default_factory=dict[str, "list[Json]"])
    syncs: int = 0
    requests: list[Request] = field(default_factory=list[Request])
    invalid_requests: int = 0
    typing: list[str] = field(default_factory=list[str])
    pings: list[Ping] = field(default_factory=list[Ping])
    nonces: dict[tuple[str, str], tuple[float, Post]] = field(
        default_factory=dict[tuple[str, str], tuple[float, Post]]
    )
    downloads: int = 0
    uploads: dict[str, bytes] = field(default_factory=dict[str, bytes], repr=False)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.guild_id = self.clock.snowflake()
        self.bot = User(self.clock.snowflake(), "moabot", bot=True)
        self.channel("general")

    def user(self, name: str) -> User:
        """The person of that name, who comes to the server when first named."""
        if name not in self.users:
            self.users[name] = User(self.clock.snowflake(), name)
        return self.users[name]

    def channel(self, name: str) -> Channel:
        """The channel or thread of that name or id; a text channel is made when first named."""
        found = self.known_channel(name)
        return found or self.add(Channel(self.clock.snowflake(), name, guild_id=self.guild_id))

    def known_channel(self, name: str) -> Channel | None:
        """The channel or thread of that name or id, if there is one."""
        named = (each for each in self.channels.values() if name in (each.name, each.id))
        return next(named, None)

    def direct(self, person: User) -> Channel:
        """The direct messages between the bot and a person."""
        for channel in self.channels.values():
            if channel.person is person:
                return channel
        return self.add(Channel(self.clock.snowflake(), f"@{person.name}", 1, person=person))

    def add(self, channel: Channel) -> Channel:
        """Keep a new channel."""
        self.channels[channel.id] = channel
        return channel

    def post(self, number: str) -> Post | None:
        """The message of that id, wherever it is."""
        found = (channel.posts.get(number) for channel in self.channels.values())
        return next((post for post in found if post is not None), None)

    def revoke(self) -> None:
        """The token opens nothing any more."""
        self.token = None

    def touch(self) -> None:
        """Something has changed."""
        self._changed.set()
        self._changed.clear()

    async def change(self) -> None:
        """Wait for the next change."""
        await self._changed.wait()

    async def until(self, true: Callable[[], T], *, within_s: float = 10.0) -> T:
        """Wait until `true()` is, and return what it returned; raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while not (value := true()):
                await self._changed.wait()
            return value

    def member(self, user: User) -> Json:
        """A person on the server, as Discord writes it."""
        return {
            "user": user.wire(),
            "nick": None,
            "avatar": None,
            "roles": [],
            "joined_at": "2026-01-01T00:00:00+00:00",
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "pending": False,
            "flags": 0,
            "communication_disabled_until": None,
        }

    def may(self, user: User) -> int:
        """What a person may do on the server, as permission bits."""
        return EVERYBODY_MAY | (MANAGE_GUILD if user.manages else 0)

    def application(self) -> Json:
        """The bot's application."""
        return {
            "id": self.bot.id,
            "name": "moabot",
            "icon": None,
            "description": "",
            "summary": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "flags": MESSAGE_CONTENT_LIMITED if self.message_content else 0,
            "owner": self.user("owner").wire(),
            "team": None,
            "bot": self.bot.wire(),
            "hook": True,
            "integration_types_config": {"0": {}, "1": {}},
        }

    def role(self) -> Json:
        """The role that everybody on the server has."""
        return {
            "id": self.guild_id,
            "name": "@everyone",
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "icon": None,
            "unicode_emoji": None,
            "position": 0,
            "permissions": str(EVERYBODY_MAY),
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }

    def guild(self) -> Json:
        """The server, without what only the gateway tells."""
        nothing = dict.fromkeys(
            "icon splash discovery_splash banner description vanity_url_code afk_channel_id"
            " system_channel_id rules_channel_id public_updates_channel_id"
            " safety_alerts_channel_id application_id widget_channel_id".split()
        )
        zero = dict.fromkeys(
            "verification_level default_message_notifications explicit_content_filter mfa_level"
            " premium_tier premium_subscription_count system_channel_flags nsfw_level".split(),
            0,
        )
        empty: Json = {name: [] for name in ("emojis", "features", "stickers")}
        return {**nothing, **zero, **empty} | {
            "id": self.guild_id,
            "name": "Acme",
            "owner_id": self.user("owner").id,
            "region": "",
            "afk_timeout": 300,
            "preferred_locale": "en-US",
            "nsfw": False,
            "premium_progress_bar_enabled": False,
            "max_members": 500_000,
            "roles": [self.role()],
        }

    def welcome(
        self, session_id: str, shard: tuple[int, int], *, url: str
    ) -> list[tuple[str, Json]]:
        """READY, and the server as it becomes available."""
        place, of = shard
        mine = (int(self.guild_id) >> 22) % of == place
        ready: Json = {
            "v": 10,
            "user": self.bot.wire() | {"verified": True, "mfa_enabled": True, "email": None},
            "guilds": [{"id": self.guild_id, "unavailable": True}] if mine else [],
            "session_id": session_id,
            "session_type": "normal",
            "resume_gateway_url": url,
            "shard": [place, of],
            "application": {"id": self.bot.id, "flags": self.application()["flags"]},
            "private_channels": [],
            "relationships": [],
            "presences": [],
            "user_settings": {},
            "_trace": [],
        }
        everybody = [*self.users.values(), self.bot]
        here = [channel for channel in self.channels.values() if channel.guild_id == self.guild_id]
        lists: Json = {
            name: []
            for name in (
                "voice_states presences stage_instances guild_scheduled_events soundboard_sounds"
            ).split()
        }
        server = self.guild() | lists
        server |= {
            "joined_at": "2026-01-01T00:00:00+00:00",
            "large": False,
            "unavailable": False,
            "member_count": len(everybody),
            "members": [self.member(self.bot)],
            "channels": [channel.wire(self.bot) for channel in here if not channel.is_thread],
            "threads": [channel.wire(self.bot) for channel in here if channel.is_thread],
        }
        return [("READY", ready), ("GUILD_CREATE", server)]
