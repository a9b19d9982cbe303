"""What plugins hand over is believed field by field, or not at all."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import cast

import pytest

from moabot.belief import believed_answer, believed_completion, wellformed
from moabot.contract import Agreement, Answer, Completion, Failure, Proposal, Usage
from moabot.errors import PluginError

USAGE = Usage(1, 10, 4, 2, Decimal("0.5"))
PROPOSAL = Proposal("1.1", "a", "critical", "Paris.", USAGE, 1.5)
WHOLE = Answer(
    "Paris.",
    "mixture",
    proposals=(PROPOSAL,),
    failures=(Failure("1.2", "b", "It broke.", 2.0),),
    agreement=Agreement(1, 2, ("1.2",)),
    usage=USAGE,
)


@pytest.mark.parametrize("cost", [None, Decimal(0), Decimal("0.5")])
def test_what_is_as_it_should_be_is_believed(cost: Decimal | None) -> None:
    """A check that refuses good answers costs more than it saves."""
    reply = Completion("Paris.", replace(USAGE, cost_usd=cost), "end")

    assert believed_answer(WHOLE, of="It") == WHOLE
    assert believed_completion(reply) == reply


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("Paris.", "It returned str."),
        (replace(WHOLE, text=" \n"), "It returned an empty answer."),
        (replace(WHOLE, text=cast("str", None)), "wrong text"),
        (replace(WHOLE, usage=cast("Usage", None)), "wrong usage"),
        (replace(WHOLE, usage=replace(USAGE, cost_usd=Decimal("NaN"))), "wrong usage.cost_usd"),
        (replace(WHOLE, proposals=cast("tuple[Proposal]", None)), "wrong proposals"),
        (replace(WHOLE, proposals=(replace(PROPOSAL, text=cast("str", 7)),)), "proposals.0.text"),
        (replace(WHOLE, degraded=cast("str", None)), "wrong degraded"),
        (replace(WHOLE, seconds=cast("float", "1")), "wrong seconds"),
    ],
)
def test_an_answer_with_one_wrong_field_is_refused(answer: object, told: str) -> None:
    """It would break whoever looks at that field first, long after it was delivered."""
    with pytest.raises(PluginError, match=r"Return a moabot\.Answer with a text\.") as refused:
        believed_answer(answer, of="It")

    assert told in str(refused.value)


@pytest.mark.parametrize(
    "usage",
    [
        replace(USAGE, cost_usd=Decimal("NaN")),
        replace(USAGE, cost_usd=Decimal("Infinity")),
        replace(USAGE, cost_usd=Decimal("-0.01")),
        replace(USAGE, cost_usd=Decimal("1E+999999")),
        replace(USAGE, cost_usd=cast("Decimal", 0.5)),
        replace(USAGE, input_tokens=cast("int", None)),
        replace(USAGE, cached_input_tokens=-1),
        replace(USAGE, output_tokens=2**70),
        replace(USAGE, output_tokens=cast("int", 2.5)),
        replace(USAGE, calls=True),
    ],
    ids=str,
)
def test_a_usage_that_cannot_be_counted_is_refused(usage: Usage) -> None:
    """A negative cost fills a purse, and the ledger takes no number beyond 64 bits."""
    with pytest.raises(PluginError, match="a Completion whose usage has the co"):
        believed_completion(Completion("Paris.", usage, "end"))


@pytest.mark.parametrize(
    ("text", "whole"),
    [("Paris 🗼", "Paris 🗼"), ("half \ud83d pair", "half \ufffd pair"), ("\ud83d\uddfc", "🗼")],
    ids=["whole", "half", "two halves"],
)
def test_half_a_surrogate_pair_is_replaced(text: str, whole: str) -> None:
    """No file, no database and no chat takes it: the paid answer would be lost."""
    assert wellformed(text) == whole
    assert believed_answer(replace(WHOLE, text=text), of="It").text == whole
    assert believed_completion(Completion(text, USAGE, "end")).text == whole
