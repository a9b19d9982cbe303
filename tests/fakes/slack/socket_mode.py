"""Socket Mode: the websockets that an app holds open, the envelopes on them, their ends."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from tests.fakes.slack.clock import Clock
from tests.fakes.slack.exchanges import EVENT, Exchange
from tests.fakes.slack.faults import Faults
from tests.fakes.slack.limits import Limits

Json = dict[str, Any]


@dataclass(eq=False, slots=True)
class Socket:
    """One connection. `frozen`: it stands, but nothing comes through (half-open)."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    frozen: bool = False
    leaving: bool = False
    """It was told to disconnect, and gets no more envelopes."""
    waiting: dict[str, tuple[Exchange, asyncio.Future[str]]] = field(
        default_factory=dict[str, tuple[Exchange, asyncio.Future[str]]]
    )

    async def say(self, value: Json) -> bool:
        """Send; False if it is gone."""
        if self.frozen:
            return True
        try:
            await self.socket.send_str(json.dumps(value))
        except ConnectionError:
            return False
        return True

    def heard(self, said: Json) -> None:
        """An ack, perhaps with an answer."""
        exchange, future = self.waiting.get(str(said.get("envelope_id")), (None, None))
        if exchange is None or future is None or future.done():
            return
        exchange.answer = said.get("payload") or {}
        future.set_result("")

    def ended(self) -> None:
        """What was not acked on it is lost."""
        for _, future in self.waiting.values():
            if not future.done():
                future.set_result("connection_closed")


@dataclass(slots=True)
class Sockets:
    """All connections of the app."""

    clock: Clock
    limits: Limits
    faults: Faults
    open: list[Socket] = field(default_factory=list[Socket])
    tickets: set[str] = field(default_factory=set[str])
    opened: int = 0
    """How many there have ever been."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when one opens or ends, or an envelope is sent."""

    def ticket(self) -> str:
        """What lets one connection in."""
        ticket = uuid.UUID(int=self.faults.chance.getrandbits(128)).hex
        self.tickets.add(ticket)
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Hold one connection."""
        ticket = request.query.get("ticket", "")
        if ticket not in self.tickets:
            return web.Response(status=403, text="unknown ticket")
        ws = web.WebSocketResponse(autoping=False)
        await ws.prepare(request)
        self.tickets.discard(ticket)
        socket = Socket(ws, request.transport)
        if len(self.open) >= self.limits.connections:
            await socket.say({"type": "disconnect", "reason": "too_many_websockets"})
            await ws.close()
            return ws
        self.open.append(socket)
        self.opened += 1
        self.changed.set()
        hello = {"type": "hello", "num_connections": len(self.open)}
        await socket.say({**hello, "connection_info": {"app_id": "A1"}, "debug_info": {}})
        try:
            await self._listen(socket)
        finally:
            socket.ended()
            if socket in self.open:
                self.open.remove(socket)
            self.changed.set()
        return ws

    async def _listen(self, socket: Socket) -> None:
        async for message in socket.socket:
            if socket.frozen:
                continue
            if message.type is WSMsgType.PING:
                await socket.socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                socket.heard(json.loads(message.data))

    async def send(self, exchange: Exchange, *, attempt: int, reason: str) -> str:
        """To any one connection, and wait for the ack."""
        able = [socket for socket in self.open if not socket.leaving]
        if not able:
            return "no_connection"
        socket = self.faults.chance.choice(able)
        name = str(uuid.UUID(int=self.faults.chance.getrandbits(128)))
        envelope: Json = {
            "envelope_id": name,
            "type": exchange.kind,
            "payload": exchange.payload,
            "accepts_response_payload": exchange.kind != EVENT,
        }
        if exchange.kind == EVENT:
            envelope |= {"retry_attempt": attempt, "retry_reason": reason if attempt else ""}
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        socket.waiting[name] = (exchange, future)
        self.changed.set()
        try:
            if not await socket.say(envelope):
                return "connection_closed"
            acked = await self.clock.within(self.limits.ack_s, future)
            return future.result() if acked else "timeout"
        finally:
            del socket.waiting[name]

    async def disconnect(self, *, reason: str = "refresh_requested", after_s: float = 10.0) -> None:
        """Ask the oldest connection to leave, as Slack does every few hours, and close it then."""
        socket = next(each for each in self.open if not each.leaving)
        socket.leaving = reason != "warning"
        await socket.say({"type": "disconnect", "reason": reason, "debug_info": {}})
        if socket.leaving:
            await self.clock.sleep(after_s)
            await socket.socket.close()

    def cut(self, *, most: int = 1) -> int:
        """Break connections off without a word; returns how many."""
        chosen = self.open[:most]
        for socket in chosen:
            self.open.remove(socket)
            if socket.transport is not None:
                socket.transport.abort()
        return len(chosen)

    async def close(self) -> None:
        """End them all."""
        for socket in list(self.open):
            socket.ended()
            await socket.socket.close()
