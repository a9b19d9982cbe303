"""Anthropic's Claude, through its SDK and the Messages API.

    [providers.anthropic]
    plugin = "anthropic"             # key from ANTHROPIC_API_KEY

Replies are read as bytes, as in `openai.py`. The system prompt is marked for the vendor's cache:
a panel sends the same one again and again.
"""

from __future__ import annotations

import re
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final, Required, TypedDict

import orjson
from pydantic import Field

from moabot import hookimpl
from moabot.contract import Usage
from moabot.plugins import Starter
from moabot_providers.faults import Faults
from moabot_providers.settings import HttpSettings, key
from moabot_providers.wire import Events, as_json, base64_of, estimate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from anthropic import APIStatusError, AsyncAnthropic
    from httpx2 import Response

    from moabot.contract import Attachment, Completion, Prompt, Stop, Turn, Wrote
    from moabot.plugins import Register

__all__ = ["Anthropic", "AnthropicSettings", "moabot_register", "open_anthropic"]

NAME: Final = "anthropic"
TAKES_TEMPERATURE: Final = re.compile(
    r"claude-(3|(opus|sonnet)-4-[0-6]\b|haiku-4|(opus|sonnet)-4-\d{8})"
)
"""The older models. Since Opus 4.7 a temperature is an error, and thinking is on by default; a
name not known here is taken for a newer one."""


class AnthropicSettings(HttpSettings):
    """`[providers.X]` with `plugin = "anthropic"`."""

    api_key_env: str = Field(default="ANTHROPIC_API_KEY", description="the variable with the key")
    thinking_tokens: int = Field(
        default=4096,
        ge=0,
        description="room to think that thinking models get beyond a reply's length",
    )


_Counts = dict[str, int | None]


class _Block(TypedDict):
    type: str
    text: str


class _Message(TypedDict, total=False):
    content: Required[list[_Block]]
    stop_reason: str | None
    usage: _Counts | None


class _Delta(TypedDict, total=False):
    type: Required[str]  # of a content block
    text: Required[str]  # of a text block
    stop_reason: str | None  # of the message


class _Error(TypedDict, total=False):
    type: str
    message: str


class _Event(TypedDict, total=False):
    type: Required[str]
    message: Required[_Message]
    delta: Required[_Delta]
    usage: _Counts | None
    error: _Error


