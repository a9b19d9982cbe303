"""The reply on a terminal: who was asked, live, above the streaming text; then the answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from rich.console import Group
from rich.live import Live
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from moabot_platforms.console.plain import KeptReply
from moabot_platforms.words import apology, failed, footer, heading, printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleRenderable

    from moabot.contract import Answer, Cancelled, Failure, Proposal
    from moabot.errors import MoabotError

__all__ = ["LiveReply", "show_proposals"]

REFRESHES_PER_S = 8
WIDE = 60
"""Columns from which a row also has room for role and tokens."""
ROLE = 12
BESIDES = 25
"""Columns that slot, state and seconds need beside a model's name; more so on a wide screen."""
BESIDES_WIDE = BESIDES + ROLE + 14

MARKDOWN_CHARS = 50_000
"""Longer texts are shown as they are: rich takes 0.1 s for 1 kB of code."""

STYLES = {
    "asked": "cyan",
    "writing": "cyan",
    "done": "green",
    "failed": "red",
    "cancelled": "yellow",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One model in one slot; `at` is when it was asked, on the reply's clock, in seconds."""

    slot: str
    model: str
    role: str
    at: float
    state: str = "asked"
    seconds: float | None = None
    tokens: str = ""


class LiveReply(KeptReply):
    """Draws on `console` from the first event until the end; then only the answer stays.

    Use it in a `with` block, so that the terminal gets its cursor back whatever happens. A
    thread of rich redraws it; events only replace values.
    """

    def __init__(
        self,
        console: Console,
        *,
        stream: bool = True,
        proposals: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._console = console
        self._stream = stream
        self._proposals = proposals
        self._clock = clock
        self._rows: dict[tuple[str, str], Row] = {}
        self._live = Live(
            console=console,
            get_renderable=self.view,
            refresh_per_second=REFRESHES_PER_S,
            transient=True,
            vertical_overflow="crop",
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def asked(self, slot: str, model: str, role: str) -> None:
        """A new row."""
        self._rows[slot, model] = Row(slot, model, role, self._clock())

    def proposed(self, proposal: Proposal) -> None:
        """The row is done."""
        tokens = f"{proposal.usage.output_tokens:,} tokens"
        self._end(proposal, "done", tokens=tokens)

    def failed(self, failure: Failure) -> None:
        """The row failed."""
        self._end(failure, "failed")

    def cancelled(self, cancelled: Cancelled) -> None:
        """The row was stopped."""
        self._end(cancelled, "cancelled")

    def wrote(self, piece: str) -> None:
        """The next piece of the text; whoever was asked last is writing it."""
        if self.is_draft:
            open_rows = [row for row in self._rows.values() if row.state == "asked"]
            for row in open_rows[-1:]:
                self._rows[row.slot, row.model] = replace(row, state="writing")
        super().wrote(piece)

    async def finish(self, answer: Answer) -> None:
        """The live view gives way to the whole text, rendered, and a footer."""
        await super().finish(answer)
        self._live.stop()
        self._show(answer.text)
        if self._proposals:
            show_proposals(self._console, answer)
        self._console.print()
        for failure in answer.failures:
            self._console.print(Text(failed(failure), style="dim"))
        if answer.degraded:
            self._console.print(Text(printable(answer.degraded), style="yellow"))
        self._console.print(_joined(footer(answer), width=self._console.width))

    async def sorry(self, error: MoabotError, *, reference: str) -> None:
        """The live view gives way to one sentence."""
        await super().sorry(error, reference=reference)
        self._live.stop()
        self._console.print(Text(apology(error, reference=reference), style="red"))

    def stop(self) -> None:
        """What came until now stays."""
        self._live.stop()
        if self.text:
            self._show(self.text)
        self._console.print(Text("Stopped.", style="yellow"))

    def view(self) -> ConsoleRenderable:
        """The rows and the end of the text, as much as the terminal has lines for."""
        height, width = self._console.height, self._console.width
        rows = list(self._rows.values())[-max(3, height // 2) :]
        if not rows:
            return Text("Getting ready …", style="dim")
        parts: list[ConsoleRenderable] = [self._table(rows, width=width)]
        text = self.text if self._stream else ""
        if text:
            label = "Draft, until the synthesis comes:" if self.is_draft else ""
            room = max(1, height - len(rows) - 3)
            style = "dim" if self.is_draft else ""
            tail = Text(printable(text[-room * width :]), style=style)
            lines = tail.wrap(self._console, width)[-room:]
            parts += [Text(label, style="dim italic"), Group(*lines)]
        return Group(*parts)

    def _table(self, rows: list[Row], *, width: int) -> Table:
        wide = width >= WIDE
        table = Table.grid(padding=(0, 1))
        for justify in ("left", "left", "left", "left", "right", "right"):
            table.add_column(justify=justify, no_wrap=True, overflow="ellipsis")
        for row in rows:
            seconds = self._clock() - row.at if row.seconds is None else row.seconds
            table.add_row(
                Text(printable("" if row.slot == row.role else row.slot), style="dim"),
                _cut(row.model, width - (BESIDES_WIDE if wide else BESIDES)),
                _cut(row.role if wide else "", ROLE, style="dim"),
                Text(row.state, style=STYLES[row.state]),
                Text(f"{seconds:.1f} s"),
                Text(row.tokens if wide else "", style="dim"),
            )
        return table

    def _end(self, what: Proposal | Failure | Cancelled, state: str, *, tokens: str = "") -> None:
        key = (what.slot, what.model)
        row = self._rows.get(key) or Row(*key, "", self._clock())
        self._rows[key] = replace(row, state=state, seconds=what.seconds, tokens=tokens)

    def _show(self, text: str) -> None:
        self._console.print(_rendered(text))


def show_proposals(console: Console, answer: Answer) -> None:
    """Each proposal under a line with its slot, model, role and seconds."""
    for proposal in answer.proposals:
        console.print()
        console.rule(Text(heading(proposal)), align="left", style="dim")
        console.print(_rendered(proposal.text))


def _rendered(text: str) -> ConsoleRenderable:
    """Markdown as it is meant, unless that would take seconds."""
    if len(text) > MARKDOWN_CHARS:
        return Text(printable(text))
    # Without hyperlinks the address stands in the text: a model must not hide where one leads.
    return Markdown(printable(text), hyperlinks=False)


def _cut(text: str, columns: int, style: str = "") -> Text:
    cut = Text(printable(text), style=style)
    cut.truncate(max(columns, 6), overflow="ellipsis")
    return cut


def _joined(pieces: list[str], *, width: int) -> Text:
    """The pieces on as few lines as fit, broken between pieces."""
    lines: list[str] = []
    for piece in pieces:
        if lines and len(lines[-1]) + len(piece) + 3 <= width:
            lines[-1] += f" · {piece}"
        else:
            lines.append(piece)
    return Text("\n".join(lines), style="dim")
