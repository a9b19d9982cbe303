"""Asks a model on the bot's own behalf, with all that holds for calls of an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from moabot.admission import Admission
from moabot.budget import Budget
from moabot.calls import Calls
from moabot.channels import NO_WISH, Channels
from moabot.config import PanelSettings
from moabot.contract import Message, Prompt, Question
from moabot.explaining import Unseen
from moabot.journal import Journal
from moabot.orders import Order, Patience
from moabot.presets import fallback_of
from moabot.recorder import Recorder

__all__ = ["Asking", "on_own_behalf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """An `Ask` that goes down a chain of models, with the patience and budget of a panel.

    `channels` and `panel` tell what holds at that time. Without a `chain` the panel's judge is
    asked. `purpose` stands in the ledger where answers have their strategy.
    """

    calls: Calls
    channels: Callable[[], Channels]
    panel: Callable[[], PanelSettings]
    admission: Admission
    journal: Journal
    chain: tuple[str, ...]
    purpose: str

    async def __call__(self, prompt: Prompt, *, about: Question) -> str:
        """Ask once; what it costs is on its way to disk when this returns."""
        panel = self.panel()
        message, recorder = await on_own_behalf(about, self.journal, purpose=self.purpose)
        order = Order(
            slot="judge",
            role="judge",
            chain=self.chain or panel.judge or fallback_of(panel),
            prompt=prompt,
            until=asyncio.get_running_loop().time() + panel.deadline_s,
            patience=Patience(panel.call_timeout_s, panel.tries),
        )
        rules = await self.channels().settings(message)
        with self.admission.paying(message, rules) as purses:
            budget = Budget(panel.budget_usd, purses)
            return (await self.calls.ask(order, recorder, budget)).text


async def on_own_behalf(
    about: Question, journal: Journal, *, purpose: str
) -> tuple[Message, Recorder]:
    """The message as which the bot itself asks, and where what that costs is counted.

    It is paid as if the author of `about` had asked there; the ledger says `purpose`.
    """
    scope = about.scope
    message = Message(
        scope.platform,
        scope.workspace,
        scope.channel,
        about.author,
        about.text,
        about.event.removeprefix(f"{scope.platform}:"),  # no answer of its own in the ledger
        thread=scope.thread,
        private=scope.private,
    )
    recorder = Recorder(Unseen())
    entry = await journal.accept(message, NO_WISH)
    if entry is not None and entry.memo is not None:
        entry.memo.strategy = purpose
        recorder.memo = entry.memo
    return message, recorder
