"""Google's Gemini, through its SDK.

    [providers.gemini]
    plugin = "gemini"                # key from GEMINI_API_KEY

The SDK's own helpfulness is off: no second tries, no follow-up requests, no tool calls.
"""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from pydantic import Field

from moabot import hookimpl
from moabot.contract import Usage
from moabot.plugins import Starter
from moabot_providers.faults import Faults
from moabot_providers.settings import HttpSettings, key
from moabot_providers.wire import as_json, estimate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    from google.genai.errors import APIError
    from google.genai.types import (
        ContentDict,
        GenerateContentConfigDict,
        GenerateContentResponse,
        GenerateContentResponseUsageMetadata,
        PartDict,
    )

    from moabot.contract import Completion, Prompt, Stop, Turn, Wrote
    from moabot.errors import ProviderError
    from moabot.plugins import Register

__all__ = ["Gemini", "GeminiSettings", "moabot_register", "open_gemini"]

NAME: Final = "gemini"
ENDS: Final[dict[str, Stop]] = {"STOP": "end", "MAX_TOKENS": "length"}
RETRY_DELAY: Final = re.compile(rb'"retryDelay": ?"([0-9.]+)s"')
REFUSES: Final = frozenset(
    {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "ESCALATION"}
)


class GeminiSettings(HttpSettings):
    """`[providers.X]` with `plugin = "gemini"`."""

    api_key_env: str = Field(default="GEMINI_API_KEY", description="the variable with the key")
    api_version: str | None = Field(
        default=None, description='"v1beta" for models in preview; default: the SDK\'s'
    )
    thinking_tokens: int = Field(
        default=4096,
        ge=0,
        description="room to think that every model gets beyond a reply's length",
    )


@dataclass(slots=True)
class _Heard:
    """What has come so far; a plain reply comes all at once."""

    pieces: list[str] = field(default_factory=list[str])
    finish: str | None = None
    counts: GenerateContentResponseUsageMetadata | None = None

    def take(self, part: GenerateContentResponse) -> str:
        """Note what `part` brings; returns its text, without thoughts."""
        self.counts = part.usage_metadata or self.counts
        if part.prompt_feedback and part.prompt_feedback.block_reason:
            self.finish = part.prompt_feedback.block_reason.value
        text = ""
        for candidate in (part.candidates or [])[:1]:
            self.finish = candidate.finish_reason.value if candidate.finish_reason else self.finish
            parts = (candidate.content.parts if candidate.content else None) or []
            text = "".join(some.text for some in parts if some.text and not some.thought)
        self.pieces.append(text)
        return text


class _Models(Protocol):
    """What we use of the SDK's models, in types without holes."""

    async def generate_content(
        self, *, model: str, contents: list[ContentDict], config: GenerateContentConfigDict
    ) -> GenerateContentResponse: ...

    async def generate_content_stream(
        self, *, model: str, contents: list[ContentDict], config: GenerateContentConfigDict
    ) -> AsyncIterator[GenerateContentResponse]: ...


class Gemini:
    """Gemini through one client; `refusing` is what its SDK raises for an HTTP status."""

    def __init__(
        self, models: _Models, faults: Faults, *, refusing: type[APIError], thinking_tokens: int
    ) -> None:
        self._models = models
        self._faults = faults
        self._refusing = refusing
        self._thinking_tokens = thinking_tokens

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Ask once; streams only when `wrote` wants to hear."""
        heard = _Heard()
        with self._faults.told(model):
            try:
                await self._ask(prompt, model, heard, wrote)
            except self._refusing as error:
                raise self._rejected(error, model) from error
            return self._completion(heard, prompt, model)

    async def _ask(self, prompt: Prompt, model: str, heard: _Heard, wrote: Wrote | None) -> None:
        turns = [_content(turn) for turn in prompt.turns]
        config = self._config(prompt)
        if wrote is None:
            ask = self._models.generate_content
            heard.take(await ask(model=model, contents=turns, config=config))
            return
        stream = await self._models.generate_content_stream(
            model=model, contents=turns, config=config
        )
        async for part in stream:
            if piece := heard.take(part):
                wrote(piece)

    def _config(self, prompt: Prompt) -> GenerateContentConfigDict:
        config: GenerateContentConfigDict = {
            "max_output_tokens": prompt.max_tokens + self._thinking_tokens,
            "temperature": prompt.temperature,
            "automatic_continuation": False,
            "automatic_function_calling": {"disable": True},
        }
        if prompt.system:
            config["system_instruction"] = prompt.system
        return config

    def _completion(self, heard: _Heard, prompt: Prompt, model: str) -> Completion:
        text, finish = "".join(heard.pieces), heard.finish
        if finish in REFUSES:
            raise self._faults.refused(model, finish.lower())
        if finish is not None and finish not in ENDS:
            raise self._faults.garbled(model, f"it stopped for {finish}")
        stop = ENDS[finish] if finish else None
        return self._faults.completion(model, text, stop, _usage(heard, prompt, text))

    def _rejected(self, error: APIError, model: str) -> ProviderError:
        # the SDK leaves these two untyped
        body = as_json(getattr(error, "details", None))
        headers: Mapping[str, str] = getattr(getattr(error, "response", None), "headers", {})
        if delay := RETRY_DELAY.search(body):  # this vendor's own way of saying Retry-After
            headers = {"retry-after": delay[1].decode()}
        return self._faults.by_status(model, error.code, body, headers)


def _content(turn: Turn) -> ContentDict:
    parts: list[PartDict] = [
        {"inline_data": {"data": image.data, "mime_type": image.media_type}}
        for image in turn.images
    ]
    if turn.text or not parts:
        parts.append({"text": turn.text})
    return {"role": "user" if turn.role == "user" else "model", "parts": parts}


def _usage(heard: _Heard, prompt: Prompt, text: str) -> Usage:
    counts = heard.counts
    if counts is None or counts.prompt_token_count is None:
        return estimate(prompt, text)
    return Usage(
        calls=1,
        input_tokens=counts.prompt_token_count,
        cached_input_tokens=counts.cached_content_token_count or 0,
        output_tokens=(counts.candidates_token_count or 0) + (counts.thoughts_token_count or 0),
    )


@asynccontextmanager
async def open_gemini(settings: GeminiSettings) -> AsyncGenerator[Gemini]:
    """Open the one client of this provider; closes it at the end."""
    import aiohttp
    from google import genai
    from google.genai import errors, types

    secret = key(settings.api_key_env)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=settings.connections),
        timeout=aiohttp.ClientTimeout(total=None),
        trust_env=True,
    ) as session:
        client = genai.Client(
            api_key=secret,
            vertexai=False,
            http_options=types.HttpOptions(
                base_url=settings.base_url,
                api_version=settings.api_version,
                aiohttp_client=session,
                # without this the SDK waits up to ten seconds and asks again on its own
                retry_options=types.HttpRetryOptions(attempts=1),
            ),
        )
        broken = (errors.ContinuationInterruptedError, aiohttp.ClientError, OSError)
        faults = Faults(NAME, settings.api_key_env, secret, broken)
        try:
            yield Gemini(
                client.aio.models,
                faults,
                refusing=errors.APIError,
                thinking_tokens=settings.thinking_tokens,
            )
        finally:
            await client.aio.aclose()
            client.close()


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer this provider."""
    starter = Starter("GEMINI_API_KEY", ("gemini-3.8-flash", "gemini-3.5-flash-lite"))
    register.provider(NAME, open_gemini, GeminiSettings, starter=starter)
