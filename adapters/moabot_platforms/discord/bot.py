"""The client: one connection to Discord for each shard, and what it hears there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import aiohttp
import discord

from moabot.errors import StoreError
from moabot_platforms.discord import asking, clicking
from moabot_platforms.discord.files import Files
from moabot_platforms.discord.incoming import text_of
from moabot_platforms.discord.sending import Doors
from moabot_platforms.discord.slash import Tree
from moabot_platforms.refusals import Refusals

if TYPE_CHECKING:
    from moabot.desk import Desk
    from moabot_platforms.discord.settings import DiscordSettings

__all__ = ["Bot"]

log = logging.getLogger("moabot")


class Bot(discord.AutoShardedClient):
    """Hears people and brings what they say to `desk`, which stands here once it is run.

    `files` fetches what comes with a question, `doors` lets our requests out, `refusals` knows whom
    it told that they ask too much.
    """

    desk: Desk

    def __init__(self, settings: DiscordSettings, *, files: Files | None = None) -> None:
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # we do not speak
        super().__init__(
            intents=discord.Intents(
                guilds=True,
                guild_messages=True,
                dm_messages=True,
                message_content=settings.message_content,
            ),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,  # what was said is the core's to remember
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
        )
        self.settings = settings
        self.files = files or Files(settings.attachment_bytes)
        self.doors = Doors()
        self.refusals = Refusals()
        self.tree = Tree(self)
        self._working: set[asyncio.Task[object]] = set()

    async def setup_hook(self) -> None:
        """Logged in: requests may go out."""
        self.doors.there.set()
        try:
            await self.tree.sync_if_changed()
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            # The commands that Discord has will do until the next start.
            log.warning("discord commands not synced", extra={"error": str(error)})

    async def on_message(self, message: discord.Message) -> None:
        """Somebody said something that the bot may hear."""
        with self._at_work():
            await asking.heard(self, message)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """A message was edited, or Discord added a preview to it."""
        me, message = self.user, payload.message
        if me is None or message.author.bot or not message.content:
            return
        if message.edited_at is None:  # a preview: it would take away what came with the question
            return
        await self._amended(payload.message_id, text_of(message, me))

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """A message was deleted; what was answered to it is forgotten too."""
        await self._amended(payload.message_id, None)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Many were."""
        for message in payload.message_ids:
            await self._amended(message, None)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """A click; commands come through the tree."""
        if interaction.type is discord.InteractionType.component:
            with self._at_work():
                await clicking.clicked(self, interaction)

    async def at_work(self, work: Awaitable[None]) -> None:
        """Do something that is to be ended, when the bot stops, before the database closes."""
        with self._at_work():
            await work

    async def stopped(self) -> None:
        """Cancel what is left under way; returns when it has ended."""
        for task in self._working:
            task.cancel()
        if self._working:
            await asyncio.wait(self._working)

    async def _amended(self, message: int, text: str | None) -> None:
        try:
            await self.desk.amend(f"discord:{message}", text)
        except StoreError as error:
            log.warning("not amended", extra={"event": message, "error": str(error)})

    @contextmanager
    def _at_work(self) -> Generator[None]:
        task = asyncio.current_task()
        if task is None:
            raise AssertionError("Events are heard in tasks.")
        self._working.add(task)
        try:
            yield
        finally:
            self._working.discard(task)
