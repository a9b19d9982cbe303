"""Money: known, estimated or unknown, and never 0 for unknown."""

from __future__ import annotations

from decimal import Decimal

import pytest

from moabot.config import PriceSettings
from moabot.contract import NOTHING, Attachment, Prompt, Turn, Usage
from moabot.pace import Pace
from moabot.pricing import Price, at_most, estimated, look_up, priced

PRICE = Price(Decimal("0.002"), Decimal("0.001"), Decimal("0.01"))


def test_a_call_costs_what_was_read_read_again_and_written() -> None:
    """Cached tokens are part of those read, at a price of their own."""
    usage = Usage(1, 100, 40, 10, cost_usd=None)

    assert priced(usage, PRICE).cost_usd == Decimal("0.26")


def test_a_call_gives_no_money_back() -> None:
    """Some servers count what was cached apart from what was read; the purse must not fill up."""
    usage = Usage(1, 10, 1000, 0, cost_usd=None)

    assert priced(usage, PRICE).cost_usd == 1000 * PRICE.cached_input


def test_a_provider_that_says_nothing_of_money_is_not_free() -> None:
    """The shortest plugin leaves the cost out: it counted as nothing and slipped past budgets."""
    usage = Usage(calls=1, input_tokens=2)

    assert (NOTHING + usage).cost_usd is None
    assert priced(usage, PRICE).cost_usd == 2 * PRICE.input


def test_money_that_the_vendor_reported_stays() -> None:
    """The bill is right, our list may be old."""
    usage = Usage(1, 100, 40, 10, cost_usd=Decimal("0.5"))

    assert priced(usage, PRICE) is usage


def test_an_unknown_price_stays_unknown_in_every_sum() -> None:
    """A total that leaves out what nobody knows would be a lie."""
    unknown = priced(Usage(1, 100, 0, 10, cost_usd=None), None)

    assert (Usage(1, cost_usd=Decimal(1)) + unknown).cost_usd is None
    assert (Usage(1, cost_usd=Decimal(1)) + Usage(1, cost_usd=Decimal(2))).cost_usd == 3


@pytest.mark.parametrize(
    ("cached", "cached_input"), [(None, Decimal("0.000002")), (Decimal(1), Decimal("0.000001"))]
)
def test_an_administrator_s_price_wins(cached: Decimal | None, cached_input: Decimal) -> None:
    """Per million tokens, as price lists have it; cached as fresh unless said otherwise."""
    override = PriceSettings(input=Decimal(2), cached_input=cached, output=Decimal(10))

    price = look_up("gpt-5", plugin="openai", override=override)

    assert price == Price(Decimal("0.000002"), cached_input, Decimal("0.00001"))


@pytest.mark.parametrize(
    ("model", "plugin", "base_url"),
    [
        ("gpt-4o", "openai", ""),
        ("claude-sonnet-4-0", "anthropic", ""),
        ("llama-3.3-70b-versatile", "openai_compatible", "https://api.groq.com/openai/v1"),
    ],
)
def test_known_models_have_a_price(model: str, plugin: str, base_url: str) -> None:
    """By the plugin's name, or by the address of a provider that many vendors share."""
    price = look_up(model, plugin=plugin, base_url=base_url)

    assert price is not None
    assert 0 < price.cached_input <= price.input < price.output


def test_a_model_that_nobody_knows_has_no_price() -> None:
    """Your own server's models, say."""
    assert look_up("my-own", plugin="openai_compatible", base_url="http://127.0.0.1/v1") is None


def test_an_estimate_says_that_it_is_one() -> None:
    """Characters by four, rounded up; pictures flat."""
    picture = Attachment("cat.png", "image/png", b"")
    prompt = Prompt("12345", (Turn("user", "1234", (picture,)),))

    assert estimated(prompt, output_tokens=7) == Usage(1, 1003, 0, 7, None, estimated=True)


def test_the_most_that_a_call_can_use_counts_bytes() -> None:
    """No tokenizer makes more tokens than bytes; half a pair counts as one."""
    prompt = Prompt("é", (Turn("user", "法\ud83d"),), max_tokens=50)

    assert at_most(prompt).input_tokens == 2 + 16 + 4 + 16
    assert at_most(prompt).output_tokens == 50


def test_pace_is_unknown_before_the_first_call() -> None:
    """Then a stopped call is estimated at its usual length."""
    pace = Pace()

    assert pace.usual_s is None
    assert pace.written_by(3, usual=400) == 400
    assert pace.patience_s(streamed=False, default_s=7) == 7


def test_patience_is_learned_apart_for_streams() -> None:
    """The first word of a stream comes sooner than a whole text."""
    pace = Pace()
    for _ in range(10):
        pace.note(first_s=1, whole_s=8, tokens=100, streamed=True)
        pace.note(first_s=8, whole_s=8, tokens=100, streamed=False)

    assert pace.patience_s(streamed=True, default_s=7) == 2
    assert pace.patience_s(streamed=False, default_s=7) == 16
    assert pace.written_by(4, usual=400) == 50
    assert pace.usual_s == 8


def test_patience_has_a_floor() -> None:
    """At a fast upstream twice the median is within the jitter of the network."""
    pace = Pace()
    for _ in range(10):
        pace.note(first_s=0.001, whole_s=0.001, tokens=1, streamed=False)

    assert pace.patience_s(streamed=False, default_s=7) == 0.25
