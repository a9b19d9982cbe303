"""A third party's plugin as it would be written with types; it is checked, and never run."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from moabot import (
    Answer,
    Completion,
    Message,
    Prompt,
    Provider,
    ProviderBusy,
    Question,
    Strategy,
    Usage,
    Wrote,
    hookimpl,
)
from moabot.config import Settings
from moabot.panel import Panel
from moabot.plugins import NoSettings, Register, Starter


class AcmeSettings(Settings):
    """`[providers.X] plugin = "acme"`."""

    region: str = "eu"


class Acme:
    """A provider."""

    def __init__(self, region: str) -> None:
        self.region = region

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Answer, or ask for patience."""
        if model == "busy":
            raise ProviderBusy("Too many.", provider="acme", model=model, retry_after_s=2)
        if wrote is not None:
            wrote(self.region)
        return Completion(self.region, Usage(calls=1, cost_usd=None), "end")


class Twice:
    """A strategy."""

    async def answer(self, question: Question, panel: Panel) -> Answer:
        """Two models, then the synthesizer."""
        return await panel.synthesize(await panel.propose(panel.slots(2)))


@asynccontextmanager
async def open_acme(settings: AcmeSettings) -> AsyncGenerator[Provider]:
    """Open the provider."""
    yield Acme(settings.region)


@asynccontextmanager
async def open_twice(settings: NoSettings) -> AsyncGenerator[Strategy]:
    """Open the strategy."""
    yield Twice()


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer both."""
    register.provider("acme", open_acme, AcmeSettings, starter=Starter("ACME_API_KEY", ("loud",)))
    register.strategy("twice", open_twice)


@hookimpl
def moabot_choose_strategy(message: Message, names: tuple[str, ...]) -> str | None:
    """Short messages are asked twice."""
    return "twice" if len(message.text) < 10 and "twice" in names else None


@hookimpl
def moabot_answered(message: Message, answer: Answer) -> None:
    """Hear of it."""
    print(message.event_id, answer.seconds)  # noqa: T201 - a stand-in for statistics
