"""A reply that remembers all that it was told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from moabot.contract import Answer, Cancelled, Failure, Proposal
from moabot.errors import MoabotError

__all__ = ["Heard", "RecordingReply"]


@dataclass(slots=True)
class Heard:
    """One thing that a report was told, and when (loop time)."""

    what: str
    value: object
    at: float


@dataclass(slots=True)
class RecordingReply:
    """A reply that remembers: `events` in order, and how it ended.

    `calls` are those of `asked`: slot, model and role.
    """

    events: list[Heard] = field(default_factory=list[Heard])
    calls: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    answer: Answer | None = None
    error: MoabotError | None = None
    reference: str = ""

    @property
    def text(self) -> str:
        """The final text as the person sees it now."""
        return self._shown("wrote")

    @property
    def draft(self) -> str:
        """The draft as it was last seen."""
        return self._shown("drafted")

    def named(self, what: str) -> list[object]:
        """The values of all events of one name."""
        return [event.value for event in self.events if event.what == what]

    def asked(self, slot: str, model: str, role: str) -> None:
        """Note it."""
        self.calls.append((slot, model, role))
        self._note("asked", (slot, model, role))

    def proposed(self, proposal: Proposal) -> None:
        """Note it."""
        self._note("proposed", proposal)

    def failed(self, failure: Failure) -> None:
        """Note it."""
        self._note("failed", failure)

    def cancelled(self, cancelled: Cancelled) -> None:
        """Note it."""
        self._note("cancelled", cancelled)

    def drafted(self, piece: str) -> None:
        """Note it."""
        self._note("drafted", piece)

    def wrote(self, piece: str) -> None:
        """Note it."""
        self._note("wrote", piece)

    def restarted(self) -> None:
        """Note it."""
        self._note("restarted", None)

    async def finish(self, answer: Answer) -> None:
        """Note it; a second ending is an error."""
        self._end()
        self.answer = answer

    async def sorry(self, error: MoabotError, *, reference: str) -> None:
        """Note it; a second ending is an error."""
        self._end()
        self.error, self.reference = error, reference

    def _end(self) -> None:
        if self.answer is not None or self.error is not None:
            raise AssertionError("A reply ends exactly once.")

    def _note(self, what: str, value: object) -> None:
        self.events.append(Heard(what, value, asyncio.get_running_loop().time()))

    def _shown(self, what: str) -> str:
        pieces: list[str] = []
        for event in self.events:
            if event.what == "restarted":
                pieces.clear()
            elif event.what == what:
                pieces.append(str(event.value))
        return "".join(pieces)
