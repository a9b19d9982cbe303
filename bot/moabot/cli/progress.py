"""How far a batch has come: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from moabot.cli.rows import Survey
from moabot.contract import NOTHING, Usage
from moabot_platforms.console.screen import complain, draws
from moabot_platforms.words import cost, counted

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

__all__ = ["Progress"]

LINES = 20
"""How many lines a whole batch writes when nobody watches a bar."""


class Progress:
    """Counts what a batch does, shows it on stderr, and sums it up at the end."""

    def __init__(self, survey: Survey, *, questions: Path) -> None:
        self._survey = survey
        self._questions = questions
        self._done = survey.before
        self._failed = 0
        self._usage = NOTHING
        self._began = time.monotonic()
        self._open = ExitStack()
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        for bad in self._survey.bad:
            complain(f"{self._questions.name}, line {bad.line}: {bad.why}.")
        if self._survey.before:
            were = "was" if self._survey.before == 1 else "were"
            complain(f"{self._of(self._survey.before)} {were} answered before.")
        if draws(sys.stderr):
            self._bar = self._open.enter_context(_bar())
            self._bar.add_task("", total=self._survey.rows, completed=self._done, told="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._open.close()
        if kind is None or not issubclass(kind, Exception):
            complain(self._sum(stopped=kind is not None))

    @property
    def complete(self) -> bool:
        """Whether every line of the questions is answered."""
        return self._done == self._survey.rows and not self._survey.bad

    def answered(self, usage: Usage) -> None:
        """One more question is answered and kept."""
        self._done += 1
        self._usage += usage
        self._step()

    def failed(self, line: int, why: str) -> None:
        """One question could not be answered; that is kept too."""
        self._failed += 1
        complain(f"{self._questions.name}, line {line}: {why}")
        self._step()

    def _step(self) -> None:
        over = self._done + self._failed
        if self._bar is not None:
            told = cost(self._usage) + (f", {self._failed} failed" if self._failed else "")
            self._bar.update(self._bar.task_ids[0], completed=over, told=told)
        elif over % -(-self._survey.rows // LINES) == 0:
            complain(f"{self._of(over)}, {self._failed} failed, {cost(self._usage)}.")

    def _of(self, number: int) -> str:
        return f"{number:,} of {counted(self._survey.rows, 'row')}"

    def _sum(self, *, stopped: bool) -> str:
        pieces = [
            f"{self._of(self._done)} answered",
            *([f"{self._failed} failed"] if self._failed else []),
            *([counted(len(self._survey.bad), "bad line")] if self._survey.bad else []),
            f"{time.monotonic() - self._began:.1f} s",
            counted(self._usage.calls, "call"),
            cost(self._usage),
        ]
        told = f"{'Stopped: ' if stopped else ''}{', '.join(pieces)}"
        if not stopped and not self._failed:
            return f"{told}."
        # A row that failed or was stopped had been paid for in part: "no cost" would be untrue.
        told += "; calls for rows without an answer are not counted"
        return f"{told}. The same command goes on from there."


def _bar() -> Bar:
    from rich.console import Console  # noqa: PLC0415 - loads rich, and only a terminal needs it
    from rich.progress import (  # noqa: PLC0415 - as above
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Rich  # noqa: PLC0415 - as above

    return Rich(
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[told]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )
