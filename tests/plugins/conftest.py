"""A question to one strategy on scripted models, in virtual time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from moabot.config import ChannelSettings, Preset
from moabot.contract import Answer
from moabot.testing import RecordingReply, Script, ScriptedProvider, ask, rehearsal


@dataclass(frozen=True)
class Asked:
    """How it went: `graph` is each call as "slot model", in the order of asking."""

    answer: Answer
    reply: RecordingReply
    provider: ScriptedProvider
    graph: list[str]


class Asking:
    """Asks; the panel is a, b, c and d, unless said otherwise."""

    async def __call__(
        self,
        strategy: str,
        text: str = "Compare a and b.",
        *,
        scripts: Mapping[str, Script] | None = None,
        preset: Preset = "balanced",
        panel: Mapping[str, object] | None = None,
        tables: Mapping[str, Mapping[str, object]] | None = None,
    ) -> Asked:
        """One question, one answer."""
        provider = ScriptedProvider(scripts)
        wish = ChannelSettings(strategy=strategy, preset=preset)
        async with rehearsal(provider, tables, models=tuple("abcd"), panel=panel) as app:
            reply = await ask(app, text, wish=wish)
        assert reply.answer is not None, reply.error
        graph = [f"{slot} {model}" for slot, model, _ in reply.calls]
        return Asked(reply.answer, reply, provider, graph)


@pytest.fixture
def asking() -> Asking:
    """Asks a strategy."""
    return Asking()
