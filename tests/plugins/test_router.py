"""router: trivial prompts skip the ensemble, hard ones get all of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from moabot.testing import hangs, says
from moabot_strategies.router import by_rule

if TYPE_CHECKING:
    from tests.plugins.conftest import Asking

pytestmark = pytest.mark.virtual_time

JUDGE = {"judge": ["d"]}
UNSURE = "Tell me about the moon landing."


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Hi!", "simple"),
        ("Thank you so much", "simple"),
        ("good morning everyone", "simple"),
        ("What is the capital of France?", "simple"),
        ("Who wrote Hamlet", "simple"),
        ("How old is the sun?", "simple"),
        ("What is the best way to learn?", None),
        ("Which is the difference between a and b?", None),
        ("What is 2+2? And what is love?", None),
        (UNSURE, None),
        ("Prove that there are infinitely many primes.", "complex"),
        ("Debug this: ```x = 1```", "complex"),
        ("Optimise my query", "complex"),
        ("word " * 151, "complex"),
        ("Summarise each of the rows below", "batch"),
        ("For all of these documents, write a title.", "batch"),
        ("", None),
    ],
)
def test_a_rule_speaks_only_where_it_is_sure(text: str, kind: str | None) -> None:
    """A wrong "simple" costs quality, a wrong "complex" money; unsure is a good answer."""
    assert by_rule(text) == kind


@pytest.mark.parametrize(
    ("text", "via", "graph"),
    [
        ("Hi!", "simple → single", ["synthesizer a"]),
        (
            "Prove it step by step.",
            "complex → mixture",
            ["1.1 a", "1.2 b", "1.3 c", "2.1 a", "2.2 a", "synthesizer a"],
        ),
    ],
)
async def test_a_sure_rule_asks_no_judge(
    asking: Asking, text: str, via: str, graph: list[str]
) -> None:
    """A greeting that costs a classification first would be half the saving gone."""
    asked = await asking("router", text)

    assert (asked.answer.via, asked.graph) == (via, graph)
    assert asked.answer.strategy == "router"


@pytest.mark.parametrize(
    ("said", "via"),
    [
        ("simple", "simple → single"),
        ("  **SIMPLE**.\n", "simple → single"),
        ("The label is: Complex", "complex → mixture"),
        ("batch", "batch → mixture"),
        ("I would call it trivial.", "medium → mixture"),
        ("", "medium → mixture"),
    ],
)
async def test_the_judge_s_label_is_read_however_it_is_written(
    asking: Asking, said: str, via: str
) -> None:
    """The common reference compares it unnormalised, and takes " Simple" for complex."""
    asked = await asking("router", UNSURE, scripts={"d": says(said)}, panel={**JUDGE, "tries": 1})

    assert asked.answer.via == via
    assert asked.provider.asked("d")[0].temperature == 0


async def test_a_judge_that_hangs_does_not_keep_the_answer(asking: Asking) -> None:
    """Classifying is a nicety; without a verdict the question counts as medium."""
    panel = {**JUDGE, "call_timeout_s": 5, "hedge": False}
    asked = await asking("router", UNSURE, scripts={"d": hangs()}, panel=panel)

    assert (asked.answer.via, asked.answer.seconds) == ("medium → mixture", 5.0)


async def test_where_each_kind_goes_is_configured(asking: Asking) -> None:
    """Any strategy may be a base, at any depth."""
    mine = {"plugin": "router", "medium": "vote", "ask_model": False}
    asked = await asking("mine", UNSURE, tables={"strategies": {"mine": mine}})

    assert asked.answer.via == "medium → vote"
    assert all(prompt.temperature for _, prompt in asked.provider.prompts)


@pytest.mark.parametrize("text", ["all of the " * 9000, "what " * 20_000, "hi" + " " * 99_000])
def test_no_question_makes_the_rules_slow(text: str) -> None:
    """They run on the event loop, before any limit but the question's length."""
    began = time.process_time()
    by_rule(text)

    assert time.process_time() - began < 0.5
