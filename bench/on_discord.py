"""The bot on the fake Discord, over the wire: reconnects, the first sign, throttled edits, refusals.

    python bench/on_discord.py [--reconnects 1000] [--panels 50]

Not named discord.py, which every script beside it would import instead of the SDK. The real
discord.py, the real adapter, the real database; models are scripted, rate limits are Discord's but
where a line says otherwise. About five minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from figures import show
from tests.adapters.discord.conftest import Living
from tests.fakes.discord import FakeDiscord, Limits, Post
from tests.fakes.discord.gateway import Drop

from moabot.contract import Prompt
from moabot.errors import PlatformError
from moabot.testing import Said, ScriptedProvider, says

MOST_401S = 3
WAYS: tuple[Drop, ...] = ("abort", "reconnect", "invalid-resumable", "close")
LOST_SESSION_EVERY = 200
ONE = {"defaults": {"strategy": "single"}}
MIXTURE = {"defaults": {"strategy": "mixture", "preset": "thorough"}}
UNRATED = dict.fromkeys(("user_per_minute", "channel_per_minute", "workspace_per_minute"), 100_000)
"""What is measured is Discord, not how much the bot lets in by default."""
TEXT = "Light is scattered by the air, the short waves far more than the long ones. " * 8
Row = dict[str, object]


@asynccontextmanager
async def at(
    provider: ScriptedProvider,
    tables: dict[str, object],
    *,
    limits: Limits,
    **more: tuple[str, ...],
) -> AsyncGenerator[FakeDiscord]:
    """A bot on a Discord of its own."""
    with tempfile.TemporaryDirectory() as folder:
        async with FakeDiscord(limits=limits) as discord:
            os.environ["DISCORD_TOKEN"] = discord.token
            told = {"admission": UNRATED, **tables}
            async with Living(discord, Path(folder))(provider, told, **more):
                await discord.until(lambda: discord.state.commands)
                yield discord


def is_final(post: Post) -> bool:
    """Whether it can be rated."""
    return "👍" in post.buttons


def answers(discord: FakeDiscord, asked: Post) -> list[Post]:
    """The bot's messages that reply to a question."""
    return [post for post in discord.seen(asked.channel) if post.reply_to is asked]


async def reconnects(times: int) -> list[Row]:
    """The connection is dropped in every way while questions come; some events come twice."""
    dice = random.Random(1)
    provider = ScriptedProvider({"a": says("Because.")})
    asked: list[Post] = []
    async with at(provider, ONE, limits=Limits(pace=1000), models=("a",)) as discord:
        began, gateway = time.perf_counter(), discord.gateway
        for number in range(times):
            lost = number % LOST_SESSION_EVERY == LOST_SESSION_EVERY - 1
            await discord.ready()
            await gateway.drop("invalid" if lost else dice.choice(WAYS))
            if lost:  # what is said without a session is told to nobody, by Discord's own word
                await discord.ready()
            asked.append(discord.mention(f"Why {number}?", channel=f"channel-{number % 20}"))
            if number % 10 == 0:
                await discord.ready()
                gateway.replay(2)
        await discord.until(
            lambda: all(any(map(is_final, answers(discord, each))) for each in asked[-20:]),
            within_s=60,
        )
        await discord.until(lambda: sum(len(answers(discord, e)) for e in asked) >= times)
        found = [len(answers(discord, each)) for each in asked]
        share = 100 * gateway.resumes / times
        return [
            row("resumes of drops, %", f"{share:.1f}", "> 95"),
            row("IDENTIFYs", gateway.identifies, "< 50"),
            row("questions lost", found.count(0), "0"),
            row("questions answered twice", sum(each > 1 for each in found), "0"),
            row("seconds for all", f"{time.perf_counter() - began:.0f}", ""),
        ]


async def signs(panels: int) -> list[Row]:
    """Commands while many panels stream: how long until Discord has its first response."""
    dice = random.Random(1)

    def speaks(_: Prompt) -> Said:
        return says(TEXT, seconds=dice.uniform(1, 3), word_s=0.03)

    provider = ScriptedProvider(dict.fromkeys("abc", speaks))
    async with at(provider, MIXTURE, limits=Limits()) as discord:
        busy = [discord.mention("Why?", user=f"u{n}", channel=f"busy-{n}") for n in range(panels)]
        await discord.until(lambda: all(answers(discord, each) for each in busy), within_s=60)
        commands = []
        for number in range(100):
            channel = f"busy-{number % panels}"
            commands.append(discord.slash("ask", {"question": "And?"}, user="x", channel=channel))
            await asyncio.sleep(0.04)
        await discord.until(lambda: all(each.answered_with for each in commands), within_s=30)
        under_way = sum(not any(map(is_final, answers(discord, each))) for each in busy)
        waits = sorted(1000 * (each.acknowledged_after_s or 0) for each in commands)
        return [
            row("panels still running at the end", under_way, f"of {panels}"),
            row("first response p50, ms", f"{median(waits):.0f}", ""),
            row("first response p99, ms", f"{quantiles(waits, n=100)[98]:.0f}", "< 500"),
        ]


