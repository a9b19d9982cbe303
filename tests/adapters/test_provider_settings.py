"""What a provider is told in config.toml, and the request that comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from genai_prices import Usage as Priced
from genai_prices import calc_price

from moabot.contract import Prompt, Turn
from moabot.errors import ConfigError, ProviderRejected
from moabot.validation import validated
from moabot_providers.settings import HttpSettings

if TYPE_CHECKING:
    from tests.adapters.conftest import FakeVendor, Opening

    from moabot.plugins import Plugins

PROMPT = Prompt("Be brief.", (Turn("user", "hi"),), max_tokens=100, temperature=0.5)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.test/v1", "must begin with http"),
        ("127.0.0.1:11434", "must begin with http"),
        ("http://", "must begin with http"),
        ("https://me:secret@example.test", "must hold no password"),
    ],
)
def test_a_wrong_address_is_named_before_anything_is_asked(url: str, words: str) -> None:
    """The usual mistake, an address without http://, else ends in a puzzling error much later."""
    with pytest.raises(ConfigError, match=f"base_url: .*{words}"):
        validated(HttpSettings, {"base_url": url}, where="[providers.x]")


@pytest.mark.parametrize(
    ("name", "model", "temperature", "room"),
    [
        ("openai", "gpt-5.6-sol", None, 4096),
        ("openai", "o4-mini", None, 4096),
        ("openai", "gpt-4.1", 0.5, 0),
        ("anthropic", "claude-opus-5-5", None, 4096),
        ("anthropic", "claude-opus-4-7", None, 4096),
        ("anthropic", "claude-opus-4-1-20250805", 0.5, 0),
        ("anthropic", "claude-sonnet-4-20260101", 0.5, 0),
        ("anthropic", "claude-haiku-4-5", 0.5, 0),
        ("gemini", "gemini-3.8-flash", 0.5, 4096),
    ],
)
async def test_a_model_that_thinks_gets_room_and_no_temperature_that_it_refuses(
    vendor: FakeVendor, opening: Opening, model: str, temperature: float | None, room: int
) -> None:
    """Thoughts count as output: without room, a long thought leaves an empty answer."""
    async with opening() as provider:
        await provider.complete(PROMPT, model=model)

    heard = vendor.asked[0].heard
    assert heard["temperature"] == temperature
    assert heard["max_tokens"] == 100 + room


@pytest.mark.parametrize("name", ["anthropic"])
async def test_anthropic_is_asked_to_cache_the_system_prompt(
    vendor: FakeVendor, opening: Opening
) -> None:
    """A panel sends the same one many times; cached, it costs a tenth."""
    async with opening() as provider:
        await provider.complete(PROMPT, model="ok")

    system = vendor.asked[0].body["system"]
    assert [block["cache_control"] for block in system] == [{"type": "ephemeral"}]


@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini", "openai_compatible"])
async def test_without_a_system_prompt_none_is_sent(
    vendor: FakeVendor, opening: Opening, name: str
) -> None:
    """Vendors refuse an empty system prompt."""
    async with opening() as provider:
        await provider.complete(Prompt("", PROMPT.turns), model="ok")

    sent = vendor.asked[0].body
    assert not {"system", "instructions", "systemInstruction"} & set(sent)
    assert vendor.asked[0].heard["system"] == ""


@pytest.mark.parametrize("name", ["openai", "anthropic"])
async def test_an_sdk_follows_no_redirect(vendor: FakeVendor, opening: Opening, name: str) -> None:
    """The key would go with it, to wherever it points."""
    async with opening() as provider:
        with pytest.raises(ProviderRejected, match="base_url"):
            await provider.complete(PROMPT, model="redirect")

    assert len(vendor.asked) == 1


@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini"])
def test_the_price_of_every_starter_model_is_known(plugins: Plugins, name: str) -> None:
    """With an unknown price, the newcomer's first panel could keep no budget."""
    starter = plugins.offers("provider")[name].starter
    vendor = "google" if name == "gemini" else name

    assert starter is not None
    for model in starter.models:
        price = calc_price(Priced(output_tokens=1000), model_ref=model, provider_id=vendor)
        assert price.total_price > 0
