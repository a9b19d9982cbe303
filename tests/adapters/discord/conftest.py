"""The whole bot on a Discord of our own: the real discord.py, a real database, scripted models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.fakes.discord.limits import Limits
from tests.fakes.discord.service import FakeDiscord
from tests.fakes.discord.state import TOKEN

from moabot.app import App
from moabot.contract import Provider
from moabot.desk import Desk
from moabot.testing import rehearsal
from moabot_platforms.discord.files import Files
from moabot_platforms.discord.platform import Discord
from moabot_platforms.discord.settings import DiscordSettings

LOOPBACK = frozenset({"127.0.0.1"})


@dataclass(frozen=True, slots=True)
class House:
    """The bot as it lives on the fake."""

    app: App
    desk: Desk
    platform: Discord


@dataclass(frozen=True, slots=True)
class Living:
    """Starts the bot on `service` with its database in `folder`; a second start is a restart.

    It must be connected after `within_s` seconds.
    """

    service: FakeDiscord
    folder: Path
    within_s: float = 10.0

    @asynccontextmanager
    async def __call__(
        self,
        provider: Provider,
        tables: Mapping[str, object] | None = None,
        *,
        kind: DiscordSettings | None = None,
        panel: Mapping[str, object] | None = None,
        models: tuple[str, ...] = ("a", "b", "c"),
    ) -> AsyncGenerator[House]:
        """Alive inside the block; leaving it is a kill: what is under way stays in the journal."""
        settings = kind or DiscordSettings()
        told = {"data_dir": str(self.folder), **(tables or {})}
        files = Files(settings.attachment_bytes, hosts=LOOPBACK)
        async with rehearsal(provider, told, models=models, panel=panel, keep="all") as app:
            assert app.memory.durable is not None
            desk, platform = Desk(app.answering, app.memory), Discord(settings, files=files)
            with self.service.in_place():
                async with asyncio.TaskGroup() as group:
                    left = await app.memory.durable.resume("discord")
                    running = group.create_task(platform.run(desk))
                    finishing = group.create_task(desk.finish_all(left, platform.reply_to))
                    await self.service.ready(within_s=self.within_s)
                    try:
                        yield House(app, desk, platform)
                    finally:
                        running.cancel()
                        finishing.cancel()


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot's token, where it looks for it."""
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)


@pytest.fixture
async def service(token: None) -> AsyncGenerator[FakeDiscord]:
    """Discord, with windows of rate limits a hundred times shorter."""
    async with FakeDiscord(limits=Limits(pace=100)) as fake:
        yield fake


@pytest.fixture
def living(service: FakeDiscord, tmp_path: Path) -> Living:
    """The bot, to be started."""
    return Living(service, tmp_path)
