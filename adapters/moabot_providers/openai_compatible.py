"""Whatever speaks OpenAI's Chat Completions: Ollama, vLLM, Together, Groq, DeepSeek, OpenRouter.

    [providers.ollama]
    plugin = "openai_compatible"
    base_url = "http://127.0.0.1:11434/v1"

Bare aiohttp, because a call costs a tenth of the CPU of an SDK's (bench/sdk_streams.py).
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Required, TypedDict
from urllib.request import getproxies

import orjson
from pydantic import Field

from moabot import hookimpl
from moabot.contract import Usage
from moabot_providers.faults import Faults
from moabot_providers.settings import BaseUrl, Settings, key
from moabot_providers.wire import Events, as_json, data_url, estimate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aiohttp import ClientResponse, ClientSession

    from moabot.contract import Completion, Prompt, Stop, Turn, Wrote
    from moabot.plugins import Register

__all__ = ["OpenAICompatible", "OpenAICompatibleSettings", "moabot_register", "open_compatible"]

NAME = "openai_compatible"


class OpenAICompatibleSettings(Settings):
    """`[providers.X]` with `plugin = "openai_compatible"`."""

    base_url: BaseUrl = Field(description="where /chat/completions is found; often ends in /v1")
    api_key_env: str = Field(
        default="", description="the variable with the key; default: no key is sent"
    )
    connections: int = Field(
        default=1024,
        ge=1,
        description="connections at once, of which each call in flight takes one",
    )


class _Cached(TypedDict, total=False):
    cached_tokens: int | None


class _Counts(TypedDict, total=False):
    prompt_tokens: Required[int]
    completion_tokens: Required[int]
    prompt_tokens_details: _Cached | None
    prompt_cache_hit_tokens: int  # DeepSeek's name for it
    cost: float | None  # US dollars, from OpenRouter


class _Said(TypedDict, total=False):
    content: str | None
    refusal: str | None


class _Choice(TypedDict, total=False):
    message: Required[_Said]  # in a plain reply
    delta: _Said | None  # in a stream
    finish_reason: str | None


class _Error(TypedDict, total=False):
    message: str
    code: int | str


class _Reply(TypedDict, total=False):
    choices: Required[list[_Choice]]  # a stream's last event may lack it
    usage: _Counts | None
    error: _Error


class OpenAICompatible:
    """One Chat Completions server, through one session."""

    def __init__(self, session: ClientSession, url: str, faults: Faults) -> None:
        self._session = session
        self._url = url
        self._faults = faults

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Ask once; streams only when `wrote` wants to hear."""
        faults = self._faults
        with faults.told(model):
            body = as_json(_request(prompt, model, streamed=wrote is not None))
            async with self._session.post(self._url, data=body, allow_redirects=False) as reply:
                if reply.status != 200:
                    raise faults.by_status(model, reply.status, await reply.read(), reply.headers)
                kind = reply.headers.get("Content-Type", "")
                if faults.streams(model, kind, wanted=wrote is not None) and wrote is not None:
                    return await self._stream(reply, prompt, model, wrote)
                return self._whole(orjson.loads(await reply.read()), prompt, model, wrote)

    def _whole(self, reply: _Reply, prompt: Prompt, model: str, wrote: Wrote | None) -> Completion:
        self._check(reply, model)
        choice = reply["choices"][0]
        said = choice["message"]
        text = said.get("content") or ""
        stop = self._stop(choice.get("finish_reason"), said.get("refusal"), model)
        done = self._faults.completion(model, text, stop, _usage(reply.get("usage"), prompt, text))
        if wrote is not None:  # a server that does not stream
            wrote(text)
        return done

    async def _stream(
        self, reply: ClientResponse, prompt: Prompt, model: str, wrote: Wrote
    ) -> Completion:
        events = Events()
        pieces: list[str] = []
        counts: _Counts | None = None
        stop: Stop | None = None
        async for some in reply.content.iter_any():
            for event in events.feed(some):
                chunk: _Reply = orjson.loads(event)
                self._check(chunk, model)
                counts = chunk.get("usage") or counts
                for choice in chunk.get("choices") or []:
                    said = choice.get("delta") or _Said()
                    if piece := said.get("content"):
                        pieces.append(piece)
                        wrote(piece)
                    finish, refusal = choice.get("finish_reason"), said.get("refusal")
                    stop = self._stop(finish, refusal, model) or stop
        text = "".join(pieces)
        return self._faults.completion(model, text, stop, _usage(counts, prompt, text))

    def _check(self, reply: _Reply, model: str) -> None:
        """OpenRouter and others put errors into a reply that began with 200."""
        if error := reply.get("error"):
            code = error.get("code")
            status = code if isinstance(code, int) and code > 200 else 500
            raise self._faults.by_status(model, status, as_json({"error": error}), {})

    def _stop(self, finish: str | None, refusal: str | None, model: str) -> Stop | None:
        if refusal or finish == "content_filter":
            raise self._faults.refused(model, refusal or "content filter")
        if finish is None:
            return None
        return "length" if finish == "length" else "end"


def _request(prompt: Prompt, model: str, *, streamed: bool) -> dict[str, object]:
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    request: dict[str, object] = {
        "model": model,
        "messages": [*system, *map(_message, prompt.turns)],
        "max_tokens": prompt.max_tokens,
        "temperature": prompt.temperature,
    }
    if streamed:
        request["stream"] = True
        request["stream_options"] = {"include_usage": True}
    return request


def _message(turn: Turn) -> dict[str, object]:
    if not turn.images:
        return {"role": turn.role, "content": turn.text}
    text = [{"type": "text", "text": turn.text}] if turn.text else []
    shown = [{"type": "image_url", "image_url": {"url": data_url(image)}} for image in turn.images]
    return {"role": turn.role, "content": [*text, *shown]}


def _usage(counts: _Counts | None, prompt: Prompt, text: str) -> Usage:
    if not counts:
        return estimate(prompt, text)
    cached = (counts.get("prompt_tokens_details") or {}).get("cached_tokens")
    cost = counts.get("cost")
    return Usage(
        calls=1,
        input_tokens=int(counts["prompt_tokens"]),
        cached_input_tokens=int(cached or counts.get("prompt_cache_hit_tokens") or 0),
        output_tokens=int(counts["completion_tokens"]),
        cost_usd=None if cost is None else Decimal(str(float(cost))),
    )


@asynccontextmanager
async def open_compatible(settings: OpenAICompatibleSettings) -> AsyncGenerator[OpenAICompatible]:
    """Open the one session of this server; closes it at the end."""
    import aiohttp

    secret = key(settings.api_key_env) if settings.api_key_env else ""
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    if secret:
        headers["Authorization"] = f"Bearer {secret}"
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=settings.connections),
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=bool(getproxies()),  # looked up once: aiohttp would do so in every call
    ) as session:
        faults = Faults(NAME, settings.api_key_env, secret, broken=(aiohttp.ClientError, OSError))
        yield OpenAICompatible(session, settings.base_url + "/chat/completions", faults)


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer this provider."""
    register.provider(NAME, open_compatible, OpenAICompatibleSettings)
