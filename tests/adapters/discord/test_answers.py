"""A question on Discord becomes one answer, and the person sees how."""

from __future__ import annotations

from tests.adapters.discord.conftest import Living
from tests.fakes.discord.service import FakeDiscord

from moabot.testing import ScriptedProvider, says


async def test_a_mention_is_answered_in_one_message(service: FakeDiscord, living: Living) -> None:
    """The thinnest path of all: asked, and answered."""
    async with living(ScriptedProvider({"a": says("Because it scatters.")})):
        service.mention("Why is the sky blue?")
        post = await service.said()
        await service.until(lambda: "scatters" in post.text)

    assert len(service.seen()) == 2
