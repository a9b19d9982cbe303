"""What the terminal can do here: draw, or only take lines; and how a person's line is read."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from moabot_platforms.console.ctrlc import raising
from moabot_platforms.console.plain import ConsoleReply, PlainReply
from moabot_platforms.words import heading, printable

if TYPE_CHECKING:
    from rich.console import Console

    from moabot.contract import Answer

__all__ = ["HISTORY", "HISTORY_LINES", "Screen", "complain", "draws", "print_json", "remembered"]

HISTORY = "chat_history"
"""The file in data_dir with the lines that a person typed."""
HISTORY_LINES = 1000


@dataclass(frozen=True, slots=True)
class Screen:
    """Where answers go: `console` draws, or is None in a pipe and on a dumb terminal."""

    out: TextIO
    err: TextIO
    console: Console | None = None

    @classmethod
    def here(cls) -> Screen:
        """The screen of this process."""
        if not draws(sys.stdout):
            return cls(sys.stdout, sys.stderr)
        from rich.console import Console  # noqa: PLC0415 - 50 ms that a pipe does not need

        console = Console(file=sys.stdout, markup=False, highlight=False, emoji=False)
        return cls(sys.stdout, sys.stderr, console)

    @property
    def talks(self) -> bool:
        """Whether a person sits at both ends."""
        return sys.stdin.isatty() and self.out.isatty()

    def reply(
        self, *, stream: bool = True, proposals: bool = False
    ) -> AbstractContextManager[ConsoleReply]:
        """A reply for one answer, to be used in a `with` block."""
        if self.console is None:
            return nullcontext(PlainReply(self.out, self.err, show_proposals=proposals))
        from moabot_platforms.console.live import LiveReply  # noqa: PLC0415 - loads rich

        return LiveReply(self.console, stream=stream, proposals=proposals)

    def show_proposals(self, answer: Answer) -> None:
        """Every proposal behind an answer."""
        if self.console is None:
            for proposal in answer.proposals:
                text = printable(proposal.text)
                print(f"## Proposal {heading(proposal)}\n\n{text}\n", file=self.out, flush=True)
            return
        from moabot_platforms.console.live import show_proposals  # noqa: PLC0415 - loads rich

        show_proposals(self.console, answer)

    def say(self, line: str) -> None:
        """A word of our own, apart from answers."""
        if self.console is None:
            print(printable(line), file=self.err, flush=True)
        else:
            self.console.print(printable(line), style="dim")

    def read(self) -> str | None:
        """The next line that a person types or a pipe brings; None at the end.

        Blocks the event loop on purpose: a thread inside `input` could not be reached by
        Ctrl-C. Raises `KeyboardInterrupt` for it.
        """
        with raising():
            if not self.talks:
                line = sys.stdin.readline()
                return line.rstrip("\n") if line else None
            try:
                return input("> ")
            except EOFError:
                print(file=self.out)
                return None


def draws(stream: TextIO) -> bool:
    """Whether a cursor can be moved there; `TERM=dumb` says no."""
    return stream.isatty() and os.environ.get("TERM", "").lower() not in {"dumb", "unknown"}


def complain(text: str) -> None:
    """One paragraph on stderr, broken between words on a terminal."""
    line = f"moabot: {printable(text)}"
    if sys.stderr.isatty():
        width = max(20, shutil.get_terminal_size().columns)
        line = textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
    with suppress(OSError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def print_json(value: dict[str, object]) -> None:
    """One object on stdout; a terminal gets it without control characters, a pipe as it is."""
    text = json.dumps(value, ensure_ascii=False)
    sys.stdout.write(printable(text) if sys.stdout.isatty() else text)
    sys.stdout.write("\n")
    sys.stdout.flush()


@contextmanager
def remembered(path: Path) -> Generator[None]:
    """Lines typed inside the block come back with the arrow keys, also in the next session.

    Without a readline (Windows), or without a place to write, only the history is lost.
    """
    try:
        import readline  # noqa: PLC0415 - takes over the terminal as soon as it is loaded
    except ImportError:
        yield
        return
    readline.set_history_length(HISTORY_LINES)
    with suppress(OSError):
        readline.read_history_file(path)
    try:
        yield
    finally:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)  # libedit would let everybody read it
            readline.write_history_file(path)
