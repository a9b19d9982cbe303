"""How often the rules hit and err on labelled pairs, beside cosine alone: one table.

    python bench/near.py [--fow] bench/questions.jsonl PAIRS.jsonl.gz …

Each `b` is looked up in a cache that holds only its `a`, at default settings and without a verifier;
cosine alone is that of the questions as they were typed. The goal for wrong answers is a quarter of
what cosine alone from 0.92 gives. `--fow` adds the public set of the package fow-cache (only its
data is used; its pairs were never read for the rules), with the conversations whose last messages
are equal or alike. questions.jsonl has 940 pairs of questions that were written for moabot, half of them traps.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from importlib import import_module
from importlib.resources import as_file, files
from pathlib import Path

from crossing import read as read_pairs
from figures import show
from pydantic import BaseModel, TypeAdapter
from verdicts import Goal
from verdicts import show as show_goals

from moabot.contract import Question, Turn
from moabot_cache import exact
from moabot_cache.admission import alone
from moabot_cache.embedder import Encoder, Vectors, opened
from moabot_cache.nearness import ruled
from moabot_cache.reading import Reading
from moabot_cache.settings import Settings
from moabot_cache.tuning import Pair, verdicts

PLAIN = 0.92
BATCH = 32
DEFAULT = Settings()
TIMED = 1_000


def plainly(pairs: Sequence[Pair], encoder: Encoder) -> list[bool]:
    """Whether the cosine of both questions, as they are, reaches `PLAIN`."""
    texts = sorted({text for pair in pairs for text in (pair.a, pair.b)}, key=len)
    vectors: dict[str, Vectors] = {}
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        vectors.update(zip(batch, encoder.encode(batch), strict=True))
    return [float(vectors[pair.a] @ vectors[pair.b]) >= PLAIN for pair in pairs]


def shares(pairs: Sequence[Pair], served: Sequence[bool]) -> tuple[float, float]:
    """Hit and wrong, in percent."""
    parts = [
        [was for was, pair in zip(served, pairs, strict=True) if pair.label == label]
        for label in (1, 0)
    ]
    hit, wrong = (100 * sum(part) / max(len(part), 1) for part in parts)
    return hit, wrong


def measured(
    name: str, pairs: Sequence[Pair], encoder: Encoder
) -> tuple[dict[str, object], list[Goal]]:
    """One line of the table, and what it was to reach."""
    served = [
        each.served(nearest=DEFAULT.nearest, caution=DEFAULT.caution)
        for each in verdicts(pairs, encoder)
    ]
    (hit, wrong), (plain_hit, plain_wrong) = (
        shares(pairs, served),
        shares(pairs, plainly(pairs, encoder)),
    )
    row: dict[str, object] = {
        "pairs": name,
        "n": len(pairs),
        "rules hit %": f"{hit:.1f}",
        "wrong %": f"{wrong:.2f}",
        "cosine hit %": f"{plain_hit:.1f}",
        "wrong % ": f"{plain_wrong:.2f}",
    }
    if name == "fow":
        goals = [Goal(name, "hit", hit, "%", 40, least=True), Goal(name, "wrong", wrong, "%", 2)]
    else:
        goals = [Goal(name[:4], f"{name}: wrong", wrong, "%", plain_wrong / 4)]
    return row, goals


def milliseconds(pairs: Sequence[Pair]) -> float:
    """What the guards take for a pair: reading the kept question, and comparing."""
    asked = [(Reading(pair.b), pair.a) for pair in pairs[:TIMED]]
    for question, _ in asked:
        ruled(question, question)  # a reading works out what it is asked for, once
    begin = time.process_time()
    for question, kept in asked:
        ruled(question, Reading(kept))
    return (time.process_time() - begin) / len(asked) * 1e3


class Talks(BaseModel):
    """Two conversations, each a list of messages with `role` and `content`."""

    a: list[dict[str, str]]
    b: list[dict[str, str]]
    same_answer: bool


def conversations() -> Goal:
    """How many conversations of fow's that want two answers would be given one."""
    talks = import_module("fow_cache.data").load_conversations()
    read_as = TypeAdapter(list[Talks])
    traps = [each for each in read_as.validate_python(talks) if not each.same_answer]
    served = sum(one_for(_question(each.a), _question(each.b)) for each in traps)
    return Goal("fow", f"of {len(traps)} conversation traps, served", served, "", 0)


def one_for(asked: Question, kept: Question) -> bool:
    """Whether either tier could give one's answer to the other: alone counts as near, to be strict."""
    both = alone(asked, Reading(asked.text)) and alone(kept, Reading(kept.text))
    return exact.name(asked) == exact.name(kept) or both


def _question(said: Sequence[dict[str, str]]) -> Question:
    *before, last = said
    turns = tuple(
        Turn("assistant" if each["role"] == "assistant" else "user", each["content"])
        for each in before
    )
    return Question(last["content"], turns)


def main() -> None:
    """Print the table, then the verdicts."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("pairs", nargs="*", type=Path, help='JSON lines {"a", "b", "label"}')
    asked.add_argument("--fow", action="store_true", help="also fow-cache's, which is installed")
    chosen = asked.parse_args()
    encoder = opened("minilm")
    sets = {
        path.name.split(".")[0].removeprefix("pairs_"): read_pairs(path) for path in chosen.pairs
    }
    goals: list[Goal] = []
    if chosen.fow:
        with as_file(files("fow_cache") / "data" / "pairs.jsonl") as path:
            sets["fow"] = read_pairs(path)
        goals.append(conversations())
    found = [measured(name, pairs, encoder) for name, pairs in sets.items()]
    show(f"Rules at default settings, and cosine from {PLAIN} alone", [row for row, _ in found])
    goals += [goal for _, of_set in found for goal in of_set]
    goals += [
        Goal(name[:4], f"{name}: guards, a pair", milliseconds(pairs), "ms", 0.2)
        for name, pairs in sets.items()
    ]
    print()
    show_goals(goals)


if __name__ == "__main__":
    main()
