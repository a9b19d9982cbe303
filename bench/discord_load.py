"""The bot on Discord under load: how soon a sign comes, and whether edits hold an answer up.

    python bench/discord_load.py [--panels 50]

50 panels (three proposers, an aggregator, a writer that streams 200 words) are begun within a second,
half by /ask and half by mention, in ten channels. Bot and fake share this process, so the times include the
fake's own work. Then once more with limits that let every edit through: an answer that waited for
edits would be slower with Discord's limits than without.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.adapters.discord.conftest import Living
from tests.fakes.discord.limits import Limits
from tests.fakes.discord.service import FakeDiscord
from tests.fakes.discord.state import TOKEN

from moabot.testing import ScriptedProvider, says

MIXTURE = {"defaults": {"strategy": "mixture", "preset": "thorough"}}
WORDS = " ".join(f"word{number}" for number in range(200))


class Answers(logging.Handler):
    """Listens to the bot's log for the seconds of each answer."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.seconds: list[float] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note one."""
        if record.msg == "answered":
            self.seconds.append(float(record.__dict__["seconds"]))


async def run(panels: int, *, pace: float) -> tuple[list[float], list[float]]:
    """Seconds to each sign, and seconds of each answer."""
    answers, log = Answers(), logging.getLogger("moabot")
    log.addHandler(answers)
    log.setLevel(logging.INFO)
    log.propagate = False
    said = says(WORDS, seconds=1.0, word_s=0.02)
    signs: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with (
            FakeDiscord(limits=Limits(pace=pace)) as service,
            Living(service, Path(folder))(ScriptedProvider(dict.fromkeys("abc", said)), MIXTURE),
        ):
            await service.until(lambda: service.state.commands)
            asked: set[str] = set()
            commands = []
            for number in range(panels):
                if number % 2:
                    room = f"room-{number % 10}"
                    commands.append(service.slash("ask", {"question": "Why?"}, channel=room))
                else:
                    asked.add(service.mention("Why?", channel=f"room-{number % 10}").id)
                await asyncio.sleep(1 / panels)
            while asked or len(answers.seconds) < panels:
                posts = [post for room in range(10) for post in service.seen(f"room-{room}")]
                signed = {p.reply_to.id: p.id for p in posts if p.reply_to is not None}
                # An id is made of the milliseconds at which Discord made it.
                signs += [
                    ((int(signed[a]) >> 22) - (int(a) >> 22)) / 1000 for a in asked & signed.keys()
                ]
                asked -= signed.keys()
                await asyncio.sleep(0.1)
            signs += [command.acknowledged_after_s or 99.0 for command in commands]
            edits = service.count("PATCH /channels/{channel}/messages/{message}")
            refused = service.count("PATCH /channels/{channel}/messages/{message}", status=429)
            print(f"  pace {pace:g}: {edits} edits, {refused} of them refused with 429", flush=True)
    log.removeHandler(answers)
    return signs, answers.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panels", type=int, default=50)
    chosen = parser.parse_args()
    os.environ["DISCORD_TOKEN"] = TOKEN
    logging.getLogger("discord").setLevel(logging.CRITICAL)
    for pace in (1.0, 1000.0):
        signs, seconds = asyncio.run(run(chosen.panels, pace=pace))
        signs.sort()
        print(
            f"  signs: p50 {statistics.median(signs) * 1000:.0f} ms, "
            f"p99 {signs[int(len(signs) * 0.99) - 1] * 1000:.0f} ms; "
            f"answers: median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s"
        )


if __name__ == "__main__":
    main()
