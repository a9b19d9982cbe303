"""One provider call: its deadline, retries, breaker, limits, hedge and cost.

The only place that retries. An `Order` names a chain of models; `Calls.ask` returns the first
proposal that is whole, and tells the recorder of everything else that happened on the way.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from moabot.belief import believed_completion, believed_wait, wellformed
from moabot.budget import Budget, HedgeBudget
from moabot.contract import NOTHING, Cancelled, Completion, Failure, Prompt, Proposal, Usage
from moabot.errors import (
    BudgetSpent,
    PluginError,
    ProviderBusy,
    ProviderError,
    ProviderGarbled,
    ProviderRefused,
    ProviderSilent,
    ProviderTimeout,
    ProviderUnreachable,
)
from moabot.guests import is_ours
from moabot.orders import Model, Order, Patience
from moabot.pricing import CHARS_PER_TOKEN, at_most, estimated, priced
from moabot.quorum import hedge
from moabot.recorder import Recorder
from moabot.voice import Speaker, Voice

__all__ = ["Calls", "Model", "Order", "Patience"]

log = logging.getLogger("moabot")

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 8.0
BROKEN = (ProviderBusy, ProviderUnreachable, ProviderTimeout, ProviderGarbled)
"""Failures that speak against the provider, and not against the request."""

PAID = (ProviderTimeout, ProviderGarbled, ProviderRefused)
"""Failures of calls that were answered in some way, so that a vendor probably bills them."""


class Calls:
    """All calls of the process: the models, the limits they share, the budget of backups.

    `is_dry` says that no model is really asked, so that nothing may be learned from the answers.
    """

    def __init__(self, models: Mapping[str, Model], *, at_once: int, is_dry: bool = False) -> None:
        self.models = models
        self.is_dry = is_dry
        self._gate = asyncio.Semaphore(at_once)
        self._hedges = HedgeBudget()

    def ask(
        self, order: Order, recorder: Recorder, budget: Budget
    ) -> Coroutine[None, None, Proposal]:
        """Go down the chain until a model answers; raises the last model's error."""
        chain = order.chain
        if order.last_resort:  # a resting model is asked too, but after those that work
            chain = tuple(sorted(chain, key=lambda name: self.models[name].breaker.rests(_now())))
        return self._down(_Errand(order, recorder, budget), chain)

    async def _down(self, errand: _Errand, chain: tuple[str, ...]) -> Proposal:
        order = errand.order
        head, rest = self.models[chain[0]], chain[1:]
        errand.recorder.asked(order.slot, head.name, order.role)
        backed_up = False

        async def backup() -> Proposal:
            nonlocal backed_up
            backed_up = True
            other = replace(errand, attempt=None)
            return await (self._down(other, rest) if rest else self._persist(other, head))

        try:
            if not order.patience.hedge:
                return await self._persist(errand, head)
            return await hedge(
                lambda: self._persist(errand, head),
                backup,
                patience_s=_silence_s(order, head),
                heard_at=errand.heard_at,
                allowed=self._hedges.take,
            )
        except ProviderError as error:
            if backed_up or not rest or _now() >= order.until:
                raise
            over = errand.over or isinstance(error, _Stopped)
            return await self._down(replace(errand, attempt=None, over=over), rest)

    async def _persist(self, errand: _Errand, model: Model) -> Proposal:
        """Ask one model until it answers, its tries are used up, or waiting makes no sense."""
        order, began = errand.order, _now()
        if (memo := errand.recorder.memo) is not None:
            known = memo.recall(order.slot, model.name, order.prompt)
            if known is not None or errand.over:
                return _again(errand, model, known)
        for tried in range(1, order.patience.tries + 1):
            try:
                return await self._try(errand, model)
            except ProviderError as error:
                told = wellformed(str(error))
                failure = Failure(order.slot, model.name, told, _now() - began)
                pause = _pause(error, tried)
                # A timeout has used its time up; an open breaker would not let us through.
                hopeless = not error.retryable or isinstance(error, ProviderTimeout)
                if hopeless or tried == order.patience.tries or _now() + pause >= order.until:
                    errand.recorder.failed(failure)
                    errand.keep(failure)
                    raise
            try:
                await asyncio.sleep(pause)
            except asyncio.CancelledError:
                errand.recorder.failed(failure)
                errand.keep(Cancelled(order.slot, model.name, failure.seconds, NOTHING))
                raise
        raise AssertionError("tries is at least 1")  # pragma: no cover - settings forbid 0

    async def _try(self, errand: _Errand, model: Model) -> Proposal:
        """One try: money is set aside before and settled after, whatever happens between."""
        order = errand.order
        self._pass_breaker(model, last_resort=order.last_resort)
        reserved = _reserve(errand, model)
        attempt = errand.attempt = _Attempt(_now())
        try:
            completion = await self._complete(order, model, attempt)
            attempt.usage = priced(completion.usage, model.price)
            return self._well(errand, model, attempt, completion.text)
        except ProviderError as error:
            _note_failure(error, order, model, attempt)
            if attempt.sent and errand.recorder.memo is not None:
                errand.recorder.memo.lost(order.slot, model.name, attempt.usage)
            raise
        except asyncio.CancelledError:
            model.breaker.let_go()
            if attempt.sent:
                attempt.usage = _guess(order, model, attempt)
            seconds = _now() - attempt.began
            stopped = Cancelled(order.slot, model.name, seconds, attempt.usage)
            errand.recorder.cancelled(stopped)
            errand.keep(stopped)
            raise
        finally:
            errand.budget.settle(reserved, attempt.usage)

    def _well(self, errand: _Errand, model: Model, attempt: _Attempt, text: str) -> Proposal:
        order, usage, seconds = errand.order, attempt.usage, _now() - attempt.began
        model.breaker.succeeded()
        model.pace.note(
            first_s=min(attempt.speaker.first_s, seconds) if attempt.speaker else seconds,
            whole_s=seconds,
            tokens=usage.output_tokens,
            streamed=attempt.speaker is not None,
        )
        done = Proposal(order.slot, model.name, order.role, text, usage, seconds)
        errand.recorder.called(done)
        errand.keep(done)
        return done

    async def _complete(self, order: Order, model: Model, attempt: _Attempt) -> Completion:
        """Queue for a free line, then call; the call's time begins when it is let through."""
        provider, name = model.provider_name, model.name
        prompt = order.prompt if model.images else _without_images(order.prompt)
        try:
            async with asyncio.timeout_at(order.until) as limit, model.gate, self._gate:
                now = _now()
                limit.reschedule(min(order.until, now + order.patience.call_timeout_s))
                attempt.send(now, order.voice)
                self._hedges.earn()
                completion = believed_completion(
                    await model.provider.complete(
                        prompt, model=model.vendor_name, wrote=attempt.speaker
                    )
                )
        except TimeoutError:
            what = "No whole answer came" if attempt.sent else "It was not its turn"
            raise ProviderTimeout(f"{what} in time.", provider=provider, model=name) from None
        except ProviderError as error:
            # An adapter knows the vendor's names; a person knows those in config.toml.
            error.provider, error.model = provider, name
            if isinstance(error, ProviderBusy):
                error.retry_after_s = believed_wait(error.retry_after_s)
            raise
        except BaseException as error:
            # The edge to a plugin's code: whatever it does costs one call. Only its author needs
            # to know what its error said, so that stands in the log alone.
            if is_ours(error):
                raise
            log.warning("plugin", exc_info=error, extra={"provider": provider, "model": name})
            raised = f"The plugin raised {type(error).__name__}."
            raise ProviderGarbled(
                error.what if isinstance(error, PluginError) else raised,
                provider=provider,
                model=name,
                retryable=False,
            ) from error
        if not completion.text.strip():
            raise ProviderSilent("The answer is empty.", provider=provider, model=name)
        return completion

    def resting(self) -> list[tuple[str, float]]:
        """The models whose breaker is open, and for how many seconds."""
        pauses = ((name, model.breaker.pause_s(_now())) for name, model in self.models.items())
        return [(name, pause) for name, pause in pauses if pause > 0]

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


