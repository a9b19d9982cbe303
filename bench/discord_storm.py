"""Seeded faults on Discord: is there exactly one complete final answer to each question?

    python bench/discord_storm.py [--seeds 500] [--questions 4]

In each run questions are asked in every way there is, while requests fail (500, 502, 429, cut before
and after their effect), connections drop, events come twice, tokens of commands die and the process
is killed and started again; every second run lets tokens die. What stands on the fake Discord in the
end is counted word by word. Prints what happened, and what was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.adapters.discord.storm import Storm
from tests.fakes.discord.state import TOKEN


async def run(seeds: range, questions: int) -> int:
    """Run all storms; returns how many questions went wrong."""
    happened: Counter[str] = Counter()
    wrong = 0
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            storm = Storm(seed, Path(folder), questions=questions, late=seed % 2 == 1, chance=0.1)
            found = await storm.blow()
        happened += storm.happened
        wrong += len(found)
        if found:
            print(f"seed {seed}: {found}", flush=True)
    print(", ".join(f"{number} {what}" for what, number in happened.most_common()))
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--questions", type=int, default=4)
    chosen = parser.parse_args()
    os.environ["DISCORD_TOKEN"] = TOKEN
    logging.disable(logging.ERROR)
    began = time.monotonic()
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    wrong = asyncio.run(run(seeds, chosen.questions))
    asked = chosen.seeds * chosen.questions
    print(
        f"{chosen.seeds} runs, {asked} questions: {asked - wrong} with exactly one complete final "
        f"answer, {wrong} without ({time.monotonic() - began:.0f} s)"
    )
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
