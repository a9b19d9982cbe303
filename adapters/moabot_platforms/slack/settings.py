"""`[platforms.slack]`: which tokens it uses, how it connects, who may change settings."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["SlackSettings"]


class SlackSettings(BaseModel):
    """The keys of `[platforms.slack]`. Tokens stand in the environment, never here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    workspaces: Literal["one", "many"] = Field(
        default="one",
        description="one: that of the bot token; many: people install the app in theirs, "
        "which needs mode http",
    )
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
    client_id_env: str = Field(
        default="SLACK_CLIENT_ID",
        description="the variable with the client id, for many workspaces",
    )
    client_secret_env: str = Field(
        default="SLACK_CLIENT_SECRET",
        description="the variable with the client secret, for many workspaces",
    )
    secret_key_env: str = Field(
        default="MOABOT_SLACK_KEY",
        description="the variable with the key that seals the tokens of many workspaces "
        "(`moabot slack key` makes one); older keys may follow after commas",
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
        description="user ids (U…) that may change settings, besides the workspace's admins; "
        "of many workspaces each with its own (T…/U…)",
    )
    api_url: str = Field(
        default="https://slack.com/api/", description="where Slack's Web API is, for tests"
    )

    @model_validator(mode="after")
    def _can_be_reached(self) -> SlackSettings:
        if self.workspaces == "many" and self.mode != "http":
            raise ValueError(
                'workspaces = "many" needs mode = "http": Slack sends browsers to public_url'
            )
        if self.workspaces == "many" and (bare := [a for a in self.admins if "/" not in a]):
            raise ValueError(f"admins of many workspaces: write T…/{bare[0]}, with the workspace")
        if self.mode == "http" and not self.public_url.startswith("https://"):
            raise ValueError("mode http needs public_url, an address that begins with https://")
        return self