@dataclass(slots=True)
class _Attempt:
    """One try of a call: since when (loop time), whether it was let through, what it used."""

    began: float
    sent: bool = False
    speaker: Speaker | None = None
    usage: Usage = NOTHING

    def send(self, now: float, voice: Voice | None) -> None:
        self.began, self.sent = now, True
        self.speaker = voice.speaker() if voice is not None else None

    @property
    def spoke(self) -> bool:
        return self.speaker is not None and bool(self.speaker.pieces)


@dataclass(slots=True)
class _Errand:
    """An order on its way to one model, with the two records that its answer keeps.

    `over` says that before a crash it ended without an answer: only what is remembered counts.
    """

    order: Order
    recorder: Recorder
    budget: Budget
    attempt: _Attempt | None = None
    over: bool = False

    def keep(self, gave: Proposal | Failure | Cancelled) -> None:
        """Let what a call gave outlive the process."""
        if self.recorder.memo is not None:
            self.recorder.memo.keep(self.order.prompt, gave)

    def heard_at(self) -> float:
        """Loop time of the last sign of life; who still queues is not silent."""
        if self.attempt is None or not self.attempt.sent:
            return _now()
        speaker = self.attempt.speaker
        return max(self.attempt.began, speaker.last_s) if speaker else self.attempt.began


