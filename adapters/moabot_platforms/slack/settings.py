"""`[platforms.slack]`: which tokens it uses, how it connects, who may change settings."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["SlackSettings"]


class SlackSettings(BaseModel):
    """The keys of `[platforms.slack]`. Tokens stand in the environment, never here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["socket", "http"] = Field(
        default="socket",
        description="socket: the bot connects to Slack; http: Slack sends requests to it",
    )
    bot_token_env: str = Field(
        default="SLACK_BOT_TOKEN", description="the variable with the bot token (xoxb-…)"
    )
    app_token_env: str = Field(
        default="SLACK_APP_TOKEN",
        description="the variable with the app-level token (xapp-…), for mode socket",
    )
    signing_secret_env: str = Field(
        default="SLACK_SIGNING_SECRET",
        description="the variable with the signing secret, for mode http",
    )
    connections: int = Field(
        default=2, ge=1, le=10, description="websockets to Slack, so that one may be recycled"
    )
    host: str = Field(default="127.0.0.1", description="where mode http listens")
    port: int = Field(default=3000, ge=0, le=65535, description="where mode http listens")
    public_url: str = Field(
        default="", description="the https address under which Slack reaches mode http"
    )
    admins: tuple[str, ...] = Field(
        default=(),
        description="user ids (U…) that may change settings, besides the workspace's admins",
    )
    api_url: str = Field(
        default="https://slack.com/api/", description="where Slack's Web API is, for tests"
    )

    @model_validator(mode="after")
    def _can_be_reached(self) -> SlackSettings:
        if self.mode == "http" and not self.public_url.startswith("https://"):
            raise ValueError("mode http needs public_url, an address that begins with https://")
        return self