class Anthropic:
    """Anthropic through one client.

    `refusing` is what its SDK raises for an HTTP status, `raw` its name for a reply as it came.
    """

    def __init__(
        self,
        client: AsyncAnthropic,
        faults: Faults,
        *,
        refusing: type[APIStatusError],
        raw: type[Response],
        thinking_tokens: int,
    ) -> None:
        self._client = client
        self._faults = faults
        self._refusing = refusing
        self._raw = raw
        self._thinking_tokens = thinking_tokens

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Ask once; streams only when `wrote` wants to hear."""
        faults = self._faults
        with faults.told(model):
            try:
                # beneath messages.create, which walks through every turn once more: 0.2 ms
                reply = await self._client.post(
                    "/v1/messages",
                    content=as_json(self._request(prompt, model, streamed=wrote is not None)),
                    options={"headers": {"Content-Type": "application/json"}},
                    cast_to=self._raw,
                    stream=wrote is not None,
                )
            except self._refusing as error:
                said = error.response
                status, body = error.status_code, said.content
                raise faults.by_status(model, status, body, said.headers) from error
            async with aclosing(reply):
                message = await self._read(reply, model, wrote)
            return self._completion(message, prompt, model)

    def _request(self, prompt: Prompt, model: str, *, streamed: bool) -> dict[str, object]:
        older = TAKES_TEMPERATURE.match(model) is not None
        request: dict[str, object] = {
            "model": model,
            "max_tokens": prompt.max_tokens + self._thinking_tokens * (not older),
            "messages": [_message(turn) for turn in prompt.turns],
            "stream": streamed,
        }
        if prompt.system:
            cached = {"type": "ephemeral"}
            request["system"] = [{"type": "text", "text": prompt.system, "cache_control": cached}]
        if older:
            request["temperature"] = min(prompt.temperature, 1.0)  # this API's scale ends at 1
        return request

    async def _read(self, reply: Response, model: str, wrote: Wrote | None) -> _Message:
        kind = reply.headers.get("content-type", "")
        if self._faults.streams(model, kind, wanted=wrote is not None) and wrote is not None:
            return await self._stream(reply, model, wrote)
        message: _Message = orjson.loads(await reply.aread())
        return message

    async def _stream(self, reply: Response, model: str, wrote: Wrote) -> _Message:
        """Put the message together again from its events."""
        events = Events()
        pieces: list[str] = []
        counts: _Counts = {}
        stop: str | None = None
        async for some in reply.aiter_bytes():
            for data in events.feed(some):
                event: _Event = orjson.loads(data)
                kind = event["type"]
                if kind == "content_block_delta":
                    delta = event["delta"]
                    if delta["type"] == "text_delta":
                        pieces.append(delta["text"])
                        wrote(delta["text"])
                elif kind == "message_start":
                    counts = event["message"].get("usage") or {}
                elif kind == "message_delta":
                    counts |= _told(event.get("usage"))
                    stop = event["delta"].get("stop_reason")
                elif kind == "error":
                    why = event.get("error") or _Error()
                    raise self._faults.by_name(model, why.get("type", ""), why.get("message", ""))
        text = _Block(type="text", text="".join(pieces))
        return _Message(content=[text], stop_reason=stop, usage=counts)

    def _completion(self, message: _Message, prompt: Prompt, model: str) -> Completion:
        text = "".join(block["text"] for block in message["content"] if block["type"] == "text")
        reason = message.get("stop_reason")
        if reason == "refusal":
            raise self._faults.refused(model, text)
        stop: Stop | None = "end" if reason else None
        if reason in {"max_tokens", "model_context_window_exceeded"}:
            stop = "length"
        return self._faults.completion(model, text, stop, _usage(message, prompt, text))


def _message(turn: Turn) -> dict[str, object]:
    if not turn.images:
        return {"role": turn.role, "content": turn.text}
    text = [{"type": "text", "text": turn.text}] if turn.text else []
    return {"role": turn.role, "content": [*map(_picture, turn.images), *text]}


def _picture(image: Attachment) -> dict[str, object]:
    source = {"type": "base64", "media_type": image.media_type, "data": base64_of(image)}
    return {"type": "image", "source": source}


def _told(counts: _Counts | None) -> _Counts:
    """What an event tells; null means "as said at the start"."""
    return {name: count for name, count in (counts or {}).items() if count is not None}


def _usage(message: _Message, prompt: Prompt, text: str) -> Usage:
    counts = message.get("usage")
    if not counts:
        return estimate(prompt, text)
    cached = counts.get("cache_read_input_tokens") or 0
    fresh = (counts.get("input_tokens") or 0) + (counts.get("cache_creation_input_tokens") or 0)
    return Usage(
        calls=1,
        input_tokens=fresh + cached,
        cached_input_tokens=cached,
        output_tokens=counts.get("output_tokens") or 0,
    )


@asynccontextmanager
async def open_anthropic(settings: AnthropicSettings) -> AsyncGenerator[Anthropic]:
    """Open the one client of this provider; closes it at the end."""
    import aiohttp
    import anthropic
    import httpx2

    secret = key(settings.api_key_env)
    transport = anthropic.DefaultAioHttpClient(
        limits=httpx2.Limits(max_connections=settings.connections),
        follow_redirects=False,
        timeout=None,
    )
    # in mid-stream this SDK lets its transport's own exceptions through
    broken = (anthropic.AnthropicError, httpx2.HTTPError, aiohttp.ClientError, OSError)
    async with anthropic.AsyncAnthropic(
        api_key=secret,
        base_url=settings.base_url,
        max_retries=0,
        timeout=None,  # the caller's deadline is the only one
        open_telemetry=False,  # a tenth of a call's CPU, also when nobody listens
        http_client=transport,
    ) as client:
        yield Anthropic(
            client,
            Faults(NAME, settings.api_key_env, secret, broken),
            refusing=anthropic.APIStatusError,
            raw=httpx2.Response,
            thinking_tokens=settings.thinking_tokens,
        )


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer this provider."""
    models = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5")
    register.provider(
        NAME, open_anthropic, AnthropicSettings, starter=Starter("ANTHROPIC_API_KEY", models)
    )
