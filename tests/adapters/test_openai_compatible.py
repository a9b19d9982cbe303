"""Quirks of the servers that say they speak Chat Completions."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from moabot.contract import Prompt, Provider, Turn
from moabot.errors import ConfigError, ProviderBusy, ProviderGarbled, ProviderRejected
from moabot_providers.openai_compatible import OpenAICompatibleSettings, open_compatible

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.adapters.conftest import FakeVendor, Json

PROMPT = Prompt("", (Turn("user", "hi"),))
SAID: Json = {"choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}]}


@pytest.fixture
async def replies() -> list[Json]:
    """What the server answers next."""
    return []


@pytest.fixture
async def server(replies: list[Json]) -> AsyncGenerator[Provider]:
    """A provider upon a server that answers every request with the next of `replies`."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(replies.pop(0))

    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    async with open_compatible(OpenAICompatibleSettings(base_url=url)) as provider:
        yield provider
    await runner.cleanup()


async def test_money_that_the_vendor_reports_is_kept(server: Provider, replies: list[Json]) -> None:
    """OpenRouter knows what a call cost; our price list only knows what it should cost."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.0123}
    replies.append({**SAID, "usage": usage})

    done = await server.complete(PROMPT, model="m")

    assert done.usage.cost_usd == Decimal("0.0123")


async def test_deepseek_s_name_for_cached_tokens_is_known(
    server: Provider, replies: list[Json]
) -> None:
    """Unread, every question on DeepSeek is billed as if nothing had been cached."""
    usage = {"prompt_tokens": 90, "completion_tokens": 2, "prompt_cache_hit_tokens": 64}
    replies.append({**SAID, "usage": usage})

    done = await server.complete(PROMPT, model="m")

    assert done.usage.cached_input_tokens == 64


@pytest.mark.parametrize(
    ("code", "kind"),
    [(502, ProviderBusy), (400, ProviderRejected), ("odd", ProviderBusy)],
)
async def test_an_error_inside_a_200_is_an_error(
    server: Provider, replies: list[Json], code: object, kind: type[Exception]
) -> None:
    """OpenRouter answers 200 before it has asked anybody."""
    replies.append({"error": {"code": code, "message": "Upstream is gone."}})

    with pytest.raises(kind, match="Upstream is gone"):
        await server.complete(PROMPT, model="m")


async def test_a_server_that_does_not_stream_is_heard_all_the_same(
    server: Provider, replies: list[Json]
) -> None:
    """Whoever listens hears the text once, instead of nothing."""
    pieces: list[str] = []
    replies.append(SAID)

    done = await server.complete(PROMPT, model="m", wrote=pieces.append)

    assert pieces == [done.text] == ["Hello."]


async def test_a_reply_without_a_finish_reason_is_no_answer(
    server: Provider, replies: list[Json]
) -> None:
    """Nobody knows whether it is whole."""
    replies.append({"choices": [{"message": {"content": "Hel"}}]})

    with pytest.raises(ProviderGarbled, match="without a finish reason"):
        await server.complete(PROMPT, model="m")


async def test_half_a_surrogate_pair_in_a_question_is_no_crash(
    server: Provider, replies: list[Json]
) -> None:
    """Chats cut names and emoji in two; the fast JSON writer refuses what comes of it."""
    replies.append(SAID)

    done = await server.complete(Prompt("", (Turn("user", "\ud83d"),)), model="m")

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
