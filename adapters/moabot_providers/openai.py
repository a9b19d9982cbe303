"""OpenAI's own models, through its SDK and the Responses API.

    [providers.openai]
    plugin = "openai"                # key from OPENAI_API_KEY

Replies are read as bytes: letting the SDK build an object for each event of a stream costs about
six times the CPU (bench/sdk_streams.py).
"""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Required, TypedDict

import orjson
from pydantic import Field

from moabot import hookimpl
from moabot.contract import Usage
from moabot.plugins import Starter
from moabot_providers.faults import Faults
from moabot_providers.settings import HttpSettings, key
from moabot_providers.wire import Events, Reply, data_url, estimate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from openai import APIStatusError, AsyncOpenAI

    from moabot.contract import Completion, Prompt, Stop, Turn, Wrote
    from moabot.errors import ProviderError
    from moabot.plugins import Register

__all__ = ["OpenAI", "OpenAISettings", "moabot_register", "open_openai"]

NAME: Final = "openai"
THINKS: Final = re.compile(r"o\d|gpt-[5-9]|gpt-\d\d")
"""Reasoning models: every gpt-5 and later, and the o series. They refuse a temperature."""
ENDS: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})


class OpenAISettings(HttpSettings):
    """`[providers.X]` with `plugin = "openai"`."""

    api_key_env: str = Field(default="OPENAI_API_KEY", description="the variable with the key")
    thinking_tokens: int = Field(
        default=4096,
        ge=0,
        description="room to think that reasoning models get beyond a reply's length",
    )


class _Part(TypedDict):
    type: str
    text: str
    refusal: str


class _Item(TypedDict, total=False):
    type: str
    content: list[_Part]


class _Why(TypedDict, total=False):
    reason: str | None
    code: str | None
    message: str | None


class _Cached(TypedDict, total=False):
    cached_tokens: int | None


class _Counts(TypedDict, total=False):
    input_tokens: Required[int]
    input_tokens_details: _Cached | None
    output_tokens: Required[int]


class _Response(TypedDict, total=False):
    status: Required[str | None]
    output: Required[list[_Item]]
    usage: _Counts | None
    error: _Why | None
    incomplete_details: _Why | None


class _Event(_Why, total=False):
    type: Required[str]
    delta: Required[str]
    response: Required[_Response]
    error: _Why | None


class OpenAI:
    """OpenAI through one client; `refusing` is what its SDK raises for an HTTP status."""

    def __init__(
        self,
        client: AsyncOpenAI,
        faults: Faults,
        *,
        refusing: type[APIStatusError],
        thinking_tokens: int,
    ) -> None:
        self._client = client
        self._faults = faults
        self._refusing = refusing
        self._thinking_tokens = thinking_tokens

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Ask once; streams only when `wrote` wants to hear."""
        faults = self._faults
        thinks = THINKS.match(model) is not None
        ask = self._client.responses.with_streaming_response.create
        with faults.told(model):
            try:
                async with ask(
                    model=model,
                    max_output_tokens=prompt.max_tokens + self._thinking_tokens * thinks,
                    # the SDK would walk through typed turns once more: a quarter of a call's CPU
                    extra_body=_request(prompt, thinks=thinks),
                    stream=wrote is not None,
                    store=False,
                ) as reply:
                    response = await self._read(reply, model, wrote)
            except self._refusing as error:
                said = error.response
                status, body = error.status_code, said.content
                raise faults.by_status(model, status, body, said.headers) from error
            return self._completion(response, prompt, model)

    async def _read(self, reply: Reply, model: str, wrote: Wrote | None) -> _Response:
        """The whole response, which a stream carries in its last event."""
        kind = reply.headers.get("content-type", "")
        if self._faults.streams(model, kind, wanted=wrote is not None) and wrote is not None:
            return await self._stream(reply, model, wrote)
        response: _Response = orjson.loads(await reply.read())
        return response

    async def _stream(self, reply: Reply, model: str, wrote: Wrote) -> _Response:
        events = Events()
        whole: _Response | None = None
        async for some in reply.iter_bytes():
            for data in events.feed(some):
                event: _Event = orjson.loads(data)
                kind = event["type"]
                if kind == "response.output_text.delta":
                    wrote(event["delta"])
                elif kind in ENDS:
                    whole = event["response"]
                elif kind == "error":
                    why = event.get("error") or event
                    raise self._failed(why, model)
        if whole is None:
            raise self._faults.garbled(model, "the stream ended without its last event")
        return whole

    def _completion(self, response: _Response, prompt: Prompt, model: str) -> Completion:
        if response["status"] == "failed":
            raise self._failed(response.get("error") or _Why(), model)
        parts = [part for item in response["output"] for part in item.get("content") or ()]
        if refusal := next((part["refusal"] for part in parts if part["type"] == "refusal"), None):
            raise self._faults.refused(model, refusal)
        reason = (response.get("incomplete_details") or _Why()).get("reason")
        if reason == "content_filter":
            raise self._faults.refused(model, "content filter")
        text = "".join(part["text"] for part in parts if part["type"] == "output_text")
        stop: Stop | None = "end" if response["status"] == "completed" else None
        if reason == "max_output_tokens":
            stop = "length"
        return self._faults.completion(model, text, stop, _usage(response, prompt, text))

    def _failed(self, why: _Why, model: str) -> ProviderError:
        return self._faults.by_name(model, why.get("code") or "", why.get("message") or "")


def _request(prompt: Prompt, *, thinks: bool) -> dict[str, object]:
    request: dict[str, object] = {"input": [_message(turn) for turn in prompt.turns]}
    if prompt.system:
        request["instructions"] = prompt.system
    if not thinks:
        request["temperature"] = prompt.temperature
    return request


def _message(turn: Turn) -> dict[str, object]:
    if not turn.images:
        return {"role": turn.role, "content": turn.text}
    text = [{"type": "input_text", "text": turn.text}] if turn.text else []
    shown = [{"type": "input_image", "image_url": data_url(image)} for image in turn.images]
    return {"role": turn.role, "content": [*text, *shown]}


def _usage(response: _Response, prompt: Prompt, text: str) -> Usage:
    counts = response.get("usage")
    if not counts:
        return estimate(prompt, text)
    cached = (counts.get("input_tokens_details") or _Cached()).get("cached_tokens")
    return Usage(
        calls=1,
        input_tokens=int(counts["input_tokens"]),
        cached_input_tokens=int(cached or 0),
        output_tokens=int(counts["output_tokens"]),
    )


@asynccontextmanager
async def open_openai(settings: OpenAISettings) -> AsyncGenerator[OpenAI]:
    """Open the one client of this provider; closes it at the end."""
    import aiohttp
    import httpx2
    import openai

    secret = key(settings.api_key_env)
    transport = openai.DefaultAioHttpClient(
        limits=httpx2.Limits(max_connections=settings.connections),
        follow_redirects=False,
        timeout=None,
    )
    broken = (openai.OpenAIError, httpx2.HTTPError, aiohttp.ClientError, OSError)
    async with openai.AsyncOpenAI(
        api_key=secret,
        base_url=settings.base_url,
        max_retries=0,
        timeout=None,  # the caller's deadline is the only one
        http_client=transport,
    ) as client:
        yield OpenAI(
            client,
            Faults(NAME, settings.api_key_env, secret, broken),
            refusing=openai.APIStatusError,
            thinking_tokens=settings.thinking_tokens,
        )


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer this provider."""
    starter = Starter("OPENAI_API_KEY", ("gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna"))
    register.provider(NAME, open_openai, OpenAISettings, starter=starter)
