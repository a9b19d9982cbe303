"""Who may ask, how often, for how much money, and who may change that: the settings of it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from moabot.contract import Asker, Message, Scope

__all__ = [
    "MONEY",
    "OF_A_WORKSPACE",
    "AdmissionSettings",
    "ChannelRules",
    "Names",
    "PlaceKey",
    "channel_key",
    "user_key",
    "workspace_key",
]

Who = Literal["managers", "everyone", "admins"]
OF_A_WORKSPACE = frozenset({"workspace_day_usd", "workspace_month_usd"})
"""Settings that hold for a whole workspace, so that no channel may have them."""
MONEY = OF_A_WORKSPACE | {"budget_day_usd", "budget_month_usd"}
"""Settings that only the bot's admin may change, who pays."""


def workspace_key(place: Message | Scope) -> str:
    """The workspace's name in config.toml: "platform:workspace"."""
    return f"{place.platform}:{place.workspace}"


def channel_key(place: Message | Scope) -> str:
    """The channel's name in config.toml: "platform:workspace/channel"."""
    return f"{place.platform}:{place.workspace}/{place.channel}"


def user_key(place: Message | Scope, author: str) -> str:
    """The person's name in config.toml: "platform:workspace/author"."""
    return f"{place.platform}:{place.workspace}/{author}"


def _like(pattern: str, form: str) -> AfterValidator:
    """A key that the functions above can make: what stands under another would hold nowhere."""

    def check(key: str) -> str:
        if not re.fullmatch(pattern, key):
            raise ValueError(f"{key!r} would match nothing; write {form}")
        return key

    return AfterValidator(check)


WORKSPACE = r"[^\s:/]+:[^\s/]*"  # a platform without workspaces has one without a name
INSIDE = rf"{WORKSPACE}/\S(.*\S)?"  # what ids look like is each platform's own affair
UserKey = Annotated[str, _like(INSIDE, '"platform:workspace/user", such as "slack:T1/U1"')]
ChannelKey = Annotated[str, _like(INSIDE, '"platform:workspace/channel", such as "slack:T1/C1"')]
WorkspaceKey = Annotated[str, _like(WORKSPACE, '"platform:workspace", such as "slack:T1"')]
PlaceKey = Annotated[
    str,
    _like(
        f"{WORKSPACE}|{INSIDE}",
        '"platform:workspace/channel" or "platform:workspace", such as "slack:T1/C1" or "slack:T1"',
    ),
]


class ChannelRules(BaseModel):
    """What a channel may spend, how it is spoken to, and who may change its settings."""

    note: str | None = Field(
        default=None,
        max_length=1000,
        description='a sentence that models are told with every question: "Answer in German."',
    )
    changes: Who | None = Field(
        default=None,
        description="who may change the settings here; default: managers, as the platform says",
    )
    budget_day_usd: Decimal | None = Field(
        default=None, ge=0, description="what a channel may cost a day (UTC); default: no limit"
    )
    budget_month_usd: Decimal | None = Field(
        default=None, ge=0, description="what a channel may cost a month (UTC); default: no limit"
    )
    workspace_day_usd: Decimal | None = Field(
        default=None, ge=0, description="what a whole workspace may cost a day; default: no limit"
    )
    workspace_month_usd: Decimal | None = Field(
        default=None, ge=0, description="what a whole workspace may cost a month; default: no limit"
    )


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Names(_Table):
    """People, channels and workspaces; an empty list names nobody."""

    users: tuple[UserKey, ...] = Field(
        default=(), description='each as "platform:workspace/user", such as "slack:T1/U1"'
    )
    channels: tuple[ChannelKey, ...] = Field(
        default=(), description='each as "platform:workspace/channel", such as "slack:T1/C1"'
    )
    workspaces: tuple[WorkspaceKey, ...] = Field(
        default=(), description='each as "platform:workspace", such as "slack:T1"'
    )


class AdmissionSettings(_Table):
    """Who may ask the bot, how often, and who is its admin.

    Queues and rates hold where several people ask: in every chat, not in `moabot ask` and `batch`.
    """

    admins: tuple[UserKey, ...] = Field(
        default=(),
        description="who may change everything, "
        'each as "platform:workspace/user", such as "slack:T1/U1"',
    )
    contact: str = Field(
        default="the bot's admin", description="whom a refused person is told to ask"
    )
    allow: Names = Field(
        default=Names(), description="a list that is not empty keeps everybody else out"
    )
    deny: Names = Field(default=Names(), description="who is refused, whatever else holds")
    user_per_minute: int | None = Field(
        default=20, ge=1, description="questions of one person a minute"
    )
    channel_per_minute: int | None = Field(
        default=120, ge=1, description="questions of one channel a minute"
    )
    workspace_per_minute: int | None = Field(
        default=1200, ge=1, description="questions of one workspace a minute"
    )
    waiting_here: int = Field(
        default=5,
        ge=0,
        description="questions that may wait in one thread, where they are answered in order",
    )
    waiting: int = Field(default=1000, ge=0, description="questions that may wait, in all")
    at_once: int = Field(default=1000, ge=1, description="answers under way at once")
    user_day_usd: Decimal | None = Field(
        default=None, ge=0, description="what one person may cost a day (UTC); default: no limit"
    )
    user_month_usd: Decimal | None = Field(
        default=None, ge=0, description="what one person may cost a month (UTC); default: no limit"
    )

    def shuts_out(self, place: Message | Scope, author: str) -> str:
        """Who of person, channel and workspace may not ask, in words; nothing when all may."""
        allow, deny = self.allow, self.deny
        for who, name, allowed, denied in (
            ("You", user_key(place, author), allow.users, deny.users),
            ("This channel", channel_key(place), allow.channels, deny.channels),
            ("This workspace", workspace_key(place), allow.workspaces, deny.workspaces),
        ):
            if name in denied or (allowed and name not in allowed):
                return who
        return ""

    def is_admin(self, asker: Asker) -> bool:
        """Whether the administrator of the bot named this person in config.toml."""
        return user_key(asker.scope, asker.author) in self.admins
