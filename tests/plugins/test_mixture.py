"""mixture: who is asked in which layer, by preset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from moabot.config import Preset
from moabot.contract import Prompt
from moabot.testing import Said, says
from moabot_strategies.prompts import PROMPTS

if TYPE_CHECKING:
    from tests.plugins.conftest import Asking

pytestmark = pytest.mark.virtual_time

TWO = {"aggregators": [["c"], ["d"]], "synthesizer": ["d"]}
GRAPHS: dict[Preset, list[str]] = {
    "fast": ["synthesizer a"],
    "balanced": ["1.1 a", "1.2 b", "synthesizer d"],
    "thorough": ["1.1 a", "1.2 b", "1.3 c", "synthesizer d"],
    "deep": ["1.1 a", "1.2 b", "1.3 c", "2.1 c", "2.2 d", "synthesizer d"],
    "max": [
        *("1.1 a", "1.2 b", "1.3 c", "1.4 d"),
        *("2.1 c", "2.2 d", "3.1 c", "3.2 d"),
        "synthesizer d",
    ],
}


@pytest.mark.parametrize("preset", GRAPHS)
async def test_a_preset_is_exactly_this_call_graph(asking: Asking, preset: Preset) -> None:
    """A preset is a promise about quality, seconds and money."""
    asked = await asking("mixture", preset=preset, panel=TWO)

    assert asked.graph == GRAPHS[preset]
    assert asked.answer.usage.calls == len(GRAPHS[preset])
    assert (asked.answer.degraded, asked.answer.preset) == ("", preset)


async def test_the_aggregators_of_a_layer_have_different_prompts(asking: Asking) -> None:
    """In the common reference both "different" aggregators get the same prompt."""
    asked = await asking("mixture", preset="deep", panel=TWO)

    systems = [prompt.system for _, prompt in asked.provider.prompts]
    assert systems[3:5] == list(PROMPTS.aggregators)
    assert systems[3] != systems[4]


async def test_each_layer_reads_the_layer_before_it(asking: Asking) -> None:
    """Layer three must not read layer one again, nor the synthesizer the proposals."""
    asked = await asking("mixture", preset="max", panel=TWO)

    told = [prompt.turns[-1].text for _, prompt in asked.provider.prompts]
    assert all(text.count("says so.") == 4 for text in told[4:6])
    assert all(text.count("says so.") == 2 for text in told[6:])


async def test_one_model_named_several_times_is_sampled_several_times(asking: Asking) -> None:
    """Self-MoA: one strong model beat a mixed pool by 6.6 points (arXiv 2502.00674)."""
    panel = {"proposers": [{"model": "a"}] * 3, "synthesizer": ["a"]}
    asked = await asking("mixture", preset="thorough", panel=panel)

    assert asked.graph == ["1.1 a", "1.2 a", "1.3 a", "synthesizer a"]
    assert asked.answer.agreement is not None
    assert asked.answer.agreement.of == 3


async def test_proposals_too_long_for_one_prompt_are_folded_window_by_window(
    asking: Asking,
) -> None:
    """Self-MoA-Seq: each window with what came before it; no proposal is cut away."""

    def long(prompt: Prompt) -> Said:
        return says("folded" if "[proposal" in prompt.turns[-1].text else "x" * 900)

    panel = {**TWO, "window_chars": 2000}
    scripts = dict.fromkeys("abcd", long)
    asked = await asking("mixture", preset="max", panel=panel, scripts=scripts)
    short = await asking("mixture", preset="thorough", panel=panel, scripts=scripts)

    assert asked.graph == GRAPHS["max"]
    assert short.graph == ["1.1 a", "1.2 b", "1.3 c", "2.1 c", "synthesizer d"]
    assert "cut here" not in short.provider.prompts[3][1].turns[-1].text
