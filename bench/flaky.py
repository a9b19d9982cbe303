"""A provider whose calls fail, each with the same probability, in all the ways that calls fail."""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from dataclasses import dataclass, field

from moabot.contract import Completion, Prompt, Usage, Wrote
from moabot.errors import ProviderBusy, ProviderError, ProviderGarbled, ProviderUnreachable

MEDIAN_S, P95_S = 3.0, 12.0
SIGMA = math.log(P95_S / MEDIAN_S) / 1.6448536269514722
FAULTS = {"500": 8, "429": 2, "unreachable": 4, "broken stream": 3, "empty text": 2, "silence": 1}
"""Kinds of failure and their weights."""


@dataclass(eq=False)
class Flaky:
    """Each call fails with `p`; the model `dead` is unreachable between two loop times."""

    p: float
    seed: int
    dead: str = ""
    dead_from_s: float = 0.0
    dead_until_s: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    dead_calls: list[float] = field(default_factory=list)
    """When the dead model was called while it was dead."""
    revived_at: float | None = None
    """When it first answered after that."""

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Say something unique, or fail."""
        self.calls[model] += 1
        now = asyncio.get_running_loop().time()
        if model == self.dead and self.dead_from_s <= now < self.dead_until_s:
            self.dead_calls.append(now)
            await asyncio.sleep(0.1)
            raise ProviderUnreachable("Refused.", provider="flaky", model=model)
        chance = random.Random(f"{self.seed} {model} {self.calls[model]}")
        fault = chance.choices(list(FAULTS), list(FAULTS.values()))[0]
        failing = chance.random() < self.p
        seconds = MEDIAN_S * math.exp(chance.gauss(0.0, SIGMA))
        words = [f"{model} ", "said ", "this ", f"in call {self.calls[model]}."]
        if model == self.dead and now < self.dead_from_s <= now + seconds:
            await asyncio.sleep(self.dead_from_s - now)
            raise ProviderUnreachable("The connection broke.", provider="flaky", model=model)
        if failing:
            self.failures[fault] += 1
            await self._fail(fault, seconds, words, wrote, model)
            return Completion("", Usage(1, 10, 0, 0, cost_usd=None), "end")
        for word in words:
            await asyncio.sleep(seconds / len(words))
            if wrote is not None:
                wrote(word)
        if model == self.dead and now >= self.dead_until_s and self.revived_at is None:
            self.revived_at = asyncio.get_running_loop().time()
        return Completion("".join(words), Usage(1, 10, 0, 10, cost_usd=None), "end")

    async def _fail(
        self, fault: str, seconds: float, words: list[str], wrote: Wrote | None, model: str
    ) -> None:
        """Raise, or never end, or return for an empty text."""
        if fault == "silence":
            await asyncio.Event().wait()
        if fault == "broken stream":
            await asyncio.sleep(seconds / 2)
            if wrote is not None:
                wrote(words[0])
            raise ProviderGarbled("The stream broke off.", provider="flaky", model=model)
        await asyncio.sleep(min(seconds, 0.2))
        errors: dict[str, ProviderError] = {
            "500": ProviderBusy("Status 500.", provider="flaky", model=model),
            "429": ProviderBusy("Status 429.", provider="flaky", model=model, retry_after_s=2.0),
            "unreachable": ProviderUnreachable("Reset.", provider="flaky", model=model),
        }
        if fault in errors:
            raise errors[fault]
