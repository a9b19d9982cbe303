"""Where an answer is shown: a channel, or the reply to a command while its token lives."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

import discord

from moabot_platforms.discord.parts import marks_in

if TYPE_CHECKING:
    from moabot_platforms.discord.layout import Page

__all__ = [
    "ALONE",
    "DEAD_TOKEN",
    "MANY",
    "PAGES",
    "InChannel",
    "InReply",
    "Place",
    "Right",
    "dies_at",
]

Right = Literal["write", "attach", "branch", "read", "reply"]
"""What a bot may be allowed in a channel by itself: who may not write may reply to a command."""
PAGES = 5
"""Messages that one answer may fill, if a longer one can be attached as a file."""
MANY = 1000
"""The same where nothing can be attached."""
ALONE = "alone"
"""In a receipt: nothing may go into the channel instead."""
DEAD_TOKEN = 50027
"""Discord's word for an interaction that is too old, which comes with the status 401."""
TOKEN_S = 14 * 60.0
"""Seconds for which we trust an interaction's token; Discord forgets it after 15 minutes."""
QUIET = discord.AllowedMentions.none()


class Place(Protocol):
    """Takes the messages of one answer. Errors are discord.py's own."""

    @property
    def channel(self) -> int:
        """The channel's id."""
        ...

    @property
    def pages(self) -> int:
        """How many messages an answer may fill; a longer one is attached as a file."""
        ...

    @property
    def right(self) -> Right:
        """What it takes to show a page there."""
        ...

    def receipt(self, message: int) -> str:
        """What finds the place and its first message again, in another process."""
        ...

    async def post(self, page: Page, *, nonce: str) -> int:
        """Post a message; the same nonce within minutes gives the same message. Returns its id."""
        ...

    async def edit(self, message: int, page: Page) -> None:
        """Put a page in the place of what a message shows."""
        ...

    async def type(self) -> None:
        """Let the bot be seen typing, for ten seconds."""
        ...

    async def find(self, after: int) -> Mapping[int, int]:
        """Our messages since the message or interaction `after`, by the marks they carry."""
        ...


@dataclass(frozen=True, slots=True)
class InChannel:
    """A channel, thread or direct messages; the first message replies to `replies_to`, if that is."""

    client: discord.Client
    channel: int
    guild: int | None = None
    replies_to: int | None = None
    pages: int = PAGES
    right: Right = "write"

    def receipt(self, message: int) -> str:
        """Channel and message."""
        return f"{self.channel}/{message}"

    async def post(self, page: Page, *, nonce: str) -> int:
        """As a reply while the question exists."""
        send = partial(
            self._channel.send,
            view=page.view(),
            files=page.files(),
            nonce=nonce,
            allowed_mentions=QUIET,
            mention_author=False,
            suppress_embeds=True,
        )
        if self.replies_to is None:
            return (await send()).id
        question = discord.MessageReference(
            message_id=self.replies_to, channel_id=self.channel, fail_if_not_exists=False
        )
        return (await send(reference=question)).id

    async def edit(self, message: int, page: Page) -> None:
        """By id: it may be another process's."""
        await self._channel.get_partial_message(message).edit(
            view=page.view(), attachments=page.files(), allowed_mentions=QUIET
        )

    async def type(self) -> None:
        """Once."""
        await self._channel.typing()

    async def find(self, after: int) -> Mapping[int, int]:
        """Among the first hundred messages after it."""
        me = self.client.user
        found: dict[int, int] = {}
        async for message in self._channel.history(
            limit=100, after=discord.Object(after), oldest_first=True
        ):
            if me is not None and message.author.id == me.id:
                found |= dict.fromkeys(marks_in(message.components), message.id)
        return found

    @property
    def _channel(self) -> discord.PartialMessageable:
        return self.client.get_partial_messageable(self.channel, guild_id=self.guild)


@dataclass(frozen=True, slots=True)
class InReply:
    """The reply to an interaction: the message `first`, which Discord made when we deferred it.

    It can be edited with the `token` until `dies_at` (seconds since 1970). Further messages go
    `aside`, into the channel, where a nonce keeps them from being doubled, and there the first is
    edited too when the token is dead. None where the bot cannot write or others may not read.
    """

    client: discord.Client
    channel: int
    token: str
    first: int
    dies_at: float
    aside: InChannel | None = None

    @property
    def pages(self) -> int:
        """One, unless the others can go aside."""
        return 1 if self.aside is None else self.aside.pages

    @property
    def right(self) -> Right:
        """None in the channel, unless the others go there."""
        return "reply" if self.aside is None else self.aside.right

    def receipt(self, message: int) -> str:
        """Channel, message, who may see it, and the token, which dies within minutes."""
        return f"{self.channel}/{message}/{ALONE if self.aside is None else 'open'}/{self.token}"

    async def post(self, page: Page, *, nonce: str) -> int:
        """A further message."""
        if self.aside is None:
            raise AssertionError("One page was promised.")
        return await self.aside.post(page, nonce=nonce)

    async def edit(self, message: int, page: Page) -> None:
        """With the token while it lives, which has a bucket of its own; else as in any channel."""
        if self.aside is not None and (message != self.first or time.time() >= self.dies_at):
            await self.aside.edit(message, page)
            return
        try:
            await self._webhook.edit_message(
                message, view=page.view(), attachments=page.files(), allowed_mentions=QUIET
            )
        except discord.HTTPException as error:
            if self.aside is None or error.code != DEAD_TOKEN:
                raise
            await self.aside.edit(message, page)

    async def type(self) -> None:
        """Discord says by itself that the bot is thinking."""

    async def find(self, after: int) -> Mapping[int, int]:
        """What went aside."""
        return {} if self.aside is None else await self.aside.find(after)

    @property
    def _webhook(self) -> discord.Webhook:
        application = self.client.application_id  # not known before the client is logged in
        return discord.Webhook.partial(application or 0, self.token, client=self.client)


def dies_at(interaction: int) -> float:
    """When the token of an interaction can no longer be trusted, in seconds since 1970."""
    return discord.utils.snowflake_time(interaction).timestamp() + TOKEN_S
