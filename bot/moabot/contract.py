"""The values that move forward through the bot, and the protocols that move them.

Values are frozen: nobody writes into what someone else made. Text is plain Markdown, money is
US dollars as Decimal, time is seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from moabot.desk import Desk
    from moabot.errors import MoabotError
    from moabot.journal import Entry
    from moabot.panel import Panel

__all__ = [
    "Agreement",
    "Answer",
    "Ask",
    "Asker",
    "Attachment",
    "Cache",
    "Cancelled",
    "Completion",
    "Failure",
    "Handle",
    "Message",
    "Platform",
    "Prompt",
    "Proposal",
    "Provider",
    "Question",
    "Reply",
    "Report",
    "Scope",
    "Share",
    "Stop",
    "Strategy",
    "Turn",
    "Usage",
    "Wrote",
]

Stop = Literal["end", "length"]
Share = Literal["channel", "workspace"]
"""Who else may be given an answer: the people of its channel, or of its workspace."""
Wrote = Callable[[str], None]
"""Takes each next piece of a text as it is written; never blocks, never raises."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message, already fetched: its name, MIME type and bytes."""

    name: str
    media_type: str
    data: bytes = field(repr=False)

    @property
    def is_image(self) -> bool:
        """Whether a model that takes pictures can be shown this."""
        return self.media_type in {"image/png", "image/jpeg", "image/gif", "image/webp"}


@dataclass(frozen=True, slots=True)
class Message:
    """One thing a person said on a platform.

    `event_id` is the platform's own id, the same on every redelivery. `addressed` tells whether
    the bot was meant. `thread` is empty outside threads. `private` marks direct messages and
    channels that not everybody in the workspace can read.
    """

    platform: str
    workspace: str
    channel: str
    author: str
    text: str
    event_id: str
    thread: str = ""
    addressed: bool = True
    private: bool = False
    attachments: tuple[Attachment, ...] = ()
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Scope:
    """Who may see what was said here: everything stored is partitioned by it."""

    platform: str
    workspace: str
    channel: str
    thread: str = ""
    private: bool = False


@dataclass(frozen=True, slots=True)
class Asker:
    """A person who wants something of the bot beside an answer; no channel means the workspace.

    `manages` is the platform's word, looked up now, that they run this place.
    """

    scope: Scope
    author: str
    manages: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation as a model reads it."""

    role: Literal["user", "assistant"]
    text: str
    images: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be answered: the text, the turns before it, oldest first, and who may read it."""

    text: str
    history: tuple[Turn, ...] = ()
    scope: Scope = Scope("console", "local", "terminal")
    images: tuple[Attachment, ...] = ()
    author: str = ""
    event: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request to one model. `max_tokens` bounds the reply; `temperature` is 0 to 2."""

    system: str
    turns: tuple[Turn, ...]
    max_tokens: int = 4096
    temperature: float = 0.7


@dataclass(frozen=True, slots=True)
class Usage:
    """What calls used. `cost_usd` is None when a price is unknown, never 0 for that.

    `input_tokens` includes `cached_input_tokens`. `estimated` is true as soon as one part of
    the sum was not reported by a provider (a cancelled straggler, say).
    """

    calls: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal | None = None
    estimated: bool = False

    def __add__(self, other: Usage) -> Usage:
        costs = (self.cost_usd, other.cost_usd)
        return Usage(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.cached_input_tokens + other.cached_input_tokens,
            self.output_tokens + other.output_tokens,
            None if costs[0] is None or costs[1] is None else costs[0] + costs[1],
            self.estimated or other.estimated,
        )


NOTHING = Usage(cost_usd=Decimal(0))
"""No call, which costs nothing: where sums begin."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's whole reply. `stop` is "length" when `max_tokens` cut it.

    A provider leaves `usage.cost_usd` as None unless the vendor reported money; the core prices it.
    """

    text: str
    usage: Usage
    stop: Stop


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one model in one slot answered. `slot` is "layer.place", such as "1.2"."""

    slot: str
    model: str
    role: str
    text: str
    usage: Usage
    seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    """A model in a slot that gave nothing usable, and the error's one sentence."""

    slot: str
    model: str
    error: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A call that we stopped because the answer no longer needed it; its usage is an estimate."""

    slot: str
    model: str
    seconds: float
    usage: Usage


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many of the proposals support the answer, and the slots of those that do not."""

    support: int
    of: int
    dissent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person gets, and how it came about.

    `degraded` is the sentence shown to the person when this is less than was asked for; empty
    when all went well. `via` tells which way a strategy chose ("simple → single"), if it chose.
    `asked_at` is when it was asked first, if it comes `from_cache`. `refresh` is a cache's wish: give
    this, but answer the question anew in the background, and offer me that.
    """

    text: str
    strategy: str
    preset: str = ""
    proposals: tuple[Proposal, ...] = ()
    failures: tuple[Failure, ...] = ()
    cancelled: tuple[Cancelled, ...] = ()
    agreement: Agreement | None = None
    from_cache: bool = False
    degraded: str = ""
    via: str = ""
    usage: Usage = NOTHING
    seconds: float = 0.0
    asked_at: datetime | None = None
    refresh: bool = False


class Report(Protocol):
    """Where progress goes: write-only, never blocks, never raises.

    A text is written in pieces. `drafted` pieces are a first proposer's and are replaced by the
    first `wrote`; `restarted` says that everything written so far is void.
    """

    def asked(self, slot: str, model: str, role: str) -> None:
        """A model was asked; `role` is a proposer's role, "aggregator" or "synthesizer"."""
        ...

    def proposed(self, proposal: Proposal) -> None:
        """A model in a layer answered."""
        ...

    def failed(self, failure: Failure) -> None:
        """A model gave nothing usable; another of its chain may be asked next."""
        ...

    def cancelled(self, cancelled: Cancelled) -> None:
        """A straggler was stopped."""
        ...

    def drafted(self, piece: str) -> None:
        """The next piece of the draft: the first proposer that speaks."""
        ...

    def wrote(self, piece: str) -> None:
        """The next piece of the final text."""
        ...

    def restarted(self) -> None:
        """What was drafted or written so far is void; the text begins again."""
        ...


