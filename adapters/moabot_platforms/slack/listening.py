"""Brings what Slack sends to the platform: slack-bolt's app, over Socket Mode or HTTP."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Protocol

from moabot.config import read_key
from moabot.errors import PlatformError
from moabot_platforms.slack import forms
from moabot_platforms.slack.calling import in_our_words
from moabot_platforms.slack.clicks import clicked, reasoned
from moabot_platforms.slack.http import Ingress, Page, receiving
from moabot_platforms.slack.payload import Json, inside, text
from moabot_platforms.slack.settings import SlackSettings
from moabot_platforms.slack.slash import Ack, asked_about, commanded, set_here, shortcut
from moabot_platforms.slack.web import SlackRefused, persistently

if TYPE_CHECKING:
    from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
    from slack_bolt.app.async_app import AsyncApp
    from slack_bolt.authorization import AuthorizeResult
    from slack_bolt.request.async_request import AsyncBoltRequest
    from slack_bolt.response import BoltResponse
    from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest
    from slack_sdk.web.async_client import AsyncWebClient

    from moabot_platforms.slack.platform import Slack

__all__ = ["bolt", "listening", "reachable"]

log = logging.getLogger("moabot.slack")
OPEN = "apps.connections.open"
NO_PAGES: Mapping[str, Page] = {}
Heard = Callable[["AsyncBaseSocketModeClient", "SocketModeRequest"], Awaitable[None]]


async def listening(
    settings: SlackSettings,
    client: AsyncWebClient,
    slack: Slack,
    *,
    pages: Mapping[str, Page] = NO_PAGES,
) -> None:
    """Listen until cancelled. `pages` are for browsers, by path, over HTTP only."""
    if settings.mode == "socket":
        await _by_socket(settings, bolt(client, slack), slack)
        return
    secret = read_key(settings.signing_secret_env, where="[platforms.slack] signing_secret_env")
    ingress = Ingress(secret, host=settings.host, port=settings.port, pages=pages)
    async with receiving(ingress, bolt(client, slack).async_dispatch) as address:
        log.info("listening", extra={"address": address})
        await asyncio.Event().wait()


def bolt(client: AsyncWebClient, slack: Slack) -> AsyncApp:
    """The app with everything it listens to."""
    from slack_bolt.app.async_app import AsyncApp
    from slack_bolt.response import BoltResponse

    log.addFilter(_is_news)

    async def events(
        req: AsyncBoltRequest,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 - bolt's name
    ) -> BoltResponse:
        """Events are taken on before they are acknowledged, whether anybody wants them or not.

        Bolt itself acknowledges first, leaves out events without a listener, and runs one twice
        when it is delivered twice.
        """
        if req.body.get("type") not in {"event_callback", "app_rate_limited"}:
            return await next()
        return BoltResponse(status=200 if await slack.hear(req.body) else 503)

    # Requests are verified before they come here; over Socket Mode there is nothing to verify.
    app = AsyncApp(
        client=client,
        logger=log,
        request_verification_enabled=False,
        before_authorize=events,
        authorize=_authorizing(slack),
    )
    _hear_commands(app, slack)
    return app


def _authorizing(slack: Slack) -> Callable[..., Awaitable[AuthorizeResult]]:
    """Tells bolt whose request it is.

    Else it would ask Slack; or, with SLACK_CLIENT_ID and SLACK_CLIENT_SECRET in the environment,
    look into files of its own, and turn everybody away.
    """
    from slack_bolt.authorization import AuthorizeResult

    async def authorize(team_id: str | None) -> AuthorizeResult | None:
        here = await slack.workspaces.find(team_id or "")
        if here is None:
            return None
        return AuthorizeResult(enterprise_id=None, team_id=team_id, bot_user_id=await here.bot())

    return authorize  # type: ignore[return-value] # None is taken, as bolt's own code shows


STALE = (
    "`token` will be unused",
    "`token` (or SLACK_BOT_TOKEN env variable) will be ignored",
    "SLACK_CLIENT_ID",
)


def _is_news(record: logging.LogRecord) -> bool:
    """Bolt warns of tokens that it does not use, and tells of an OAuth that it does not do."""
    return not any(words in str(record.msg) for words in STALE)


Listener = Callable[[Callable[..., Awaitable[None]]], object]


class _App(Protocol):
    """What is used of bolt's app, with types."""

    def command(self, _: re.Pattern[str], /) -> Listener: ...
    def shortcut(self, _: str | re.Pattern[str], /) -> Listener: ...
    def view(self, _: str | re.Pattern[str], /) -> Listener: ...
    def view_closed(self, _: re.Pattern[str], /) -> Listener: ...
    def action(self, _: re.Pattern[str], /) -> Listener: ...
    def options(self, _: re.Pattern[str], /) -> Listener: ...


