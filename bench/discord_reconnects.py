"""Forced reconnects of Discord's gateway: how many resume, and is a question lost or answered twice?

    python bench/discord_reconnects.py [--drops 1000]

The connection breaks, is told to reconnect (op 7) or hears that its session is invalid but can be
resumed (op 9), a question is asked while it is down, and its event is told twice now and then.
Goals: more than 95 % resume, fewer than 50 IDENTIFYs, none lost, none doubled.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.adapters.discord.conftest import Living
from tests.fakes.discord.gateway import Drop
from tests.fakes.discord.limits import Limits
from tests.fakes.discord.service import FakeDiscord
from tests.fakes.discord.state import TOKEN

from moabot.contract import Prompt
from moabot.testing import Said, ScriptedProvider, says

HOW: tuple[Drop, ...] = ("abort", "reconnect")


def answer(prompt: Prompt) -> Said:
    """Repeat the question."""
    return says(f"Answer to {prompt.turns[-1].text} ends.")


async def run(drops: int) -> bool:
    dice = random.Random(1)
    single = {"defaults": {"strategy": "single"}}
    with tempfile.TemporaryDirectory() as folder:
        async with (
            FakeDiscord(limits=Limits(pace=100)) as service,
            Living(service, Path(folder))(ScriptedProvider({"a": answer}), single, models=("a",)),
        ):
            gateway, asked = service.gateway, 0
            for number in range(drops):
                before = gateway.resumes + gateway.identifies
                await gateway.drop(dice.choice(HOW))
                if number % 4 == 0:
                    service.mention(f"Q{asked}", channel=f"room-{asked % 20}")
                    asked += 1
                await service.until(
                    lambda before=before: gateway.resumes + gateway.identifies > before,
                    within_s=60,
                )
                if number % 7 == 0:
                    gateway.replay()
                if number % 100 == 99:
                    print(f"{number + 1} drops, {gateway.resumes} resumes", flush=True)

            def texts() -> str:
                rooms = [service.seen(f"room-{room}") for room in range(20)]
                return "\n".join(post.text for room in rooms for post in room)

            def answered() -> bool:
                return all(f"Answer to Q{n} ends." in texts() for n in range(asked))

            with contextlib.suppress(TimeoutError):
                await service.until(answered, within_s=60)
            counts = [texts().count(f"Answer to Q{n} ends.") for n in range(asked)]
    lost, doubled = counts.count(0), sum(count > 1 for count in counts)
    share = gateway.resumes / drops
    print(
        f"{drops} drops: {gateway.resumes} resumed ({share:.1%}), {gateway.identifies} IDENTIFYs, "
        f"{asked} questions, {lost} lost, {doubled} doubled"
    )
    return share > 0.95 and gateway.identifies < 50 and not lost and not doubled


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drops", type=int, default=1000)
    chosen = parser.parse_args()
    os.environ["DISCORD_TOKEN"] = TOKEN
    logging.disable(logging.ERROR)
    began = time.monotonic()
    met = asyncio.run(run(chosen.drops))
    print(f"{time.monotonic() - began:.0f} s; goals {'met' if met else 'MISSED'}")
    sys.exit(not met)


if __name__ == "__main__":
    main()
