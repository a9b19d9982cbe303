"""specialization: the models that are good at this kind of task come first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from moabot.config import ChannelSettings
from moabot.testing import ScriptedProvider, ask, rehearsal, says
from moabot_strategies.specialization import by_rule

if TYPE_CHECKING:
    from tests.plugins.conftest import Asking

pytestmark = pytest.mark.virtual_time

MODELS: dict[str, object] = {
    "a": {"provider": "scripted", "name": "a"},
    "b": {"provider": "scripted", "name": "b", "strengths": ["mathematics"]},
    "c": {"provider": "scripted", "name": "c", "strengths": ["code"]},
    "d": {"provider": "scripted", "name": "d"},
}
CODE = "Write a Python function that adds."


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (CODE, "code"),
        ("Solve for x: 3 * 4 + x = 20", "mathematics"),
        ("Translate this letter into French", "translation"),
        ("A haiku about rain", "writing"),
        ("Find the outliers in this csv", "data"),
        ("A riddle: what has keys?", "reasoning"),
        ("Who was the first man on the moon?", "facts"),
        ("Write a poem about Python", None),
        ("Hello", None),
    ],
)
def test_a_rule_speaks_only_where_one_kind_fits(text: str, kind: str | None) -> None:
    """A poem about Python is neither code nor surely a poem; a model may decide."""
    assert by_rule(text) == kind


async def test_the_specialist_proposes_first_and_writes(asking: Asking) -> None:
    """It takes the first place of the panel, the synthesizer's and the fallback's."""
    asked = await asking("specialization", CODE, tables={"models": MODELS})

    assert asked.graph == ["1.1 c", "1.2 a", "synthesizer c"]
    assert asked.answer.via == "code → mixture"


async def test_a_specialist_outside_the_panel_is_found(asking: Asking) -> None:
    """Listed with a strength is enough; it need not propose every day."""
    panel = {"proposers": [{"model": "a", "role": "critical"}, {"model": "b"}]}
    asked = await asking("specialization", CODE, tables={"models": MODELS}, panel=panel)

    assert asked.graph == ["1.1 c", "1.2 a", "synthesizer c"]


async def test_without_a_specialist_the_panel_stays_as_it_is(asking: Asking) -> None:
    """No strengths configured: nothing is worse than before."""
    asked = await asking("specialization", CODE)

    assert asked.graph == ["1.1 a", "1.2 b", "synthesizer a"]


async def test_a_model_decides_where_rules_are_unsure(asking: Asking) -> None:
    """Normalised like the router's label."""
    asked = await asking(
        "specialization",
        "Hello",
        scripts={"d": says("Kind: MATHEMATICS.")},
        tables={"models": MODELS},
        panel={"judge": ["d"]},
    )

    assert asked.answer.via == "mathematics → mixture"
    assert asked.graph[1] == "1.1 b"


async def test_strengths_and_base_may_stand_in_the_strategy_s_own_table(asking: Asking) -> None:
    """Over those of the models."""
    mine = {"plugin": "specialization", "base": "single", "strengths": {"code": ["d"]}}
    asked = await asking("mine", CODE, tables={"models": MODELS, "strategies": {"mine": mine}})

    assert asked.graph == ["synthesizer d"]


async def test_a_specialist_that_does_not_exist_is_named_with_the_nearest() -> None:
    """A typo must not end as "something broke"."""
    mine = {"plugin": "specialization", "strengths": {"code": ["coder"]}}
    tables = {"strategies": {"mine": mine}}
    async with rehearsal(ScriptedProvider(), tables, models=("code", "b")) as app:
        reply = await ask(app, CODE, wish=ChannelSettings(strategy="mine"))

    assert "'mine' wants the model 'coder'" in str(reply.error)
    assert "did you mean 'code'?" in str(reply.error)
