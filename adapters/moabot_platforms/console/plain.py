"""Replies for pipes and scripts: the text on one stream, everything else on another, no colours."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol, TextIO

from moabot.contract import Answer, Cancelled, Failure, Proposal, Reply
from moabot.errors import MoabotError
from moabot_platforms.words import (
    answered,
    apology,
    asked,
    failed,
    footer,
    heading,
    printable,
    stopped,
)

__all__ = ["ConsoleReply", "KeptReply", "PlainReply"]


class ConsoleReply(Reply, Protocol):
    """A reply that can be cut short and asked how it ended."""

    @property
    def answer(self) -> Answer | None:
        """What it was finished with."""
        ...

    @property
    def error(self) -> MoabotError | None:
        """Why there is no answer."""
        ...

    @property
    def broken(self) -> OSError | None:
        """Why the text could not be written (a full disk, a closed pipe), if so."""
        ...

    @property
    def text(self) -> str:
        """What was written so far, else what was drafted."""
        ...

    def stop(self) -> None:
        """Show what came until now: there will be no more."""
        ...


class KeptReply:
    """Shows nothing and keeps everything: the text so far and how it ended."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.error: MoabotError | None = None
        self.broken: OSError | None = None
        self._draft: list[str] = []
        self._written: list[str] = []

    @property
    def text(self) -> str:
        """What was written so far, else what was drafted."""
        return "".join(self._written or self._draft)

    @property
    def is_draft(self) -> bool:
        """Whether `text` is a first proposer's, to be replaced."""
        return not self._written

    def asked(self, slot: str, model: str, role: str) -> None:
        """Nothing to keep: the answer names who was asked."""

    def proposed(self, proposal: Proposal) -> None:
        """Nothing to keep: the answer has the proposals."""

    def failed(self, failure: Failure) -> None:
        """Nothing to keep: the answer has the failures."""

    def cancelled(self, cancelled: Cancelled) -> None:
        """Nothing to keep: the answer has the stragglers."""

    def drafted(self, piece: str) -> None:
        """Keep a piece of the draft."""
        self._draft.append(piece)

    def wrote(self, piece: str) -> None:
        """Keep a piece of the text."""
        self._written.append(piece)

    def restarted(self) -> None:
        """Forget what was drafted and written."""
        self._draft.clear()
        self._written.clear()

    async def finish(self, answer: Answer) -> None:
        """Keep the answer."""
        self.answer = answer

    async def sorry(self, error: MoabotError, *, reference: str) -> None:
        """Keep the error."""
        self.error = error

    def stop(self) -> None:
        """Nothing to show."""


class PlainReply(KeptReply):
    """The text on `out` when it is whole, one line for each event on `err`.

    Nothing is streamed: a pipe cannot take back a draft, or a text that began again.
    """

    def __init__(self, out: TextIO, err: TextIO, *, show_proposals: bool = False) -> None:
        super().__init__()
        self._out = out
        self._err = err
        self._show_proposals = show_proposals

    def asked(self, slot: str, model: str, role: str) -> None:
        """One line for a model that is asked."""
        self._note(asked(slot, model, role))

    def proposed(self, proposal: Proposal) -> None:
        """One line for a model that answered."""
        self._note(answered(proposal))

    def failed(self, failure: Failure) -> None:
        """One line for a model that failed."""
        self._note(failed(failure))

    def cancelled(self, cancelled: Cancelled) -> None:
        """One line for a straggler."""
        self._note(stopped(cancelled))

    async def finish(self, answer: Answer) -> None:
        """The text, the proposals if they were asked for, and the footer."""
        await super().finish(answer)
        self._write(answer.text)
        for proposal in answer.proposals if self._show_proposals else ():
            self._write(f"\n## Proposal {heading(proposal)}\n\n{proposal.text}")
        if answer.degraded:
            self._note(printable(answer.degraded))
        self._note(" · ".join(footer(answer)))

    async def sorry(self, error: MoabotError, *, reference: str) -> None:
        """One line: why there is no answer."""
        await super().sorry(error, reference=reference)
        self._note(apology(error, reference=reference))

    def stop(self) -> None:
        """What came until now."""
        if self.text:
            self._write(self.text)
        self._note("Stopped.")

    def _write(self, text: str) -> None:
        # A report never raises: whoever made the reply looks at `broken` in the end.
        try:
            print(printable(text), file=self._out, flush=True)
        except OSError as error:
            self.broken = self.broken or error

    def _note(self, line: str) -> None:
        with suppress(OSError):
            print(line.replace("\n", " "), file=self._err, flush=True)
