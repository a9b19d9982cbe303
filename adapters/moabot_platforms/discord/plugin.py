"""Offers the platform "discord"; what stands here loads no SDK."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from moabot.hookspecs import hookimpl

if TYPE_CHECKING:
    from moabot.contract import Platform
    from moabot.plugins import Register

__all__ = ["DiscordSettings", "moabot_register", "open_discord"]


class DiscordSettings(BaseModel):
    """`[platforms.discord]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    token_env: str = Field(
        default="DISCORD_TOKEN", description="the environment variable that holds the bot's token"
    )
    message_content: bool = Field(
        default=False,
        description="whether the bot asks for the Message Content intent, to answer in its "
        "threads without being mentioned",
    )
    thread_channels: tuple[str, ...] = Field(
        default=(),
        description='ids of channels where each question opens a thread; "*" for all',
    )
    show_cost: bool = Field(default=True, description="whether answers say what they cost")
    attachment_bytes: int = Field(
        default=5_000_000, ge=0, description="the largest file that is read with a question"
    )


@asynccontextmanager
async def open_discord(settings: DiscordSettings) -> AsyncGenerator[Platform]:
    """The platform, which connects when it is run."""
    from moabot_platforms.discord.platform import Discord  # noqa: PLC0415 - loads the SDK

    yield Discord(settings)


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer it."""
    register.platform("discord", open_discord, DiscordSettings)
