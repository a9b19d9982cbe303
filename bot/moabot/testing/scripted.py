"""A provider that says what it was told to: at its pace, with its faults."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from moabot.contract import Completion, Prompt, Stop, Usage, Wrote

__all__ = ["Said", "Script", "ScriptedProvider", "hangs", "says"]

FEW_TOKENS = Usage(1, 10, 0, 5, cost_usd=None)


@dataclass(frozen=True, slots=True)
class Said:
    """One scripted reply: `text` after `seconds`, word by word every `word_s`, then `error`."""

    text: str = ""
    seconds: float = 0.0
    word_s: float = 0.0
    error: BaseException | None = None
    stop: Stop = "end"
    usage: Usage = FEW_TOKENS


def says(
    text: str = "",
    *,
    seconds: float = 0.0,
    word_s: float = 0.0,
    error: BaseException | None = None,
    stop: Stop = "end",
) -> Said:
    """Script one reply of a `ScriptedProvider`.

    It begins after `seconds` and takes `word_s` more for each further word. With `error` the
    words are spoken, and then it is raised.
    """
    return Said(text, seconds, word_s, error, stop)


def hangs() -> Said:
    """Script a model that never says anything."""
    return Said(seconds=float("inf"))


Script = Said | Sequence[Said] | Callable[[Prompt], Said]


class ScriptedProvider:
    """A provider that says what it was told to, by model.

    A script is one reply for every call, or a list with one for each call (the last stays), or a
    function of the prompt. Notes what it was asked in `prompts`, who is being answered in
    `running`, and who was cancelled in `cancelled`.

    >>> provider = ScriptedProvider({"a": says("Paris", seconds=2)})
    """

    def __init__(self, scripts: Mapping[str, Script] | None = None) -> None:
        self.scripts = dict(scripts or {})
        self.prompts: list[tuple[str, Prompt]] = []
        self.running: list[str] = []
        self.cancelled: list[str] = []
        self._asked: Counter[str] = Counter()

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Wait, then say the scripted words, one by one when someone listens."""
        said = self._next(model, prompt)
        self.prompts.append((model, prompt))
        self.running.append(model)
        try:
            await _pass_time(said.seconds)
            for place, word in enumerate(said.text.split(" ") if said.text else ()):
                await _pass_time(said.word_s if place else 0)
                if wrote is not None:
                    wrote(f" {word}" if place else word)
        except asyncio.CancelledError:
            self.cancelled.append(model)
            raise
        finally:
            self.running.remove(model)
        if said.error is not None:
            raise said.error
        return Completion(said.text, said.usage, said.stop)

    def asked(self, model: str) -> list[Prompt]:
        """The prompts that one model was given."""
        return [prompt for name, prompt in self.prompts if name == model]

    def _next(self, model: str, prompt: Prompt) -> Said:
        script = self.scripts.get(model, Said(f"{model} says so."))
        if isinstance(script, Said):
            return script
        if callable(script):
            return script(prompt)
        self._asked[model] += 1
        return script[min(self._asked[model], len(script)) - 1]


async def _pass_time(seconds: float) -> None:
    if seconds == float("inf"):
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(seconds)
