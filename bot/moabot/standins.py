"""Who sits where a plugin of a third party fails, so that it costs the bot that plugin alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from moabot.belief import believed_answer
from moabot.contract import Answer, Completion, Prompt, Question, Strategy, Wrote
from moabot.errors import PluginError, ProviderRejected
from moabot.guests import blamed

if TYPE_CHECKING:
    from moabot.panel import Panel

__all__ = ["AbsentProvider", "AbsentStrategy", "WatchedStrategy"]

INSTEAD = "mixture"
"""The strategy that answers instead of one that cannot."""


class AbsentProvider:
    """Each call of its models fails at once, so that chains and quorum go on with the others."""

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Fail, and say why."""
        raise ProviderRejected("Its plugin is left out.", provider="", model=model)


class AbsentStrategy:
    """Lets another strategy answer, and says so."""

    async def answer(self, question: Question, panel: Panel) -> Answer:
        """As `mixture` would, or one model alone where there is no such strategy."""
        return await _instead(panel)


class WatchedStrategy:
    """A third party's strategy: when it breaks, `complain` hears of it, and another one answers."""

    def __init__(self, strategy: Strategy, complain: Callable[[str], None]) -> None:
        self._strategy = strategy
        self._complain = complain

    async def answer(self, question: Question, panel: Panel) -> Answer:
        """Its answer; our own errors pass, for the corridor knows what to do with them."""
        what = f"The strategy {panel.strategy!r}"
        try:
            with blamed(what):
                return believed_answer(await self._strategy.answer(question, panel), of=what)
        except PluginError as error:
            self._complain(str(error))
        return await _instead(panel)


async def _instead(panel: Panel) -> Answer:
    panel.confess(f"The strategy {panel.strategy!r} did not work, so another one answered.")
    if INSTEAD in panel.strategies:
        return await panel.hand_over(INSTEAD)
    return await panel.synthesize()
