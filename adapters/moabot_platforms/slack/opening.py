"""Opens Slack: with the token of one workspace, or with what lets in many."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import aiohttp

from moabot.config import read_key
from moabot_platforms.slack.calling import caller
from moabot_platforms.slack.checking import app_findings, findings, workspace_findings
from moabot_platforms.slack.files import Files
from moabot_platforms.slack.listening import listening, reachable
from moabot_platforms.slack.platform import Slack
from moabot_platforms.slack.settings import SlackSettings
from moabot_platforms.slack.web import Web
from moabot_platforms.slack.workspaces import Many, One

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

__all__ = ["opened"]

CALL_S = 30
log = logging.getLogger("moabot.slack")


@asynccontextmanager
async def opened(settings: SlackSettings) -> AsyncGenerator[Slack]:
    """Slack with one workspace's token from the environment, or with what opens many."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_S)) as session:
        opening = _many if settings.workspaces == "many" else _one
        yield await opening(settings, session)


async def _one(settings: SlackSettings, session: aiohttp.ClientSession) -> Slack:
    token = read_key(settings.bot_token_env, where="[platforms.slack] bot_token_env")
    client = _client(settings, session, token)
    web = Web(caller(client))
    files = Files(session, token, api_url=settings.api_url)
    here = One(web, files, token_env=settings.bot_token_env)
    await here.greet()
    return Slack(
        settings,
        here,
        listen=partial(listening, settings, client),
        look=partial(findings, web, partial(reachable, settings, client)),
    )


async def _many(settings: SlackSettings, session: aiohttp.ClientSession) -> Slack:
    from moabot_platforms.slack.installing import app_of, pages

    app = app_of(settings)

    def enter(token: str) -> tuple[Web, Files]:
        web = Web(caller(_client(settings, session, token)))
        return web, Files(session, token, api_url=settings.api_url)

    client = _client(settings, session, None)
    here = Many(enter, app.seal)
    return Slack(
        settings,
        here,
        listen=partial(listening, settings, client, pages=pages(settings, app, here, session)),
        look=partial(app_findings, settings, partial(reachable, settings, client)),
        look_inside=partial(workspace_findings, settings, here),
    )


def _client(
    settings: SlackSettings, session: aiohttp.ClientSession, token: str | None
) -> AsyncWebClient:
    from slack_sdk.web.async_client import AsyncWebClient

    return AsyncWebClient(
        token,
        base_url=settings.api_url,
        session=session,
        retry_handlers=[],  # a post that may have arrived is looked for before it is repeated
        logger=log,
    )
