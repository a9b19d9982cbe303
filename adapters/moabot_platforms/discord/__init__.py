"""Discord: asked by mention, reply, direct message, command or a message's menu; gateway only."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from moabot.config import read_key
from moabot.hookspecs import hookimpl
from moabot.plugins import Register
from moabot_platforms.discord.settings import DiscordSettings

if TYPE_CHECKING:
    from moabot_platforms.discord.platform import Discord

__all__ = ["moabot_register", "open_discord"]


@asynccontextmanager
async def open_discord(settings: DiscordSettings) -> AsyncGenerator[Discord]:
    """The platform, which connects when it is run; its SDK is imported only now.

    Raises `ConfigError` without a token.
    """
    from moabot_platforms.discord.platform import Discord  # noqa: PLC0415 - as it says

    read_key(settings.token_env, where="[platforms.discord]")
    yield Discord(settings)


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer Discord."""
    register.platform("discord", open_discord, DiscordSettings)