def _hear_commands(app: _App, slack: Slack) -> None:
    """Commands, clicks and forms; what is not for us is acknowledged all the same."""

    async def command(ack: Ack, body: Json) -> None:
        await commanded(slack, ack, body)

    async def settings(ack: Ack, body: Json) -> None:
        await set_here(slack, ack, body)

    async def question(ack: Ack, body: Json) -> None:
        await asked_about(slack, ack, body)

    anything = re.compile("")
    app.command(re.compile("^/"))(command)
    app.shortcut(forms.ABOUT)(_afterwards(partial(shortcut, slack)))
    app.view(forms.SETTINGS)(settings)
    app.view(forms.ABOUT)(question)
    app.view(forms.REASON)(_afterwards(partial(reasoned, slack)))
    app.action(re.compile("^moabot_"))(_afterwards(partial(clicked, slack)))
    app.action(anything)(_afterwards(_nothing))
    app.shortcut(anything)(_afterwards(_nothing))
    app.view(anything)(_afterwards(_nothing))
    app.view_closed(anything)(_afterwards(_nothing))
    app.options(anything)(_afterwards(_nothing))


def _afterwards(work: Callable[[Json], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Acknowledge at once, then work."""

    async def listener(ack: Ack, body: Json) -> None:
        await ack()
        await work(body)

    return listener


async def _nothing(_: Json) -> None:
    """It is not for us."""


def _events_first(handler: AsyncSocketModeHandler, slack: Slack) -> Heard:
    """Events go straight to the platform: in a flood, bolt's way takes longer than its work."""
    from slack_sdk.socket_mode.response import SocketModeResponse

    async def heard(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        payload: Json = vars(request)["payload"]  # which the SDK leaves untyped
        if request.type != "events_api":
            await handler.handle(handler.client, request)
        elif await slack.hear(payload):
            await client.send_socket_mode_response(SocketModeResponse(request.envelope_id))

    return heard


async def _by_socket(settings: SlackSettings, app: AsyncApp, slack: Slack) -> None:
    from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler

    token = read_key(settings.app_token_env, where="[platforms.slack] app_token_env")
    async with AsyncExitStack() as stack:
        for _ in range(settings.connections):
            handler = AsyncSocketModeHandler(app, token)
            stack.push_async_callback(handler.close_async)
            handler.client.socket_mode_request_listeners[:] = [_events_first(handler, slack)]
            # Alone, connecting would try a wrong token for ever.
            asking = partial(_ticket, settings, app.client, token)
            handler.client.wss_uri = await persistently(asking, what=OPEN)
            await handler.client.connect()  # type: ignore[no-untyped-call]  # the SDK leaves it so
        await asyncio.Event().wait()


async def reachable(settings: SlackSettings, client: AsyncWebClient) -> str:
    """How Slack will reach us; raises what is in the way."""
    if settings.mode == "http":
        read_key(settings.signing_secret_env, where="[platforms.slack] signing_secret_env")
        return f"requests are taken at {settings.host}:{settings.port}"
    token = read_key(settings.app_token_env, where="[platforms.slack] app_token_env")
    await _ticket(settings, client, token)
    return "Socket Mode answers"


async def _ticket(settings: SlackSettings, client: AsyncWebClient, token: str) -> str:
    """The address of a websocket, which can be used once."""
    try:
        with in_our_words(OPEN):
            found = await client.apps_connections_open(app_token=token)  # pyright: ignore[reportUnknownMemberType] - the SDK leaves it so
    except SlackRefused as refused:
        raise PlatformError(
            f"Slack does not let us connect: {refused.error}.",
            fix=f"Put an app-level token (xapp-…, scope connections:write, from Basic "
            f"Information) into {settings.app_token_env}; switch Socket Mode on.",
        ) from refused
    return text(inside(vars(found)["data"]), "url")