class Reply(Report, Protocol):
    """A report that can also end: exactly one of `finish` and `sorry` is awaited, once."""

    async def finish(self, answer: Answer) -> None:
        """Show the whole answer; returns when the platform has it."""
        ...

    async def sorry(self, error: MoabotError, *, reference: str) -> None:
        """Tell the person in one sentence why there is no answer; `reference` finds it in the log."""
        ...


class Provider(Protocol):
    """Models of one vendor."""

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Ask `model` (the vendor's name) and return its whole reply.

        With `wrote`, stream each piece of text into it as well, if the vendor streams. Raise a `ProviderError` subclass
        for everything that goes wrong, also for an empty text or a stream without a finish
        reason. Never retry, never set a time limit: the caller does both, by cancelling, upon
        which the connection must close at once.
        """
        ...


class Strategy(Protocol):
    """A way of thinking."""

    async def answer(self, question: Question, panel: Panel) -> Answer:
        """Answer with what the panel offers; it enforces deadlines, quorum and budget."""
        ...


class Ask(Protocol):
    """Asks a model on the bot's own behalf: within a budget, priced, and in the ledger."""

    async def __call__(self, prompt: Prompt, *, about: Question) -> str:
        """The text of its reply, paid by whoever asked the question that it is `about`.

        Raises a `MoabotError` when no model answered in time, or the money is spent.
        """
        ...


class Cache(Protocol):
    """What it remembers of earlier answers.

    `key` stands for all that makes an answer (strategy, preset, models, prompts); answers under
    another key are never given. `share` says who else may be given an answer. What a cache raises
    is logged as its plugin's problem, and the question is answered as if nothing were remembered.
    """

    async def find(self, question: Question, *, key: str, share: Share) -> Answer | None:
        """An earlier answer to the same question; `refresh` in it asks for a new one."""
        ...

    async def keep(self, question: Question, answer: Answer, *, key: str, share: Share) -> None:
        """Remember; only whole, undegraded answers are offered. Returns when it is on disk."""
        ...

    async def joined(self, question: Question, *, key: str, share: Share) -> None:
        """This question was given the answer to an equal one that was just being made."""
        ...

    async def forget(self, event: str) -> None:
        """Somebody said that what the message `event` ("platform:event id") was given is wrong.

        Whether it was remembered, joined or made for it: it is never given again to anybody.
        """
        ...


Handle = Callable[[Message, Reply], Awaitable[None]]


class Platform(Protocol):
    """A chat that it lives in. Its messages carry the name under which it is registered."""

    async def run(self, desk: Desk) -> None:
        """Listen until cancelled; bring every message meant for the bot to `desk`.

        Raise `PlatformError` when the chat is lost for good (a revoked token, say).
        """
        ...

    def reply_to(self, entry: Entry) -> Reply:
        """The reply to a message of an earlier process.

        `entry.receipt` is what that process gave to `desk.posted`, empty when nothing was posted.
        """
        ...
