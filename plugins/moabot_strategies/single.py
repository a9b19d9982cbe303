"""single: one model answers alone, the next of the fallback chain when it fails."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from moabot.contract import Answer, Question
from moabot.hookspecs import hookimpl
from moabot.panel import Panel
from moabot.plugins import NoSettings, Register


class Single:
    """Asks the fallback chain; no proposals, no agreement."""

    async def answer(self, question: Question, panel: Panel) -> Answer:
        """One call, when all goes well."""
        return await panel.synthesize()


@asynccontextmanager
async def open_single(settings: NoSettings) -> AsyncGenerator[Single]:
    """Nothing to open."""
    yield Single()


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer it."""
    register.strategy("single", open_single)
