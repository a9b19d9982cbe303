"""A strategy of a third party: ask everybody, and let those vote who answer by the quorum."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from moabot.contract import Answer, Question
from moabot.errors import QuorumNotReached
from moabot.hookspecs import hookimpl
from moabot.panel import Panel
from moabot.plugins import NoSettings, Register
from moabot_strategies.vote import count, vote


class AtQuorum:
    """One wave; below the quorum, the survivors vote."""

    async def answer(self, question: Question, panel: Panel) -> Answer:
        """The answer of most ballots."""
        slots = panel.slots(len(panel.settings.proposers))
        try:
            ballots = await panel.propose(slots, note=panel.prompts.checkable)
        except QuorumNotReached as short:
            if not short.survivors:
                raise
            ballots = short.survivors
        winner = count(ballots)[0][0]
        return panel.choose(next(ballot for ballot in ballots if vote(ballot) == winner))


@asynccontextmanager
async def open_at_quorum(settings: NoSettings) -> AsyncGenerator[AtQuorum]:
    """Nothing to open."""
    yield AtQuorum()


class Plugin:
    """What the bot is given."""

    @hookimpl
    def moabot_register(self, register: Register) -> None:
        """Offer it."""
        register.strategy("at_quorum", open_at_quorum)
