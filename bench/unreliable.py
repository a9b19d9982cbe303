"""Ask a panel whose calls fail half of the time, in virtual time: who is answered, at what price.

Three proposers with a quorum of two, a synthesizer with one substitute, three fallbacks, three
tries; a question a second. "Needed" calls are those of a run in which nothing fails.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))
import figures
from flaky import Flaky
from replaying import with_virtual_time

from moabot.app import App
from moabot.contract import Answer, Message
from moabot.testing import RecordingReply, rehearsal

MODELS = ("p1", "p2", "p3", "writer", "second writer", "f1", "f2", "f3")
PANEL = {
    "proposers": [{"model": model} for model in MODELS[:3]],
    "quorum": 2,
    "synthesizer": list(MODELS[3:5]),
    "fallback": list(MODELS[5:]),
    "tries": 3,
}
TABLES = {"defaults": {"strategy": "mixture", "preset": "thorough"}}
DEAD_FROM_S, DEAD_UNTIL_S = 100.0, 400.0


@dataclass(frozen=True)
class Outcome:
    """What one run came to."""

    p: float
    provider: Flaky
    replies: Sequence[RecordingReply]

    @property
    def answers(self) -> list[Answer]:
        """What was answered with a text."""
        return [r.answer for r in self.replies if r.answer is not None and r.answer.text.strip()]

    @property
    def calls(self) -> int:
        """Every call that reached the provider."""
        return self.provider.calls.total()


async def run(provider: Flaky, *, questions: int) -> Outcome:
    """Ask so many questions, one a virtual second."""
    random.seed(provider.seed)  # jitter
    replies = [RecordingReply() for _ in range(questions)]
    async with (
        rehearsal(provider, TABLES, models=MODELS, panel=PANEL) as app,
        asyncio.TaskGroup() as group,
    ):
        for number, reply in enumerate(replies):
            group.create_task(ask(app, number, reply))
    return Outcome(provider.p, provider, replies)


async def ask(app: App, number: int, reply: RecordingReply) -> None:
    """Wait for this question's second, then ask it in a thread of its own."""
    await asyncio.sleep(number)
    message = Message("bench", "w", f"c{number}", "someone", "What now?", f"e{number}")
    await app.answering.handle(message, reply)


def shortfall(answer: Answer) -> str:
    """How an answer is less than was asked for, told from its record alone; "" when it is not."""
    proposed = sum(proposal.slot.startswith("1.") for proposal in answer.proposals)
    if any(answer.text == proposal.text for proposal in answer.proposals):
        return "a proposal as it came"
    if not answer.text.startswith(MODELS[3]):
        return "another writer"
    return "fewer proposals" if proposed < len(MODELS[:3]) else ""


def row(outcome: Outcome, needed: float) -> dict[str, object]:
    """One line of the table."""
    answers, asked = outcome.answers, len(outcome.replies)
    short = [answer for answer in answers if shortfall(answer)]
    seconds = sorted(answer.seconds for answer in answers)
    return {
        "p": outcome.p,
        "questions": asked,
        "answered": f"{len(answers) / asked:.2%}",
        "calls each": f"{outcome.calls / asked:.2f}",
        "to needed": f"{outcome.calls / asked / needed:.2f}x",
        "degraded": f"{len(short) / asked:.1%}",
        "unlabelled": sum(not answer.degraded for answer in short),
        "p50 s": f"{median(seconds):.1f}",
        "p99 s": f"{seconds[len(seconds) * 99 // 100]:.1f}",
    }


def dead_row(outcome: Outcome) -> dict[str, object]:
    """What the breaker did about a model that was dead for five minutes."""
    provider = outcome.provider
    at_once = [at for at in provider.dead_calls if at < DEAD_FROM_S + 5]
    revived = provider.revived_at
    return {
        "answered": f"{len(outcome.answers) / len(outcome.replies):.2%}",
        "calls until the breaker opened": len(at_once),
        "calls in 300 s of death": len(provider.dead_calls),
        "seconds to close after it": f"{revived - DEAD_UNTIL_S:.1f}" if revived else "never",
    }


def main() -> None:
    """Print one line for each probability of failure, and one for a dead model."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--questions", type=int, default=2000, help="for p = 0.5; a quarter else")
    parser.add_argument("--seed", type=int, default=1, help="latencies and failures")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    few, seed = max(options.questions // 4, 1), options.seed
    never, rarely, often = (
        with_virtual_time(run(Flaky(p, seed), questions=questions))
        for p, questions in ((0.0, few), (0.2, few), (0.5, options.questions))
    )
    needed = never.calls / len(never.replies)
    dying = Flaky(0.0, seed, dead="p1", dead_from_s=DEAD_FROM_S, dead_until_s=DEAD_UNTIL_S)
    dead = dead_row(with_virtual_time(run(dying, questions=500)))
    rows = [row(outcome, needed) for outcome in (never, rarely, often)]
    faults = Counter(often.provider.failures).most_common()
    if options.json:
        figures.show_json({"rows": rows, "dead": dead, "faults": dict(faults)})
        return
    told = ", ".join(f"{count} {fault}" for fault, count in faults)
    note = (
        f"needed: {needed:.2f} calls, backups of silent ones included; failures at p = 0.5: {told}"
    )
    figures.show("every call fails with p", rows, note=note)
    figures.show("one proposer is dead for 300 s, a question a second", [dead])


if __name__ == "__main__":
    main()
