"""`moabot run` as an administrator starts, changes and stops it, in a chat of a third party."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.flow.conftest import Ended, Moabot

pytestmark = pytest.mark.timeout(120)  # each starts the program

ROOM = '''\
"""A chat in which a file is a message, and what is said to it is a line on stderr."""

import asyncio
import sys
from contextlib import nullcontext
from pathlib import Path

from moabot import Message, PlatformError, hookimpl


class Reply:
    def __getattr__(self, name):
        return lambda *ignored: None

    async def finish(self, answer):
        print("said:", answer.text, file=sys.stderr, flush=True)

    async def sorry(self, error, *, reference):
        print("sorry:", error, file=sys.stderr, flush=True)


class Room:
    async def run(self, desk):
        if Path("revoked").exists():
            raise PlatformError("The token was revoked.", fix="Make another.")
        if Path("broken").exists():
            raise RuntimeError("A defect.")
        while True:
            if Path("heard.txt").exists():
                text = Path("heard.txt").read_text()
                Path("heard.txt").unlink()
                await desk(Message("room", "W", "C", "U", text, text), Reply())
            await asyncio.sleep(0.02)

    def reply_to(self, entry):
        return Reply()


@hookimpl
def moabot_register(register):
    register.platform("room", lambda settings: nullcontext(Room()))
'''


@pytest.fixture
def room(moabot: Moabot, monkeypatch: pytest.MonkeyPatch) -> Moabot:
    """The bot in that chat, whose distribution is installed and allowed."""
    site = moabot.home / "site"
    about = site / "moabot_room-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "moabot_room.py").write_text(ROOM)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: moabot-room\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[moabot]\nroom = moabot_room\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
    allowed = '[platforms.room]\n[plugins]\nallow = ["moabot-room"]\n'
    moabot.config.write_text(moabot.config.read_text() + allowed)
    return moabot


@asynccontextmanager
async def running(room: Moabot) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A run that listens; killed in the end if it still lives."""
    process = await room.start("run")
    try:
        await said(process, "Listening on room")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def said(process: asyncio.subprocess.Process, wanted: str) -> str:
    """The next line on stderr that has `wanted`."""
    assert process.stderr is not None
    async with asyncio.timeout(60):
        async for line in process.stderr:
            if wanted in line.decode():
                return line.decode()
    raise AssertionError(f"it ended without saying {wanted!r}")


def test_without_a_chat_it_names_the_table_to_write(mistaken: Callable[..., Ended]) -> None:
    """Before it asks for keys: nothing else matters yet."""
    config = Path("config.toml")
    config.write_text(config.read_text().replace("base_url", 'api_key_env = "NO_SUCH"\nbase_url'))
    ended = mistaken("run")

    assert ended.code == 2
    assert "nothing to run" in ended.err
    assert "[platforms.slack]" in ended.err
    assert "moabot init" in ended.err


async def test_it_answers_in_a_third_partys_chat_and_sigterm_ends_it_well(room: Moabot) -> None:
    """A service manager takes any other exit code for a failure."""
    async with running(room) as process:
        (room.home / "heard.new").write_text("Why is the sky blue?")
        (room.home / "heard.new").rename(room.home / "heard.txt")
        answer = await said(process, "said:")
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            code = await process.wait()

    assert (code, answer) == (0, "said: Forty-two, says model-c.\n")


async def test_sighup_reads_the_configuration_again_and_says_what_changed(room: Moabot) -> None:
    """Whoever edits a file on a server wants to know whether it took effect."""
    text = room.config.read_text()
    async with running(room) as process:
        room.config.write_text(text.replace('preset = "thorough"', 'preset = "fast"'))
        process.send_signal(signal.SIGHUP)
        changed = await said(process, "[defaults]")
        room.config.write_text(text.replace('preset = "thorough"', 'preset = "fats"'))
        process.send_signal(signal.SIGHUP)
        kept = await said(process, "stays as it was")

    assert "[defaults] preset: 'thorough' → 'fast'" in changed
    assert "did you mean 'fast'" in kept


async def test_a_chat_that_is_lost_for_good_ends_it_with_3_and_the_reason(room: Moabot) -> None:
    """A service manager that started it again and again would have us banned."""
    (room.home / "revoked").touch()
    ended = await room("run")

    assert ended.code == 3
    assert "room: The token was revoked. Make another." in ended.err


async def test_a_chat_that_breaks_ends_it_with_1(room: Moabot) -> None:
    """A service manager starts it again, and it may work."""
    (room.home / "broken").touch()
    ended = await room("run")

    assert ended.code == 1
    assert "A defect." in ended.err


async def test_a_chat_without_its_token_names_the_variable(
    moabot: Moabot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The most usual mistake of a first day."""
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    moabot.config.write_text(moabot.config.read_text() + "[platforms.slack]\n")
    ended = await moabot("run")

    assert ended.code == 2
    assert "[platforms.slack]" in ended.err
    assert "SLACK_BOT_TOKEN is not set" in ended.err
