"""The fake's gateway: identifies, heartbeats, resumes with replay, and drops connections on demand."""

from __future__ import annotations

import asyncio
import json
import secrets
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import WSCloseCode, WSMsgType, web
from tests.fakes.discord.state import State
from tests.fakes.discord.world import Json

GUILDS, MEMBERS, PRESENCES = 1 << 0, 1 << 1, 1 << 8
GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 9, 1 << 12, 1 << 15
Drop = Literal["abort", "half-open", "reconnect", "invalid", "invalid-resumable", "close"]
DISPATCH, HEARTBEAT, RECONNECT, INVALID_SESSION, HELLO, ACK = 0, 1, 7, 9, 10, 11


@dataclass(slots=True, eq=False)
class Session:
    """What one identified shard was and will be told; it outlives the connection."""

    shard: tuple[int, int]
    intents: int
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    log: list[Json] = field(default_factory=list[Json])
    grew: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, name: str, data: Json) -> None:
        """The next event; its number is its place."""
        self.log.append({"op": DISPATCH, "t": name, "s": len(self.log) + 1, "d": data})
        self.grew.set()

    def hears(self, guild_id: str) -> bool:
        """Whether this shard serves that server; direct messages come to shard 0."""
        place, of = self.shard
        return ((int(guild_id) >> 22) % of if guild_id else 0) == place


@dataclass(slots=True, eq=False)
class Line:
    """One websocket connection. A frozen one is half open: it neither says nor hears anything.

    `sent` is how many of the session's events went out, `heard` how many the client has told with
    a heartbeat that it dealt with.
    """

    socket: web.WebSocketResponse
    request: web.Request
    session: Session | None = None
    sent: int = 0
    heard: int = 0
    frozen: bool = False
    dropped: bool = False
    packer: zlib._Compress | None = None

    @property
    def told(self) -> int:
        """How many events its session has had."""
        return 0 if self.session is None else len(self.session.log)

    async def say(self, op: int, data: object = None) -> None:
        """Send what is no event."""
        await self.send({"op": op, "d": data, "s": None, "t": None})

    async def send(self, value: Json) -> None:
        """Send one payload, compressed as the client asked for."""
        if self.frozen or self.socket.closed:
            return
        text = json.dumps(value)
        if self.packer is None:
            await self.socket.send_str(text)
        else:
            packed = self.packer.compress(text.encode()) + self.packer.flush(zlib.Z_SYNC_FLUSH)
            await self.socket.send_bytes(packed)

    def abort(self) -> None:
        """Break the connection without a word."""
        if self.request.transport is not None:
            self.request.transport.abort()


