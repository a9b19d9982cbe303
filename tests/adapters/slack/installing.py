"""A bot that people install, a Slack that lets it in, and the browser they do it with."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from tests.adapters.slack.conftest import Bot, running
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.exchanges import Exchange

from moabot.contract import Prompt
from moabot.testing import Said, ScriptedProvider, says

PUBLIC = "https://bot.example"
SECRET = "signing-secret"
KEY = "MOABOT_SLACK_KEY"


def answer(prompt: Prompt) -> Said:
    """The question back."""
    return says(f"To: {prompt.turns[-1].text}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Page:
    """What a browser shows in the end."""

    status: int
    text: str
    url: str


@dataclass
class Browser:
    """It follows redirects, keeps cookies, and finds the bot's public address at `port`."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict[str, str])
    seen: list[Page] = field(default_factory=list[Page])

    async def open(self, url: str) -> Page:
        """Where it ends; `seen` has each step."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            while True:
                own = url.startswith(PUBLIC)
                there = f"http://127.0.0.1:{self.port}{url.removeprefix(PUBLIC)}" if own else url
                ours = {"Cookie": self._said()} if own else {}
                async with session.get(there, headers=ours, allow_redirects=False) as reply:
                    for name, morsel in reply.cookies.items():
                        assert morsel["secure"]
                        assert morsel["httponly"]
                        self.cookies[name] = morsel.value
                    self.seen.append(Page(reply.status, await reply.text(), url))
                    if reply.status != 302:
                        return self.seen[-1]
                    url = reply.headers["Location"]

    async def asked(self) -> str:
        """Begin to install; the address where Slack asks its person."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            url = f"http://127.0.0.1:{self.port}/slack/install"
            async with session.get(url, allow_redirects=False) as reply:
                for name, morsel in reply.cookies.items():
                    self.cookies[name] = morsel.value
                return reply.headers["Location"]

    async def install(self, team: str) -> Page:
        """Install in a workspace, which its person chooses at Slack."""
        return await self.open(f"{await self.asked()}&team={team}")

    def _said(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


@dataclass
class Place:
    """A Slack with two workspaces, where a bot lives now and then."""

    slack: FakeSlack
    folder: Path
    port: int
    provider: ScriptedProvider

    @property
    def browser(self) -> Browser:
        """Another one."""
        return Browser(self.port)

    @property
    def settings(self) -> dict[str, object]:
        """What makes the bot one that many install."""
        many = {"workspaces": "many", "mode": "http", "public_url": PUBLIC, "port": self.port}
        return {**many, "api_url": self.slack.api_url}

    @asynccontextmanager
    async def life(self, **tables: object) -> AsyncGenerator[Bot]:
        """One life of the bot; its pages can be opened."""
        alone = {"defaults": {"strategy": "single"}, **tables}
        async with running(
            self.slack, self.provider, self.folder, settings=self.settings, tables=alone
        ) as bot:
            await reached(self.port)
            yield bot


@asynccontextmanager
async def installable(folder: Path, provider: ScriptedProvider) -> AsyncGenerator[Place]:
    """Workspaces T1 and T2; the app is in neither."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/slack/events"
    async with FakeSlack(request_url=url, signing_secret=SECRET) as slack:
        slack.add_team("T2")
        slack.room.redirects = (f"{PUBLIC}/slack/oauth_redirect",)
        yield Place(slack, folder, port, provider)


async def reached(port: int) -> None:
    """Once somebody listens there."""
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.transport.abort()
            return
        await asyncio.sleep(0.005)


async def kept_of(bot: Bot) -> dict[str, bytes]:
    """What the database has of each workspace."""
    assert bot.app.memory.store is not None
    found = await bot.app.memory.store.installations("slack")
    return {each.workspace: each.sealed for each in found}


async def told_in(at: Place, bot: Bot, channel: str, user: str, words: str) -> str:
    """Ask, and wait for the answer: all that was said, in one text."""
    asked = at.slack.mention(channel, user, words)
    await asked.acked()
    return "\n".join(post.shown for post in await bot.answered(asked.ts, channel))


async def left_unanswered(at: Place) -> Exchange:
    """Install in T2, and ask there what no model answers before the bot's life ends."""
    await at.browser.install("T2")
    at.provider.scripts["a"] = says("Never.", seconds=10_000)
    left = at.slack.mention("CT2", "UT2", "Left?")
    await left.acked()
    await at.slack.until(lambda: bool(at.provider.prompts))
    return left
