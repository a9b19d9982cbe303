"""router: simple questions go to one model, hard ones to many.

Rules decide where they are sure; otherwise a small model says which kind of question it is.
Routing is for cost and latency: trivial prompts skip the ensemble.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from pydantic import Field

from moabot.config import Preset, Settings
from moabot.contract import Answer, Question
from moabot.hookspecs import hookimpl
from moabot.panel import Panel
from moabot.plugins import Register

LABELS = ("simple", "medium", "complex", "batch")
TASK = (
    "simple: greetings, thanks, one well-known fact, a definition, a short translation. "
    "medium: an explanation or a small task with a few aspects. "
    "complex: several steps, trade-offs, design, proof, code of more than a few lines. "
    "batch: a long job without hurry, such as a report over many items."
)
SOCIAL = re.compile(
    r"^\W*(hi|hello|hey|thanks|thank you|thx|ok|okay|good (morning|evening|night)|bye|ping|test)"
    r"[\w\s,!.]{0,20}\W*$",
    re.IGNORECASE,
)
FACT = re.compile(
    r"^(what|who|when|where|which|how (many|much|old|far|tall))\b[^?.!;\n]{1,60}\??$", re.IGNORECASE
)
OPEN = re.compile(
    r"\b(why|how(?! (?:many|much|old|far|tall)\b)|compare|versus|vs|should|best|design|explain"
    r"|difference|pros)\b",
    re.IGNORECASE,
)
HARD = re.compile(
    r"```|\b(prove|derive|trade-?offs?|architecture|refactor|optimi[sz]e|step by step|strategy"
    r"|in depth|thorough(ly)?|debug|implement)\b",
    re.IGNORECASE,
)
MANY = re.compile(
    r"\b(each|all|every) of (the|these|those)\b.{0,80}\b(rows|items|files|documents)\b",
    re.IGNORECASE,
)


class RouterSettings(Settings):
    """Where each kind of question goes: a strategy, and the preset it is given."""

    simple: str = Field(default="single", description="strategy for simple questions")
    simple_preset: Preset = Field(default="fast", description="its preset")
    medium: str = Field(default="mixture", description="strategy for questions in between")
    medium_preset: Preset | None = Field(
        default=None, description="its preset; default: the channel's"
    )
    complex: str = Field(default="mixture", description="strategy for hard questions")
    complex_preset: Preset = Field(default="deep", description="its preset")
    batch: str = Field(default="mixture", description="strategy for long jobs without hurry")
    batch_preset: Preset = Field(default="max", description="its preset")
    ask_model: bool = Field(default=True, description="ask a model when the rules are unsure")


class Router:
    """Sorts the question, then hands it over."""

    def __init__(self, settings: RouterSettings) -> None:
        self._ways: dict[str, tuple[str, Preset | None]] = {
            "simple": (settings.simple, settings.simple_preset),
            "medium": (settings.medium, settings.medium_preset),
            "complex": (settings.complex, settings.complex_preset),
            "batch": (settings.batch, settings.batch_preset),
        }
        self._ask_model = settings.ask_model

    async def answer(self, question: Question, panel: Panel) -> Answer:
        """Sort and hand over; without any verdict it counts as medium."""
        label = by_rule(question.text)
        if label is None and self._ask_model:
            label = await panel.judge(TASK, labels=LABELS)
        strategy, preset = self._ways[label or "medium"]
        answer = await panel.hand_over(strategy, preset=preset)
        return replace(answer, via=f"{label or 'medium'} → {answer.via}")


def by_rule(text: str) -> str | None:
    """The kind of question where its form leaves no doubt, else None."""
    words = len(text.split())
    if MANY.search(text):
        return "batch"
    if HARD.search(text) or words > 150:
        return "complex"
    if SOCIAL.match(text) or (words <= 12 and FACT.match(text) and not OPEN.search(text)):
        return "simple"
    return None


@asynccontextmanager
async def open_router(settings: RouterSettings) -> AsyncGenerator[Router]:
    """Nothing to open."""
    yield Router(settings)


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer it."""
    register.strategy("router", open_router, RouterSettings)
