"""Money: the price of a call, known, estimated or unknown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from moabot.config import PriceSettings
from moabot.contract import Prompt, Usage

__all__ = ["CHARS_PER_TOKEN", "Price", "at_most", "estimated", "look_up", "priced"]

CHARS_PER_TOKEN = 4
"""A rule of thumb for English; used only where no provider counted."""

IMAGE_TOKENS = 1000
LARGEST_IMAGE_TOKENS = 5000
FRAME_TOKENS = 16
"""What a vendor's chat format may add to a turn."""

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per token: read, read from the provider's cache, written."""

    input: Decimal
    cached_input: Decimal
    output: Decimal

    def of(self, usage: Usage) -> Decimal:
        """What `usage` costs."""
        # Some count what was cached apart; a call never gives money back.
        fresh = max(usage.input_tokens - usage.cached_input_tokens, 0)
        return (
            fresh * self.input
            + usage.cached_input_tokens * self.cached_input
            + usage.output_tokens * self.output
        )


def look_up(
    model: str, *, plugin: str, base_url: str = "", override: PriceSettings | None = None
) -> Price | None:
    """The price of a vendor's `model`, or None when nobody knows it.

    `override` wins. Otherwise genai-prices is asked, offline: by the plugin's name, or by
    `base_url` for a provider that many vendors share. Prices that change with the length of the
    prompt are taken at their first step.
    """
    if override is not None:
        cached = override.input if override.cached_input is None else override.cached_input
        return Price(override.input / MILLION, cached / MILLION, override.output / MILLION)
    from genai_prices import Usage as Priced  # noqa: PLC0415 - 0.3 s
    from genai_prices import calc_price  # noqa: PLC0415 - as above

    def per_token(usage: Priced) -> Decimal:
        try:
            price = calc_price(usage, model_ref=model, provider_id=plugin)
        except LookupError:
            price = calc_price(usage, model_ref=model, provider_api_url=base_url)
        return price.total_price / 1000

    try:
        return Price(
            per_token(Priced(input_tokens=1000)),
            per_token(Priced(input_tokens=1000, cache_read_tokens=1000)),
            per_token(Priced(output_tokens=1000)),
        )
    except LookupError:
        return None


def at_most(prompt: Prompt, *, thinking: int = 0) -> Usage:
    """The most that one call can use, `thinking` tokens included.

    No tokenizer makes more tokens than there are bytes.
    """
    texts = (prompt.system, *(turn.text for turn in prompt.turns))
    tokens = sum(len(text.encode(errors="replace")) + FRAME_TOKENS for text in texts)
    images = sum(len(turn.images) for turn in prompt.turns)
    tokens += images * LARGEST_IMAGE_TOKENS
    return Usage(1, tokens, 0, prompt.max_tokens + thinking, cost_usd=None, estimated=True)


def estimated(prompt: Prompt, *, output_tokens: int) -> Usage:
    """The usage of one call that nobody counted: characters divided by four, images flat."""
    chars = len(prompt.system) + sum(len(turn.text) for turn in prompt.turns)
    images = sum(len(turn.images) for turn in prompt.turns)
    tokens = -(-chars // CHARS_PER_TOKEN) + images * IMAGE_TOKENS
    return Usage(1, tokens, 0, output_tokens, cost_usd=None, estimated=True)


def priced(usage: Usage, price: Price | None) -> Usage:
    """`usage` with its cost filled in; money that the vendor reported stays."""
    if usage.cost_usd is not None or price is None:
        return usage
    return replace(usage, cost_usd=price.of(usage))
