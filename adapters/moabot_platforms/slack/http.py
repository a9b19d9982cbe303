"""Receives what Slack sends over HTTP: signed, whole and in time, or not at all.

slack-bolt's own server listens everywhere, waits for slow senders for ever, and answers three
kinds of forged requests with 500. So this one checks before anything is parsed, and hands on only
what the signature covers: the body, without the query and without headers that mean something to
bolt, such as one that chooses which of its functions runs.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

from moabot.errors import PlatformError
from moabot_platforms.slack.settings import SlackSettings

if TYPE_CHECKING:
    from slack_bolt.request.async_request import AsyncBoltRequest
    from slack_bolt.response import BoltResponse

__all__ = ["INSTALL", "PATH", "REDIRECT", "Ingress", "Page", "public", "receiving"]

PATH = "/slack/events"
"""What the manifest names as the address of events, commands and interactivity."""
INSTALL, REDIRECT = "/slack/install", "/slack/oauth_redirect"
"""Where a browser begins to install the app, and where Slack sends it back to."""
HEADERS_S = 6.0
"""Until a request's headers are there; a connection may also be idle for so long."""
BODY_S = 4.0
"""aiohttp reads at most 1 MiB of it."""
WINDOW_S = 300
"""How old or how far ahead a request may be: Slack's own rule."""
PER_ADDRESS = 256
IN_ALL = 768
"""Connections that have brought nothing signed yet; beyond, the oldest gives way."""
STOPPING_S = 2.0
STAMP = re.compile(r"[0-9]{1,12}")
COVERED = ("Content-Type", "X-Slack-Retry-Num", "X-Slack-Retry-Reason")

log = logging.getLogger("moabot.slack")
wire = logging.getLogger("moabot.slack.http")
"""aiohttp's words on requests, without the tracebacks of those that are no HTTP."""

Dispatch = Callable[["AsyncBoltRequest"], Awaitable["BoltResponse"]]
Page = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def public(settings: SlackSettings, path: str) -> str:
    """A path of ours as the world knows it."""
    return f"{settings.public_url.rstrip('/')}{path}"


def is_signed(body: bytes, headers: Mapping[str, str], *, secret: str, now: float) -> bool:
    """Whether Slack signed this body within the last five minutes. Raises nothing.

    `now` is in seconds since 1970.
    """
    stamp = headers.get("X-Slack-Request-Timestamp", "")
    if STAMP.fullmatch(stamp) is None or abs(now - int(stamp)) > WINDOW_S:
        return False
    signed = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256)
    # As bytes, since comparing texts raises when one of them is not ASCII.
    given = headers.get("X-Slack-Signature", "").encode(errors="surrogateescape")
    return hmac.compare_digest(f"v0={signed.hexdigest()}".encode(), given)


def is_readable(body: bytes, content_type: str) -> bool:
    """Whether this is an object in JSON, or a form, whose payload is one if it has any."""
    try:
        text = body.decode()
        if content_type == "application/json" or text.startswith("{"):
            return isinstance(json.loads(text), dict)
        payload = dict(parse_qsl(text, keep_blank_values=True)).get("payload")
        return payload is None or isinstance(json.loads(payload), dict)
    except (ValueError, RecursionError):  # not UTF-8, no JSON, or JSON without a floor
        return False


