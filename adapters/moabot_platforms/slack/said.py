"""What Slack's events mean: somebody asks, edits, deletes, stops, or nothing that concerns us."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from moabot_platforms.slack.payload import Json, inside, listed, text, words

__all__ = ["Amended", "Happened", "HomeOpened", "Said", "Stopped", "event_id", "happened", "plain"]

TALK = {"", "file_share", "thread_broadcast"}
"""Subtypes of messages that people write."""
LINK = re.compile(r"<(https?://[^<>|]+|mailto:[^<>|]+)(?:\|([^<>]*))?>")
NAMED = re.compile(r"<[@#!](?:subteam\^)?([A-Za-z0-9]+)(?:\^[^<>|]*)?(?:\|([^<>]*))?>")


@dataclass(frozen=True, slots=True)
class Said:
    """A person wrote something. `kind` is channel, group, im, mpim, or empty for not told.

    `text` is as Slack writes it. `thread` is the ts of the thread's first message, empty outside.
    """

    team: str
    channel: str
    kind: str
    ts: str
    thread: str
    user: str
    text: str
    files: tuple[Json, ...] = ()

    def mentions(self, bot: str) -> bool:
        """Whether the bot is meant by name."""
        return re.search(rf"<@{re.escape(bot)}(\|[^<>]*)?>", self.text) is not None

    @property
    def is_for_another(self) -> bool:
        """Whether it begins with somebody's name: then it is said to them."""
        return re.match(r"\s*<@[A-Z0-9]+(\|[^<>]*)?>", self.text) is not None

    @property
    def at(self) -> datetime:
        """When it was said."""
        try:
            return datetime.fromtimestamp(float(self.ts), UTC)
        except (ValueError, OverflowError, OSError):
            return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Amended:
    """A message was edited, or with None deleted; `event` is its `event_id`."""

    event: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Stopped:
    """The agent's own stop button was pressed."""

    team: str
    channel: str
    thread: str
    user: str


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """Somebody looks at the app's home tab."""

    team: str
    channel: str
    user: str


Happened = Said | Amended | Stopped | HomeOpened | Literal["uninstalled", "limited"] | None


def event_id(team: str, channel: str, ts: str) -> str:
    """The message's name: the same in `app_mention` and `message`, and after edits."""
    return f"{team}:{channel}:{ts}"


def happened(body: Json, *, bot: str) -> Happened:
    """What an Events API request tells; `bot` is our own user id."""
    if text(body, "type") == "app_rate_limited":  # an envelope without an event
        return "limited"
    event, team = inside(body, "event"), text(body, "team_id")
    match text(event, "type"):
        case "app_mention" | "message":
            return _talk(event, team, bot=bot)
        case "agent_session_stopped":
            return Stopped(
                team,
                text(event, "channel_id") or text(event, "channel"),
                text(event, "thread_ts"),
                text(event, "user_id") or text(event, "user"),
            )
        case "app_home_opened" if text(event, "tab") in {"home", ""}:
            return HomeOpened(team, text(event, "channel"), text(event, "user"))
        case "app_uninstalled":
            return "uninstalled"
        case "tokens_revoked" if bot in words(event, "tokens", "bot"):
            return "uninstalled"
        case _:
            return None


def plain(written: str, *, bot: str) -> str:
    """Slack's own marks as text: without the bot's name, with names of others and plain links."""
    without = re.sub(rf"<@{re.escape(bot)}(\|[^<>]*)?>", "", written)
    linked = LINK.sub(lambda m: f"{m[2]} ({m[1]})" if m[2] and m[2] != m[1] else m[1], without)
    named = NAMED.sub(lambda m: f"@{(m[2] or m[1]).lstrip('@#')}", linked)
    return html.unescape(named).strip()


def _talk(event: Json, team: str, *, bot: str) -> Said | Amended | None:
    channel, subtype = text(event, "channel"), text(event, "subtype")
    if subtype == "message_deleted":
        return Amended(event_id(team, channel, text(event, "deleted_ts")), None)
    if subtype == "message_changed":
        return _edit(event, team, bot=bot)
    user, ts = text(event, "user"), text(event, "ts")
    if subtype not in TALK or text(event, "bot_id") or user in {"", bot} or not (channel and ts):
        return None
    thread = text(event, "thread_ts")
    return Said(
        team=team,
        channel=channel,
        kind=text(event, "channel_type"),
        ts=ts,
        thread=thread,
        user=user,
        text=_written(event),
        files=tuple(listed(event, "files")),
    )


def _edit(event: Json, team: str, *, bot: str) -> Amended | None:
    message, before = inside(event, "message"), inside(event, "previous_message")
    if text(message, "bot_id") or text(message, "user") in {"", bot}:
        return None
    if text(message, "subtype") == "tombstone":
        return Amended(event_id(team, text(event, "channel"), text(message, "ts")), None)
    if before and text(before, "text") == text(message, "text"):
        return None  # a link was unfurled, or the like
    name = event_id(team, text(event, "channel"), text(message, "ts"))
    return Amended(name, plain(text(message, "text"), bot=bot))


def _written(event: Json) -> str:
    parts: Sequence[str] = [text(event, "text")]
    quoted = [text(each, "text") for each in listed(event, "attachments") if "text" in each]
    return "\n\n".join(part for part in (*parts, *quoted) if part)
