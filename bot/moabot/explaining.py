"""A dry run: the calls that a question would lead to and what they would cost, without a call.

The strategy really runs, on a real panel; only the providers are replaced by dry ones, which
return filler of the expected length. So references in later layers are counted as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from moabot.calls import Calls, Model
from moabot.contract import (
    Answer,
    Cancelled,
    Completion,
    Failure,
    Prompt,
    Proposal,
    Usage,
    Wrote,
)
from moabot.pricing import CHARS_PER_TOKEN, estimated

__all__ = ["DryProvider", "Plan", "PlannedCall", "Unseen", "dry", "plan"]

FILLER = "word".ljust(CHARS_PER_TOKEN - 1, "d") + " "


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call that would be made. Calls of the same `stage` run side by side.

    `seconds` is the model's median in this process, else of the calls that the database remembers;
    None before it was ever called.
    """

    stage: int
    slot: str
    model: str
    role: str
    usage: Usage
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a question would lead to when every call goes well.

    `seconds` adds up the slowest call of each stage, None when one of them is unknown.
    """

    strategy: str
    preset: str
    via: str
    calls: tuple[PlannedCall, ...]
    usage: Usage
    seconds: float | None


class DryProvider:
    """Answers with filler of the length that is expected of the model."""

    def __init__(self, model: Model) -> None:
        self._tokens = model.expect_tokens

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Return filler at once."""
        tokens = min(self._tokens, prompt.max_tokens)
        return Completion(FILLER * tokens, estimated(prompt, output_tokens=tokens), "end")


class Unseen:
    """A report that shows nothing."""

    def asked(self, slot: str, model: str, role: str) -> None:
        """Nothing."""

    def proposed(self, proposal: Proposal) -> None:
        """Nothing."""

    def failed(self, failure: Failure) -> None:
        """Nothing."""

    def cancelled(self, cancelled: Cancelled) -> None:
        """Nothing."""

    def drafted(self, piece: str) -> None:
        """Nothing."""

    def wrote(self, piece: str) -> None:
        """Nothing."""

    def restarted(self) -> None:
        """Nothing."""


def dry(models: Mapping[str, Model], *, at_once: int) -> Calls:
    """The same models, none of which is really asked."""
    dried = {name: _dried(model) for name, model in models.items()}
    return Calls(dried, at_once=at_once, is_dry=True)


def _dried(model: Model) -> Model:
    return Model(
        name=model.name,
        vendor_name=model.vendor_name,
        provider_name=model.provider_name,
        provider=DryProvider(model),
        price=model.price,
        gate=model.gate,
        strengths=model.strengths,
        expect_tokens=model.expect_tokens,
    )


def plan(
    answer: Answer,
    calls: list[Proposal],
    models: Mapping[str, Model],
    *,
    paces: Mapping[str, float],
) -> Plan:
    """The plan that a dry run's record amounts to; `paces` are usual seconds from earlier lives."""
    planned: list[PlannedCall] = []
    stage, layer = 0, ""
    for call in calls:
        here = call.slot.partition(".")[0]
        stage, layer = (stage + 1, here) if here != layer else (stage, layer)
        here_s = models[call.model].pace.usual_s
        seconds = paces.get(call.model) if here_s is None else here_s
        planned.append(PlannedCall(stage, call.slot, call.model, call.role, call.usage, seconds))
    return Plan(
        strategy=answer.strategy,
        preset=answer.preset,
        via=answer.via,
        calls=tuple(planned),
        usage=answer.usage,
        seconds=_critical_path(planned),
    )


def _critical_path(calls: list[PlannedCall]) -> float | None:
    slowest: dict[int, float] = {}
    for call in calls:
        if call.seconds is None:
            return None
        slowest[call.stage] = max(slowest.get(call.stage, 0.0), call.seconds)
    return sum(slowest.values())
