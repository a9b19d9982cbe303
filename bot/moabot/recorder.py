"""The record of one answer: what was asked, what came, what failed and what was stopped."""

from __future__ import annotations

from moabot.contract import Cancelled, Failure, Proposal, Report
from moabot.memo import Memo

__all__ = ["Recorder"]


class Recorder:
    """A report that remembers what it passes on.

    `calls` holds every call that succeeded, of any role, in the order of finishing; `degraded`
    the sentences that the person must be told.
    `memo` is the part of the record that outlives the process, when there is one.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self.memo: Memo | None = None
        self.calls: list[Proposal] = []
        self.proposals: list[Proposal] = []
        self.failures: list[Failure] = []
        self.stopped: list[Cancelled] = []
        self.degraded: list[str] = []
        self._draft: list[str] = []
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        """What the person sees of the final text so far."""
        return "".join(self._pieces)

    @property
    def shown(self) -> str:
        """What the person sees now: the final text so far, or the draft before it."""
        return "".join(self._pieces or self._draft)

    def called(self, proposal: Proposal) -> None:
        """A call of any role succeeded."""
        self.calls.append(proposal)

    def asked(self, slot: str, model: str, role: str) -> None:
        """Pass on."""
        self._report.asked(slot, model, role)

    def proposed(self, proposal: Proposal) -> None:
        """Remember and pass on."""
        self.proposals.append(proposal)
        self._report.proposed(proposal)

    def failed(self, failure: Failure) -> None:
        """Remember and pass on."""
        self.failures.append(failure)
        self._report.failed(failure)

    def cancelled(self, cancelled: Cancelled) -> None:
        """Remember and pass on."""
        self.stopped.append(cancelled)
        self._report.cancelled(cancelled)

    def drafted(self, piece: str) -> None:
        """Remember and pass on."""
        self._draft.append(piece)
        self._report.drafted(piece)

    def wrote(self, piece: str) -> None:
        """Remember and pass on; the first piece takes the place of a draft."""
        self._pieces.append(piece)
        self._report.wrote(piece)

    def restarted(self) -> None:
        """Forget what was shown and pass on."""
        self._draft.clear()
        self._pieces.clear()
        self._report.restarted()
