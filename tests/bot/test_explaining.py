"""The dry run: the same calls as the real run, and what they would cost."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from moabot.config import ChannelSettings, Preset
from moabot.contract import Completion, Prompt, Question, Usage, Wrote
from moabot.explaining import Plan
from moabot.testing import ScriptedProvider, ask, rehearsal

pytestmark = pytest.mark.virtual_time

QUESTION = "Compare the two capitals, please."
PRICE = {"input": 2, "output": 10}
PANEL = {"synthesizer": ["b"], "aggregators": [["a"], ["c"]]}


def models(**keys: object) -> Mapping[str, Mapping[str, object]]:
    """Three models with a price."""
    return {
        "models": {
            name: {"provider": "scripted", "name": name, "price": PRICE, **keys} for name in "abc"
        }
    }


async def planned(preset: Preset, strategy: str = "mixture") -> tuple[Plan, ScriptedProvider]:
    """The plan of one question."""
    provider = ScriptedProvider()
    async with rehearsal(provider, models(), panel=PANEL) as app:
        wish = ChannelSettings(strategy=strategy, preset=preset)
        return await app.explain(Question(QUESTION), wish=wish), provider


async def test_nothing_is_called() -> None:
    """A person asks what it would cost because it might be too much."""
    plan, provider = await planned("max")

    assert provider.prompts == []
    assert len(plan.calls) == plan.usage.calls == 9


async def test_it_names_every_call_in_stages() -> None:
    """Calls of one stage run side by side; stages follow each other."""
    plan, _ = await planned("deep")

    assert [(call.stage, call.slot, call.model) for call in plan.calls] == [
        (1, "1.1", "a"),
        (1, "1.2", "b"),
        (1, "1.3", "c"),
        (2, "2.1", "a"),
        (2, "2.2", "c"),
        (3, "synthesizer", "b"),
    ]
    assert (plan.strategy, plan.preset, plan.seconds) == ("mixture", "deep", None)


async def test_references_in_later_layers_are_counted() -> None:
    """The common reference forgets them, and says 3.5x where it is 4.8x."""
    plan, _ = await planned("deep")

    first, aggregator = plan.calls[0].usage, plan.calls[3].usage
    assert aggregator.input_tokens > first.input_tokens + 3 * 400
    assert plan.usage.cost_usd == sum(call.usage.cost_usd or 0 for call in plan.calls)
    assert plan.usage.estimated


class Typical:
    """A provider whose texts have the expected length, and that counts as vendors do."""

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Four hundred tokens of four characters each."""
        chars = len(prompt.system) + sum(len(turn.text) for turn in prompt.turns)
        usage = Usage(1, round(chars / 4), 0, 400, cost_usd=None)
        return Completion("wor " * 400, usage, "end")


@pytest.mark.parametrize("preset", ["fast", "balanced", "thorough", "deep", "max"])
async def test_the_estimate_is_what_the_run_is_billed(preset: Preset) -> None:
    """Within 15 % when answers have their expected length."""
    async with rehearsal(Typical(), models(), panel=PANEL) as app:
        wish = ChannelSettings(strategy="mixture", preset=preset)
        plan = await app.explain(Question(QUESTION), wish=wish)
        reply = await ask(app, QUESTION, wish=wish)

    assert reply.answer is not None
    billed, estimate = reply.answer.usage.cost_usd, plan.usage.cost_usd
    assert billed is not None
    assert estimate is not None
    assert abs(estimate - billed) / billed < Decimal("0.15")


async def test_seconds_are_known_once_every_model_was_asked() -> None:
    """The slowest of each stage, added up."""
    async with rehearsal(ScriptedProvider(), models(), panel=PANEL) as app:
        wish = ChannelSettings(strategy="mixture", preset="deep")
        await ask(app, QUESTION, wish=wish)
        plan = await app.explain(Question(QUESTION), wish=wish)

    assert plan.seconds == 0.0


async def test_the_router_s_way_is_told() -> None:
    """And the question to its judge is counted among the calls."""
    plan, _ = await planned("balanced", "router")

    assert plan.via == "medium → mixture"
    assert plan.calls[0].role == "judge"
