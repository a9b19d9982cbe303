"""What Discord's connection and limits do to an answer, with Discord's own times, which leap by."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import pytest
from tests.adapters.discord.conftest import Living
from tests.fakes.discord import FakeDiscord, Post
from tests.fakes.discord.limits import Fault, Faults
from tests.fakes.loops import LoopbackTimeLoop

from moabot.testing import ScriptedProvider, says

TABLES = {"defaults": {"strategy": "single"}}
PATIENT = {"call_timeout_s": 1000, "deadline_s": 1000}
Play = Callable[[FakeDiscord], Awaitable[None]]


class Run(Protocol):
    """Lets the bot live on a Discord while a play runs, in virtual time."""

    def __call__(
        self, provider: ScriptedProvider, play: Play, *, faults: Faults | None = None
    ) -> None:
        """The play's own assertions are what is tested."""
        ...


@pytest.fixture
def alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Lets the bot live on a Discord with real limits while a play runs, in virtual time."""

    async def live(provider: ScriptedProvider, play: Play, faults: Faults | None) -> None:
        async with FakeDiscord(faults=faults) as discord:
            monkeypatch.setenv("DISCORD_TOKEN", discord.token)
            bot = Living(discord, tmp_path, within_s=2000)
            async with bot(provider, TABLES, models=("a",), panel=PATIENT):
                await discord.until(lambda: discord.state.commands)
                await play(discord)

    def run(provider: ScriptedProvider, play: Play, *, faults: Faults | None = None) -> None:
        with asyncio.Runner(loop_factory=LoopbackTimeLoop) as runner:
            runner.run(live(provider, play, faults))

    return run


def finals(discord: FakeDiscord) -> list[Post]:
    """The answers that are whole."""
    return [post for post in discord.seen() if "👍" in post.buttons]


def test_a_connection_that_died_in_silence_is_noticed_within_a_minute(
    alive: Run,
) -> None:
    """A half-open socket says nothing for ever; people believe the bot has left."""

    async def play(discord: FakeDiscord) -> None:
        await discord.gateway.drop("half-open")
        asked = asyncio.get_running_loop().time()
        discord.mention("Why?")
        await discord.until(lambda: finals(discord), within_s=300)

        assert asyncio.get_running_loop().time() - asked < 70
        assert (len(discord.seen()), discord.gateway.resumes) == (2, 1)

    alive(ScriptedProvider({"a": says("Because.")}), play)


def test_an_answer_after_a_quarter_of_an_hour_still_arrives_once(
    alive: Run,
) -> None:
    """A command's token is good for 15 minutes; what is written with it later would be lost."""

    async def play(discord: FakeDiscord) -> None:
        asked = discord.slash("ask", {"question": "Why?"})
        await discord.until(lambda: finals(discord), within_s=2000)

        assert asyncio.get_running_loop().time() > 900
        assert ["Because." in post.text for post in finals(discord)] == [True]
        assert not (asked.original and asked.original.loading)
        # The bot reads the wall's clock, which stands here: it learns from Discord that it is late.
        assert 0 < discord.state.invalid_requests <= 3

    alive(ScriptedProvider({"a": says("Because.", seconds=950)}), play)


def test_many_answers_in_one_channel_all_end_though_edits_are_rationed(
    alive: Run,
) -> None:
    """Five edits in five seconds are all that a channel gets, drafts and final texts together."""

    async def play(discord: FakeDiscord) -> None:
        for number in range(12):
            discord.mention("Why?", user=f"u{number}")
        await discord.until(lambda: len(finals(discord)) == 12, within_s=300)

        assert len(discord.seen()) == 24

    words = " ".join(["because"] * 60)
    alive(ScriptedProvider({"a": says(words, seconds=1, word_s=0.1)}), play)


def test_a_discord_that_is_away_at_the_start_is_waited_for(alive: Run) -> None:
    """When a machine starts, its network may be the last to come; nobody restarts the bot then."""
    coming: deque[Fault] = deque(["cut", "cut", "cut"])
    greeting = ("GET /users/@me", "GET /gateway/bot")
    faults = Faults(coming=coming, hits=lambda request: request in greeting)

    async def play(discord: FakeDiscord) -> None:
        discord.mention("Why?")
        await discord.until(lambda: finals(discord), within_s=300)

        assert not coming

    alive(ScriptedProvider({"a": says("Because.")}), play, faults=faults)


def test_a_gateway_that_is_not_told_at_the_start_is_asked_for_again(alive: Run) -> None:
    """Logged in is not connected yet."""
    coming: deque[Fault] = deque(["cut", "cut"])
    faults = Faults(coming=coming, hits=lambda request: request == "GET /gateway/bot")

    async def play(discord: FakeDiscord) -> None:
        discord.mention("Why?")
        await discord.until(lambda: finals(discord), within_s=300)

        assert (len(coming), discord.gateway.resumes) == (0, 0)

    alive(ScriptedProvider({"a": says("Because.")}), play, faults=faults)


@pytest.mark.parametrize(("told", "least_s"), [("", 600), ("1200", 1200), ("7.5", 7.5)])
@pytest.mark.parametrize("greeting", ["GET /users/@me", "GET /gateway/bot"])
def test_a_limit_of_the_whole_address_is_waited_out(
    alive: Run, greeting: str, told: str, least_s: float
) -> None:
    """It ends by itself, if nobody knocks meanwhile; a bot that gave up would have to be started."""
    coming: deque[Fault] = deque(["banned"])
    faults = Faults(coming=coming, retry_after=told, hits=lambda request: request == greeting)

    async def play(discord: FakeDiscord) -> None:
        discord.mention("Why?")
        await discord.until(lambda: finals(discord), within_s=300)

        assert not coming
        assert asyncio.get_running_loop().time() >= least_s

    alive(ScriptedProvider({"a": says("Because.")}), play, faults=faults)