@dataclass(slots=True)
class Gateway:
    """Every connection and session; counts what Discord counts.

    `identifies` are all IDENTIFYs of the bot, `resumes` those of a session that was still known,
    `beats` the heartbeats.
    """

    state: State
    url: str = ""
    shards: int = 1
    identifies: int = 0
    resumes: int = 0
    refused_resumes: int = 0
    beats: int = 0
    awaited_beat: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    sessions: dict[str, Session] = field(default_factory=dict[str, Session])
    lines: list[Line] = field(default_factory=list[Line])

    @property
    def connected(self) -> list[Line]:
        """The connections that have a session now."""
        return [line for line in self.lines if line.session is not None and not line.frozen]

    def tell(
        self, name: str, data: Callable[[Session], Json], *, guild_id: str, intents: int = 0
    ) -> None:
        """An event for every session that serves the server and asked for one of the `intents`."""
        for session in self.sessions.values():
            if session.hears(guild_id) and (not intents or session.intents & intents):
                session.tell(name, data(session))
        self.state.touch()

    async def drop(self, how: Drop = "abort", *, code: int = 4000) -> None:
        """End every connection.

        "abort" breaks it; "half-open" leaves it open and dead; "reconnect" is op 7, "invalid" op 9
        that ends the session, "invalid-resumable" op 9 that keeps it; "close" closes with `code`.
        """
        for line in [line for line in self.lines if line.session is not None]:
            line.dropped = how != "half-open"
            if how.startswith("invalid"):
                await self._invalidate(line, resumable=how == "invalid-resumable")
                continue
            match how:
                case "abort":
                    line.abort()
                case "reconnect":
                    await line.say(RECONNECT)
                case "close":
                    await line.socket.close(code=code)
                case _:
                    line.frozen = True
                    continue
            self._forget(line)
        self.state.touch()

    def replay(self, last: int = 1) -> None:
        """Tell every session its last message and interaction events once more.

        Discord does so now and then after a resume: the same message under a new number.
        """
        for session in self.sessions.values():
            events = [e for e in session.log if e["t"] in {"MESSAGE_CREATE", "INTERACTION_CREATE"}]
            for event in events[-last:]:
                session.tell(event["t"], event["d"])

    async def caught_up(self) -> None:
        """Wait until every connected client has dealt with all events: ask each for heartbeats."""
        while behind := [line for line in self.connected if line.heard < line.told]:
            self.awaited_beat.clear()
            for line in behind:
                await line.say(HEARTBEAT)
            await self.awaited_beat.wait()

    async def close(self) -> None:
        """End all connections, as a restart of Discord does."""
        for line in list(self.lines):
            line.abort()

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until either side ends it."""
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        packer = zlib.compressobj() if request.query.get("compress") == "zlib-stream" else None
        line = Line(socket, request, packer=packer)
        self.lines.append(line)
        try:
            await line.say(
                HELLO, {"heartbeat_interval": round(self.state.limits.heartbeat_s * 1000)}
            )
            async with asyncio.TaskGroup() as group:
                pump = group.create_task(self._pump(line))
                await self._listen(line)
                pump.cancel()
        except* ConnectionError:
            pass  # the client left in the middle of a word
        finally:
            self._forget(line)
        goodbye = socket.close_code in {WSCloseCode.OK, WSCloseCode.GOING_AWAY}
        if goodbye and line.session is not None and not line.dropped:
            self.sessions.pop(line.session.id, None)  # a client that says goodbye cannot resume
        self.state.touch()
        return socket

    async def _invalidate(self, line: Line, *, resumable: bool) -> None:
        """The client may resume or identify on the same connection: discord.js does."""
        session = line.session
        assert session is not None
        if not resumable:
            self.sessions.pop(session.id, None)
        line.session, line.heard = None, 0
        session.grew.set()
        await line.say(INVALID_SESSION, resumable)

    def _forget(self, line: Line) -> None:
        if line in self.lines:
            self.lines.remove(line)

    async def _pump(self, line: Line) -> None:
        while True:
            while line.session is None or line.sent >= len(line.session.log):
                if line.session is None:
                    await self.state.change()
                else:
                    line.session.grew.clear()
                    await line.session.grew.wait()
            event = line.session.log[line.sent]
            line.sent += 1
            await line.send(event)

    async def _listen(self, line: Line) -> None:
        window = self.state.limits.window(f"sends {id(line)}", self.state.limits.sends)
        async for message in line.socket:
            if line.frozen:
                continue
            if message.type is not WSMsgType.TEXT or len(message.data) > 4096:
                await line.socket.close(code=4002)
                return
            if not window.take(self.state.clock.now_s()):
                await line.socket.close(code=4008)
                return
            await self._hear(line, json.loads(message.data))

    async def _hear(self, line: Line, said: Json) -> None:
        match said["op"]:
            case 1:
                self.beats += 1
                self.awaited_beat.set()
                line.heard = said["d"] or 0
                await line.say(ACK)
                self.state.touch()
            case 2:
                await self._identify(line, said["d"])
            case 6:
                await self._resume(line, said["d"])
            case 3 | 4 | 8:  # presence, voice, members: nobody asks this fake for the answers
                if line.session is None:
                    await line.socket.close(code=4003)
            case _:
                await line.socket.close(code=4001)

    async def _identify(self, line: Line, asked: Json) -> None:
        limits = self.state.limits
        self.identifies += 1
        if self.identifies > limits.identifies:  # Discord resets the token and mails the owner
            self.state.revoke()
        place, of = asked.get("shard") or (0, 1)
        refused = self._refusal(line, asked, (place, of))
        if refused is not None:
            await line.socket.close(code=refused)
            return
        if not limits.window("identify", (1, limits.identify_every_s)).take(
            self.state.clock.now_s()
        ):
            await line.say(INVALID_SESSION, data=False)
            return
        session = Session((place, of), asked["intents"])
        self.sessions[session.id] = session
        for name, data in self.state.welcome(session.id, (place, of), url=self.url):
            if name == "READY" or (session.hears(data["id"]) and session.intents & GUILDS):
                session.tell(name, data)
        self._attach(line, session, sent=0)

    def _refusal(self, line: Line, asked: Json, shard: tuple[int, int]) -> int | None:
        privileged = MEMBERS | PRESENCES | (0 if self.state.message_content else MESSAGE_CONTENT)
        if line.session is not None:
            return 4005
        if asked["token"].removeprefix("Bot ") != self.state.token:
            return 4004
        if not 0 <= shard[0] < shard[1]:
            return 4010
        if shard[1] < self.shards:
            return 4011
        return 4014 if asked["intents"] & privileged else None

    async def _resume(self, line: Line, asked: Json) -> None:
        if asked["token"].removeprefix("Bot ") != self.state.token:
            await line.socket.close(code=4004)
            return
        session = self.sessions.get(asked["session_id"])
        if session is None:
            self.refused_resumes += 1
            await line.say(INVALID_SESSION, data=False)
        elif not 0 <= (asked["seq"] or 0) <= len(session.log):
            await line.socket.close(code=4007)
        else:
            self.resumes += 1
            for other in [other for other in self.lines if other.session is session]:
                other.frozen = True
                self._forget(other)
            session.tell("RESUMED", {"_trace": []})
            self._attach(line, session, sent=asked["seq"] or 0)

    def _attach(self, line: Line, session: Session, *, sent: int) -> None:
        line.session, line.sent, line.dropped = session, sent, False
        self.state.touch()
