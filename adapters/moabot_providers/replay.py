"""Stored answers instead of models, for evaluation and for demonstrations that say so.

    [providers.recorded]
    plugin = "replay"
    answers = "answers.jsonl.gz"
    seconds = 3.0                    # median latency; with p95_s it is lognormal
    p95_s = 12.0
    fail = 0.02                      # share of calls that end in "busy"
    hang = 0.01                      # share of calls that never end

Each line of the file is an answer: {"model": …, "prompt": …, "text": …}, and optionally
"input_tokens" and "output_tokens" as they were billed. `prompt` is the bare question. A call gets
the answer of its model whose question stands in the call's last user turn (the longest, if
several do), whatever a strategy wrote around it. Several answers of one model to one question are
given in turn. Chance depends on seed, model, question and the count of calls alone, not on the
order in which calls end.
"""

from __future__ import annotations

import asyncio
import gzip
import math
import random
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from moabot import hookimpl
from moabot.config import Settings
from moabot.contract import Completion, Usage
from moabot.errors import ConfigError, ProviderBusy, ProviderRejected
from moabot_providers.wire import estimate

if TYPE_CHECKING:
    from moabot.contract import Prompt, Wrote
    from moabot.plugins import Register

__all__ = ["Replay", "ReplaySettings", "moabot_register", "open_replay"]

NAME: Final = "replay"
P95: Final = NormalDist().inv_cdf(0.95)
PIECES: Final = 8
"""A streamed answer comes in this many pieces, evenly over its latency."""


class ReplaySettings(Settings):
    """`[providers.X]` with `plugin = "replay"`."""

    answers: Path = Field(description="a .jsonl or .jsonl.gz file of stored answers")
    seconds: float = Field(default=0.0, ge=0, description="median seconds of a call")
    p95_s: float | None = Field(
        default=None, gt=0, description="95 % take less; default: all take `seconds`"
    )
    fail: float = Field(default=0.0, ge=0, le=1, description="share of calls that end in an error")
    hang: float = Field(default=0.0, ge=0, le=1, description="share of calls that never end")
    seed: int = Field(default=0, description="another seed, another course of events")

    @model_validator(mode="after")
    def _tail_beyond_median(self) -> ReplaySettings:
        if self.p95_s is not None and not 0 < self.seconds <= self.p95_s:
            raise ValueError(f"p95_s is {self.p95_s}, which must be at least seconds, and that > 0")
        return self

    def wait_s(self, chance: random.Random) -> float:
        """Seconds that one call takes."""
        if self.p95_s is None:
            return self.seconds
        sigma = math.log(self.p95_s / self.seconds) / P95
        return self.seconds * math.exp(chance.gauss(0.0, sigma))


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    model: str
    prompt: str = Field(min_length=1)
    text: str = Field(min_length=1)
    input_tokens: int | None = None
    output_tokens: int | None = None

    def usage(self, prompt: Prompt) -> Usage:
        """As billed, where the row tells."""
        guess = estimate(prompt, self.text)
        known = self.input_tokens is not None and self.output_tokens is not None
        return Usage(
            calls=1,
            input_tokens=guess.input_tokens if self.input_tokens is None else self.input_tokens,
            output_tokens=guess.output_tokens if self.output_tokens is None else self.output_tokens,
            estimated=not known,
        )


class _Questions:
    """Finds the stored question in a text, quickly for thousands of them: by its rarest line."""

    def __init__(self, prompts: set[str]) -> None:
        self._whole = frozenset(prompts)
        self._by_line: dict[str, list[str]] = {}
        often = Counter(line for prompt in prompts for line in set(prompt.splitlines()))
        for prompt in prompts:
            rarest = min(prompt.splitlines(), key=lambda line: (often[line], -len(line)))
            self._by_line.setdefault(rarest, []).append(prompt)
        self.find = lru_cache(maxsize=65_536)(self._find)

    def _find(self, text: str) -> str | None:
        if text in self._whole:
            return text
        likely = [p for line in text.splitlines() for p in self._by_line.get(line, ())]
        found = [p for p in likely if p in text] or [p for p in self._whole if p in text]
        return max(found, key=len, default=None)


class Replay:
    """Stored answers, at the latency and with the faults that were asked for."""

    def __init__(self, rows: list[_Row], settings: ReplaySettings) -> None:
        self._settings = settings
        self._questions = _Questions({row.prompt for row in rows})
        self._rows: dict[tuple[str, str], list[_Row]] = {}
        self._calls: dict[tuple[str, str], int] = {}
        for row in rows:
            self._rows.setdefault((row.model, row.prompt), []).append(row)

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """The stored answer, after its latency."""
        asked = next((turn.text for turn in reversed(prompt.turns) if turn.role == "user"), "")
        where = (model, self._questions.find(asked) or "")
        if where not in self._rows:
            raise ProviderRejected(
                f"There is no stored answer to {asked[:60]!r}.",
                provider=NAME,
                model=model,
                fix=f"Add one to {self._settings.answers}.",
            )
        count = self._calls[where] = self._calls.get(where, 0) + 1
        rows = self._rows[where]
        row = rows[(count - 1) % len(rows)]
        chance = random.Random(f"{self._settings.seed}\n{model}\n{where[1]}\n{count}")  # noqa: S311 - no secret
        fate = chance.random()
        wait_s = self._settings.wait_s(chance)
        if fate < self._settings.hang:
            await asyncio.Event().wait()
        if fate < self._settings.hang + self._settings.fail:
            await asyncio.sleep(wait_s)
            raise ProviderBusy("This call was chosen to fail.", provider=NAME, model=model)
        await _say(row.text, wait_s, wrote)
        return Completion(row.text, row.usage(prompt), "end")


async def _say(text: str, wait_s: float, wrote: Wrote | None) -> None:
    if wrote is None:
        await asyncio.sleep(wait_s)
        return
    step = -(-len(text) // PIECES)
    starts = range(0, len(text), step)
    for start in starts:
        await asyncio.sleep(wait_s / len(starts))
        wrote(text[start : start + step])


def _read(path: Path) -> list[_Row]:
    """Every row; raises `ConfigError` that names the file, the line and what is wrong with it."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            lines = file.read().split("\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.", fix="Correct `answers`.") from error
    return [_row(line, f"{path}, line {i}") for i, line in enumerate(lines, 1) if line.strip()]


def _row(line: str, where: str) -> _Row:
    try:
        return _Row.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "row"
        raise ConfigError(
            f"{where}: {key}: {first['msg']}.",
            fix='Write {"model": …, "prompt": …, "text": …} on each line.',
        ) from None


@asynccontextmanager
async def open_replay(settings: ReplaySettings) -> AsyncGenerator[Replay]:
    """Read the stored answers."""
    yield Replay(_read(settings.answers), settings)


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer this provider."""
    register.provider(NAME, open_replay, ReplaySettings)
