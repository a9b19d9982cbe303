"""Where an answer goes: beside its question, into a command's reply, or where a receipt says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import discord

from moabot_platforms.discord.places import ALONE, MANY, PAGES, InChannel, InReply, dies_at
from moabot_platforms.discord.reply import Room
from moabot_platforms.discord.sending import Forbidden, Gone

if TYPE_CHECKING:
    from moabot.journal import Entry
    from moabot_platforms.discord.bot import Bot
    from moabot_platforms.discord.places import Place

__all__ = ["room_of_entry", "room_of_reply"]


def room_of_reply(bot: Bot, interaction: discord.Interaction, *, first: int, private: bool) -> Room:
    """The reply to a command or click; where the bot may write, the channel takes what has no room."""
    channel = interaction.channel_id or 0
    aside = None
    if not private and _may_write(bot, interaction):
        pages = PAGES if interaction.app_permissions.attach_files else MANY
        aside = InChannel(bot, channel, interaction.guild_id, pages=pages)
    until = dies_at(interaction.id)
    place = InReply(bot, channel, interaction.token, first, until, aside)
    return _replying(bot, place, author=interaction.user.id)


def room_of_entry(bot: Bot, entry: Entry) -> Room:
    """Where an earlier process was answering, or would have been."""
    message = entry.message
    guild = int(message.workspace) if message.workspace.isdigit() else None
    author, made = int(message.author), int(message.event_id.removeprefix("i"))
    where = entry.receipt.split("/", 3)
    if len(where) == 4:
        channel, first = int(where[0]), int(where[1])
        aside = None if where[2] == ALONE else InChannel(bot, channel, guild)
        place = InReply(bot, channel, where[3], first, dies_at(made), aside)
        return _replying(bot, place, author=author, search=True)
    if len(where) == 2:
        replies_to = None if message.event_id.startswith("i") else made
        channel = int(where[0])
        place_there = InChannel(bot, channel, guild, replies_to)
        return Room(place_there, message=int(where[1]), search=True)
    return _unposted(bot, entry, guild, made=made)


def _unposted(bot: Bot, entry: Entry, guild: int | None, *, made: int) -> Room:
    """The process ended between taking the question on and telling where the sign stands.

    Where that was is found once the client is logged in: until then it knows no thread.
    """
    message = entry.message
    replies_to = None if message.event_id.startswith("i") else made

    async def later() -> Place:
        if message.thread.startswith("p"):
            return await _direct(bot, int(message.author))
        thread = int(message.thread) if message.thread.isdigit() else 0
        if thread and await _is_there(bot, thread):
            return InChannel(bot, thread, guild, None if thread == made else replies_to)
        # A private thread that is gone leaves no trace: its answer is for the asker alone.
        if message.private and not await _was_said(bot, int(message.channel), replies_to):
            return await _direct(bot, int(message.author))
        return InChannel(bot, int(message.channel), guild, replies_to)

    return Room(InChannel(bot, 0), lasts_s=0.0, later=later, search=True)


async def _is_there(bot: Bot, thread: int) -> bool:
    """Whether Discord has a thread of that id; the id may be that of a chain's first message."""
    try:
        await bot.doors.sent(thread, lambda: bot.fetch_channel(thread), to="read")
    except Gone:
        return False
    except Forbidden:  # there is, and what was said in it must not leave it
        return True
    return True


async def _was_said(bot: Bot, channel: int, message: int | None) -> bool:
    """Whether a message stands in that channel itself."""
    if message is None:
        return False
    there = bot.get_partial_messageable(channel)
    try:
        await bot.doors.sent(channel, lambda: there.fetch_message(message), to="read")
    except (Gone, Forbidden):
        return False
    return True


def _replying(bot: Bot, place: InReply, *, author: int, search: bool = False) -> Room:
    async def later() -> Place:
        return place.aside or await _direct(bot, author)

    lasts_s = float("inf") if place.aside is not None else place.dies_at - time.time()
    return Room(place, message=place.first, lasts_s=lasts_s, later=later, search=search)


async def _direct(bot: Bot, author: int) -> Place:
    """Direct messages with who asked, when nobody else may see it; they have a door of their own."""
    made = await bot.doors.sent(author, lambda: bot.create_dm(discord.Object(author)))
    return InChannel(bot, made.id)


def _may_write(bot: Bot, interaction: discord.Interaction) -> bool:
    """Not where only the person brought the bot along."""
    if interaction.guild_id is None:
        return not interaction.context.private_channel
    on_it = bot.get_guild(interaction.guild_id) is not None
    return on_it and interaction.app_permissions.send_messages
