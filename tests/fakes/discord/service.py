"""The whole fake Discord: serves gateway and REST on a free port, and shows what people see."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Self, TypeVar

from aiohttp import web
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.interactions import Interactions
from tests.fakes.discord.limits import Faults, Limits
from tests.fakes.discord.people import People
from tests.fakes.discord.posting import Posting
from tests.fakes.discord.reading import Ping, fetched
from tests.fakes.discord.rest import Rest
from tests.fakes.discord.state import State
from tests.fakes.discord.world import (
    GROUP,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    SEND_MESSAGES,
    Channel,
    Post,
)
from yarl import URL

T = TypeVar("T")


class FakeDiscord(People):
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
    def in_place(self) -> Generator[None]:
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

    async def ready(self, *, within_s: float = 10.0) -> None:
        """Wait until the bot has identified itself or resumed, and has dealt with all events."""
        await self.until(lambda: self.gateway.connected, within_s=within_s)
        await self.gateway.caught_up()

    async def said(self, channel: str | Channel = "general", *, number: int = 1) -> Post:
        """Wait for the bot's message of that number in a channel, and return it."""

        def bots() -> list[Post]:
            return [post for post in self.seen(channel) if post.author is self.state.bot]

        await self.until(lambda: len(bots()) >= number)
        return bots()[number - 1]

    def pass_time(self, seconds: float) -> None:
        """Let it be later for interactions and nonces."""
        self.state.clock.passed_s += seconds

    # ── what people see ──────────────────────────────────────────────────────────────────────

    def seen(self, channel: str | Channel = "general") -> list[Post]:
        """The messages that everybody sees in a channel, oldest first."""
        there = channel if isinstance(channel, Channel) else self.state.known_channel(channel)
        return [post for post in there.posts.values() if post.only_for is None] if there else []

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

    def thread(
        self, name: str = "aside", *, parent: str = "general", private: bool = False
    ) -> Channel:
        """A thread that somebody opens; the client is told."""
        above, clock = self._channel(parent), self.state.clock
        kind = PRIVATE_THREAD if private else PUBLIC_THREAD
        made = Channel(clock.snowflake(), name, kind, above.guild_id, above.id)
        event = made.wire(self.state.bot)
        self.gateway.tell("THREAD_CREATE", lambda _: event, guild_id=above.guild_id)
        return self.state.add(made)

    def group(self, name: str = "friends") -> Channel:
        """Direct messages of several people, into which no bot is let; a person brings it along."""
        return self.state.add(Channel(self.state.clock.snowflake(), name, GROUP))

    def elsewhere(self, name: str = "their-general") -> Channel:
        """A channel of a server that the bot is not on; people bring it there as their own app."""
        clock = self.state.clock
        return self.state.add(Channel(clock.snowflake(), name, guild_id=clock.snowflake()))

    async def _attachment(self, request: web.Request) -> web.Response:
        self.state.downloads += 1
        data = self.state.uploads.get(request.match_info["id"])
        return web.Response(status=404) if data is None else web.Response(body=data)
