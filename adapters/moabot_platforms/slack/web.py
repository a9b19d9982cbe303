"""Calls to Slack's Web API: limits honoured, nothing posted twice, errors told in our words."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from moabot.errors import PlatformError
from moabot_platforms.edits import TryLater
from moabot_platforms.slack.payload import Json, inside, listed, text

__all__ = [
    "Call",
    "Content",
    "Mark",
    "Place",
    "SlackRefused",
    "SlackSilent",
    "Web",
    "is_marked",
    "marked",
    "persistently",
]

Call = Callable[[str, Json], Awaitable[Json]]
"""One request. Raises `TryLater`, `SlackRefused` or `SlackSilent`."""

T = TypeVar("T")
PATIENCE_S = 3600.0
"""How long what must arrive is tried."""
PAUSE_S = 60.0
"""At most, between two tries of what there is no bot in Slack without."""
QUIET = {"unfurl_links": False, "unfurl_media": False, "link_names": False, "parse": "none"}
"""No preview of what a model links to, no mention that it spells."""
MARK = "moabot_post"
ELSEWHERE = "The answer is in another message here."
log = logging.getLogger("moabot")


class SlackRefused(PlatformError):
    """Slack understood a call and said no; `error` is its word for why."""

    def __init__(self, method: str, error: str) -> None:
        super().__init__(
            f"Slack refused {method}: {error or 'no reason given'}.",
            fix="`moabot check` tells what the app may do.",
        )
        self.error = error


class SlackSilent(PlatformError):
    """No answer came from Slack: the call may have worked, or not."""

    def __init__(self, method: str, why: str) -> None:
        super().__init__(f"Slack did not answer {method}: {why}.", fix="It is tried again.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer goes: the thread under `thread` (a ts), asked by `user` of `team`."""

    team: str
    channel: str
    thread: str
    user: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What a post says about itself, for a later process: an opaque `of`, and which `part` it is.

    Everybody in the workspace can read it, so there is nothing in it.
    """

    of: str
    part: str

    def wire(self) -> Json:
        """As Slack's metadata."""
        return {"event_type": MARK, "event_payload": {"of": self.of, "part": self.part}}


@dataclass(frozen=True, slots=True)
class Content:
    """What a post shows: blocks, and the `text` of its notification."""

    text: str
    blocks: tuple[Json, ...]


class Web:
    """One workspace's Web API."""

    def __init__(self, call: Call) -> None:
        self.call = call

    async def surely(self, method: str, args: Json) -> Json:
        """A call that may be repeated, until Slack takes or refuses it."""
        return await _insisting(lambda: self.call(method, args))

    async def soon(self, method: str, args: Json, *, within_s: float) -> Json:
        """A call that must not be repeated once it may have worked, after a short wait at most."""
        try:
            return await self.call(method, args)
        except TryLater as later:
            if later.retry_after_s > within_s:
                raise
            await asyncio.sleep(later.retry_after_s)
            return await self.call(method, args)

    async def post(self, place: Place, content: Content, mark: Mark) -> str:
        """Post once, also when Slack took it without saying so; returns the post's ts."""
        args = {
            "channel": place.channel,
            "text": content.text,
            "blocks": list(content.blocks),
            "metadata": mark.wire(),
            **({"thread_ts": place.thread} if place.thread else {}),
            **QUIET,
        }
        silent = False

        async def once() -> Json:
            nonlocal silent
            if silent and (ts := marked(await self.thread(place), mark.of).get(mark.part)):
                return {"ts": ts}
            try:
                return await self.call("chat.postMessage", args)
            except SlackSilent:
                silent = True
                raise

        return text(await _insisting(once), "ts")

    async def update(self, place: Place, ts: str, content: Content, mark: Mark) -> None:
        """Put new content into a post."""
        args = {
            "channel": place.channel,
            "ts": ts,
            "text": content.text,
            "blocks": list(content.blocks),
            "metadata": mark.wire(),
            **QUIET,
        }
        await self.surely("chat.update", args)

    async def delete(self, place: Place, ts: str) -> None:
        """Take a post away, or else what it says.

        It never raises: an answer that has arrived must not fail over what is left lying about.
        """
        where = {"channel": place.channel, "ts": ts}
        try:
            await self.surely("chat.delete", where)
        except PlatformError as error:
            if isinstance(error, SlackRefused) and error.error == "message_not_found":
                return
            log.warning("not taken away", extra={"error": str(error)})
            block = {"type": "section", "text": {"type": "plain_text", "text": ELSEWHERE}}
            with suppress(PlatformError):  # what is still streamed cannot be edited
                await self.call("chat.stopStream", where)
            with suppress(PlatformError):
                await self.surely("chat.update", {**where, "text": ELSEWHERE, "blocks": [block]})

    async def thread(self, place: Place) -> Sequence[Json]:
        """All posts of a thread, oldest first; where there is none, the channel's latest."""
        if not place.thread:
            args = {"channel": place.channel, "limit": 100, "include_all_metadata": True}
            return listed(await self.surely("conversations.history", args), "messages")
        found: list[Json] = []
        cursor = ""
        while True:
            answer = await self.surely(
                "conversations.replies",
                {
                    "channel": place.channel,
                    "ts": place.thread,
                    "limit": 200,
                    "include_all_metadata": True,
                    **({"cursor": cursor} if cursor else {}),
                },
            )
            found += listed(answer, "messages")
            cursor = text(answer, "response_metadata", "next_cursor")
            if not cursor:
                return found


def marked(posts: Sequence[Json], of: str) -> dict[str, str]:
    """Which of the posts are parts of one answer: ts by part."""
    found: dict[str, str] = {}
    for post in posts:
        payload = inside(post, "metadata", "event_payload")
        if is_marked(post) and text(payload, "of") == of:
            found.setdefault(text(payload, "part"), text(post, "ts"))
    return found


def is_marked(post: Json) -> bool:
    """Whether a post says that it is a whole part of some answer."""
    return text(post, "metadata", "event_type") == MARK


async def persistently(attempt: Callable[[], Awaitable[T]], *, what: str) -> T:
    """Again and again until Slack takes or refuses it; each time that it does not is logged."""
    pause_s = 0.25
    while True:
        try:
            return await attempt()
        except (TryLater, SlackSilent) as error:
            pause_s = min(2 * pause_s, PAUSE_S)
            wait_s = error.retry_after_s if isinstance(error, TryLater) else pause_s
            said = {"call": what, "error": error.what, "again_in_s": wait_s}
            log.warning("slack not reached", extra=said)
        await asyncio.sleep(wait_s)


async def _insisting(attempt: Callable[[], Awaitable[Json]]) -> Json:
    """Again and again, as Slack asks for it, or a little slower each time when it is silent."""
    until, pause_s = _now() + PATIENCE_S, 0.25
    while True:
        try:
            return await attempt()
        except TryLater as later:
            wait_s = later.retry_after_s
            if _now() + wait_s > until:
                raise
        except SlackSilent:
            wait_s = pause_s = min(2 * pause_s, 30.0)
            if _now() + wait_s > until:
                raise
        await asyncio.sleep(wait_s)


def _now() -> float:
    return asyncio.get_running_loop().time()
