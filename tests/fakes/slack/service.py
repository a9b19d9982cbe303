"""The server: Web API, websockets, files, response URLs, OAuth; and what can be read of it all."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from tests.fakes.slack import chat, oauth, rooms, streams
from tests.fakes.slack.acks import respond
from tests.fakes.slack.acts import SUBSCRIBED, Acts
from tests.fakes.slack.asked import Asked, Method, Refused, Room
from tests.fakes.slack.clock import Clock
from tests.fakes.slack.exchanges import PostOffice
from tests.fakes.slack.faults import Faults
from tests.fakes.slack.http_events import Requests
from tests.fakes.slack.limits import Limits, Rates
from tests.fakes.slack.socket_mode import Sockets
from tests.fakes.slack.workspace import Call, Channel, Person, Post, Team, View, Workspace

Json = dict[str, Any]

METHODS: dict[str, Method] = {**chat.METHODS, **streams.METHODS, **rooms.METHODS}
SCOPED = (
    "app_mentions:read chat:write assistant:write im:history channels:history groups:history "
    "commands files:read reactions:write users:read channels:read groups:read im:read im:write"
)
SECRET = "signing-secret"
SIGN_IN = "<!DOCTYPE html><html><title>Sign in | Slack</title></html>"


class FakeSlack(Acts):
    """One workspace T1 with channels C1 (public), C2 (private), people U1, U2 and the admin U9.

    `request_url`: deliver over HTTP, signed with `signing_secret`, instead of over websockets.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        faults: Faults | None = None,
        clock: Clock | None = None,
        request_url: str = "",
        signing_secret: str = SECRET,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.limits = limits or Limits()
        self.clock, self.faults = clock or Clock(), faults or Faults()
        self.workspace = _new_workspace()
        self.sockets = Sockets(self.clock, self.limits, self.faults)
        self.requests = Requests(request_url, signing_secret, self.clock, self.limits, wall)
        self.app_token, self.signing_secret = "xapp-1-A1-fake", signing_secret
        self.calls: list[Call] = []
        self.echoes = True
        """Whether the app hears of its own messages, as it does at Slack."""
        self._rates = Rates(self.limits)
        self._runner: web.AppRunner | None = None
        room = Room(
            self.workspace, self.limits, self.clock, tell=self._tell, socket_url=self._socket_url
        )
        room.client, room.subscribed = ("client-id", "client-secret"), set(SUBSCRIBED)
        transport = self.requests if request_url else self.sockets
        super().__init__(room, PostOffice(self.clock, self.limits, self.faults, transport))
        self.sockets.changed = self.post_office.changed

    # ── where it is ──────────────────────────────────────────────────────────────────────────

    @property
    def api_url(self) -> str:
        """The base_url of clients."""
        return f"{self.url}/api/"

    @property
    def bot_token(self) -> str:
        """That of the workspace T1."""
        return self.workspace.teams["T1"].token

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.post_office.close()
        await self.sockets.close()
        await self.requests.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=self.limits.body_bytes)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/link/", self.sockets.serve)
        app.router.add_post("/response/{name}", self._response)
        app.router.add_get("/files-pri/{id}/{name}", self._download)
        app.router.add_get("/signin", self._sign_in)
        app.router.add_get("/oauth/v2/authorize", self._authorize)
        return app

    def _socket_url(self) -> str:
        return f"{self.url.replace('http', 'ws', 1)}/link/?ticket={self.sockets.ticket()}"

    def _tell(self, team: Team, body: Json) -> None:
        """An event of the app's own message, which reaches it as anybody's does."""
        channel = self.workspace.channels[body["channel"]]
        kinds = {"channel": "message.channels", "group": "message.groups", "im": "message.im"}
        if self.echoes and kinds[channel.kind] in self.room.subscribed:
            self.event({"channel_type": channel.kind, **body}, team=team.id, ts=body["ts"])

    # ── what is there ────────────────────────────────────────────────────────────────────────

    def add_team(self, name: str) -> Team:
        """Another workspace that installed the app, with a channel C and a person U of that name."""
        team = Team(name, f"xoxb-{name}", f"UBOT{name}", f"B{name}", tuple(SCOPED.split()))
        self.workspace.teams[name] = team
        self.add_channel(f"C{name}", team=name)
        self.add_person(f"U{name}", team=name)
        return team

    def add_channel(self, name: str, *, kind: str = "channel", team: str = "T1") -> Channel:
        """Another channel, which the bot and everybody is in."""
        members = {self.workspace.teams[team].bot, *self.workspace.people}
        channel = Channel(name, name.lower(), kind, team, members)
        self.workspace.channels[name] = channel
        return channel

    def add_person(self, name: str, *, admin: bool = False, team: str = "T1") -> Person:
        """Another person, with a conversation with the bot."""
        _add_person(self.workspace, Person(name, name.lower(), admin=admin), team=team)
        return self.workspace.people[name]

    def add_file(self, name: str, content: bytes, *, kind: str, user: str = "U1") -> str:
        """Upload a file; its id, to be sent with a message."""
        file_id = self.workspace.name("F")
        url = f"{self.url}/files-pri/{file_id}/{name}"
        said: Json = {"id": file_id, "name": name, "title": name, "mimetype": kind, "user": user}
        said |= {"size": len(content), "url_private": url, "url_private_download": url}
        said |= {"filetype": name.rpartition(".")[2], "mode": "hosted", "file_access": "visible"}
        self.workspace.files[file_id] = (said, content)
        return file_id

    # ── what is seen ─────────────────────────────────────────────────────────────────────────

    @property
    def refused(self) -> list[Call]:
        """Calls that Slack refused, or that a fault hit."""
        return [call for call in self.calls if call.error]

    @property
    def views(self) -> list[View]:
        """The modals that are open, the newest last."""
        return [view for view in self.workspace.views.values() if view.open]

    def home(self, user: str) -> View | None:
        """Somebody's App Home."""
        return self.workspace.homes.get(user)

    def thread(self, channel: str, ts: str, *, user: str = "") -> list[Post]:
        """A thread as everybody sees it; with `user`, also what they alone see."""
        return [post for post in self.workspace.thread(channel, ts) if post.to in {"", user}]

    def posts(self, channel: str, *, user: str = "") -> list[Post]:
        """All of a channel with its threads, in order, as everybody sees it, or `user`."""
        return [
            post
            for (where, _), post in sorted(self.workspace.posts.items())
            if where == channel and not post.deleted and post.to in {"", user}
        ]

    def private(self, user: str) -> list[Post]:
        """What that person alone was shown, everywhere."""
        return [post for _, post in sorted(self.workspace.posts.items()) if post.to == user]

    def status(self, channel: str, ts: str) -> str:
        """The status line below a thread; "" if there is none, or it expired."""
        until, status, _ = self.workspace.statuses.get((channel, ts), (0.0, "", []))
        return status if self.clock.now() < until else ""

    def session(self, channel: str, ts: str) -> str:
        """The state of the agent session of a thread; "" if there is none."""
        return str(self.workspace.sessions.get((channel, ts), {}).get("status", ""))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until that is so; it is looked at after each call and ack."""
        while not holds():
            self.post_office.changed.clear()
            await self.post_office.changed.wait()

    # ── how websockets end ───────────────────────────────────────────────────────────────────

    async def disconnect(self, *, reason: str = "refresh_requested", after_s: float = 10.0) -> None:
        """Ask one connection to leave, and close it then."""
        await self.sockets.disconnect(reason=reason, after_s=after_s)

    def cut(self, *, most: int = 1) -> int:
        """Break connections off without a word."""
        return self.sockets.cut(most=most)

    # ── the server ───────────────────────────────────────────────────────────────────────────

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        fault = self.faults.of_call(method)
        if fault == "cut":
            return _broken_off(request)
        args = await _arguments(request, method)
        header = request.headers.get("Authorization", "")
        args |= oauth.client_of(header)
        bearer = header.removeprefix("Bearer ") if header.startswith("Bearer ") else ""
        token, now = str(args.pop("token", "") or bearer), self.clock.now()
        team = self._team(token)
        channel = str(args.get("channel", args.get("channel_id", "")))
        wait_s = self._rates.wait_s(method, team.id if team else "", channel, now=now)
        if fault == "busy" or wait_s:
            self._note(method, args, team, "ratelimited")
            wait_s = self.clock.client_seconds(max(wait_s, self.faults.busy_s if fault else 0))
            headers = {"Retry-After": str(wait_s)}
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers=headers
            )
        if fault == "broken":
            self._note(method, args, team, "500")
            return web.Response(status=500, text="<html>Server Error</html>")
        answer = self._answer(method, args, token, team)
        self._note(method, args, team, fault or str(answer.get("error", "")))
        if fault == "slow":
            await self.clock.sleep(self.faults.slow_s)
        if fault == "lost":
            return _broken_off(request)
        headers = {"x-oauth-scopes": ",".join(team.scopes)} if team else {}
        return web.json_response(answer, headers=headers)

    def _team(self, token: str) -> Team | None:
        known = {team.token: team for team in self.workspace.teams.values()}
        return None if token in self.room.revoked else known.get(token)

    def _note(self, method: str, args: Json, team: Team | None, error: str) -> None:
        self.calls.append(Call(self.clock.now(), method, args, team.id if team else "", error))
        self.post_office.changed.set()

    def _answer(self, method: str, args: Json, token: str, team: Team | None) -> Json:
        """What the method says; refusals are answers as well."""
        try:
            asked = Asked(self.room, self._allowed(method, token, team), args)
            self._scoped(method, asked)
            return {"ok": True, **METHODS[method](asked)}
        except Refused as refused:
            details = {"response_metadata": {"messages": list(refused.messages)}}
            more = {"needed": refused.messages[0]} if refused.error == "missing_scope" else {}
            return {
                "ok": False,
                "error": refused.error,
                **more,
                **(details if refused.messages else {}),
            }

    def _allowed(self, method: str, token: str, team: Team | None) -> Team:
        if method not in METHODS:
            raise Refused("unknown_method")
        if method == "oauth.v2.access":
            return self.workspace.teams["T1"]
        if not token:
            raise Refused("not_authed")
        if method == "apps.connections.open":
            if token != self.app_token:
                raise Refused("not_allowed_token_type" if team else "invalid_auth")
            return self.workspace.teams["T1"]
        if token in self.room.revoked:
            raise Refused("token_revoked")
        if team is None:
            raise Refused("not_allowed_token_type" if token == self.app_token else "invalid_auth")
        return team

    def _scoped(self, method: str, asked: Asked) -> None:
        needed = rooms.SCOPES.get(method, "")
        if method.startswith("conversations.") and not needed:
            kind = rooms.BY_KIND[asked.channel().kind]
            reading = method in {"conversations.replies", "conversations.history"}
            needed = f"{kind}:{'history' if reading else 'read'}"
        if needed and needed not in asked.team.scopes:
            raise Refused("missing_scope", needed)
        if error := self.faults.refusing.get(method):
            raise Refused(error)

    async def _response(self, request: web.Request) -> web.StreamResponse:
        """What is sent to a response_url."""
        name, said = request.match_info["name"], await request.json()
        used, since, about = self.responses.get(name, (0, 0.0, {}))
        if not about or self.clock.now() - since > self.limits.response_s:
            return web.json_response({"ok": False, "error": "expired_url"}, status=404)
        if used >= self.limits.response_uses:
            return web.json_response({"ok": False, "error": "used_url"}, status=404)
        self.responses[name] = (used + 1, since, about)
        error = respond(self.room, said, **about)
        self._note("response_url", said, None, error)
        if error:
            return web.json_response({"ok": False, "error": error}, status=400)
        return web.Response(text="ok")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """A file, for the bot's token only; all others are shown the way to the door."""
        header = request.headers.get("Authorization", "")
        found = self.workspace.files.get(request.match_info["id"])
        self._note("file", {"name": request.match_info["name"]}, None, "")
        if self._team(header.removeprefix("Bearer ")) is None:
            raise web.HTTPFound("/signin")
        if found is None:
            raise web.HTTPNotFound
        return web.Response(body=found[1], content_type=str(found[0]["mimetype"]))

    async def _sign_in(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text=SIGN_IN, content_type="text/html")

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        """Somebody reads what the app wants, and allows it, or not; or why it cannot be asked."""
        try:
            back = oauth.asked_to_allow(self.room, request.query)
        except Refused as refused:
            return web.Response(status=400, text=f"Something went wrong: {refused.error}")
        raise web.HTTPFound(back)


