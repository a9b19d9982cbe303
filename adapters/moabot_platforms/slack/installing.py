"""Installing in a workspace with a browser: Slack's OAuth by bolt, with stores and pages of ours."""

from __future__ import annotations

import asyncio
import html
import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

import aiohttp
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.oauth.async_callback_options import (
    AsyncCallbackOptions,
    AsyncFailureArgs,
    AsyncSuccessArgs,
)
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient

from moabot.config import read_key
from moabot.errors import MoabotError, PlatformError
from moabot_platforms.slack.calling import caller
from moabot_platforms.slack.http import INSTALL, REDIRECT, Page, public
from moabot_platforms.slack.manifest import SCOPES
from moabot_platforms.slack.payload import flag, text
from moabot_platforms.slack.sealing import Seal, seal_of
from moabot_platforms.slack.settings import SlackSettings
from moabot_platforms.slack.workspaces import Many

__all__ = ["App", "app_of", "pages"]

LIFE_S = 600
"""How long a browser has for it."""
REMEMBERED = 10_000
"""Browsers that came back lately: each may do so once."""
log = logging.getLogger("moabot.slack")
quiet = logging.getLogger("moabot.slack.oauth")
"""For Slack's SDK, which would write at DEBUG what it is answered: tokens, here."""
AGAIN = '<p><a href="install">Begin anew</a></p>'
FAILED = {
    "access_denied": ("Nothing was installed", "You did not allow it."),
    "invalid_browser": (
        "This page works once",
        "If it said that moabot is in, it is. Else another browser began, or this keeps no cookies.",
    ),
    "invalid_state": (
        "This page works once",
        "If it said that moabot is in, it is. Else it took more than ten minutes.",
    ),
}
OTHERWISE = ("Nothing was installed", "Slack did not say which workspace it is.")
BROKEN = (
    "Nothing was installed",
    "Slack did not confirm it, or it could not be kept. Whoever runs this bot finds why in its log.",
)
SAFE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
LOOK = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem}"


@dataclass(frozen=True, slots=True)
class App:
    """What proves to Slack that we are this app, and the seal of what it gives."""

    client_id: str
    client_secret: str
    seal: Seal


def app_of(settings: SlackSettings) -> App:
    """The app, from the environment; raises `ConfigError` for what is not there."""
    where = "[platforms.slack]"
    return App(
        read_key(settings.client_id_env, where=f"{where} client_id_env"),
        read_key(settings.client_secret_env, where=f"{where} client_secret_env"),
        seal_of(settings.secret_key_env),
    )


class _Unfit(PlatformError):
    """It cannot be installed like that; the person reads why."""


def pages(
    settings: SlackSettings, app: App, workspaces: Many, session: aiohttp.ClientSession
) -> Mapping[str, Page]:
    """The pages that a browser opens to install, by path."""
    quiet.setLevel(logging.INFO)
    flow = _Flow(
        client=AsyncWebClient(
            base_url=settings.api_url, session=session, retry_handlers=[], logger=quiet
        ),
        logger=quiet,
        settings=AsyncOAuthSettings(
            client_id=app.client_id,
            client_secret=app.client_secret,
            scopes=SCOPES,
            user_scopes=(),
            redirect_uri=public(settings, REDIRECT),
            install_path=INSTALL,
            redirect_uri_path=REDIRECT,
            install_page_rendering_enabled=False,
            callback_options=AsyncCallbackOptions(_installed, _failed),
            authorization_url=urljoin(settings.api_url, "../oauth/v2/authorize"),
            installation_store=_Store(workspaces),
            state_store=_Stamps(app.seal),
            state_expiration_seconds=LIFE_S,
            logger=quiet,
        ),
    )

    async def install(_: web.BaseRequest) -> web.StreamResponse:
        # Of the query nothing is passed on: bolt would write it into Slack's address as it is.
        return await _shown(await flow.handle_installation(AsyncBoltRequest(body="")))

    async def redirected(request: web.BaseRequest) -> web.StreamResponse:
        cookie = {"Cookie": request.headers.get("Cookie", "")}
        asked = AsyncBoltRequest(body="", query=request.query_string, headers=dict(cookie))
        try:
            return await _shown(await flow.handle_callback(asked))
        except _Unfit as error:
            return await _shown(_page("Nothing was installed", str(error), status=400))
        except MoabotError as error:
            log.warning("installing failed", extra={"error": str(error)})
            return await _shown(_page(*BROKEN, status=502, more=AGAIN))

    return {INSTALL: install, REDIRECT: redirected}


