"""Endings that only one vendor knows, and what is asked of it in its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from moabot.contract import Prompt, Provider, Turn
from moabot.errors import (
    ProviderBusy,
    ProviderError,
    ProviderGarbled,
    ProviderRefused,
    ProviderRejected,
)

if TYPE_CHECKING:
    from tests.adapters.conftest import FakeVendor, Json

PROMPT = Prompt("Be brief.", (Turn("user", "hi"),))


def _response(status: str, **more: object) -> Json:
    return {"status": status, "output": [], **more}


ENDINGS: list[tuple[str, Json | bytes, type[ProviderError], str]] = [
    (
        "openai",
        _response("failed", error={"code": "rate_limit_exceeded", "message": "Slow down."}),
        ProviderBusy,
        "Slow down",
    ),
    (
        "openai",
        _response("failed", error={"code": "invalid_prompt", "message": "Not so."}),
        ProviderRejected,
        "Not so",
    ),
    (
        "openai",
        _response("incomplete", incomplete_details={"reason": "content_filter"}),
        ProviderRefused,
        "content filter",
    ),
    ("openai", _response("in_progress"), ProviderGarbled, "finish reason"),
    (
        "openai",
        _response("incomplete", incomplete_details={"reason": "max_output_tokens"}),
        ProviderGarbled,
        "thinking",
    ),
    (
        "anthropic",
        {"content": [{"type": "text", "text": "Half"}], "stop_reason": None},
        ProviderGarbled,
        "finish reason",
    ),
    (
        "gemini",
        {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}},
        ProviderRefused,
        "prohibited_content",
    ),
    (
        "gemini",
        {"candidates": [{"finishReason": "OTHER"}]},
        ProviderGarbled,
        "OTHER",
    ),
    ("gemini", {"candidates": []}, ProviderGarbled, "finish reason"),
]


@pytest.mark.parametrize(
    ("name", "said", "kind", "words"), ENDINGS, ids=[f"{e[0]}-{e[3]}" for e in ENDINGS]
)
async def test_an_ending_that_gives_no_answer_says_why(
    vendor: FakeVendor,
    provider: Provider,
    said: Json,
    kind: type[ProviderError],
    words: str,
) -> None:
    """Whether a question is asked again depends on which of these it was."""
    vendor.says.append(said)

    with pytest.raises(kind, match=words):
        await provider.complete(PROMPT, model="m")


@pytest.mark.parametrize("name", ["gemini"])
async def test_gemini_s_own_way_to_ask_for_patience_is_read(
    vendor: FakeVendor, provider: Provider
) -> None:
    """It sends no Retry-After, but a detail within the error."""
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17s"}
    error = {"code": 429, "message": "Quota.", "status": "EXHAUSTED", "details": [detail]}
    vendor.says.append({"status_of_http": 429, "error": error})

    with pytest.raises(ProviderBusy) as raised:
        await provider.complete(PROMPT, model="m")

    assert raised.value.retry_after_s == 17


@pytest.mark.parametrize("name", ["openai"])
async def test_openai_is_asked_to_keep_nothing(vendor: FakeVendor, provider: Provider) -> None:
    """By default it stores every response for a month."""
    await provider.complete(PROMPT, model="ok")

    assert vendor.asked[0].body["store"] is False
