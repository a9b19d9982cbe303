"""Calls through Slack's own client, with its errors in our words."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

import aiohttp

from moabot.errors import PlatformError
from moabot_platforms.edits import TryLater
from moabot_platforms.slack.payload import Json, inside, text
from moabot_platforms.slack.web import Call, SlackRefused, SlackSilent

__all__ = ["caller", "in_our_words"]

READS = {
    "auth.test",
    "conversations.history",
    "conversations.info",
    "conversations.members",
    "conversations.replies",
    "files.info",
    "users.info",
}
FORMS = {"oauth.v2.access"}
"""Methods that take a query, or a form; all others take JSON."""


class _Answered(Protocol):
    @property
    def data(self) -> object: ...
    @property
    def headers(self) -> object: ...


class Client(Protocol):
    """The one method of Slack's client that is used, with types."""

    async def api_call(
        self,
        api_method: str,
        *,
        http_verb: str = "POST",
        params: dict[str, str] | None = None,
        data: dict[str, object] | None = None,
        json: dict[str, object] | None = None,
    ) -> _Answered: ...


def caller(client: Client) -> Call:
    """Calls through Slack's own client, with its errors in our words."""

    async def call(method: str, args: Json) -> Json:
        with in_our_words(method):
            if method in READS:
                query = {name: _query(value) for name, value in args.items()}
                answer = await client.api_call(method, http_verb="GET", params=query)
            elif method in FORMS:
                answer = await client.api_call(method, data=dict(args))
            else:
                answer = await client.api_call(method, json=dict(args))
        scopes = {"scopes": text(answer.headers, "x-oauth-scopes")} if method == "auth.test" else {}
        return {**inside(answer.data), **scopes}

    return call


@contextmanager
def in_our_words(method: str) -> Generator[None]:
    """Whatever the SDK raises becomes `TryLater`, `SlackSilent` or `SlackRefused`."""
    from slack_sdk.errors import SlackApiError, SlackClientError

    try:
        yield
    except SlackApiError as error:
        raise _told(method, vars(error)["response"]) from error
    except (SlackClientError, aiohttp.ClientError, OSError) as error:  # TimeoutError is one
        raise SlackSilent(method, type(error).__name__) from error


def _told(method: str, response: object) -> PlatformError:
    # It is Slack's own response object, or aiohttp's when the body was not what it should be.
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    if status == 429:
        headers = inside(getattr(response, "headers", None))
        wait_s = float(text(headers, "Retry-After") or 1)
        return TryLater(f"Slack is busy: {method}.", retry_after_s=wait_s)
    if status >= 500:
        return SlackSilent(method, f"HTTP status {status}")
    return SlackRefused(method, text(getattr(response, "data", None), "error"))


def _query(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