class _Flow(AsyncOAuthFlow):
    """Bolt's, which would write a code into the log and let a lost connection out."""

    async def run_installation(self, code: str) -> Installation:
        """What the code is worth. Raises `MoabotError`."""
        # The SDK's method of that name sends the secret as aiohttp 4 will not do it any more.
        said = await caller(self.client)(
            "oauth.v2.access",
            {
                "client_id": self.settings.client_id,
                "client_secret": self.settings.client_secret,
                "code": code,
                "redirect_uri": self.settings.redirect_uri,
            },
        )
        if flag(said, "is_enterprise_install"):
            raise _Unfit(
                "moabot is installed in one workspace at a time, not in a whole organization.",
                fix="Remove it from the organization, and install it in a workspace.",
            )
        if "expires_in" in said:
            raise _Unfit(
                "This Slack app has token rotation, with which the bot would fall silent in hours.",
                fix="Make the app anew from what `moabot slack manifest` prints.",
            )
        return Installation(
            user_id=text(said, "authed_user", "id"),
            team_id=text(said, "team", "id"),
            team_name=text(said, "team", "name"),
            bot_user_id=text(said, "bot_user_id"),
            bot_token=text(said, "access_token"),
        )


class _Store(AsyncInstallationStore):
    """Keeps what was installed; all else that bolt can do with a store is not needed."""

    def __init__(self, workspaces: Many) -> None:
        self._workspaces = workspaces

    async def async_save(self, installation: Installation) -> None:
        """Seal and keep it. Raises `StoreError`."""
        team, bot = installation.team_id, installation.bot_user_id
        token = installation.bot_token
        if not (team and bot and token):
            raise PlatformError("Slack gave no bot token.", fix="Add bot scopes to the app.")
        await self._workspaces.keep(team, bot=bot, token=token)


class _Stamps(AsyncOAuthStateStore):
    """States that no process needs to have issued itself, and each takes once."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._used: OrderedDict[bytes, float] = OrderedDict()

    async def async_issue(self) -> str:
        """A new state."""
        return self._seal.stamp()

    async def async_consume(self, state: str) -> bool:
        """Whether it is one of ours, younger than ten minutes and not used here before."""
        now, name = asyncio.get_running_loop().time(), self._seal.fresh(state, within_s=LIFE_S)
        if name is None or name in self._used:
            return False
        self._used[name] = now
        while len(self._used) > REMEMBERED or next(iter(self._used.values())) < now - 2 * LIFE_S:
            self._used.popitem(last=False)
        return True


async def _installed(args: AsyncSuccessArgs) -> BoltResponse:
    team = args.installation.team_name or args.installation.team_id or ""
    return _page(
        f"moabot is in {team}",
        "In a channel write /invite @moabot, then mention it with a question. You can close this.",
        cookie=args.settings.state_utils.build_set_cookie_for_deletion(),
    )


async def _failed(args: AsyncFailureArgs) -> BoltResponse:
    log.info("not installed", extra={"reason": args.reason[:80]})
    title, words = FAILED.get(args.reason, OTHERWISE)
    return _page(
        title,
        words,
        status=args.suggested_status_code,
        more=AGAIN,
        cookie=args.settings.state_utils.build_set_cookie_for_deletion(),
    )


def _page(
    title: str, words: str, *, status: int = 200, more: str = "", cookie: str = ""
) -> BoltResponse:
    """A page; `more` is HTML of our own, all else may be anybody's."""
    body = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{LOOK}</style><h1>{html.escape(title)}</h1><p>{html.escape(words)}</p>{more}</html>"
    )
    headers = {"Content-Type": "text/html; charset=utf-8"}
    return BoltResponse(
        status=status, body=body, headers={**headers, **({"Set-Cookie": cookie} if cookie else {})}
    )


async def _shown(answer: BoltResponse) -> web.StreamResponse:
    response = await to_aiohttp_response(answer)
    response.headers.update(SAFE)
    return response
