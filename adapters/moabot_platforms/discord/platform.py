"""The platform: connects, answers what an earlier process left, and says why it was lost."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import aiohttp
import discord

from moabot.config import read_key
from moabot.errors import PlatformError
from moabot_platforms.discord.bot import Bot
from moabot_platforms.discord.checking import check
from moabot_platforms.discord.reply import DiscordReply
from moabot_platforms.discord.rooms import room_of_entry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from moabot.contract import Reply
    from moabot.desk import Desk
    from moabot.findings import Finding
    from moabot.journal import Entry
    from moabot_platforms.discord.files import Files
    from moabot_platforms.discord.settings import DiscordSettings

__all__ = ["Discord"]

LONGEST_S = 60.0
"""Between two tries to reach Discord."""
LIMITED_S = 600.0
"""Where Discord's limit of an address does not say when it ends: it counts over ten minutes."""
log = logging.getLogger("moabot")


class Discord:
    """One bot on all its servers; gateway only, since discord.py takes no HTTP interactions."""

    def __init__(self, settings: DiscordSettings, *, files: Files | None = None) -> None:
        self._settings = settings
        self.bot = Bot(settings, files=files)
        self._group: asyncio.TaskGroup | None = None

    async def run(self, desk: Desk) -> None:
        """Listen until cancelled; raises `PlatformError` when Discord wants us no more."""
        self.bot.desk = desk
        try:
            async with asyncio.TaskGroup() as self._group:
                watching = self._group.create_task(self._lost())
                await self._connect()
                watching.cancel()
        finally:
            self._group = None
            await self.bot.stopped()
            await self.bot.close()

    async def check(self) -> Sequence[Finding]:
        """Token, intents and rights, for `moabot check`."""
        return await check(self._settings)

    def reply_to(self, entry: Entry) -> Reply:
        """The reply to a message of an earlier process, in the same place."""
        room = room_of_entry(self.bot, entry)
        desk = self.bot.desk
        reply = DiscordReply(
            entry, room, posted=desk.posted, shows_cost=desk.shows_cost, doors=self.bot.doors
        )
        if self._group is not None:
            self._group.create_task(reply.live())
        return reply

    async def _lost(self) -> None:
        """The connection outlives its token, and would hear people without ever answering."""
        await self.bot.doors.revoked.wait()
        raise _revoked(self._settings.token_env)

    async def _connect(self) -> None:
        variable = self._settings.token_env
        token = read_key(variable, where="[platforms.discord]")
        try:
            await self._reached(lambda: self._log_in(token))
            await self._reached(self.bot.connect)
        except discord.LoginFailure as error:
            raise _revoked(variable) from error
        except discord.PrivilegedIntentsRequired as error:
            raise PlatformError(
                "Discord does not give the bot the Message Content intent.",
                fix="Switch it on in the Developer Portal under Bot, or set "
                "[platforms.discord] message_content = false.",
            ) from error
        except discord.ConnectionClosed as error:
            if error.code == 4004:
                raise _revoked(variable) from error
            raise PlatformError(
                f"Discord closed the connection: {error}.", fix="Start again."
            ) from error

    async def _log_in(self, token: str) -> None:
        try:
            await self.bot.login(token)
        except (aiohttp.ClientError, OSError, discord.DiscordException):
            await self.bot.http.close()  # or the next try would leave its session behind
            self.bot.http.connector = discord.utils.MISSING
            raise

    async def _reached(self, step: Callable[[], Awaitable[None]]) -> None:
        """Again until Discord answers: when a machine starts, its network may be the last to come."""
        pause_s = 1.0
        while True:
            try:
                return await step()
            except (aiohttp.ClientError, OSError, discord.DiscordException) as error:
                told_s = _away_s(error)
                if told_s is None:
                    raise
                wait_s = max(pause_s, told_s)
                more = {"error": repr(error), "again_in_s": wait_s}
                log.warning("discord not reached", extra=more)
            await asyncio.sleep(wait_s)
            pause_s = min(2 * pause_s, LONGEST_S)


def _away_s(error: Exception) -> float | None:
    """The least seconds until a new try may help; None when none will."""
    cause = error.__cause__ if isinstance(error, discord.GatewayNotFound) else error
    if isinstance(cause, discord.HTTPException) and cause.status == 429:
        # discord.py gives up at once when it was not Discord that said so, but what stands before
        # it: the address made too many invalid requests.
        told = cause.response.headers.get("Retry-After", "")
        return float(told) if told.replace(".", "", 1).isdecimal() else LIMITED_S
    is_away = isinstance(cause, aiohttp.ClientError | OSError | discord.DiscordServerError)
    return 0.0 if is_away else None


def _revoked(variable: str) -> PlatformError:
    return PlatformError(
        "Discord does not accept the bot's token.",
        fix=f"Make a new one in the Developer Portal under Bot, and set {variable} to it.",
    )
