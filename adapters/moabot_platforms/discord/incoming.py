"""What people say and do on Discord, in the words of the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from moabot.contract import Asker, Message, Scope
from moabot.errors import PlatformError
from moabot_platforms.discord.marks import read_press
from moabot_platforms.discord.parts import buttons_in, words_in

if TYPE_CHECKING:
    from moabot_platforms.discord.sending import Doors

__all__ = [
    "asker_of",
    "is_closed",
    "message_from",
    "quoting",
    "scope_at",
    "text_of",
    "thread_of",
]

DIRECT = "dm"
"""The workspace of what is said outside servers."""
MOST_HOPS = 10
"""Messages that are looked up to find where a chain of replies began."""

Where = discord.abc.Messageable | discord.abc.GuildChannel | discord.abc.PrivateChannel | None


def scope_at(channel: Where, *, channel_id: int, guild_id: int | None, thread: str) -> Scope:
    """Who may see what is said in a channel; a Discord thread is one of its channel's."""
    workspace = DIRECT if guild_id is None else str(guild_id)
    if isinstance(channel, discord.Thread):
        parent = channel.parent
        private = channel.is_private() or not _is_public(parent)
        return Scope("discord", workspace, str(channel.parent_id), str(channel.id), private)
    known = thread if guild_id is not None else ""  # direct messages are one conversation
    return Scope("discord", workspace, str(channel_id), known, not _is_public(channel))


def asker_of(interaction: discord.Interaction, *, thread: str = "") -> Asker:
    """Who clicks or commands, with the right that Discord says they have, this time."""
    scope = scope_at(
        interaction.channel,
        channel_id=interaction.channel_id or 0,
        guild_id=interaction.guild_id,
        thread=thread,
    )
    # Whoever writes to the bot alone manages that conversation.
    manages = interaction.guild_id is None or interaction.permissions.manage_guild
    return Asker(scope, str(interaction.user.id), manages)


def message_from(asker: Asker, text: str, *, event_id: str, private: bool = False) -> Message:
    """A question; `private` when only who asks will see the answer."""
    scope = asker.scope
    return Message(
        platform=scope.platform,
        workspace=scope.workspace,
        channel=scope.channel,
        author=asker.author,
        text=text,
        event_id=event_id,
        thread=scope.thread,
        private=scope.private or private,
    )


def text_of(message: discord.Message, me: discord.abc.User) -> str:
    """What was said, without the bot's name, after what it replies to, if that can be read."""
    said = message.content
    for name in (f"<@{me.id}>", f"<@!{me.id}>"):
        said = said.replace(name, "")
    quoted = message.reference.resolved if message.reference is not None else None
    if not isinstance(quoted, discord.Message) or quoted.author.id == me.id:
        return said.strip()
    return quoting(quoted, said.strip())


def quoting(message: discord.Message, said: str) -> str:
    """What is said about a message, after the message itself."""
    lines = "\n".join(f"> {line}" for line in words_in(message).splitlines())
    return f"{lines}\n\n{said}".strip()


async def thread_of(message: discord.Message, me: discord.abc.User, doors: Doors) -> str:
    """The conversation that a message belongs to: the first message of its chain of replies.

    A message of ours says so itself; others are followed back, through `doors`.
    """
    at = message
    for _ in range(MOST_HOPS):
        before = await _replied_to(at, doors)
        if before is None:
            return str(at.id)
        if before.author.id == me.id and (thread := _thread_in(before)):
            return thread
        if me.id not in {before.author.id, at.author.id}:
            return str(at.id)  # somebody's words that are asked about, not our conversation
        at = before
    return str(at.id)


async def _replied_to(message: discord.Message, doors: Doors) -> discord.Message | None:
    reference = message.reference
    if reference is None or (before := reference.message_id) is None:
        return None
    if isinstance(reference.resolved, discord.Message):
        return reference.resolved
    channel = message.channel
    try:
        return await doors.sent(channel.id, lambda: channel.fetch_message(before), to="read")
    except PlatformError:  # deleted, not ours to read, or out of reach: the chain begins here
        return None


def _thread_in(message: discord.Message) -> str:
    for press_id in buttons_in(message.components):
        if (press := read_press(press_id)) is not None:
            return press.thread
    return ""


def is_closed(channel: object) -> bool:
    """Whether it is a thread that only some of its channel's people can read."""
    return isinstance(channel, discord.Thread) and channel.is_private()


def _is_public(channel: Where) -> bool:
    """Whether everybody on the server can read it; what is not known is private."""
    if not isinstance(channel, discord.abc.GuildChannel):
        return False
    everybody = channel.guild.get_role(channel.guild.id)  # not known where we are not on the server
    return everybody is not None and channel.permissions_for(everybody).view_channel
