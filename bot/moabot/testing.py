"""Public fakes for tests of plugins: scripted models, a whole bot on them, and virtual time."""

from __future__ import annotations

import asyncio
import selectors
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from moabot.app import App, opened
from moabot.channels import NO_WISH
from moabot.config import ChannelSettings, parse
from moabot.contract import (
    Answer,
    Cancelled,
    Completion,
    Failure,
    Message,
    Prompt,
    Proposal,
    Provider,
    Stop,
    Usage,
    Wrote,
)
from moabot.errors import MoabotError, PluginError
from moabot.hookspecs import hookimpl
from moabot.memory import Keep
from moabot.plugins import BUILT_IN, NoSettings, Plugins, Register

__all__ = [
    "Heard",
    "RecordingReply",
    "Said",
    "Script",
    "ScriptedProvider",
    "VirtualTimeLoop",
    "ask",
    "hangs",
    "rehearsal",
    "says",
]


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


@dataclass(frozen=True, slots=True)
class _Scripted:
    """The plugin that offers one provider under the name "scripted"."""

    provider: Provider

    @hookimpl
    def moabot_register(self, register: Register) -> None:
        register.provider("scripted", self._open)

    def _open(self, settings: NoSettings) -> nullcontext[Provider]:
        return nullcontext(self.provider)


@asynccontextmanager
async def rehearsal(
    provider: Provider,
    tables: Mapping[str, object] | None = None,
    *,
    models: Sequence[str] = ("a", "b", "c"),
    panel: Mapping[str, object] | None = None,
    plugins: Sequence[object] = (),
    keep: Keep = "nothing",
) -> AsyncGenerator[App]:
    """The whole bot with the built-in strategies, on `models` that `provider` plays.

    `panel` holds keys of [panels.default], whose proposers are otherwise all the models; `tables`
    holds whole tables of config.toml, and `plugins` more plugins, your own strategy say. `keep`
    says what is written into its `data_dir`.
    """
    config: dict[str, object] = {
        "providers": {"scripted": {"plugin": "scripted"}},
        "models": {name: {"provider": "scripted", "name": name} for name in models},
        "panels": {"default": {"proposers": [{"model": name} for name in models], **(panel or {})}},
        **(tables or {}),
    }
    defaults: dict[str, object] = {"strategy": "mixture", "preset": "thorough"}
    if keep != "nothing":
        defaults["cache"] = "off"  # unless wanted: each test would load the encoder
    wanted = config.get("defaults", {})
    config["defaults"] = {**defaults, **wanted} if isinstance(wanted, Mapping) else wanted
    rooms = ("moabot_strategies.", "moabot_cache.")
    built_in = [name for name in BUILT_IN if name.startswith(rooms)]
    found = Plugins(built_in=built_in, installed=())
    for place, plugin in enumerate((_Scripted(provider), *plugins)):
        found.admit(f"rehearsed-{place}", plugin)
    if found.problems:
        raise PluginError(found.problems[0], fix="")
    async with opened(parse(config, source="rehearsal"), found, keep=keep) as app:
        yield app


async def ask(app: App, text: str, *, wish: ChannelSettings = NO_WISH) -> RecordingReply:
    """Let the bot answer one message, and return the reply with what it was told."""
    reply = RecordingReply()
    message = Message("test", "workspace", "channel", "someone", text, event_id="1")
    await app.answering.handle(message, reply, wish=wish)
    return reply


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
