"""The fake's REST: its routes, and what stands before each of them (token, limits, faults)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, web
from tests.fakes.discord.interactions import Interactions
from tests.fakes.discord.limits import BUCKETS, GLOBAL, INVALID, Fault
from tests.fakes.discord.posting import Files, Posting
from tests.fakes.discord.rules import Refusal, check_commands, invalid
from tests.fakes.discord.state import Request, State
from tests.fakes.discord.world import (
    CREATE_PUBLIC_THREADS,
    PUBLIC_THREAD,
    READ_HISTORY,
    VIEW_CHANNEL,
    Channel,
    Json,
    Post,
)

Answer = Json | list[Json] | None
Handler = Callable[["Asked"], Answer]
TOKENLESS = ("/interactions/", "/webhooks/", "/gateway")


@dataclass(slots=True)
class Asked:
    """A request that was read: the parts of its path, its JSON or list, its files."""

    part: dict[str, str]
    query: dict[str, str]
    body: Json
    listed: list[Json] = field(default_factory=list[Json])
    files: Files = field(default_factory=Files)


@dataclass(slots=True)
class Rest:
    """Answers REST requests as Discord does."""

    state: State
    posting: Posting
    interactions: Interactions

    def add_to(self, app: web.Application) -> None:
        """Put every route below /api/v10."""
        for route, handler in self._routes().items():
            method, path = route.split(" ")
            app.router.add_route(method, f"/api/v10{path}", self._served(route, handler))

    def _routes(self) -> dict[str, Handler]:
        message = "/channels/{channel}/messages/{message}"
        hook = "/webhooks/{application}/{token}"
        commands = "/applications/{application}/commands"
        own = "/applications/{application}/guilds/{guild}/commands"
        return {
            "GET /gateway": lambda _: {"url": self.posting.gateway.url},
            "GET /gateway/bot": self._gateway_bot,
            "GET /users/@me": lambda _: self.state.bot.wire() | {"verified": True},
            "GET /users/@me/guilds": self._my_guilds,
            "POST /users/@me/channels": self._open_direct,
            "GET /oauth2/applications/@me": lambda _: self.state.application(),
            "GET /applications/@me": lambda _: self.state.application(),
            f"GET {commands}": lambda _: self.state.commands.get("", []),
            f"PUT {commands}": self._sync,
            f"GET {own}": lambda asked: self.state.commands.get(asked.part["guild"], []),
            f"PUT {own}": self._sync,
            "GET /guilds/{guild}": self._guild,
            "GET /guilds/{guild}/channels": self._guild_channels,
            "GET /guilds/{guild}/roles": lambda _: [self.state.role()],
            "GET /guilds/{guild}/members/{user}": self._guild_member,
            "GET /channels/{channel}": lambda asked: self._channel(asked).wire(self.state.bot),
            "GET /channels/{channel}/messages": self._history,
            "POST /channels/{channel}/messages": self._create,
            f"GET {message}": lambda asked: self._shown(self._post(asked)),
            f"PATCH {message}": self._edit,
            f"DELETE {message}": self._delete,
            f"PUT {message}/reactions/{{emoji}}/@me": self._react,
            f"DELETE {message}/reactions/{{emoji}}/@me": self._unreact,
            f"POST {message}/threads": self._thread_on_message,
            "POST /channels/{channel}/threads": self._thread,
            "POST /channels/{channel}/typing": self._type,
            "POST /interactions/{interaction}/{token}/callback": self._callback,
            f"POST {hook}": self._follow_up,
            f"GET {hook}/messages/{{message}}": lambda asked: self._by_token(asked).wire(),
            f"PATCH {hook}/messages/{{message}}": self._edit_by_token,
            f"DELETE {hook}/messages/{{message}}": self._delete_by_token,
        }

    # ── before and after each request ────────────────────────────────────────────────────────

    def _served(
        self, route: str, handler: Handler
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            asked = await _read(request)
            fault = self.state.faults.next(route)
            if fault == "slow":
                await asyncio.sleep(self.state.faults.slow_s)
            if fault == "cut":
                _abort(request)
                return web.Response(status=500)
            response = self._answered(request, route, handler, asked=asked, fault=fault)
            self._note(request, route, response, asked)
            if fault == "lost":
                _abort(request)
            return response

        return serve

    def _answered(
        self,
        request: web.Request,
        route: str,
        handler: Handler,
        *,
        asked: Asked,
        fault: Fault | None,
    ) -> web.Response:
        refused = self._failing(fault)
        if refused is not None:
            return refused
        tokenless = route.split(" ")[1].startswith(TOKENLESS[:2])
        token = self.state.token and f"Bot {self.state.token}"
        if not tokenless and (token is None or request.headers.get("Authorization") != token):
            return _said(401, {"message": "401: Unauthorized", "code": 0})
        headers, wait_s, scope = self._count(route, asked, tokenless=tokenless)
        if wait_s is not None:
            return self._too_many(wait_s, scope=scope, headers=headers)
        try:
            value = handler(asked)
        except Refusal as refusal:
            return _said(refusal.status, refusal.body, headers)
        self.state.touch()
        if value is None:
            return web.Response(status=204, headers=headers)
        return _said(201 if route.endswith("/threads") else 200, value, headers)

    def _failing(self, fault: Fault | None) -> web.Response | None:
        if self.state.invalid_requests >= INVALID[0] or fault == "banned":
            told_s = self.state.faults.retry_after
            told = {"Retry-After": told_s} if told_s else {}
            return web.Response(status=429, text="<html>Access denied</html>", headers=told)
        if fault in {"500", "502"}:
            return _said(int(fault), {"message": "Internal Server Error", "code": 0})
        return None if fault != "429" else self._too_many(0.05, scope="shared", headers={})

    def _count(
        self, route: str, asked: Asked, *, tokenless: bool
    ) -> tuple[dict[str, str], float | None, str]:
        """The headers that go with the answer, and how long to wait if this was one too many."""
        now_s, limits = self.state.clock.now_s(), self.state.limits
        headers: dict[str, str] = {}
        if route in BUCKETS:
            whose = asked.part.get("channel") or asked.part.get("token", "")
            window = limits.window(f"{route} {whose}", BUCKETS[route])
            taken = window.take(now_s)
            headers = window.headers(now_s, route)
            if not taken:
                return headers, window.ends_s - now_s, "user"
        every = limits.window("global", GLOBAL)
        if not tokenless and not every.take(now_s):
            return headers, every.ends_s - now_s, "global"
        return headers, None, ""

    def _too_many(self, wait_s: float, *, scope: str, headers: dict[str, str]) -> web.Response:
        more = {"Retry-After": f"{wait_s:.3f}", "X-RateLimit-Scope": scope}
        if scope == "global":
            more["X-RateLimit-Global"] = "true"
        body: Json = {
            "message": "You are being rate limited.",
            "retry_after": round(wait_s, 3),
            "global": scope == "global",
        }
        return _said(429, body, headers | more)

    def _note(self, request: web.Request, route: str, response: web.Response, asked: Asked) -> None:
        status = response.status
        shared = response.headers.get("X-RateLimit-Scope") == "shared"
        if status in {401, 403} or (status == 429 and not shared):
            self.state.invalid_requests += 1
        self.state.requests.append(
            Request(route, request.path, status, self.state.clock.now_s(), asked.body)
        )
        self.state.touch()

    # ── the bot, its server and its commands ─────────────────────────────────────────────────

    def _gateway_bot(self, asked: Asked) -> Json:
        gateway = self.posting.gateway
        left = {
            "total": self.state.limits.identifies,
            "remaining": max(self.state.limits.identifies - gateway.identifies, 0),
            "reset_after": 86_400_000,
            "max_concurrency": 1,
        }
        return {"url": gateway.url, "shards": gateway.shards, "session_start_limit": left}

    def _my_guilds(self, asked: Asked) -> list[Json]:
        guild = self.state.guild()
        kept = {name: guild[name] for name in ("id", "name", "icon", "banner", "features")}
        return [kept | {"owner": False, "permissions": self.state.role()["permissions"]}]

    def _guild(self, asked: Asked) -> Json:
        self._known_guild(asked)
        counts = {"approximate_member_count": 2, "approximate_presence_count": 1}
        return self.state.guild() | counts

    def _guild_channels(self, asked: Asked) -> list[Json]:
        self._known_guild(asked)
        every = self.state.channels.values()
        return [c.wire(self.state.bot) for c in every if c.guild_id == asked.part["guild"]]

    def _guild_member(self, asked: Asked) -> Json:
        self._known_guild(asked)
        for user in (self.state.bot, *self.state.users.values()):
            if user.id == asked.part["user"]:
                return self.state.member(user)
        raise Refusal(404, 10007, "Unknown Member")

    def _known_guild(self, asked: Asked) -> None:
        if asked.part["guild"] != self.state.guild_id:
            raise Refusal(403, 50001, "Missing Access")

    def _sync(self, asked: Asked) -> list[Json]:
        check_commands(asked.listed)
        self.state.syncs += 1
        guild = asked.part.get("guild", "")
        before = {(c["type"], c["name"]): c for c in self.state.commands.get(guild, [])}
        made: list[Json] = []
        for command in asked.listed:
            kind = command.get("type") or 1
            earlier = before.get((kind, command["name"]), {})
            made.append(
                {
                    "id": earlier.get("id") or self.state.clock.snowflake(),
                    "application_id": self.state.bot.id,
                    "version": self.state.clock.snowflake(),
                    "default_member_permissions": None,
                    "nsfw": False,
                    "description": "",
                    "contexts": None,
                    "integration_types": [0],
                    **command,
                    "type": kind,
                }
                | ({"guild_id": guild} if guild else {})
            )
        self.state.commands[guild] = made
        return made

    # ── channels and messages ────────────────────────────────────────────────────────────────

    def _channel(self, asked: Asked, permissions: int = VIEW_CHANNEL) -> Channel:
        channel = self.state.channels.get(asked.part["channel"])
        if channel is None:
            raise Refusal(404, 10003, "Unknown Channel")
        self.posting.check_may(channel, permissions)
        return channel

    def _post(self, asked: Asked, *, own: bool = False) -> Post:
        needed = VIEW_CHANNEL if own else VIEW_CHANNEL | READ_HISTORY
        post = self._channel(asked, needed).posts.get(asked.part["message"])
        if post is None or post.only_for is not None:
            raise Refusal(404, 10008, "Unknown Message")
        if own and post.author is not self.state.bot:
            raise Refusal(403, 50005, "Cannot edit a message authored by another user")
        return post

    def _shown(self, post: Post) -> Json:
        return post.wire(content_for=None if self.state.message_content else self.state.bot)

    def _open_direct(self, asked: Asked) -> Json:
        for user in self.state.users.values():
            if user.id == str(asked.body["recipient_id"]):
                self.posting.check_may(self.state.direct(user))
                return self.state.direct(user).wire(self.state.bot)
        raise Refusal(404, 10013, "Unknown User")

    def _history(self, asked: Asked) -> list[Json]:
        posts = [p for p in self._channel(asked).posts.values() if p.only_for is None]
        if "before" in asked.query:
            posts = [post for post in posts if int(post.id) < int(asked.query["before"])]
        limit = int(asked.query.get("limit", 50))
        if not 1 <= limit <= 100:
            raise invalid(limit="NUMBER_TYPE_MAX")
        if "after" in asked.query:
            posts = [post for post in posts if int(post.id) > int(asked.query["after"])][:limit]
        return [self._shown(post) for post in reversed(posts[-limit:])]

    def _create(self, asked: Asked) -> Json:
        channel = self._channel(asked)
        self.posting.check_may(channel)
        return self.posting.create(channel, asked.body, asked.files).wire()

    def _edit(self, asked: Asked) -> Json:
        return self.posting.edit(self._post(asked, own=True), asked.body, asked.files).wire()

    def _delete(self, asked: Asked) -> None:
        post = self._post(asked)
        if post.author is not self.state.bot:
            raise Refusal(403, 50013, "Missing Permissions")
        self.posting.delete(post)

    def _react(self, asked: Asked) -> None:
        self._post(asked).reactions.append(asked.part["emoji"])

    def _unreact(self, asked: Asked) -> None:
        post = self._post(asked)
        if asked.part["emoji"] in post.reactions:
            post.reactions.remove(asked.part["emoji"])

    def _type(self, asked: Asked) -> None:
        channel = self._channel(asked)
        self.posting.check_may(channel)
        self.state.typing.append(channel.name)

    def _thread_on_message(self, asked: Asked) -> Json:
        post = self._post(asked)
        if post.thread is not None:
            raise Refusal(400, 160004, "A thread has already been created for this message")
        post.thread = self._new_thread(asked, post.id)
        return post.thread.wire(self.state.bot)

    def _thread(self, asked: Asked) -> Json:
        return self._new_thread(asked, self.state.clock.snowflake()).wire(self.state.bot)

    def _new_thread(self, asked: Asked, number: str) -> Channel:
        parent = self._channel(asked, VIEW_CHANNEL | CREATE_PUBLIC_THREADS)
        name, archived_after = asked.body["name"], asked.body.get("auto_archive_duration")
        if not 1 <= len(name) <= 100:
            raise invalid(name="BASE_TYPE_BAD_LENGTH")
        if archived_after not in {None, 60, 1440, 4320, 10080}:
            raise invalid(auto_archive_duration="BASE_TYPE_CHOICES")
        if parent.guild_id == "" or parent.is_thread:
            raise Refusal(400, 50024, "Cannot execute action on this channel type")
        kind = asked.body.get("type") or PUBLIC_THREAD
        thread = Channel(number, name, kind, parent.guild_id, parent.id, private=parent.private)
        self.state.add(thread)
        event = thread.wire(self.state.bot) | {"newly_created": True}
        self.posting.gateway.tell("THREAD_CREATE", lambda _: event, guild_id=parent.guild_id)
        return thread

    # ── interactions ─────────────────────────────────────────────────────────────────────────

    def _callback(self, asked: Asked) -> Answer:
        part = asked.part
        told = self.interactions.respond(
            part["interaction"], part["token"], asked.body, asked.files
        )
        return told if asked.query.get("with_response") in {"1", "true"} else None

    def _by_token(self, asked: Asked) -> Post:
        return self.interactions.post_of(asked.part)

    def _follow_up(self, asked: Asked) -> Json:
        return self.interactions.follow_up(asked.part, asked.body, asked.files).wire()

    def _edit_by_token(self, asked: Asked) -> Json:
        return self.posting.edit(self._by_token(asked), asked.body, asked.files).wire()

    def _delete_by_token(self, asked: Asked) -> None:
        self.posting.delete(self._by_token(asked))


async def _read(request: web.Request) -> Asked:
    body: Json | list[Json] = {}
    files: Files = {}
    if request.content_type == "multipart/form-data":
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            if part.name == "payload_json":
                body = json.loads(await part.text())
            else:
                files[str(part.filename)] = bytes(await part.read())
    elif request.can_read_body:
        body = json.loads(await request.text() or "{}")
    asked = Asked(dict(request.match_info), dict(request.query), {}, files=files)
    if isinstance(body, list):
        asked.listed = body
    else:
        asked.body = body
    return asked


def _said(
    status: int, value: Json | list[Json], headers: dict[str, str] | None = None
) -> web.Response:
    """JSON, as exactly that: discord.py takes a charset beside it for plain text."""
    via = {"Via": "1.1 google"}  # discord.py takes a 429 without it for a ban
    return web.Response(
        status=status,
        body=json.dumps(value).encode(),
        content_type="application/json",
        headers=via | (headers or {}),
    )


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
