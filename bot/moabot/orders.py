"""What is asked of whom: a model that can be called, and one thing to ask of a chain of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from moabot.breaker import Breaker
from moabot.contract import Prompt, Provider
from moabot.pace import Pace
from moabot.pricing import Price
from moabot.voice import Voice

__all__ = ["Model", "Order", "Patience"]


@dataclass(slots=True, kw_only=True)
class Model:
    """A model that can be called, and what was learned of it in this process.

    `thinking_tokens` is what it may write, and bill, beyond the length of a reply.
    """

    name: str
    vendor_name: str
    provider_name: str
    provider: Provider
    price: Price | None
    gate: asyncio.Semaphore
    strengths: tuple[str, ...] = ()
    images: bool = True
    expect_tokens: int = 400
    thinking_tokens: int = 0
    breaker: Breaker = field(default_factory=Breaker)
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often one call may be tried; `hedge` allows a backup of a silent one.

    The backup of one proposer of several comes `late`: there is one for each of them, and it is
    the aggregator that owns the p99.
    """

    call_timeout_s: float = 30.0
    tries: int = 3
    hedge: bool = False
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One thing to ask: `prompt` to the first of `chain` that can answer it before `until`.

    `until` is loop time. With `voice`, the text is streamed into it. `last_resort` asks even a
    model whose breaker is open, since nobody else is left.
    """

    slot: str
    role: str
    chain: tuple[str, ...]
    prompt: Prompt
    until: float
    patience: Patience
    voice: Voice | None = None
    last_resort: bool = False
