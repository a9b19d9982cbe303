"""specialization: the models whose strengths fit the kind of task come first.

Strengths stand in the configuration: `[models.X] strengths = ["code", "mathematics"]`. The kind
is found by rules where they are sure, else by a small model. Another strategy then answers.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from pydantic import Field

from moabot.config import Settings
from moabot.contract import Answer, Question
from moabot.hookspecs import hookimpl
from moabot.panel import Panel
from moabot.plugins import Register

KINDS = {
    "code": r"```|\b(python|javascript|typescript|rust|java|sql|regex|function|compile|stack ?trace"
    r"|bug|unit tests?|api|script|bash|c\+\+)\b",
    "mathematics": r"\b(equation|integral|derivative|theorem|probability|matrix|solve for|prime"
    r"|polynomial|algebra|geometry)\b|\d\s*[+*/^]\s*\d|\\frac|\\sum",
    "translation": r"\btranslat\w+\b|\bin(to)? (english|french|german|spanish|italian|chinese"
    r"|japanese|portuguese|russian|arabic)\b",
    "writing": r"\b(poem|story|haiku|essay|slogan|lyrics|novel|blog ?post|limerick|tagline)\b",
    "data": r"\b(csv|dataset|data ?frame|correlation|regression|histogram|pivot|statistics"
    r"|spreadsheet|outliers?)\b",
    "reasoning": r"\b(logic|puzzle|riddle|deduce|paradox|if .{3,60} then)\b",
    "facts": r"^(who|when|where|which)\b|\bcapital of\b",
}
RULES = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in KINDS.items()}
LABELS = (*KINDS, "other")
TASK = (
    "code: writing or mending programs. mathematics: calculation and proof. translation: from one "
    "language into another. writing: creative texts. data: analysis of tables and figures. "
    "reasoning: puzzles and logic. facts: something to be known. other: none of these."
)


class SpecializationSettings(Settings):
    """Which strategy answers once the models are chosen."""

    base: str = Field(
        default="mixture", description="the strategy that answers with the chosen models"
    )
    ask_model: bool = Field(default=True, description="ask a model when the rules are unsure")
    strengths: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="models for a kind of task, over [models.X] strengths"
    )


class Specialization:
    """Finds the kind of task, puts its specialists first, hands over."""

    def __init__(self, settings: SpecializationSettings) -> None:
        self._settings = settings

    async def answer(self, question: Question, panel: Panel) -> Answer:
        """Without a verdict, or without a specialist, the panel stays as it is."""
        kind = by_rule(question.text)
        if kind is None and self._settings.ask_model:
            kind = await panel.judge(TASK, labels=LABELS)
        chosen = self._settings.strengths.get(kind or "") or panel.strong_in(kind or "")
        if chosen:
            panel = panel.with_models(chosen)
        answer = await panel.hand_over(self._settings.base)
        return replace(answer, via=f"{kind or 'other'} → {answer.via}")


def by_rule(text: str) -> str | None:
    """The one kind of task that the words point to; None for none or several."""
    kinds = [kind for kind, rule in RULES.items() if rule.search(text)]
    return kinds[0] if len(kinds) == 1 else None


@asynccontextmanager
async def open_specialization(settings: SpecializationSettings) -> AsyncGenerator[Specialization]:
    """Nothing to open."""
    yield Specialization(settings)


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer it."""
    register.strategy("specialization", open_specialization, SpecializationSettings)
