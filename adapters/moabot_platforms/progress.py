"""Where an answer stands: who was asked, who answered, and the text so far."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from moabot.contract import Cancelled, Failure, Proposal

__all__ = ["Progress", "State", "Step"]

State = Literal["asked", "answered", "failed", "stopped"]
JUDGE = "judge"
"""Judges are quiet: what they say is not for the person, and nobody waits for them alone."""


@dataclass(frozen=True, slots=True)
class Step:
    """One model in one slot. `role` is a proposer's, "aggregator" or "synthesizer".

    `at` is when it was asked, in seconds of the loop's clock; `seconds` what it took, None until
    it ended.
    """

    slot: str
    model: str
    role: str
    at: float
    state: State = "asked"
    seconds: float | None = None

    @property
    def proposes(self) -> bool:
        """Whether it answers the question itself, with no one else's answer to combine."""
        return self.role not in {"aggregator", "synthesizer"}


class Progress:
    """A report that keeps what a platform shows; calls `changed` on each event, which returns at once.

    It never blocks and never raises, as a report must; the platform draws it when it has time.
    """

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._changed = changed
        self._steps: dict[tuple[str, str], Step] = {}
        self._draft: list[str] = []
        self._pieces: list[str] = []

    @property
    def steps(self) -> tuple[Step, ...]:
        """All that were asked, in the order of asking."""
        return tuple(self._steps.values())

    @property
    def text(self) -> str:
        """What the person may read now: the final text so far, or the draft before it."""
        return "".join(self._pieces or self._draft)

    @property
    def is_draft(self) -> bool:
        """Whether `text` is a first proposer's, which the final text will replace."""
        return bool(self._draft) and not self._pieces

    @property
    def standing(self) -> str:
        """One sentence: "2 of 3 models answered" while they think, then who combines them."""
        if not self._steps:
            return "Getting ready"
        last = self.steps[-1]
        if last.role == "synthesizer":
            return f"{last.model} writes the answer"
        layer = last.slot.partition(".")[0]
        slots = {step.slot for step in self.steps if step.slot.partition(".")[0] == layer}
        answered = {s.slot for s in self.steps if s.slot in slots and s.state == "answered"}
        who = "models answered" if last.proposes else "aggregators are done"
        return f"{len(answered)} of {len(slots)} {who}"

    def asked(self, slot: str, model: str, role: str) -> None:
        """A new step, or the same one again."""
        if role != JUDGE:
            self._steps[slot, model] = Step(slot, model, role, _now())
            self._changed()

    def proposed(self, proposal: Proposal) -> None:
        """The step has answered."""
        self._end(proposal, "answered")

    def failed(self, failure: Failure) -> None:
        """The step failed."""
        self._end(failure, "failed")

    def cancelled(self, cancelled: Cancelled) -> None:
        """The step was stopped."""
        self._end(cancelled, "stopped")

    def drafted(self, piece: str) -> None:
        """The next piece of the draft."""
        self._draft.append(piece)
        self._changed()

    def wrote(self, piece: str) -> None:
        """The next piece of the final text; the first one takes the place of a draft."""
        self._pieces.append(piece)
        self._changed()

    def restarted(self) -> None:
        """The text begins again."""
        self._draft.clear()
        self._pieces.clear()
        self._changed()

    def ended(self) -> None:
        """The answer is whole: whoever is left wrote it, since a writer is reported by its text."""
        for key, step in self._steps.items():
            if step.state == "asked":
                self._steps[key] = replace(step, state="answered", seconds=_now() - step.at)

    def _end(self, what: Proposal | Failure | Cancelled, state: State) -> None:
        if what.slot == JUDGE:
            return
        key = (what.slot, what.model)
        step = self._steps.get(key) or Step(*key, "", _now())
        self._steps[key] = replace(step, state=state, seconds=what.seconds)
        self._changed()


def _now() -> float:
    return asyncio.get_running_loop().time()
