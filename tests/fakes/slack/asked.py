"""One Web API call as its method reads it, and what a method may touch."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack.clock import Clock
from tests.fakes.slack.limits import Limits
from tests.fakes.slack.workspace import Channel, Post, Team, Workspace

Json = dict[str, Any]


class Refused(Exception):
    """Slack's `{"ok": false, "error": …}`; `messages` are its details."""

    def __init__(self, error: str, *messages: str) -> None:
        super().__init__(error)
        self.error = error
        self.messages = messages


@dataclass(frozen=True, slots=True)
class Code:
    """What a person allowed: the app in a workspace, to be told to that address, since then."""

    team: str
    redirect_uri: str
    at: float


@dataclass(slots=True)
class Room:
    """What methods work on. `tell` sends an event to the app; `triggers` are trigger_ids and when."""

    workspace: Workspace
    limits: Limits
    clock: Clock
    tell: Callable[[Team, Json], None]
    socket_url: Callable[[], str]
    triggers: dict[str, float] = field(default_factory=dict[str, float])
    codes: dict[str, Code] = field(default_factory=dict[str, Code])
    redirects: tuple[str, ...] = ()
    """The redirect URLs of the app's manifest."""
    declining: bool = False
    """Whether people who are asked to allow the app press Cancel."""
    whole_organization: bool = False
    """Whether they allow it in all workspaces of an organization at once."""
    client: tuple[str, str] = ("", "")
    """client_id and client_secret."""
    rotating: bool = False
    """Whether the app has token rotation: its tokens then live for twelve hours."""
    revoked: set[str] = field(default_factory=set[str])
    subscribed: set[str] = field(default_factory=set[str])


@dataclass(frozen=True, slots=True)
class Asked:
    """A call's arguments, whether they came as JSON, form or query."""

    room: Room
    team: Team
    args: Json

    def text(self, name: str, otherwise: str = "") -> str:
        """A text."""
        value = self.args.get(name)
        return otherwise if value is None else str(value)

    def needs(self, name: str) -> str:
        """A text that must be there."""
        if not (value := self.text(name)):
            raise Refused("invalid_arguments", f"[ERROR] missing required field: {name}")
        return value

    def value(self, name: str, error: str) -> Any:  # noqa: ANN401 - JSON
        """A list or an object, which a form carries as JSON. `error` if it is neither."""
        value = self.args.get(name)
        if isinstance(value, str):
            try:
                return json.loads(value) if value else None
            except ValueError:
                raise Refused(error, f"[ERROR] {name} is no JSON") from None
        return value

    def truth(self, name: str, *, otherwise: bool) -> bool:
        """A boolean."""
        value = self.args.get(name)
        return otherwise if value is None else value in {True, "true", "1"}

    def channel(self, name: str = "channel") -> Channel:
        """A channel that the app may see; a person's id means the conversation with them."""
        wanted, space = self.needs(name), self.room.workspace
        if wanted in space.people:
            wanted = f"D{wanted}"
        found = space.channels.get(wanted)
        if found is None or found.team != self.team.id:
            raise Refused("channel_not_found")
        if found.archived:
            raise Refused("is_archived")
        return found

    def joined(self, name: str = "channel") -> Channel:
        """A channel that the app is in."""
        channel = self.channel(name)
        if self.team.bot not in channel.members:
            raise Refused("channel_not_found" if channel.kind == "group" else "not_in_channel")
        return channel

    def post(self, channel: Channel, name: str = "ts") -> Post:
        """A message in it."""
        found = self.room.workspace.posts.get((channel.id, self.needs(name)))
        if found is None or found.deleted or found.to:
            raise Refused("message_not_found")
        return found

    def now(self) -> float:
        """Seconds since 1970."""
        return self.room.clock.now()


Method = Callable[[Asked], Json]
