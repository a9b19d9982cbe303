"""Recorded answers of five models, and panels of the real engine that replay them.

    items = load(limit=None, seed=1)
    async with engine(items, Setup(panel={"quorum": 3})) as app:
        answer = await ask(app, items[0].question, strategy="vote")

Time is virtual: a call takes a lognormal time (median 3 s, p95 12 s) that nobody waits for.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parent))
import at_quorum

from moabot.agreement import final_answer
from moabot.app import App
from moabot.contract import Answer, Question
from moabot.errors import MoabotError
from moabot.explaining import Unseen
from moabot.testing import VirtualTimeLoop, rehearsal
from moabot_providers.replay import ReplaySettings, open_replay

ANSWERS = Path(__file__).parent / "answers" / "zeroeval_dev.json.gz"
MODELS = (
    "claude-3-5-sonnet-20241022",
    "gpt-4o-2024-08-06",
    "gpt-4o-2024-05-13",
    "claude-3-5-sonnet-20240620",
    "gpt-4o-mini-2024-07-18",
)
"""Best first."""

T = TypeVar("T")
Stated = str | float | None


@dataclass(frozen=True)
class Item:
    """A question, its right answer, the most popular wrong one, and what each model wrote."""

    task: str
    question: str
    gold: str | float
    decoy: Stated
    answers: Mapping[str, Stated]
    chars: Mapping[str, int]

    def text(self, model: str, *, poisoned: bool = False, whole: bool = False) -> str:
        """The last line of the model's output, with words before it when `whole`."""
        stated = self._wrong if poisoned else self.answers[model]
        # Who found no answer agrees with nobody.
        end = f"Answer: {_spelled(stated)}" if stated is not None else f"{model} found no answer."
        return f"{'word ' * ((self.chars[model] - len(end)) // 5)}\n{end}" if whole else end

    def is_right(self, text: str) -> bool:
        """One checker for every policy: numbers to 1 in 10,000, all else to the letter."""
        stated = final_answer(text)
        if stated is None or isinstance(self.gold, str):
            return stated == self._right
        try:
            return abs(float(stated) - self.gold) < 1e-4 * max(1.0, abs(self.gold))
        except ValueError:
            return False

    @cached_property
    def _right(self) -> str:
        return _spelled(self.gold)

    @property
    def _wrong(self) -> str | float:
        if self.decoy is not None:
            return self.decoy
        return "nothing" if isinstance(self.gold, str) else self.gold + 1


def load(*, limit: int | None, seed: int) -> list[Item]:
    """All items of all tasks, shuffled, or the first `limit` of them."""
    with gzip.open(ANSWERS, "rt", encoding="utf-8") as file:
        tasks = json.load(file)["tasks"]
    items = [
        Item(
            task=task,
            question=question,
            gold=recorded["gold"][i],
            decoy=recorded["decoy"][i],
            answers={m: recorded["models"][m]["answer"][i] for m in MODELS},
            chars={m: recorded["models"][m]["out_chars"][i] for m in MODELS},
        )
        for task, recorded in tasks.items()
        for i, question in enumerate(recorded["question"])
    ]
    random.Random(seed).shuffle(items)
    return items[:limit]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a run differs in.

    `panel` holds keys of [panels.default], `strategies` whole tables of [strategies], `models`
    keys of each model, `replay` keys of the provider; the models in `poisoned` give the most
    popular wrong answer. With `whole`, texts have their recorded length.
    """

    seed: int = 1
    panel: Mapping[str, object] = field(default_factory=dict)
    strategies: Mapping[str, object] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    replay: Mapping[str, object] = field(default_factory=dict)
    poisoned: tuple[str, ...] = ()
    whole: bool = False


@asynccontextmanager
async def engine(items: Sequence[Item], setup: Setup) -> AsyncIterator[App]:
    """The whole bot, whose models answer as recorded for `items`."""
    tables: dict[str, Mapping[str, object]] = {
        "models": {
            m: {"provider": "scripted", "name": m, **setup.models.get(m, {})} for m in MODELS
        },
        "strategies": setup.strategies,
        "defaults": {"draft": False, "stream": False},
    }
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder) / "answers.jsonl"
        answers.write_text("".join(_rows(items, setup)), encoding="utf-8")
        settings = {"answers": answers, "seed": setup.seed, "seconds": 3.0, "p95_s": 12.0}
        replay = open_replay(ReplaySettings.model_validate({**settings, **setup.replay}))
        async with (
            replay as provider,
            rehearsal(
                provider, tables, models=MODELS, panel=setup.panel, plugins=[at_quorum.Plugin()]
            ) as app,
        ):
            yield app


async def ask(app: App, question: str, *, strategy: str, preset: str = "balanced") -> Answer | None:
    """The engine's answer, None when there is none."""
    wish = app.config.defaults.model_copy(update={"strategy": strategy, "preset": preset})
    try:
        return await app.answering.think(Question(question), wish, Unseen())
    except MoabotError:
        return None


def with_virtual_time(work: Coroutine[object, object, T]) -> T:
    """Run `work`; hours pass in seconds."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)


def _rows(items: Sequence[Item], setup: Setup) -> list[str]:
    return [
        json.dumps(
            {
                "model": model,
                "prompt": item.question,
                "text": item.text(model, poisoned=model in setup.poisoned, whole=setup.whole),
                "output_tokens": -(-item.chars[model] // 4),
            }
        )
        + "\n"
        for item in items
        for model in MODELS
    ]


def _spelled(stated: str | float) -> str:
    """As a model would write it: code in backticks, so that its own signs are kept."""
    if isinstance(stated, str):
        return f"`{' '.join(stated.split())}`"
    return f"{stated:.10g}"
