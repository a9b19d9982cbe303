"""Opens Slack: the one place that names its SDK."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Protocol

import aiohttp

from moabot.config import read_key
from moabot.errors import ConfigError, PlatformError
from moabot_platforms.edits import TryLater
from moabot_platforms.slack.checking import findings
from moabot_platforms.slack.files import Files
from moabot_platforms.slack.listening import listening, reachable
from moabot_platforms.slack.payload import Json, inside, text
from moabot_platforms.slack.platform import Slack
from moabot_platforms.slack.settings import SlackSettings
from moabot_platforms.slack.web import Call, SlackRefused, SlackSilent, Web, Workspace

__all__ = ["opened"]

READS = {
    "auth.test",
    "conversations.history",
    "conversations.info",
    "conversations.members",
    "conversations.replies",
    "files.info",
    "users.info",
}
"""Methods that take a query; all others take JSON."""
CALL_S = 30
log = logging.getLogger("moabot.slack")


@asynccontextmanager
async def opened(settings: SlackSettings) -> AsyncGenerator[Slack]:
    """Slack with one workspace's tokens from the environment."""
    from slack_sdk.web.async_client import AsyncWebClient

    token = read_key(settings.bot_token_env, where="[platforms.slack] bot_token_env")
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_S)) as session:
        client = AsyncWebClient(
            token,
            base_url=settings.api_url,
            session=session,
            retry_handlers=[],  # a post that may have arrived is looked for before it is repeated
            logger=log,
        )
        web = Web(caller(client))
        me = await _greeted(web, settings)
        home = Workspace(team=text(me, "team_id"), bot=text(me, "user_id"), web=web)
        files = Files(session, token, api_url=settings.api_url)
        yield Slack(
            settings,
            home,
            files=files,
            listen=partial(listening, settings, client),
            look=partial(findings, web, partial(reachable, settings, client)),
        )


async def _greeted(web: Web, settings: SlackSettings) -> Json:
    try:
        return await web.surely("auth.test", {})
    except SlackRefused as refused:
        raise ConfigError(
            f"Slack does not take the token in {settings.bot_token_env}: {refused.error}.",
            fix="Copy the Bot User OAuth Token (xoxb-…) from the app's page OAuth & Permissions.",
        ) from refused


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
        json: dict[str, object] | None = None,
    ) -> _Answered: ...


def caller(client: Client) -> Call:
    """Calls through Slack's own client, with its errors in our words."""
    from slack_sdk.errors import SlackApiError, SlackClientError

    async def call(method: str, args: Json) -> Json:
        try:
            if method in READS:
                query = {name: _query(value) for name, value in args.items()}
                answer = await client.api_call(method, http_verb="GET", params=query)
            else:
                answer = await client.api_call(method, json=dict(args))
        except SlackApiError as error:
            raise _told(method, vars(error)["response"]) from error
        except (SlackClientError, aiohttp.ClientError, OSError) as error:  # TimeoutError is one
            raise SlackSilent(method, type(error).__name__) from error
        scopes = {"scopes": text(answer.headers, "x-oauth-scopes")} if method == "auth.test" else {}
        return {**inside(answer.data), **scopes}

    return call


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
