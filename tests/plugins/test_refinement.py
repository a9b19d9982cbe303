"""refinement: criticise and write again, until nothing that matters changes."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING

import pytest

from moabot.errors import ProviderRejected
from moabot.testing import Said, Script, says
from moabot_strategies.prompts import PROMPTS
from moabot_strategies.refinement import _same

if TYPE_CHECKING:
    from tests.plugins.conftest import Asking

pytestmark = pytest.mark.virtual_time

PANEL = {"synthesizer": ["d"], "fallback": ["a", "b"], "tries": 1, "hedge": False}
FIRST = ["1.1 a", "1.2 b", "synthesizer d"]
ROUND_1 = ["10.1 a", "10.2 b", "synthesizer d"]
ROUND_2 = ["20.1 a", "20.2 b", "synthesizer d"]


def anew() -> Script:
    """A synthesizer that writes something else every time."""
    numbers = count(1)
    return lambda _: says(f"draft{next(numbers)} " * 3 + "end.")


def wrong() -> Said:
    """A model that will not answer."""
    return says(error=ProviderRejected("Wrong key.", provider="p", model="m"))


async def test_proposers_see_the_answer_and_criticise_it(asking: Asking) -> None:
    """Fenced like any text that a model wrote, and with the instruction to criticise."""
    asked = await asking("refinement", scripts={"d": anew()}, panel=PANEL)

    assert asked.graph == FIRST + ROUND_1 + ROUND_2
    critic = asked.provider.asked("a")[1].turns[-1].text
    assert PROMPTS.critique in critic
    assert "draft1 draft1 draft1 end." in critic.partition("[proposal 1 ")[2]
    assert asked.answer.text == asked.reply.text == "draft3 draft3 draft3 end."
    assert asked.answer.via == "mixture"


async def test_it_stops_when_a_round_changes_nothing(asking: Asking) -> None:
    """The second round would cost three calls for the same words."""
    asked = await asking("refinement", panel=PANEL)

    assert asked.graph == FIRST + ROUND_1
    assert asked.answer.degraded == ""


async def test_it_does_not_begin_a_round_that_the_deadline_would_cut(asking: Asking) -> None:
    """The first answer took eleven of twenty seconds; another round would not end in time."""
    slow = says("So it is.", seconds=10)
    asked = await asking(
        "refinement",
        scripts={"d": slow, "a": says("a", seconds=1)},
        panel={**PANEL, "deadline_s": 20},
    )

    assert asked.graph == FIRST
    assert asked.answer.degraded == ""


async def test_it_does_not_begin_a_round_that_the_budget_would_not_pay(asking: Asking) -> None:
    """A third call's worth of money is not a round."""
    price = {"input": 0, "output": 1000}
    models = {
        name: {"provider": "scripted", "name": name, "price": price}
        for name in ("a", "b", "c", "d")
    }
    panel = {**PANEL, "budget_usd": "0.029", "max_tokens": 10}
    asked = await asking(
        "refinement", scripts={"d": anew()}, panel=panel, tables={"models": models}
    )

    assert asked.graph == FIRST
    assert str(asked.answer.usage.cost_usd) == "0.015"


@pytest.mark.parametrize("failing", ["critics", "synthesizer"])
async def test_a_round_that_fails_leaves_the_answer_as_it_was(asking: Asking, failing: str) -> None:
    """A critique, or nothing, in the place of a good answer would be worse than no round."""
    scripts: dict[str, Script] = {"d": [says("It is Paris."), wrong()]}
    if failing == "critics":
        scripts = {name: [says("It is."), wrong()] for name in ("a", "b")}
        scripts["d"] = says("It is Paris.")
    asked = await asking("refinement", scripts=scripts, panel={**PANEL, "fallback": ["a"]})

    assert asked.answer.text == asked.reply.text == "It is Paris."
    assert asked.answer.degraded == "A round of refinement failed, so it was left out."
    assert asked.answer.via == "mixture"


async def test_a_round_cut_short_in_the_middle_of_its_text_shows_the_answer_again(
    asking: Asking,
) -> None:
    """The page was cleared for the new text; it must not stay half written."""
    scripts: dict[str, Script] = {"d": [says("It is Paris."), says("one two three", word_s=100)]}
    asked = await asking("refinement", scripts=scripts, panel=PANEL)

    assert asked.answer.text == asked.reply.text == "It is Paris."
    assert asked.answer.seconds <= 60


async def test_any_strategy_may_write_the_first_answer(asking: Asking) -> None:
    """Router over refinement, refinement over single: they are one kind of thing."""
    mine = {"plugin": "refinement", "base": "single", "rounds": 1}
    asked = await asking(
        "mine", scripts={"d": anew()}, panel=PANEL, tables={"strategies": {"mine": mine}}
    )

    assert asked.graph == ["synthesizer a", *ROUND_1]


def test_comparing_two_rounds_is_quick_whatever_they_say() -> None:
    """It runs on the event loop; a model that repeats itself must not stop every conversation."""
    began = time.process_time()
    _same("a b " * 20_000, "b a c " * 14_000)

    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [("", "", 1.0), ("a b c", "a b c", 1.0), ("a b c d", "a b x d", 0.5), ("a", "b", 0.0)],
)
def test_rounds_are_compared_by_their_words(one: str, other: str, share: float) -> None:
    """New line breaks change nothing that matters."""
    assert _same(one, other.replace(" ", "\n")) == share
