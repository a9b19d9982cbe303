"""The bot on scripted models, in the real slack-bolt, against a Slack on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.fakes.loops import LoopbackTimeLoop
from tests.fakes.slack import FakeSlack, Post

from moabot.app import App
from moabot.desk import Desk
from moabot.testing import ScriptedProvider, rehearsal
from moabot_platforms.slack import open_slack
from moabot_platforms.slack.platform import Slack
from moabot_platforms.slack.sealing import new_key
from moabot_platforms.slack.settings import SlackSettings

if TYPE_CHECKING:
    from tests.adapters.slack.installing import Place


@dataclass
class Bot:
    """A bot that runs, and the Slack it runs in."""

    slack: FakeSlack
    app: App
    platform: Slack
    provider: ScriptedProvider

    def answers(self, ts: str, channel: str = "C1") -> list[Post]:
        """What the bot has said in a thread."""
        team = self.slack.workspace.channels[channel].team
        bot = self.slack.workspace.teams[team].bot
        return [post for post in self.slack.thread(channel, ts) if post.user == bot and not post.to]

    async def answered(self, ts: str, channel: str = "C1", *, count: int = 1) -> list[Post]:
        """The bot's posts in a thread, once `count` of them are final."""

        def final() -> bool:
            posts = self.answers(ts, channel)
            whole = sum(is_final(post) for post in posts) == count
            return whole and not any(is_working(post) for post in posts)

        await self.slack.until(final)
        return self.answers(ts, channel)


def is_final(post: Post) -> bool:
    """Whether an answer ends here: thumbs stand under it."""
    return any(block["type"] == "context_actions" for block in post.blocks)


def is_working(post: Post) -> bool:
    """Whether it has a Stop button, or more text is to come."""
    return post.streaming or "moabot_stop" in str(post.blocks)


@asynccontextmanager
async def running(
    slack: FakeSlack,
    provider: ScriptedProvider,
    folder: Path,
    *,
    panel: Mapping[str, object] | None = None,
    settings: Mapping[str, object] | None = None,
    tables: Mapping[str, object] | None = None,
) -> AsyncGenerator[Bot]:
    """One life of a bot, which listens; it is stopped as a kill would, but for its database."""
    async with AsyncExitStack() as stack:
        whole = {"data_dir": str(folder), **(tables or {})}
        app = await stack.enter_async_context(rehearsal(provider, whole, panel=panel, keep="all"))
        chosen = SlackSettings.model_validate(
            {"api_url": slack.api_url, "connections": 1, **(settings or {})}
        )
        platform = await stack.enter_async_context(open_slack(chosen))
        desk = Desk(app.answering, app.memory)
        assert app.memory.durable is not None
        left = await app.memory.durable.resume("slack")
        group = await stack.enter_async_context(asyncio.TaskGroup())
        served = group.create_task(platform.run(desk))
        finished = group.create_task(desk.finish_all(left, platform.reply_to))
        stack.callback(served.cancel)
        stack.callback(finished.cancel)
        while chosen.mode == "socket" and len(slack.sockets.open) < chosen.connections:  # noqa: ASYNC110 - the fake tells of calls
            await asyncio.sleep(0.02)
        yield Bot(slack, app, platform, provider)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Minutes pass in milliseconds, but where real senders are slow."""
    if item.path.name == "test_http.py":
        return {"real": asyncio.new_event_loop}
    return {"virtual": LoopbackTimeLoop}


@pytest.fixture(autouse=True)
def _tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-T1-fake")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1-A1-fake")


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    """The secrets in the environment of an app that many install; the key of its seal."""
    from tests.adapters.slack.installing import KEY, SECRET  # noqa: PLC0415 - it needs `running`

    made = new_key()
    monkeypatch.setenv("SLACK_CLIENT_ID", "client-id")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "client-secret")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SECRET)
    monkeypatch.setenv(KEY, made)
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    return made


@pytest.fixture
async def at(tmp_path: Path, key: str) -> AsyncGenerator[Place]:
    """Where the app is installed by many."""
    from tests.adapters.slack.installing import answer, installable  # noqa: PLC0415 - as above

    async with installable(tmp_path, ScriptedProvider({"a": answer})) as made:
        yield made
