"""The JSON record is a contract with scripts."""

from __future__ import annotations

import json
from decimal import Decimal

from moabot.contract import Agreement, Answer, Cancelled, Failure, Proposal, Usage
from moabot.record import record

USAGE = Usage(1, 100, 20, 10, Decimal("0.0025"))
TWO = tuple(Proposal(f"1.{place}", "a", "critical", "Blue.", USAGE, 1.23456) for place in (1, 2))


def test_record_has_the_documented_keys_and_no_others() -> None:
    """Administrators' scripts name these keys; one that is renamed breaks them in silence."""
    whole = record(
        Answer(
            "Blue.",
            "mixture",
            "thorough",
            proposals=TWO,
            failures=(Failure("1.3", "b", "up/b: busy", 0.5),),
            cancelled=(Cancelled("1.4", "c", 2.0, USAGE),),
            agreement=Agreement(1, 2, ("1.2",)),
            via="simple → single",
            usage=USAGE,
            seconds=3.14159,
        )
    )

    usage = {
        "calls": 1,
        "input_tokens": 100,
        "cached_input_tokens": 20,
        "output_tokens": 10,
        "cost_usd": 0.0025,
        "estimated": False,
    }
    proposal = {"model": "a", "role": "critical", "text": "Blue.", "seconds": 1.235, "usage": usage}
    assert json.loads(json.dumps(whole)) == {
        "text": "Blue.",
        "strategy": "mixture",
        "preset": "thorough",
        "via": "simple → single",
        "degraded": "",
        "agreement": {"support": 1, "of": 2, "dissent": ["1.2"]},
        "from_cache": False,
        "seconds": 3.142,
        "proposals": [{"slot": "1.1", **proposal}, {"slot": "1.2", **proposal}],
        "failures": [{"slot": "1.3", "model": "b", "error": "up/b: busy", "seconds": 0.5}],
        "cancelled": [{"slot": "1.4", "model": "c", "seconds": 2.0, "usage": usage}],
        "usage": usage,
    }


def test_record_of_one_voice_has_no_agreement() -> None:
    """One model always agrees with itself; saying so would be a lie with a number."""
    assert record(Answer("Blue.", "single", agreement=Agreement(1, 1)))["agreement"] is None


def test_record_of_an_unknown_price_is_null() -> None:
    """A 0 would be added up by somebody."""
    usage = record(Answer("Blue.", "single", usage=Usage(1, cost_usd=None)))["usage"]

    assert isinstance(usage, dict)
    assert usage["cost_usd"] is None
