"""Holds the Discord of tests/fakes against discord.js: `make honest`.

    python tests/official/discord/honest.py

What discord.js, unmodified, cannot use is not Discord. People write to it, command it, press and fill
in what it shows; its connection is dropped in every way, and it must resume.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2]))

from tests.fakes.discord import FakeDiscord, Interaction, Limits  # noqa: E402 - found by the line above
from tests.fakes.discord.gateway import Drop  # noqa: E402 - the same
from tests.official.npm import installed, running  # noqa: E402 - the same

PACE = 10.0
"""Windows of rate limits are so many times shorter: discord.js waits for them in real time."""


async def messages(discord: FakeDiscord) -> None:
    """A mention is answered with a reply that is edited; one in private too; a thread has a file."""
    asked = discord.mention("hello")
    post = await discord.said()
    await discord.until(lambda: post.edited)
    assert (post.text, post.before, post.reply_to) == ("Heard hello @everyone", ["Thinking"], asked)
    assert discord.state.typing == ["general"]
    assert discord.pings == []
    discord.direct("in private")
    post = await discord.said("@ada")
    await discord.until(lambda: post.text.startswith("Heard in private"))
    discord.mention("thread, please")
    post = await discord.said("Aside")
    assert post.files == {"answer.md": b"whole"}


async def interactions(discord: FakeDiscord) -> None:
    """Commands, autocompletion, a menu, a button and a form."""
    assert await discord.autocomplete("ask", {"strategy": "m"}, focused="strategy") == ["mixture"]
    asked = discord.slash("ask", {"question": "Why?"})
    await discord.until(lambda: asked.text == "Why?")
    assert asked.answered_with == 5
    await discord.until(lambda: any(post.deleted for post in asked.posts))
    pressed = discord.click("Why", post=asked.original)
    await discord.until(lambda: pressed.form)
    sent = discord.submit(pressed, {"reason": "said"})
    await discord.until(lambda: sent.text == "So said")
    assert sent.private
    discord.state.user("root").manages = True
    for user, manages in (("ada", "false"), ("root", "true")):
        await said_to(discord, discord.slash("moa usage", user=user), f"Manages: {manages}")
    about = discord.menu("Ask about this", discord.mention("this"))
    await discord.until(lambda: about.text)
    assert about.text.endswith(" this")


async def said_to(discord: FakeDiscord, used: Interaction, text: str) -> None:
    """Only who used the command reads the answer."""
    await discord.until(lambda: used.text)
    assert (used.text, used.private) == (text, True)


async def heard_once(discord: FakeDiscord, channel: str) -> None:
    """The only message there has one answer, which is whole."""
    post = await discord.said(channel)
    await discord.until(lambda: post.edited)
    assert len(discord.seen(channel)) == 2


async def drops(discord: FakeDiscord) -> None:
    """However the connection ends, what was said meanwhile is heard once, with a resume."""
    ways: tuple[Drop, ...] = ("abort", "reconnect", "invalid-resumable", "close")
    for how in ways:
        await discord.ready()
        await discord.gateway.drop(how)
        discord.mention(f"meanwhile {how}", channel=how)
        await heard_once(discord, how)
    assert discord.gateway.resumes == len(ways)
    assert discord.gateway.identifies == 1
    await discord.ready()
    await discord.gateway.drop("invalid")
    await discord.until(lambda: discord.gateway.identifies == 2)
    await discord.ready()


async def honest() -> None:
    """Every act, on one connection."""
    installed(HERE / "package.json")
    began = time.perf_counter()
    async with asyncio.timeout(60), FakeDiscord(limits=Limits(pace=PACE)) as discord:
        told = {"DISCORD_URL": discord.state.url, "DISCORD_TOKEN": discord.token}
        async with running(HERE / "app.cjs", told) as ready:
            assert ready == "ready moabot Acme", ready
            for act in (messages, interactions, drops):
                await act(discord)
        refused = [each for each in discord.state.requests if each.status >= 400]
        assert refused == [], refused
        calls, seconds = len(discord.state.requests), time.perf_counter() - began
        print(f"discord.js: {calls} calls, {discord.gateway.resumes} resumes, {seconds:.1f} s")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(honest())