class _Stopped(ProviderError):
    """Before a crash this call was stopped, since its answer no longer needed it."""


def _again(errand: _Errand, model: Model, known: Proposal | Failure | Cancelled | None) -> Proposal:
    """What this call gave before a crash; it is neither asked nor paid again."""
    if isinstance(known, Proposal):
        errand.budget.recall(known.usage)
        errand.recorder.called(known)
        return known
    if isinstance(known, Failure):
        errand.recorder.failed(known)
        raise ProviderError(known.error, provider=model.provider_name, model=model.name)
    if known is not None:
        errand.budget.recall(known.usage)
        errand.recorder.cancelled(known)
    raise _Stopped("It was stopped.", provider=model.provider_name, model=model.name)


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
    if not errand.budget.is_limited:
        return Decimal(0)
    most = priced(at_most(errand.order.prompt, thinking=model.thinking_tokens), model.price)
    try:
        return errand.budget.reserve(most.cost_usd, model=model.name)
    except BudgetSpent:
        model.breaker.let_go()
        raise


def _silence_s(order: Order, model: Model) -> float:
    """Seconds after which this model is unusually silent; late, twice as many: about its p95."""
    patience_s = model.pace.patience_s(
        streamed=order.voice is not None, default_s=order.patience.call_timeout_s / 4
    )
    return patience_s * 2 if order.patience.late else patience_s


def _note_failure(error: ProviderError, order: Order, model: Model, attempt: _Attempt) -> None:
    # Cut off early by the answer's deadline, or before its turn: that says nothing of the model.
    seconds = _now() - attempt.began if attempt.sent else 0.0
    rushed = isinstance(error, ProviderTimeout) and seconds < _silence_s(order, model)
    if rushed or not isinstance(error, BROKEN):
        model.breaker.let_go()
    else:
        after = error.retry_after_s if isinstance(error, ProviderBusy) else None
        model.breaker.failed(_now(), retry_after_s=after)
    if attempt.sent:
        paid = isinstance(error, PAID) or attempt.spoke
        attempt.usage = _guess(order, model, attempt) if paid else replace(NOTHING, calls=1)
    if attempt.speaker is not None and order.voice is not None:
        order.voice.leave(attempt.speaker)


def _guess(order: Order, model: Model, attempt: _Attempt) -> Usage:
    """What a call that was cut off had probably used."""
    if attempt.speaker is not None and attempt.spoke:
        tokens = -(-attempt.speaker.chars // CHARS_PER_TOKEN)
    else:
        seconds = _now() - attempt.began
        tokens = model.pace.written_by(seconds, usual=model.expect_tokens)
    return priced(estimated(order.prompt, output_tokens=tokens), model.price)


def _without_images(prompt: Prompt) -> Prompt:
    if not any(turn.images for turn in prompt.turns):
        return prompt
    note = "\n\n[A picture was attached; this model cannot see it.]"
    turns = (replace(t, text=t.text + note, images=()) if t.images else t for t in prompt.turns)
    return replace(prompt, turns=tuple(turns))
