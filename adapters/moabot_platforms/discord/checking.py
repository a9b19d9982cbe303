"""Whether Discord accepts the token, and what the bot lacks: on the application, on each server."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import aiohttp
import discord

from moabot.config import read_key
from moabot.errors import ConfigError, MoabotError, PlatformError
from moabot.findings import Finding
from moabot_platforms.discord.inviting import invitation, missing

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from moabot_platforms.discord.settings import DiscordSettings

__all__ = ["application_id", "check"]

PORTAL = "https://discord.com/developers/applications"


async def check(settings: DiscordSettings) -> Sequence[Finding]:
    """What is found, with where to click.

    Asks Discord over HTTP alone, so it may run beside the bot.
    """
    async with discord.Client(intents=discord.Intents.none()) as client:
        try:
            application = await _logged_in(client, settings)
            token = Finding("platform discord token", "ok", f"it is {client.user}")
            with _asking():
                servers = await _servers(client, application)
            return [token, *_intents(application, settings), *servers]
        except MoabotError as error:
            return [Finding("platform discord token", "error", error.what, error.fix)]


def _intents(application: discord.AppInfo, settings: DiscordSettings) -> list[Finding]:
    flags = application.flags
    may_read = flags.gateway_message_content or flags.gateway_message_content_limited
    if may_read or not settings.message_content:
        return []
    said = "the Message Content intent is off"
    fix = f"Switch it on at {PORTAL}/{application.id}/bot, or set message_content = false."
    return [Finding("platform discord intents", "error", said, fix)]


async def _servers(client: discord.Client, application: discord.AppInfo) -> list[Finding]:
    servers = [guild async for guild in client.fetch_guilds(limit=None, with_counts=False)]
    link = invitation(application.id)
    if not servers:
        return [
            Finding(
                "platform discord servers", "warning", "the bot is on no server", f"Open {link}."
            )
        ]
    found: list[Finding] = []
    for server in servers:
        what = f"platform discord server {server.name!r}"
        if lacks := missing(await _permissions(client, server)):
            said, fix = (
                f"the bot lacks: {', '.join(lacks)}",
                f"Open {link} once more, or change its role.",
            )
            found.append(Finding(what, "error", said, fix))
        else:
            found.append(Finding(what, "ok", "all rights are there"))
    return found


async def application_id(settings: DiscordSettings) -> int:
    """The id of the application that the token belongs to.

    Raises `ConfigError` when the token is not set or wrong, `PlatformError` when Discord cannot
    be asked.
    """
    async with discord.Client(intents=discord.Intents.none()) as client:
        return (await _logged_in(client, settings)).id


async def _logged_in(client: discord.Client, settings: DiscordSettings) -> discord.AppInfo:
    variable = settings.token_env
    try:
        with _asking():
            await client.login(read_key(variable, where="[platforms.discord]"))
            return await client.application_info()
    except discord.LoginFailure as error:
        raise ConfigError(
            f"Discord does not accept the token in {variable}.",
            fix=f"Make a new one at {PORTAL} under Bot, Reset Token.",
        ) from error


@contextmanager
def _asking() -> Generator[None]:
    """Requests to Discord; raises `PlatformError` when it cannot be asked."""
    try:
        yield
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        raise PlatformError(
            f"Discord cannot be asked: {error!r}.", fix="Check the network, and try again."
        ) from error


async def _permissions(client: discord.Client, server: discord.Guild) -> int:
    """What the bot's roles on a server allow, as bits."""
    if client.user is None:
        raise AssertionError("Who is logged in is somebody.")
    everybody, me = await server.fetch_roles(), await server.fetch_member(client.user.id)
    mine = {role.id for role in me.roles} | {server.id}
    bits = 0
    for role in everybody:
        if role.id in mine:
            bits |= role.permissions.value
    return bits
