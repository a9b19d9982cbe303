"""One provider call: its deadline, retries, breaker, limits, hedge and cost.

The only place that retries. An `Order` names a chain of models; `Calls.ask` returns the first
proposal that is whole, and tells the recorder of everything else that happened on the way.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from moabot.breaker import Breaker
from moabot.budget import Budget, HedgeBudget
from moabot.contract import Cancelled, Completion, Failure, Prompt, Proposal, Provider, Usage
from moabot.errors import (
    ProviderBusy,
    ProviderError,
    ProviderGarbled,
    ProviderTimeout,
    ProviderUnreachable,
)
from moabot.pace import Pace
from moabot.pricing import CHARS_PER_TOKEN, Price, estimated, priced
from moabot.quorum import hedge
from moabot.recorder import Recorder
from moabot.voice import Speaker, Voice

__all__ = ["Calls", "Model", "Order", "Patience"]

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 8.0
BROKEN = (ProviderBusy, ProviderUnreachable, ProviderTimeout, ProviderGarbled)
"""Failures that speak against the provider, and not against the request."""


@dataclass(slots=True, kw_only=True)
class Model:
    """A model that can be called, and what was learned of it in this process."""

    name: str
    vendor_name: str
    provider_name: str
    provider: Provider
    price: Price | None
    gate: asyncio.Semaphore
    strengths: tuple[str, ...] = ()
    images: bool = True
    expect_tokens: int = 400
    breaker: Breaker = field(default_factory=Breaker)
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often one call may be tried; `hedge` allows a backup of a silent one."""

    call_timeout_s: float = 30.0
    tries: int = 3
    hedge: bool = False


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


class Calls:
    """All calls of the process: the models, the limits they share, the budget of backups."""

    def __init__(self, models: Mapping[str, Model], *, at_once: int) -> None:
        self.models = models
        self._gate = asyncio.Semaphore(at_once)
        self._hedges = HedgeBudget()

    async def ask(self, order: Order, recorder: Recorder, budget: Budget) -> Proposal:
        """Go down the chain until a model answers; raises the last model's error."""
        return await self._down(_Errand(order, recorder, budget), order.chain)

    async def _down(self, errand: _Errand, chain: tuple[str, ...]) -> Proposal:
        order = errand.order
        head, rest = self.models[chain[0]], chain[1:]
        errand.recorder.asked(order.slot, head.name, order.role)
        backed_up = False

        async def backup() -> Proposal:
            nonlocal backed_up
            backed_up = True
            return await (self._down(errand, rest) if rest else self._persist(errand, head))

        try:
            if not order.patience.hedge:
                return await self._persist(errand, head)
            began = _now()
            return await hedge(
                lambda: self._persist(errand, head),
                backup,
                patience_s=head.pace.patience_s(
                    streamed=order.voice is not None, default_s=order.patience.call_timeout_s / 4
                ),
                heard_at=lambda: max(began, order.voice.heard_at) if order.voice else began,
                allowed=self._hedges.take,
            )
        except ProviderError:
            if backed_up or not rest or _now() >= order.until:
                raise
            return await self._down(errand, rest)

    async def _persist(self, errand: _Errand, model: Model) -> Proposal:
        """Ask one model until it answers, its tries are used up, or waiting makes no sense."""
        order, began = errand.order, _now()
        for tried in range(1, order.patience.tries + 1):
            try:
                return await self._try(errand, model)
            except ProviderError as error:
                pause = _pause(error, tried)
                # A timeout has used its time up; an open breaker would not let us through.
                hopeless = not error.retryable or isinstance(error, ProviderTimeout)
                if hopeless or tried == order.patience.tries or _now() + pause >= order.until:
                    seconds = _now() - began
                    errand.recorder.failed(Failure(order.slot, model.name, str(error), seconds))
                    raise
            await asyncio.sleep(pause)
        raise AssertionError("tries is at least 1")  # pragma: no cover - settings forbid 0

    async def _try(self, errand: _Errand, model: Model) -> Proposal:
        order = errand.order
        self._pass_breaker(model, last_resort=order.last_resort)
        reserved = _reserve(errand, model)
        speaker = order.voice.speaker() if order.voice is not None else None
        self._hedges.earn()
        usage = Usage(calls=1)
        began = _now()
        try:
            async with model.gate, self._gate:
                began = _now()
                completion = await self._complete(order, model, speaker)
            usage = priced(completion.usage, model.price)
        except ProviderError as error:
            self._blame(model, error)
            if isinstance(error, ProviderTimeout) or (speaker is not None and speaker.pieces):
                usage = _guess(order, model, speaker, _now() - began)
            if speaker is not None and order.voice is not None:
                order.voice.leave(speaker)
            raise
        except asyncio.CancelledError:
            model.breaker.let_go()
            usage = _guess(order, model, speaker, _now() - began)
            stopped = Cancelled(order.slot, model.name, _now() - began, usage)
            errand.recorder.cancelled(stopped)
            raise
        finally:
            errand.budget.settle(reserved, usage)
        return self._well(errand, model, speaker, replace(completion, usage=usage), _now() - began)

    def _well(
        self,
        errand: _Errand,
        model: Model,
        speaker: Speaker | None,
        completion: Completion,
        seconds: float,
    ) -> Proposal:
        order, usage = errand.order, completion.usage
        model.breaker.succeeded()
        first_s = seconds if speaker is None else min(speaker.first_s, seconds)
        model.pace.note(
            first_s=first_s,
            whole_s=seconds,
            tokens=usage.output_tokens,
            streamed=speaker is not None,
        )
        if speaker is not None and order.voice is not None:
            order.voice.settle(speaker, completion.text)
        done = Proposal(order.slot, model.name, order.role, completion.text, usage, seconds)
        errand.recorder.called(done)
        return done

    async def _complete(self, order: Order, model: Model, speaker: Speaker | None) -> Completion:
        until = min(order.until, _now() + order.patience.call_timeout_s)
        provider, name = model.provider_name, model.name
        prompt = order.prompt if model.images else _without_images(order.prompt)
        try:
            async with asyncio.timeout_at(until):
                completion = await model.provider.complete(
                    prompt, model=model.vendor_name, wrote=speaker
                )
        except TimeoutError:
            raise ProviderTimeout(
                "No whole answer came in time.", provider=provider, model=name
            ) from None
        except ProviderError:
            raise
        except Exception as error:  # the edge to a plugin's code: it costs this one call
            raise ProviderGarbled(
                f"The plugin raised {type(error).__name__}.",
                provider=provider,
                model=name,
                retryable=False,
            ) from error
        if not completion.text.strip():
            raise ProviderGarbled("The answer is empty.", provider=provider, model=name)
        return completion

    def _pass_breaker(self, model: Model, *, last_resort: bool) -> None:
        closed_in = model.breaker.closed_in(_now())
        if closed_in > 0 and not last_resort:
            error = ProviderBusy(
                f"It failed too often; it is asked again in {closed_in:.0f} s.",
                provider=model.provider_name,
                model=model.name,
            )
            error.retryable = False
            raise error

    def _blame(self, model: Model, error: ProviderError) -> None:
        if isinstance(error, BROKEN):
            after = error.retry_after_s if isinstance(error, ProviderBusy) else None
            model.breaker.failed(_now(), retry_after_s=after)
        else:
            model.breaker.let_go()