class Door(web.Server):
    """An HTTP server in which those who only hold a connection give way to those who come."""

    def __init__(self, answer: Page, *, per_address: int, in_all: int) -> None:
        super().__init__(
            answer,
            keepalive_timeout=HEADERS_S,
            lingering_time=0,
            auto_decompress=False,
            access_log=None,
            logger=wire,
        )
        wire.addFilter(_is_ours)
        self._per_address = per_address
        self._in_all = in_all
        self._waiting: dict[RequestHandler, str] = {}

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Let it in, in the place of the one that has waited longest."""
        super().connection_made(handler, transport)
        peer = transport.get_extra_info("peername") or ("",)
        self._waiting[handler] = str(peer[0])
        neighbours = [each for each, address in self._waiting.items() if address == str(peer[0])]
        if len(neighbours) > self._per_address:
            self._close(neighbours[0])
        elif len(self._waiting) > self._in_all:
            self._close(next(iter(self._waiting)))

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """Forget it."""
        self._waiting.pop(handler, None)
        super().connection_lost(handler, exc)

    def _close(self, handler: RequestHandler) -> None:
        del self._waiting[handler]
        handler.force_close()

    def trust(self, handler: RequestHandler) -> None:
        """It brought something that Slack signed, and need not give way any more."""
        self._waiting.pop(handler, None)


@dataclass(frozen=True, slots=True)
class Ingress:
    """Where to listen, and what a request must be signed with. `port` 0 is any free one.

    `pages` are those that a browser opens, by path. `wall` tells seconds since 1970.
    """

    secret: str
    host: str = "127.0.0.1"
    port: int = 3000
    pages: Mapping[str, Page] = field(default_factory=dict[str, Page])
    per_address: int = PER_ADDRESS
    in_all: int = IN_ALL
    wall: Callable[[], float] = time.time


@asynccontextmanager
async def receiving(ingress: Ingress, dispatch: Dispatch) -> AsyncGenerator[str]:
    """Receive while inside; yields the address. `dispatch` is bolt's, told not to verify again."""
    receiver = _Receiver(ingress, dispatch)
    door = receiver.door = Door(
        receiver.answer, per_address=ingress.per_address, in_all=ingress.in_all
    )
    runner = web.ServerRunner(door, shutdown_timeout=STOPPING_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, ingress.host, ingress.port, backlog=1024)
        try:
            await site.start()
        except OSError as error:
            raise PlatformError(
                f"Slack cannot be listened to at {ingress.host}:{ingress.port}: {error.strerror}.",
                fix="Choose another host or port in [platforms.slack].",
            ) from error
        host, port = runner.addresses[0][:2]
        yield f"http://{f'[{host}]' if ':' in host else host}:{port}{PATH}"
    finally:
        await runner.cleanup()


class _Receiver:
    """Answers requests, one at a time of each connection."""

    door: Door

    def __init__(self, ingress: Ingress, dispatch: Dispatch) -> None:
        self._ingress = ingress
        self._dispatch = dispatch

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Slack's requests go to bolt, a browser's to their page."""
        if request.method == "GET" and (page := self._ingress.pages.get(request.path)):
            return await page(request)
        if request.path != PATH:
            raise web.HTTPNotFound
        if request.method != "POST":
            raise web.HTTPMethodNotAllowed(request.method, ["POST"])
        body, headers = await _whole(request), request.headers
        if not is_signed(body, headers, secret=self._ingress.secret, now=self._ingress.wall()):
            log.info("slack unsigned", extra={"address": request.remote, "bytes": len(body)})
            raise web.HTTPUnauthorized
        if not is_readable(body, request.content_type):
            raise web.HTTPBadRequest
        self.door.trust(request.protocol)
        return await self._dispatched(request, body)

    async def _dispatched(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        from slack_bolt.adapter.aiohttp import to_aiohttp_response
        from slack_bolt.request.async_request import AsyncBoltRequest

        headers = {name: request.headers[name] for name in COVERED if name in request.headers}
        bolt = AsyncBoltRequest(body=body.decode(), headers=dict(headers))
        return await to_aiohttp_response(await self._dispatch(bolt))


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether this is our own failure: anybody can send nonsense, and would fill the log."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


async def _whole(request: web.BaseRequest) -> bytes:
    """The body, at most a MiB of it, soon."""
    try:
        async with asyncio.timeout(BODY_S):
            return await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (web.RequestPayloadError, ConnectionError):  # no chunks at all, or half a body
        raise web.HTTPBadRequest from None
