"""Recorded answers of five models to questions whose answer can be checked."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from moabot.agreement import final_answer

ANSWERS = Path(__file__).parent / "answers" / "zeroeval_dev.json.gz"
MODELS = (
    "claude-3-5-sonnet-20241022",
    "gpt-4o-2024-08-06",
    "gpt-4o-2024-05-13",
    "claude-3-5-sonnet-20240620",
    "gpt-4o-mini-2024-07-18",
)
"""Best first."""

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


def _spelled(stated: str | float) -> str:
    """As a model would write it: code in backticks, so that its own signs are kept."""
    if isinstance(stated, str):
        return f"`{' '.join(stated.split())}`"
    return f"{stated:.10g}"
