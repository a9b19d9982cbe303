"""The public fakes: what a plugin author relies on when testing."""

from __future__ import annotations

import asyncio

import pytest

from moabot import Answer, MoabotError, PluginError, hookimpl
from moabot.testing import RecordingReply, ScriptedProvider, VirtualTimeLoop, rehearsal

pytestmark = pytest.mark.virtual_time


async def test_a_reply_ends_once() -> None:
    """A second ending is a bug of whoever ends it, and must not pass."""
    reply = RecordingReply()
    await reply.finish(Answer("Paris.", "single"))

    with pytest.raises(AssertionError, match="exactly once"):
        await reply.sorry(MoabotError("Too late.", fix=""), reference="x")


async def test_a_rehearsal_with_a_bad_plugin_says_what_is_wrong_with_it() -> None:
    """In a running bot it is one line of many; its author wants to see it at once."""

    class Bad:
        @hookimpl
        async def moabot_register(self, register: object) -> None:
            """Async, which no hook may be."""

    with pytest.raises(PluginError, match="is 'async def'"):
        async with rehearsal(ScriptedProvider(), plugins=[Bad()]):
            pass


def test_a_deadlock_is_an_error_and_no_hang() -> None:
    """A test that waits for nothing ends at once, and says so."""

    async def wait() -> None:
        await asyncio.Event().wait()

    loop = VirtualTimeLoop()
    with pytest.raises(RuntimeError, match="Deadlock"):
        loop.run_until_complete(wait())
    (task,) = asyncio.all_tasks(loop)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()