@dataclass(frozen=True, slots=True)
class _Errand:
    """An order with the two records that its answer keeps."""

    order: Order
    recorder: Recorder
    budget: Budget


def _now() -> float:
    return asyncio.get_running_loop().time()


def _pause(error: ProviderError, tried: int) -> float:
    """Full jitter, doubling; a provider's own Retry-After wins."""
    if isinstance(error, ProviderBusy) and error.retry_after_s is not None:
        return error.retry_after_s
    longest = min(FIRST_BACKOFF_S * 2 ** (tried - 1), LONGEST_BACKOFF_S)
    return random.uniform(0, longest)  # noqa: S311 - jitter, not a secret


def _reserve(errand: _Errand, model: Model) -> Decimal:
    """Set aside the most that a call can cost; without a budget, nobody needs to count."""
    if errand.budget.limit_usd is None:
        return Decimal(0)
    prompt = errand.order.prompt
    most = priced(estimated(prompt, output_tokens=prompt.max_tokens), model.price)
    return errand.budget.reserve(most.cost_usd)


def _guess(order: Order, model: Model, speaker: Speaker | None, seconds: float) -> Usage:
    """What a call that was cut off had probably used."""
    if speaker is not None and speaker.pieces:
        tokens = -(-speaker.chars // CHARS_PER_TOKEN)
    else:
        tokens = model.pace.written_by(seconds, usual=model.expect_tokens)
    return priced(estimated(order.prompt, output_tokens=tokens), model.price)


def _without_images(prompt: Prompt) -> Prompt:
    if not any(turn.images for turn in prompt.turns):
        return prompt
    note = "\n\n[A picture was attached; this model cannot see it.]"
    turns = (replace(t, text=t.text + note, images=()) if t.images else t for t in prompt.turns)
    return replace(prompt, turns=tuple(turns))
