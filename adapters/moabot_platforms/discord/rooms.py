"""Where an answer goes: beside its question, into a command's reply, or where a receipt says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moabot_platforms.discord.places import ALONE, InChannel, InReply, token_left_s
from moabot_platforms.discord.reply import Room

if TYPE_CHECKING:
    import discord

    from moabot.journal import Entry
    from moabot_platforms.discord.bot import Bot
    from moabot_platforms.discord.places import Place

__all__ = ["room_of_entry", "room_of_reply"]


def room_of_reply(bot: Bot, interaction: discord.Interaction, *, first: int, private: bool) -> Room:
    """The reply to a command or click; where the bot may write, the channel takes what has no room."""
    channel = interaction.channel_id or 0
    here = interaction.guild_id is None or interaction.is_guild_integration()
    may_write = here and interaction.app_permissions.send_messages
    aside = None
    if may_write and not private and not _is_foreign(interaction):
        pages = 5 if interaction.app_permissions.attach_files else 1000
        aside = InChannel(bot, channel, interaction.guild_id, pages=pages)
    place = InReply(bot, channel, interaction.application_id, interaction.token, first, aside)
    return _replying(bot, place, made=interaction.id, message=first, author=interaction.user.id)


def room_of_entry(bot: Bot, entry: Entry) -> Room:
    """Where an earlier process was answering, or would have been."""
    message = entry.message
    guild = int(message.workspace) if message.workspace.isdigit() else None
    author, made = int(message.author), int(message.event_id.removeprefix("i"))
    where = entry.receipt.split("/", 3)
    if len(where) == 4:
        channel, first = int(where[0]), int(where[1])
        aside = None if where[2] == ALONE else InChannel(bot, channel, guild)
        application = bot.application_id or 0
        place = InReply(bot, channel, application, where[3], first, aside)
        return _replying(bot, place, made=made, message=first, author=author, search=True)
    if len(where) == 2:
        replies_to = None if message.event_id.startswith("i") else made
        channel = int(where[0])
        place_there = InChannel(bot, channel, guild, replies_to)
        return Room(place_there, message=int(where[1]), search=True)
    return _unposted(bot, entry, guild, made=made)


def _unposted(bot: Bot, entry: Entry, guild: int | None, *, made: int) -> Room:
    """The process ended between taking the question on and telling where the sign stands."""
    message = entry.message
    if message.thread.startswith("p"):
        author = int(message.author)
        nowhere = InChannel(bot, 0)

        async def direct() -> Place:
            return await _direct(bot, author)

        return Room(nowhere, lasts_s=0.0, later=direct, search=True)
    is_command = message.event_id.startswith("i")
    thread = bot.get_channel(int(message.thread)) if message.thread.isdigit() else None
    channel = thread.id if thread is not None else int(message.channel)
    replies_to = None if is_command or channel == made else made
    return Room(InChannel(bot, channel, guild, replies_to), search=True)


def _replying(
    bot: Bot, place: InReply, *, made: int, message: int, author: int, search: bool = False
) -> Room:
    async def later() -> Place:
        return place.aside or await _direct(bot, author)

    return Room(place, message=message, lasts_s=token_left_s(made), later=later, search=search)


async def _direct(bot: Bot, author: int) -> Place:
    """Direct messages with who asked, when nobody else may see it."""
    user = await bot.fetch_user(author)
    return InChannel(bot, (await user.create_dm()).id)


def _is_foreign(interaction: discord.Interaction) -> bool:
    """Whether it was asked where only the person brought the bot along."""
    return interaction.guild_id is None and interaction.context.private_channel
