"""Events, commands and clicks over HTTP, signed as Slack signs them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from tests.fakes.slack.clock import Clock
from tests.fakes.slack.exchanges import COMMAND, EVENT, Exchange
from tests.fakes.slack.limits import Limits

Json = dict[str, Any]


def signed(body: bytes, *, secret: str, at: float) -> dict[str, str]:
    """The two headers that prove a body comes from Slack."""
    stamp = str(int(at))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def encoded(exchange: Exchange) -> tuple[bytes, str]:
    """The body, and its content type."""
    if exchange.kind == EVENT:
        return json.dumps(exchange.payload).encode(), "application/json"
    form = exchange.payload
    if exchange.kind != COMMAND:
        form = {"payload": json.dumps(exchange.payload)}
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


@dataclass(slots=True)
class Requests:
    """Delivers to the app's request URL. `wall` is the app's idea of the time, for signatures."""

    url: str
    secret: str
    clock: Clock
    limits: Limits
    wall: Callable[[], float] = time.time
    _session: aiohttp.ClientSession | None = field(default=None)

    async def send(self, exchange: Exchange, *, attempt: int, reason: str) -> str:
        """POST, and wait 3 seconds for a 2xx."""
        body, kind = encoded(exchange)
        headers = signed(body, secret=self.secret, at=self.wall()) | {"Content-Type": kind}
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason}
        asking: asyncio.Task[str] = asyncio.create_task(self._post(exchange, body, headers))
        if not await self.clock.within(self.limits.ack_s, asking):
            asking.cancel()
            await asyncio.wait({asking})
            return "http_timeout"
        return asking.result()

    async def _post(self, exchange: Exchange, body: bytes, headers: dict[str, str]) -> str:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        try:
            async with self._session.post(self.url, data=body, headers=headers) as reply:
                text = await reply.text()
                if reply.status >= 300:
                    return "stop" if reply.headers.get("X-Slack-No-Retry") == "1" else "http_error"
        except aiohttp.ClientError:
            return "connection_failed"
        if text:
            is_json = reply.content_type == "application/json"
            exchange.answer = json.loads(text) if is_json else {"text": text}
        return ""

    async def verify(self) -> bool:
        """Slack's handshake when a request URL is entered: whether the challenge came back."""
        challenge = Exchange(EVENT, {"type": "url_verification", "challenge": "c1", "token": "t"})
        failed = await self.send(challenge, attempt=0, reason="")
        return not failed and challenge.answer.get("challenge", "") == "c1"

    async def close(self) -> None:
        """Close what was opened."""
        if self._session is not None:
            await self._session.close()
