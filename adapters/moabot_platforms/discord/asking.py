"""From a question on Discord to its answer: taken on once, then shown where it was asked."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import discord

from moabot.channels import NO_WISH
from moabot.config import ChannelSettings
from moabot.contract import Asker
from moabot.errors import MoabotError, PlatformError, Refused
from moabot_platforms import words
from moabot_platforms.discord import layout
from moabot_platforms.discord.incoming import (
    asker_of,
    is_closed,
    message_from,
    scope_at,
    text_of,
    thread_of,
)
from moabot_platforms.discord.marks import nonce
from moabot_platforms.discord.places import MANY, PAGES, InChannel
from moabot_platforms.discord.reply import DiscordReply, Room
from moabot_platforms.discord.rooms import room_of_reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from moabot.contract import Message
    from moabot.journal import Entry
    from moabot_platforms.discord.bot import Bot

__all__ = ["answered", "asked", "deferred", "heard", "taken"]

SAID = {discord.MessageType.default, discord.MessageType.reply}
ACKNOWLEDGED = 40060
"""Discord's word for an interaction that was answered before: by us, or it came twice."""


ALONE = ChannelSettings(cache="off")
"""What is said where only some of the channel's people can read shares its answers with nobody."""


async def heard(bot: Bot, message: discord.Message) -> None:
    """Answer a message that is meant for the bot; others, and those of bots, are left alone."""
    me = bot.user
    if me is None or message.author.bot or message.type not in SAID:
        return
    if not _is_addressed(message, me) or not bot.doors.are_open(message.channel.id):
        return
    guild = None if message.guild is None else message.guild.id
    scope = scope_at(
        message.channel, channel_id=message.channel.id, guild_id=guild, thread=str(message.id)
    )
    author = Asker(scope, str(message.author.id))
    question = message_from(author, text_of(message, me), event_id=str(message.id))
    place = InChannel(bot, message.channel.id, guild, message.id, pages=_room_for_pages(message))
    wish = ALONE if is_closed(message.channel) else NO_WISH
    try:
        await bot.desk.admit(question)
        question = await _completed(bot, message, question, me=me)
        entry = await taken(bot, bot.desk.accept(question, wish=wish))
    except MoabotError as error:
        if isinstance(error, Refused) and not bot.refusals.may_tell(scope.channel, question.author):
            return
        told = layout.plain(words.apology(error, reference=str(message.id)))
        word = nonce(question.event_id, 0)
        await bot.doors.sent(place.channel, lambda: place.post(told, nonce=word))
        return
    if entry is not None:
        await answered(bot, entry, Room(await _threaded(bot, message, place)))


async def asked(
    bot: Bot,
    interaction: discord.Interaction,
    text: str,
    *,
    wish: ChannelSettings = NO_WISH,
    private: bool = False,
    attached: Sequence[discord.Attachment] = (),
) -> None:
    """Answer what was asked by a command; deferring it is the sign that must come within 3 s."""
    first = await deferred(interaction, private=private)
    if first is None:
        return
    asker = asker_of(interaction, thread=f"i{interaction.id}")
    if private:  # a conversation of its own wherever it is, and its name says so after a crash
        asker = replace(asker, scope=replace(asker.scope, thread=f"p{interaction.id}"))
    if private or is_closed(interaction.channel):
        wish = wish.model_copy(update=ALONE.model_dump(exclude_unset=True))
    question = message_from(asker, text, event_id=f"i{interaction.id}", private=private)
    try:
        await bot.desk.admit(question)
        question = (await bot.files.fetched(attached)).added_to(question)
        entry = await taken(bot, bot.desk.accept(question, wish=wish))
    except MoabotError as error:
        await whispered(interaction, words.apology(error, reference=question.event_id))
        return
    if entry is not None:
        room = room_of_reply(bot, interaction, first=first, private=private)
        await answered(bot, entry, room)


async def taken(bot: Bot, taking: Awaitable[Entry | None]) -> Entry | None:
    """What the desk made of a question; None for one that it had before.

    Raises `QuestionRejected` when the bot stops: Discord will not deliver it to the next process.
    """
    entry = await taking
    if entry is None and not bot.desk.taking:
        raise words.stopping()
    return entry


async def answered(bot: Bot, entry: Entry, room: Room) -> None:
    """Let the desk answer, and show what happens meanwhile."""
    reply = DiscordReply(
        entry, room, posted=bot.desk.posted, shows_cost=bot.desk.shows_cost, doors=bot.doors
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(reply.live())
        await bot.desk.answer(entry, reply)
        await reply.closed()


async def deferred(interaction: discord.Interaction, *, private: bool) -> int | None:
    """Tell Discord that an answer will come; the id of its message, None if nobody waits for it.

    When the connection breaks we do not know whether Discord heard us: it says so the next time.
    """
    for _ in range(3):
        try:
            made = await interaction.response.defer(thinking=True, ephemeral=private)
            if made is not None and made.message_id is not None:
                return made.message_id
            break
        except discord.InteractionResponded:
            break
        except discord.HTTPException as error:
            if error.code != ACKNOWLEDGED:
                return None
            break
        except (aiohttp.ClientError, OSError):
            continue
    try:
        return (await interaction.original_response()).id
    except (discord.HTTPException, aiohttp.ClientError, OSError):
        return None


async def whispered(interaction: discord.Interaction, text: str) -> None:
    """Say something to the one who clicked or commanded, whether it was deferred or not."""
    view = layout.plain(text).view()
    if interaction.response.is_done():
        await interaction.edit_original_response(view=view)
    else:
        await interaction.response.send_message(view=view, ephemeral=True)


async def _completed(
    bot: Bot, message: discord.Message, question: Message, *, me: discord.ClientUser
) -> Message:
    """With all that Discord has to be asked for, which a refused question is not worth."""
    if message.attachments:  # fetching takes time, and somebody waits for a sign
        with suppress(PlatformError):
            await bot.doors.sent(message.channel.id, message.channel.typing)
    fetched = await bot.files.fetched(message.attachments)
    if question.thread == str(message.id):  # else it is said in a thread or in direct messages
        question = replace(question, thread=await thread_of(message, me, bot.doors))
    return fetched.added_to(question)


def _is_addressed(message: discord.Message, me: discord.ClientUser) -> bool:
    if message.guild is None or me.mentioned_in(message):
        return not message.mention_everyone or me in message.mentions
    # Its text can be read with the Message Content intent only.
    ours = isinstance(message.channel, discord.Thread) and message.channel.owner_id == me.id
    return ours and bool(message.content)


async def _threaded(bot: Bot, message: discord.Message, place: InChannel) -> InChannel:
    """A thread under the question, where the channel wants one."""
    wanted = bot.settings.thread_channels
    if not isinstance(message.channel, discord.TextChannel):
        return place
    if "*" not in wanted and str(message.channel.id) not in wanted:
        return place
    name = " ".join(message.clean_content.split())[:80] or "Question"
    try:
        thread = await bot.doors.sent(
            message.channel.id,
            lambda: message.create_thread(name=name, auto_archive_duration=1440),
            to="branch",
        )
    except PlatformError:  # no right to, or there is one: the channel will do
        return place
    return InChannel(bot, thread.id, place.guild, pages=place.pages)


def _room_for_pages(message: discord.Message) -> int:
    """How many messages an answer may fill before it is attached, if that is allowed here."""
    channel = message.channel
    if message.guild is None or not isinstance(channel, discord.TextChannel):
        return PAGES
    return PAGES if channel.permissions_for(message.guild.me).attach_files else MANY
