"""The keys of `[platforms.discord]`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["DiscordSettings"]


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
    attachment_bytes: int = Field(
        default=5_000_000, ge=0, description="the largest file that is read with a question"
    )
