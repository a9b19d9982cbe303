"""A Discord on loopback: gateway and REST for one bot, and what people do and see there.

It speaks the real protocol to the real discord.py (and, unmodified, to discord.js), so that the
bot's own code is tested on the wire:

    async with FakeDiscord() as discord:
        with discord.in_place():            # discord.py calls this one now
            ...                             # start the bot with discord.token, then
            await discord.ready()
            discord.mention("What is up?", user="ada", channel="general")
            post = await discord.said("general")
            discord.click("👍", user="ada")
            await discord.gateway.drop()    # how: see Drop in gateway.py

What people do (each returns what was made, at once): `mention`, `reply`, `direct`, `say`,
`amend`, `remove`, `slash`, `menu`, `click`, `submit`; `autocomplete` waits for the choices.
What they see: `seen` (messages in a channel), `whispers` (what only one person sees), `pings`,
`fetched`, `state.typing`. What Discord counts: `gateway.identifies`, `gateway.resumes`,
`state.requests`, `state.invalid_requests`, `state.syncs`. What goes wrong: `state.faults`,
`gateway.drop`, `gateway.replay`, `forbid`, `state.revoke`. Nothing sleeps: `until` waits for a
change, `pass_time` moves the clock of interactions and nonces, `Limits(pace=100)` shortens the
windows of rate limits. Channels and people are named, and there as soon as they are.

Where the real Discord is not known to the last detail, this one is the stricter: mentions in code
ring, links in layouts are fetched. It has one server (a foreign one by `elsewhere`), no roles but
@everyone, no voice, no member lists, no reactions of people, and it keeps sessions for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Self, TypeVar

from aiohttp import web
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.interactions import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL,
    Interaction,
    Interactions,
)
from tests.fakes.discord.limits import Faults, Limits
from tests.fakes.discord.posting import Posting
from tests.fakes.discord.reading import Ping, fetched
from tests.fakes.discord.rest import Rest
from tests.fakes.discord.state import State
from tests.fakes.discord.world import SEND_MESSAGES, Channel, Json, Post, User, walk
from yarl import URL

T = TypeVar("T")
Value = str | int | bool | tuple[str, bytes]


class FakeDiscord:
    """The whole service; `async with` serves it on a free port."""

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        faults: Faults | None = None,
        message_content: bool = False,
        shards: int = 1,
    ) -> None:
        self.state = State(limits or Limits(), faults or Faults(), message_content)
        self.gateway = Gateway(self.state, shards=shards)
        self.posting = Posting(self.state, self.gateway)
        self.interactions = Interactions(self.state, self.posting)
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=30 * 1024 * 1024)
        app.router.add_get("/gateway/", self.gateway.connect)
        app.router.add_get("/attachments/{channel}/{id}/{name}", self._attachment)
        Rest(self.state, self.posting, self.interactions).add_to(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        address = self._runner.addresses[0]
        self.state.url = f"http://127.0.0.1:{address[1]}"
        self.gateway.url = f"ws://127.0.0.1:{address[1]}/gateway/"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.gateway.close()
        assert self._runner is not None
        await self._runner.cleanup()

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """discord.py calls this service while inside."""
        import discord.gateway  # noqa: PLC0415 - the service itself stands without discord.py
        import discord.http  # noqa: PLC0415

        route, socket = discord.http.Route, discord.gateway.DiscordWebSocket
        before = route.BASE, socket.DEFAULT_GATEWAY
        route.BASE, socket.DEFAULT_GATEWAY = f"{self.state.url}/api/v10", URL(self.gateway.url)
        try:
            yield
        finally:
            route.BASE, socket.DEFAULT_GATEWAY = before

    @property
    def token(self) -> str:
        """The bot's token, as long as it was not revoked."""
        assert self.state.token is not None
        return self.state.token

    # ── waiting ──────────────────────────────────────────────────────────────────────────────

    async def until(self, true: Callable[[], T], *, within_s: float = 10.0) -> T:
        """Wait until `true()` is, looking at every change; return what it returned."""
        return await self.state.until(true, within_s=within_s)

    async def ready(self) -> None:
        """Wait until the bot has identified itself or resumed, and has dealt with all events."""
        await self.until(lambda: self.gateway.connected)
        await self.gateway.caught_up()

    async def said(self, channel: str | Channel = "general", *, number: int = 1) -> Post:
        """Wait for the bot's message of that number in a channel, and return it."""
        there = self._channel(channel)
        posts = await self.until(lambda: len(p := self._by_bot(there)) >= number and p)
        assert posts
        return posts[number - 1]

    def pass_time(self, seconds: float) -> None:
        """Let it be later for interactions and nonces."""
        self.state.clock.passed_s += seconds

    # ── what people do ───────────────────────────────────────────────────────────────────────

    def say(
        self,
        text: str,
        *,
        user: str = "ada",
        channel: str | Channel = "general",
        reply_to: Post | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> Post:
        """A message; it mentions whom its text names as <@id>."""
        there, author = self._channel(channel), self.state.user(user)
        post = Post(
            self.state.clock.snowflake(), there, author, self.state.clock.date(), content=text
        )
        post.reply_to = reply_to
        everybody = [self.state.bot, *self.state.users.values()]
        post.mentions = [each for each in everybody if f"<@{each.id}>" in text]
        for name, data in (files or {}).items():
            post.attachments.append(self.posting.attachment(there, name, data))
            post.files[name] = data
        there.posts[post.id] = post
        self.posting.tell(post, "CREATE")
        return post

    def mention(
        self,
        text: str,
        *,
        user: str = "ada",
        channel: str | Channel = "general",
        files: Mapping[str, bytes] | None = None,
    ) -> Post:
        """A message that begins with the bot's name."""
        called = f"<@{self.state.bot.id}> {text}"
        return self.say(called, user=user, channel=channel, files=files)

    def reply(self, text: str, to: Post, *, user: str = "ada", ping: bool = True) -> Post:
        """An answer to a message; without `ping` its author is not mentioned by it."""
        post = Post(
            self.state.clock.snowflake(),
            to.channel,
            self.state.user(user),
            self.state.clock.date(),
            content=text,
            reply_to=to,
            mentions=[to.author] if ping else [],
        )
        to.channel.posts[post.id] = post
        self.posting.tell(post, "CREATE")
        return post

    def direct(
        self, text: str, *, user: str = "ada", files: Mapping[str, bytes] | None = None
    ) -> Post:
        """A direct message to the bot."""
        there = self.state.direct(self.state.user(user))
        return self.say(text, user=user, channel=there, files=files)

    def amend(self, post: Post, text: str) -> None:
        """The author edits a message."""
        post.before.append(post.content)
        post.content, post.edited = text, self.state.clock.date()
        self.posting.tell(post, "UPDATE")

    def remove(self, post: Post) -> None:
        """The author, or who keeps order, deletes a message."""
        self.posting.delete(post)

    def slash(
        self,
        name: str,
        options: Mapping[str, Value] | None = None,
        *,
        user: str = "ada",
        channel: str | Channel = "general",
        by_user_install: bool = False,
    ) -> Interaction:
        """A command such as "ask" or "moa strategy", with its options by name; a file is (name, bytes)."""
        data = self._command(name, options or {}, channel=self._channel(channel), focused="")
        return self._begin(COMMAND, user, channel, data, by_user_install=by_user_install)

    async def autocomplete(
        self,
        name: str,
        options: Mapping[str, Value] | None = None,
        *,
        focused: str,
        user: str = "ada",
        channel: str | Channel = "general",
    ) -> list[str]:
        """What is offered while a person types the `focused` option."""
        typed = {focused: "", **(options or {})}
        data = self._command(name, typed, channel=self._channel(channel), focused=focused)
        interaction = self._begin(AUTOCOMPLETE, user, channel, data)
        await self.until(lambda: interaction.choices is not None)
        return [str(choice["name"]) for choice in interaction.choices or []]

    def menu(self, name: str, post: Post, *, user: str = "ada") -> Interaction:
        """A command from the context menu of a message."""
        command = self._registered(name, kind=3)
        data: Json = {
            "id": command["id"],
            "name": name,
            "type": 3,
            "target_id": post.id,
            "resolved": {"messages": {post.id: post.wire()}},
        }
        return self._begin(COMMAND, user, post.channel, data)

    def click(self, button: str, *, user: str = "ada", post: Post | None = None) -> Interaction:
        """Press a button by its label or custom id, on `post` or the newest message that has it."""
        there = [post] if post is not None else reversed(self._everything())
        for candidate in there:
            named = candidate.buttons
            custom_id = named.get(button) or (button if button in named.values() else None)
            visible = candidate.only_for in {None, self.state.user(user)}
            if custom_id is not None and visible:
                data: Json = {"custom_id": custom_id, "component_type": 2, "id": 1}
                return self._begin(COMPONENT, user, candidate.channel, data, source=candidate)
        shown = [candidate.buttons for candidate in self._everything() if candidate.buttons]
        raise AssertionError(f"There is no button {button!r}; there are: {shown}")

    def submit(self, asked: Interaction, values: Mapping[str, Value | list[str]]) -> Interaction:
        """Fill in the form that an interaction opened, by custom id, and send it."""
        assert asked.form is not None, "No form was opened."
        data: Json = {
            "custom_id": asked.form["custom_id"],
            "components": [_filled(part, values) for part in asked.form["components"]],
        }
        user, channel = asked.user.name, asked.channel
        return self._begin(MODAL, user, channel, data, source=asked.source)

    # ── what people see ──────────────────────────────────────────────────────────────────────

    def seen(self, channel: str | Channel = "general") -> list[Post]:
        """The messages that everybody sees in a channel, oldest first."""
        posts = self._channel(channel).posts.values()
        return [post for post in posts if post.only_for is None]

    def whispers(self, user: str = "ada") -> list[Post]:
        """The messages that only this person sees, oldest first."""
        return [post for post in self._everything() if post.only_for is self.state.user(user)]

    @property
    def pings(self) -> list[Ping]:
        """Whom the bot's messages have rung so far."""
        return self.state.pings

    def fetched(self) -> list[str]:
        """What Discord fetches to show the bot's messages as they are now."""
        own = [post for post in self._everything() if post.author is self.state.bot]
        return [link for post in own for link in fetched(post)]

    def count(self, route: str, *, status: int | None = None) -> int:
        """How many requests there were, such as "POST /channels/{channel}/messages"."""
        found = [request for request in self.state.requests if request.route == route]
        return sum(status in {None, request.status} for request in found)

    # ── how the place is ─────────────────────────────────────────────────────────────────────

    def forbid(self, channel: str | Channel, *, permissions: int = SEND_MESSAGES) -> None:
        """The bot may not do this here any more; the client is told."""
        there = self._channel(channel)
        there.denied |= permissions
        if there.guild_id:
            event = there.wire(self.state.bot)
            self.gateway.tell("CHANNEL_UPDATE", lambda _: event, guild_id=there.guild_id)

    def elsewhere(self, name: str = "their-general") -> Channel:
        """A channel of a server that the bot is not on; people bring it there as their own app."""
        clock = self.state.clock
        return self.state.add(Channel(clock.snowflake(), name, guild_id=clock.snowflake()))

    def _begin(
        self,
        type: int,
        user: str,
        channel: str | Channel,
        data: Json,
        *,
        source: Post | None = None,
        by_user_install: bool = False,
    ) -> Interaction:
        return self.interactions.begin(
            type,
            self.state.user(user),
            self._channel(channel),
            data,
            source=source,
            by_user_install=by_user_install,
        )

    def _channel(self, named: str | Channel) -> Channel:
        return named if isinstance(named, Channel) else self.state.channel(named)

    def _everything(self) -> list[Post]:
        every = [post for each in self.state.channels.values() for post in each.posts.values()]
        return sorted(every, key=lambda post: int(post.id))

    def _by_bot(self, channel: Channel) -> list[Post]:
        return [post for post in self.seen(channel) if post.author is self.state.bot]

    def _registered(self, name: str, *, kind: int) -> Json:
        offered = [c for group in self.state.commands.values() for c in group if c["type"] == kind]
        for command in offered:
            if command["name"] == name:
                return command
        names = [command["name"] for command in offered]
        raise AssertionError(f"No command {name!r} is registered; there are: {names}")

    def _command(
        self, name: str, options: Mapping[str, Value], *, channel: Channel, focused: str
    ) -> Json:
        first, *rest = name.split()
        command = self._registered(first, kind=1)
        resolved: Json = {}
        level, path = command, list[Json]()
        for word in rest:
            level = next(option for option in level["options"] if option["name"] == word)
            path.append({"name": word, "type": level["type"]})
        known = {option["name"]: option for option in level.get("options") or []}
        given: list[Json] = []
        for key, value in options.items():
            assert key in known, f"/{name} has no option {key!r}; it has: {list(known)}"
            option: Json = {"name": key, "type": known[key]["type"], "value": value}
            if isinstance(value, tuple):
                file = self.posting.attachment(channel, value[0], value[1])
                option["value"] = file["id"]
                resolved.setdefault("attachments", {})[file["id"]] = file
            given.append(option | ({"focused": True} if key == focused else {}))
        missing = [key for key, each in known.items() if each.get("required")]
        assert focused or set(missing) <= set(options), f"/{name} needs {missing}"
        for level_told in reversed(path):
            given = [level_told | {"options": given}]
        data: Json = {"id": command["id"], "name": first, "type": 1, "options": given}
        return data | ({"resolved": resolved} if resolved else {})

    async def _attachment(self, request: web.Request) -> web.Response:
        data = self.state.uploads.get(request.match_info["id"])
        return web.Response(status=404) if data is None else web.Response(body=data)


def _filled(part: Json, values: Mapping[str, Value | list[str]]) -> Json:
    """One line of a form with what a person put there; what it held before, if nothing."""
    inner: list[Json] = [part["component"]] if "component" in part else part.get("components", [])
    filled: list[Json] = []
    for field in inner:
        value = values.get(field["custom_id"], field.get("value"))
        told: Json = {"type": field["type"], "id": 1, "custom_id": field["custom_id"]}
        if field["type"] in {3, 5, 6, 7, 8, 19, 22}:
            chosen = [each["value"] for each in field.get("options", []) if each.get("default")]
            told["values"] = value if isinstance(value, list) else [value] if value else chosen
        else:
            told["value"] = "" if value is None and field["type"] == 4 else value
        filled.append(told)
    if "component" in part:
        return {"type": part["type"], "id": 1, "component": filled[0]}
    return {"type": part["type"], "id": 1, "components": filled}


__all__ = ["Channel", "FakeDiscord", "Interaction", "Post", "User", "walk"]
