"""Seeded runs in which Slack and the process fail: each question ends with one complete answer.

Calls are refused with 429 or 500, broken off before or after Slack did what they say; events come
twice, late and out of order, with edits between them; sockets break; streams expire; the process
ends in the middle and another one takes over. Time is virtual, so five minutes of redeliveries pass.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import tempfile
from pathlib import Path

import pytest
from tests.adapters.slack.conftest import Bot, is_final, is_working, running
from tests.fakes.loops import LoopbackTimeLoop
from tests.fakes.slack import FakeSlack, Faults, Limits, Post

from moabot.contract import Prompt
from moabot.testing import Said, ScriptedProvider, says
from moabot_platforms.markdown import JOINER

SEEDS = int(os.environ.get("MOABOT_TEST_SLACK_SEEDS", "40"))
GROUPS = 20
CALLS = frozenset(
    "chat.postMessage chat.update chat.delete chat.startStream chat.appendStream chat.stopStream "
    "conversations.replies conversations.info assistant.threads.setStatus "
    "agents.sessions.setStatus".split()
)
REST_S = 400.0
"""After that Slack redelivers nothing."""
PATIENCE_S = 20_000.0


@pytest.mark.parametrize("group", range(GROUPS))
@pytest.mark.timeout(240)
def test_every_question_ends_with_one_complete_answer(group: int) -> None:
    """Answers lost and answers twice are what people tell of young bots."""
    for seed in range(group, SEEDS, GROUPS):
        with (
            tempfile.TemporaryDirectory() as folder,
            asyncio.Runner(loop_factory=LoopbackTimeLoop) as runner,
        ):
            problems = runner.run(_run(seed, Path(folder)))
        assert problems == [], f"seed {seed}"


async def _run(seed: int, folder: Path) -> list[str]:
    chance = random.Random(seed)  # noqa: S311 - no secret
    slack = FakeSlack(limits=_limits(chance), faults=_faults(chance))
    asked: dict[str, str] = {}
    async with slack:
        provider = _provider(seed)
        for life in range(chance.choice([1, 1, 2])):
            async with running(slack, provider, folder, **_ways(seed)) as bot:
                if not asked:
                    await _ask(slack, chance, asked)
                await _troubled(slack, chance, long=not life)
        async with running(slack, provider, folder, **_ways(seed)) as bot:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    for ts in asked:
                        await bot.answered(ts, _channel(slack, ts))
                    await asyncio.sleep(REST_S)
            except TimeoutError:
                return [f"{ts}: {_seen(bot, ts)}" for ts in asked]
            return [problem for ts, name in asked.items() for problem in _wrong(bot, ts, name)]


async def _ask(slack: FakeSlack, chance: random.Random, asked: dict[str, str]) -> None:
    for place in range(3):
        name = f"question{place}"
        ts = slack.mention(chance.choice(["C1", "C1", "C2"]), "U1", f"Tell about {name}.").ts
        asked[ts] = name
        await asyncio.sleep(chance.uniform(0, 1.5))
        if chance.random() < 0.3:
            slack.edit(_channel(slack, ts), ts, f"<@UBOT> Tell more about {name}.")


async def _troubled(slack: FakeSlack, chance: random.Random, *, long: bool) -> None:
    """Some seconds in which sockets break; then the process ends."""
    for _ in range(chance.randint(0, 3)):
        await asyncio.sleep(chance.uniform(0, 3 if long else 1))
        if chance.random() < 0.3:
            slack.cut()
    await asyncio.sleep(chance.uniform(0, 2))


def _wrong(bot: Bot, ts: str, name: str) -> list[str]:
    posts = _posts(bot, ts)
    said = [word for post in posts for word in _words(post)]
    whole = re.sub(r"```\w*", " ", _text(name)).split()
    if sum(is_final(post) for post in posts) == 1 and said == whole:
        return []
    return [f"{name}: {len(said)} of {len(whole)} words in {_seen(bot, ts)}"]


def _seen(bot: Bot, ts: str) -> list[tuple[str, bool, bool, str]]:
    return [(p.ts, is_final(p), is_working(p), p.shown[:60]) for p in _posts(bot, ts)]


def _posts(bot: Bot, ts: str) -> list[Post]:
    return bot.answers(ts, _channel(bot.slack, ts))


def _channel(slack: FakeSlack, ts: str) -> str:
    return next(channel for channel, stamp in slack.workspace.posts if stamp == ts)


def _words(post: Post) -> list[str]:
    texts = [str(b["text"]) for b in post.blocks if b["type"] == "markdown"]
    return re.sub(r"```\w*", " ", "\n".join([post.markdown, *texts])).replace(JOINER, "").split()


def _text(name: str) -> str:
    """What the model says: short or long, with code."""
    size = {"question0": 3, "question1": 60, "question2": 250}[name]
    lines = "".join(f"{name}-{n}-{'x' * 40}\n" for n in range(size))
    return f"{lines}\n```python\n{lines}```\n\nEnd of {name}."


def _provider(seed: int) -> ScriptedProvider:
    word_s = [0.0, 0.005, 0.05][seed % 3]

    def answer(prompt: Prompt) -> Said:
        found = re.findall(r"question\d", prompt.turns[-1].text)
        return says(_text(found[0]), seconds=0.3, word_s=word_s)

    return ScriptedProvider(dict.fromkeys("abc", answer))


def _ways(seed: int) -> dict[str, dict[str, object]]:
    if seed % 2:
        return {"panel": {"deadline_s": 600.0, "call_timeout_s": 300.0}}
    alone: dict[str, object] = {"proposers": [{"model": "a"}], "synthesizer": ["a"]}
    times: dict[str, object] = {"deadline_s": 600.0, "call_timeout_s": 300.0}
    return {"panel": alone | times, "tables": {"defaults": {"strategy": "single"}}}


def _limits(chance: random.Random) -> Limits:
    return Limits(tiers=chance.random() < 0.5, stream_life_s=chance.choice([300.0, 300.0, 4.0]))


def _faults(chance: random.Random) -> Faults:
    bad = chance.choice([0.0, 0.05, 0.15])
    return Faults(
        chance=random.Random(chance.random()),  # noqa: S311 - no secret
        busy=chance.choice([0.0, 0.1, 0.4]),
        busy_s=chance.choice([1, 20]),
        broken=bad,
        lost=bad,
        cut=bad,
        of=CALLS,
        twice=0.3,
        late=0.3,
        late_s=5.0,
    )
