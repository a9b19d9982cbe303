"""Public fakes for the tests of plugins: a scripted provider, a recording reply, virtual time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from dataclasses import dataclass, field

from moabot.contract import (
    Answer,
    Cancelled,
    Completion,
    Failure,
    Prompt,
    Proposal,
    Stop,
    Usage,
    Wrote,
)
from moabot.errors import MoabotError

__all__ = ["Heard", "RecordingReply", "ScriptedProvider", "VirtualTimeLoop", "says"]


@dataclass(frozen=True, slots=True)
class Said:
    """One scripted reply: `text` after `seconds`, in `pieces` of words, or `error` instead."""

    text: str = ""
    seconds: float = 0.0
    error: Exception | None = None
    stop: Stop = "end"
    usage: Usage = Usage(1, 10, 0, 5, cost_usd=None)


def says(
    text: str = "", *, seconds: float = 0.0, error: Exception | None = None, stop: Stop = "end"
) -> Said:
    """Script one reply of a `ScriptedProvider`."""
    return Said(text, seconds, error, stop)


class ScriptedProvider:
    """A provider that says what it was told to, by model.

    A script is one reply for every call, or a list with one for each call (the last stays), or a
    function of the prompt. Counts what it was asked in `prompts`, who is being answered in
    `running`, and who was cancelled in `cancelled`.

    >>> provider = ScriptedProvider({"a": says("Paris", seconds=2)})
    """

    def __init__(
        self, scripts: dict[str, Said | list[Said] | Callable[[Prompt], Said]] | None = None
    ) -> None:
        self.scripts = scripts or {}
        self.prompts: list[tuple[str, Prompt]] = []
        self.running: list[str] = []
        self.cancelled: list[str] = []

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Wait, then say the scripted words, one by one when someone listens."""
        said = self._next(model, prompt)
        self.prompts.append((model, prompt))
        self.running.append(model)
        try:
            await asyncio.sleep(said.seconds)
            for piece in said.text.split(" ") if wrote and said.text else ():
                if wrote:
                    wrote(piece if said.text.startswith(piece) else f" {piece}")
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled.append(model)
            raise
        finally:
            self.running.remove(model)
        if said.error is not None:
            raise said.error
        return Completion(said.text, said.usage, said.stop)

    def _next(self, model: str, prompt: Prompt) -> Said:
        script = self.scripts.get(model, Said(f"{model} says so."))
        if callable(script):
            return script(prompt)
        if isinstance(script, list):
            return script.pop(0) if len(script) > 1 else script[0]
        return script


@dataclass(slots=True)
class Heard:
    """One thing that a report was told, and when (loop time)."""

    what: str
    value: object
    at: float


@dataclass(slots=True)
class RecordingReply:
    """A reply that remembers: `events` in order, and how it ended."""

    events: list[Heard] = field(default_factory=list)
    answer: Answer | None = None
    error: MoabotError | None = None

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
        self.error = error

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


class _Leap(selectors.DefaultSelector):
    """Waits for no real time: moves the loop's clock on instead, when nothing else is ready."""

    def __init__(self) -> None:
        super().__init__()
        self.leapt = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise RuntimeError("Deadlock: nothing is ready and nothing is scheduled.")
        self.leapt += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer: 900 seconds pass in milliseconds.

    For code without sockets, threads or subprocesses. A deadlock is an error, not a hang.
    """

    def __init__(self) -> None:
        self._leap = _Leap()
        super().__init__(self._leap)

    def time(self) -> float:
        """Virtual seconds since the loop began."""
        return self._leap.leapt
