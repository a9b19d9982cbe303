"""The rows that outlive a process. Times are seconds since 1970, texts are plain or JSON."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from moabot.contract import Scope, Usage

__all__ = [
    "Accepted",
    "Brief",
    "By",
    "Change",
    "File",
    "Given",
    "Installation",
    "Kept",
    "Kind",
    "Left",
    "Opinion",
    "Outcome",
    "Said",
    "Spending",
    "Spent",
    "Step",
    "Tally",
]

Outcome = Literal["ok", "failed", "cancelled"]
ROW_BYTES = 300
"""Hashes, times, names of a row, and their places in the indexes."""
By = Literal["channel", "user", "workspace", "model", "strategy"]
Kind = Literal[
    "inbox", "turns", "ledger", "feedback", "audit", "answers", "answers_refused", "answers_gone"
]


@dataclass(frozen=True, slots=True)
class File:
    """A file that came with an accepted message."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A message that we took on. `event` is "platform:event id", unique; `said_at` the platform's time.

    `plan` is JSON of what is wished, then of what the answer was begun with; `seed` is the
    answer's secret; `horizon` the last turn of the thread that it has read, None before it was
    begun. `receipt` is the platform's own word for the post that becomes the answer. `tries`
    counts the processes that have worked on it. A question that is asked again has as `origin`
    the event of the first, whose horizon it has until it is begun, and as `writer` its author.
    """

    event: str
    scope: Scope
    author: str
    text: str
    addressed: bool
    said_at: float
    seed: bytes
    at: float
    plan: str = ""
    horizon: int | None = None
    receipt: str = ""
    tries: int = 1
    error: str = ""
    files: tuple[File, ...] = ()
    origin: str = ""
    writer: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """What came of one call of an answer: `slot`, `model` and `prompt` (a hash) are its name."""

    event: str
    slot: str
    model: str
    prompt: str
    outcome: Outcome
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one call used, for whom: a row of the ledger. `journaled`: the inbox has its message."""

    event: str
    scope: Scope
    author: str
    strategy: str
    slot: str
    model: str
    outcome: Outcome
    usage: Usage
    at: float
    journaled: bool = True


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of a thread; `place` grows with time. `event` is that of the question."""

    event: str
    role: Literal["user", "assistant"]
    text: str
    at: float
    place: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A setting of a channel or workspace changed: who, when, from what, to what (JSON or "")."""

    key: str
    name: str
    before: str
    after: str
    who: str
    at: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a person ("platform:workspace/author") thought of an answer: `verdict` is 1 or -1."""

    event: str
    scope: Scope
    who: str
    verdict: int
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Installation:
    """A workspace that let a platform in, where it is the user `bot`.

    `sealed` opens it, and only the platform that sealed it can read that.
    """

    platform: str
    workspace: str
    bot: str
    sealed: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Spending:
    """The ledger of one key (a channel, user, workspace, model or strategy) on one day.

    `day` counts days since 1970. `cost_usd` is the sum of what is known, of which
    `estimated_usd` was not reported by a provider; `unpriced` counts calls of unknown cost.
    """

    key: str
    day: int
    answers: int
    calls: int
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    cost_usd: Decimal
    estimated_usd: Decimal
    unpriced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A remembered answer. `partition` and `name` are hashes of who shares it and what was asked.

    `vector` is the question's, as halves (fp16) by the encoder of that fingerprint, empty when it
    can only be found exactly. `answer` is JSON. `cost_usd` is what it cost, None if unknown.
    `event` is the message that it was made for ("platform:event id").
    """

    partition: str
    name: str
    scope: Scope
    author: str
    question: str
    encoder: str
    vector: bytes
    answer: str
    cost_usd: float | None
    at: float
    expires: float
    event: str = ""
    place: int = 0

    @property
    def size(self) -> int:
        """Bytes, about: what grows with the answer, and a row's own weight."""
        return len(self.question) + len(self.vector) + len(self.answer) + ROW_BYTES


class Brief(NamedTuple):
    """What memory holds of a remembered answer; 100,000 of them are read in a second."""

    place: int
    partition: str
    name: str
    question: str
    encoder: str
    vector: bytes
    cost_usd: float | None
    size: int


@dataclass(frozen=True, slots=True)
class Given:
    """A message was given a remembered answer: the row at `place`, or what `asked` names (0)."""

    event: str
    partition: str
    asked: str
    place: int = 0


class Left(NamedTuple):
    """What `erase` could not delete: nothing, unless the store has a defect."""

    rows: int
    vectors: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something happened in the cache on a day (days since 1970), and what it saved."""

    day: int
    name: str
    times: int
    saved_usd: float = 0.0
