"""The whole bot, whose models answer as was recorded, in virtual time.

    items = load(limit=None, seed=1)
    async with engine(items, Setup(panel={"quorum": 3})) as app:
        answer = await ask(app, items[0].question, strategy="vote")

A call takes a lognormal time (median 3 s, p95 12 s) that nobody waits for.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parent))
import at_quorum
from recorded import MODELS, Item

from moabot.app import App
from moabot.contract import Answer, Question
from moabot.errors import MoabotError
from moabot.explaining import Unseen
from moabot.terms import Terms
from moabot.testing import VirtualTimeLoop, rehearsal
from moabot_providers.replay import ReplaySettings, open_replay

T = TypeVar("T")


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
        terms = Terms(wish, app.config, app.answering.prompts)
        return await app.answering.think(Question(question), terms, Unseen())
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
