"""refinement: the models criticise the answer and it is written again, until nothing changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise

from pydantic import Field

from moabot.config import Settings
from moabot.contract import NOTHING, Answer, Proposal, Question
from moabot.errors import BudgetSpent, ProviderError, QuorumNotReached
from moabot.hookspecs import hookimpl
from moabot.panel import Panel
from moabot.plugins import Register


class RefinementSettings(Settings):
    """How often, and when it is good enough."""

    base: str = Field(default="mixture", description="the strategy that writes the first answer")
    rounds: int = Field(default=2, ge=1, le=6, description="rounds of criticism at most")
    same: float = Field(
        default=0.9,
        gt=0,
        le=1,
        description="stop when a round leaves this share of the text as it was",
    )


class Refinement:
    """Answer, criticise, write again."""

    def __init__(self, settings: RefinementSettings) -> None:
        self._settings = settings

    async def answer(self, question: Question, panel: Panel) -> Answer:
        """Stops early when nothing that matters changed, or time or money runs short."""
        answer = await panel.hand_over(self._settings.base)
        for round_ in range(1, self._settings.rounds + 1):
            if not panel.has_room_for_round(round_):
                break
            try:
                better = await self._round(round_, answer, panel)
            except (QuorumNotReached, ProviderError, BudgetSpent):
                panel.confess("A round of refinement failed, so it was left out.")
                return panel.stand_by(answer)
            same = _same(answer.text, better.text)
            answer = replace(better, via=answer.via)
            if same >= self._settings.same:
                break
        return answer

    async def _round(self, round_: int, answer: Answer, panel: Panel) -> Answer:
        given = Proposal("0.1", "", "earlier answer", answer.text, NOTHING, 0.0)
        slots = panel.slots(layer=round_ * 10)
        critiques = await panel.propose(slots, note=panel.prompts.critique, read=[given])
        return await panel.synthesize([given, *critiques], rescue=False)


def _same(one: str, other: str) -> float:
    """The share of neighbouring words that two texts have in common, 0 to 1.

    A true diff (difflib) of two long texts took 0.4 s, and minutes when they repeat themselves.
    """
    first, second = (Counter(pairwise(["", *text.split()])) for text in (one, other))
    both = first.total() + second.total()
    return 2 * (first & second).total() / both if both else 1.0


@asynccontextmanager
async def open_refinement(settings: RefinementSettings) -> AsyncGenerator[Refinement]:
    """Nothing to open."""
    yield Refinement(settings)


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer it."""
    register.strategy("refinement", open_refinement, RefinementSettings)