async def one_answer(*, pace: float, beside: int) -> tuple[float, float, int]:
    """Seconds until the models are done and until the final text is seen; edits made for it."""
    ends: list[float] = []

    def speaks(prompt: Prompt) -> Said:
        return says(TEXT, seconds=0.5, word_s=0.04)

    provider = ScriptedProvider({"a": speaks})
    async with at(provider, ONE, limits=Limits(pace=pace), models=("a",)) as discord:
        began = time.perf_counter()
        asked = [discord.mention("Why?", user=f"u{number}") for number in range(1 + beside)]
        await discord.until(lambda: provider.running)

        def all_said() -> bool:
            if not provider.running and not ends:
                ends.append(time.perf_counter() - began)
            return all(any(map(is_final, answers(discord, each))) for each in asked)

        await discord.until(all_said, within_s=60)
        seen = time.perf_counter() - began
        return ends[0], seen, discord.count("PATCH /channels/{channel}/messages/{message}")


async def throttled() -> list[Row]:
    """The same answers with Discord's edit limit and with one a thousand times wider."""
    rows: list[Row] = []
    for beside in (0, 4):
        for name, pace in (("5 edits in 5 s", 1.0), ("no limit felt", 1000.0)):
            done, seen, edits = await one_answer(pace=pace, beside=beside)
            what = f"{1 + beside} in one channel, {name}"
            rows.append(
                row(f"models done / seen, s: {what}", f"{done:.1f} / {seen:.1f}", f"{edits} edits")
            )
    return rows


async def revoked(*, apart_s: float) -> int:
    """401s of 20 answers under way when the token is revoked; the bot ends by saying so."""
    provider = ScriptedProvider({"a": says("Because.", seconds=4)})
    refused: int | None = None
    try:
        async with at(provider, ONE, limits=Limits(), models=("a",)) as discord:
            for number in range(20):
                discord.mention("Why?", user=f"u{number}", channel=f"channel-{number}")
                await asyncio.sleep(apart_s)
            await discord.until(lambda: len(provider.running) == 20)
            discord.state.revoke()
            await asyncio.sleep(60)
    except* PlatformError:
        refused = sum(each.status == 401 for each in discord.state.requests)
    if refused is None:
        raise AssertionError("The bot did not end.")
    return refused


async def refusals() -> list[Row]:
    """A revoked token, and channels where the bot may not write."""
    provider = ScriptedProvider({"a": says("Because.")})
    async with at(provider, ONE, limits=Limits(), models=("a",)) as discord:
        for number in range(50):
            discord.forbid(f"closed-{number}")
        for number in range(400):
            discord.mention("Why?", user=f"u{number}", channel=f"closed-{number % 50}")
            await asyncio.sleep(0.01)
        await asyncio.sleep(5)
        invalid = discord.state.invalid_requests
    apart, together = await revoked(apart_s=0.1), await revoked(apart_s=0)
    most = f"<= {MOST_401S}"
    return [
        row("401s of a revoked token, questions 0.1 s apart", apart, most),
        row("the same, 20 questions in one instant", together, most),
        row("invalid requests, 400 questions in 50 closed channels", invalid, "< 100"),
    ]


def row(what: str, figure: object, goal: str) -> Row:
    """One line of the table."""
    return {"what": what, "figure": figure, "goal": goal}


async def main() -> None:
    """All four, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--reconnects", type=int, default=1000)
    parser.add_argument("--panels", type=int, default=50)
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)  # discord.py tells of every drop
    show(f"{asked.reconnects} forced reconnects", await reconnects(asked.reconnects))
    show(f"The first sign with {asked.panels} panels running", await signs(asked.panels))
    show("Edits and the answer", await throttled())
    show("What Discord refuses", await refusals())
    print(f"\nload average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    asyncio.run(main())
