"""Quirks of the servers that say they speak Chat Completions."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from moabot.contract import Prompt, Provider, Turn
from moabot.errors import ConfigError, ProviderBusy, ProviderGarbled, ProviderRejected
from moabot_providers.openai_compatible import OpenAICompatibleSettings, open_compatible

if TYPE_CHECKING:
    from tests.adapters.conftest import FakeVendor, Json

PROMPT = Prompt("", (Turn("user", "hi"),))
SAID: Json = {"choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}]}


async def test_money_that_the_vendor_reports_is_kept(
    provider: Provider, vendor: FakeVendor
) -> None:
    """OpenRouter knows what a call cost; our price list only knows what it should cost."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.0123}
    vendor.says.append({**SAID, "usage": usage})

    done = await provider.complete(PROMPT, model="m")

    assert done.usage.cost_usd == Decimal("0.0123")


@pytest.mark.parametrize("cost", ["dear", [1], {}])
async def test_money_that_is_no_number_is_nonsense(
    provider: Provider, vendor: FakeVendor, cost: Json
) -> None:
    """Not one of our errors, it would be taken for a mistake of ours."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "cost": cost}
    vendor.says.append({**SAID, "usage": usage})

    with pytest.raises(ProviderGarbled, match="cannot be read"):
        await provider.complete(PROMPT, model="m")


async def test_deepseek_s_name_for_cached_tokens_is_known(
    provider: Provider, vendor: FakeVendor
) -> None:
    """Unread, every question on DeepSeek is billed as if nothing had been cached."""
    usage = {"prompt_tokens": 90, "completion_tokens": 2, "prompt_cache_hit_tokens": 64}
    vendor.says.append({**SAID, "usage": usage})

    done = await provider.complete(PROMPT, model="m")

    assert done.usage.cached_input_tokens == 64


@pytest.mark.parametrize(
    ("code", "kind"),
    [(502, ProviderBusy), (400, ProviderRejected), ("odd", ProviderBusy)],
)
async def test_an_error_inside_a_200_is_an_error(
    provider: Provider, vendor: FakeVendor, code: object, kind: type[Exception]
) -> None:
    """OpenRouter answers 200 before it has asked anybody."""
    vendor.says.append({"error": {"code": code, "message": "Upstream is gone."}})

    with pytest.raises(kind, match="Upstream is gone"):
        await provider.complete(PROMPT, model="m")


async def test_a_server_that_does_not_stream_is_heard_all_the_same(
    provider: Provider, vendor: FakeVendor
) -> None:
    """Whoever listens hears the text once, instead of nothing."""
    pieces: list[str] = []
    vendor.says.append(SAID)

    done = await provider.complete(PROMPT, model="m", wrote=pieces.append)

    assert pieces == [done.text] == ["Hello."]


async def test_a_reply_without_a_finish_reason_is_no_answer(
    provider: Provider, vendor: FakeVendor
) -> None:
    """Nobody knows whether it is whole."""
    vendor.says.append({"choices": [{"message": {"content": "Hel"}}]})

    with pytest.raises(ProviderGarbled, match="without a finish reason"):
        await provider.complete(PROMPT, model="m")


async def test_half_a_surrogate_pair_in_a_question_is_no_crash(
    provider: Provider, vendor: FakeVendor
) -> None:
    """Chats cut names and emoji in two; the fast JSON writer refuses what comes of it."""
    vendor.says.append(SAID)

    done = await provider.complete(Prompt("", (Turn("user", "\ud83d"),)), model="m")

    assert done.text == "Hello."


async def test_a_redirect_is_not_followed(vendor: FakeVendor) -> None:
    """The key would go with it, to wherever it points."""
    settings = OpenAICompatibleSettings(base_url=vendor.url)
    async with open_compatible(settings) as provider:
        with pytest.raises(ProviderRejected, match="base_url"):
            await provider.complete(PROMPT, model="redirect")

    assert len(vendor.asked) == 1


async def test_without_a_key_setting_none_is_sent(vendor: FakeVendor) -> None:
    """Ollama and vLLM need none, and a made-up one would go to whoever listens there."""
    async with open_compatible(OpenAICompatibleSettings(base_url=vendor.url)) as provider:
        await provider.complete(PROMPT, model="ok")

    assert "authorization" not in vendor.asked[0].headers


async def test_a_key_that_is_named_must_be_set() -> None:
    """A missing key is told at start, by the variable's name, not by a 401 in the chat."""
    settings = OpenAICompatibleSettings(base_url="http://127.0.0.1:9", api_key_env="NOBODY_SET_IT")

    with pytest.raises(ConfigError, match="NOBODY_SET_IT"):
        async with open_compatible(settings):
            pass


async def test_what_is_no_json_is_named_with_the_address_to_check(
    provider: Provider, vendor: FakeVendor
) -> None:
    """Usually base_url leads to a login page or a web interface."""
    with pytest.raises(ProviderGarbled, match=r"text/html.*base_url"):
        await provider.complete(PROMPT, model="html")

    assert len(vendor.asked) == 1


async def test_a_stream_is_asked_to_tell_its_usage(provider: Provider, vendor: FakeVendor) -> None:
    """Most servers leave it out of streams unless they are asked."""
    await provider.complete(PROMPT, model="ok", wrote=lambda _: None)

    assert vendor.asked[0].body["stream_options"] == {"include_usage": True}