def _broken_off(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _arguments(request: web.Request, method: str) -> Json:
    """From the query, a form, or JSON, which methods that only read do not understand."""
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        if method in {"conversations.info", "conversations.members"}:
            return args
        body: Json = await request.json()
        return args | body
    return args | dict(await request.post())


def _add_person(space: Workspace, person: Person, *, team: str) -> None:
    space.people[person.id] = person
    bot = space.teams[team].bot
    space.channels[f"D{person.id}"] = Channel(f"D{person.id}", "", "im", team, {person.id, bot})
    for channel in space.channels.values():
        if channel.team == team and channel.kind != "im":
            channel.members.add(person.id)


def _new_workspace() -> Workspace:
    space = Workspace()
    space.teams["T1"] = Team("T1", "xoxb-T1-fake", "UBOT", "B1", tuple(SCOPED.split()))
    for name, kind in (("C1", "channel"), ("C2", "group")):
        space.channels[name] = Channel(name, name.lower(), kind, "T1", {"UBOT"})
    for person in (Person("U1", "ann"), Person("U2", "ben"), Person("U9", "ida", admin=True)):
        _add_person(space, person, team="T1")
    return space


def seeded(seed: int) -> random.Random:
    """For `Faults(chance=…)`."""
    return random.Random(seed)  # noqa: S311 - no secret
