"""The bot on simcord: a second Discord, which is not ours, in memory and without a wire.

simcord drives the real client: it calls `setup_hook`, feeds events into discord.py's parsers and takes
its requests out of `HTTPClient.request`. After each action it waits until the bot has settled. What it
cannot wait for, and how we live with it (3.2.1):

- A task that waits for something inside the bot (our edits do, for the whole of an answer) never counts
  as settled while a timer must fire, and its clock moves only when all is settled. So what the core does
  runs outside its view, in real time: models must answer at once, and writing takes milliseconds.
- The type of the first response is told only by `http_requests`: `deferred` is false once it was edited.
- It does not tell who installed the application, so that nobody manages the server.
- It knows no gateway: no resume, no identify limits; no rate-limit buckets (`inject_error(429)` passes
  by discord.py's own); one action at a time. Those are the business of tests.fakes.discord.
- Its pytest plugin costs every start of pytest the import of discord.py; we need none of it.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import discord
import simcord

from moabot.contract import Provider
from moabot.desk import Desk
from moabot.errors import MoabotError
from moabot.testing import rehearsal
from moabot_platforms.discord.bot import Bot
from moabot_platforms.discord.settings import DiscordSettings

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Simulated:
    """A server with one channel, and the bot on it."""

    env: simcord.Env
    guild: simcord.GuildHandle
    channel: simcord.ChannelHandle
    desk: Desk

    def person(self, name: str) -> simcord.MemberActor:
        """Somebody new on the server."""
        return self.guild.add_member(self.env.create_user(name))

    async def restart(self) -> None:
        """Another process of the bot, on the same server and the same database."""
        bot = Bot(DiscordSettings())
        bot.desk = self.desk
        await self.env.restart_bot(bot)

    def said(self) -> list[str]:
        """What the bot's messages in the channel show, oldest first."""
        return [
            shown(message)
            for message in self.channel.history()
            if message.author == self.env.bot.user
        ]

    def first_response(self) -> dict[str, Any]:
        """The last interaction's first response; its type 5 defers."""
        callbacks = [
            each.json for each in self.env.http_requests if each.path.endswith("/callback")
        ]
        first: dict[str, Any] = callbacks[-1] or {}
        return first


def shown(message: discord.Message) -> str:
    """What a person reads of a message."""
    texts: list[str] = [message.content]
    for part in message.components:
        children = part.children if isinstance(part, discord.Container) else [part]
        texts += [each.content for each in children if isinstance(each, discord.TextDisplay)]
    return "\n".join(filter(None, texts))


@asynccontextmanager
async def simulated(provider: Provider, folder: Path) -> AsyncGenerator[Simulated]:
    """The bot with a database in `folder`, and models that `provider` plays, at once."""
    async with rehearsal(provider, {"data_dir": str(folder)}, keep="all") as app:
        bot = Bot(DiscordSettings())
        bot.desk = desk = Desk(app.answering, app.memory)
        async with simcord.run(bot, shard_count=1) as env:
            # Its clock begins in the past, where the tokens of its interactions would be dead by now.
            await env.advance_time((datetime.now(UTC) - env.now()).total_seconds())
            with env.time_context():
                _take_out_of_view(desk)
            guild = env.create_guild()
            yield Simulated(env, guild, guild.create_text_channel("general"), desk)
            # Those with a cause of ours were told to the person, in the tree's on_error.
            assert [e for e in env.errors if not isinstance(e.__cause__, MoabotError)] == []


def _take_out_of_view(desk: Desk) -> None:
    context = contextvars.copy_context()
    for name, method in inspect.getmembers(desk, inspect.iscoroutinefunction):
        if not name.startswith("_"):
            setattr(desk, name, partial(_outside, context, method))


async def _outside(
    context: contextvars.Context,
    work: Callable[P, Coroutine[object, object, T]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    create = asyncio.get_running_loop().create_task
    return await context.copy().run(create, work(*args, **kwargs))
