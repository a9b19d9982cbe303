"""A fake vendor: one real server on loopback that speaks four wire formats and fails on demand."""

# ruff: noqa: D102 - what the methods of a wire format are for is told once, in Wire

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import pytest
from aiohttp import web

from moabot.contract import Provider
from moabot.plugins import Plugins

Json = dict[str, Any]
PIECES = ("Canberra", " is the", " capital — since 1913.")
TEXT = "".join(PIECES)
KEY = "sk-very-secret"
KEY_ENV = "FAKE_VENDOR_KEY"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, with what it says put into the same words for all vendors."""

    path: str
    headers: dict[str, str]
    body: Json
    heard: Heard


class Heard(TypedDict):
    """What a model would read: `turns` are (role, text, pictures as base64)."""

    system: str
    turns: list[tuple[str, str, list[str]]]
    max_tokens: int
    temperature: float | None


class Wire:
    """One vendor's format. `base` is what its base_url ends in."""

    base = ""

    def model(self, path: str, body: Json) -> str:
        """The model that is asked."""
        del path
        return str(body["model"])

    def streamed(self, path: str, body: Json) -> bool:
        """Whether a stream is asked for."""
        del path
        return body.get("stream") is True

    def heard(self, body: Json) -> Heard:
        """The request in words common to all vendors."""
        raise NotImplementedError

    def whole(self, text: str, *, stop: str, usage: bool) -> Json:
        """A plain reply; `stop` is end, length or refusal."""
        raise NotImplementedError

    def stream(self, pieces: tuple[str, ...], *, stop: str, usage: bool) -> list[bytes]:
        """The events of a streamed reply; the last ones tell how it ended."""
        raise NotImplementedError

    def failure(self, status: int, message: str) -> Json:
        """The body that goes with an HTTP error."""
        return {"error": {"message": message, "type": _kind(status), "code": _kind(status)}}

    def broken(self) -> bytes:
        """An event in mid-stream that says: overloaded."""
        raise NotImplementedError


def _kind(status: int) -> str:
    return {400: "invalid_request_error", 429: "rate_limit_error", 529: "overloaded_error"}.get(
        status, "api_error"
    )


def event(value: Json) -> bytes:
    """A server-sent event."""
    return f"event: {value.get('type', 'message')}\ndata: {json.dumps(value)}\n\n".encode()


def _parts(
    content: str | list[Json], text: str, picture: Callable[[Json], str]
) -> tuple[str, list[str]]:
    """Text and pictures of a turn, whose content is a text or a list of typed parts."""
    if isinstance(content, str):
        return content, []
    said = "".join(str(part["text"]) for part in content if part["type"] == text)
    return said, [picture(part) for part in content if part["type"] != text]


def _after_comma(url: object) -> str:
    return str(url).partition(",")[2]


class Chat(Wire):
    """Chat Completions."""

    base = "/v1"

    def heard(self, body: Json) -> Heard:
        messages = body["messages"]
        system = "".join(str(m["content"]) for m in messages if m["role"] == "system")
        turns = [
            (
                str(m["role"]),
                *_parts(m["content"], "text", lambda part: _after_comma(part["image_url"]["url"])),
            )
            for m in messages
            if m["role"] != "system"
        ]
        return _heard(system, turns, body["max_tokens"], body.get("temperature"))

    def _usage(self) -> Json:
        cached = {"cached_tokens": 100}
        return {"prompt_tokens": 120, "prompt_tokens_details": cached, "completion_tokens": 30}

    def whole(self, text: str, *, stop: str, usage: bool) -> Json:
        finish = {"end": "stop", "refusal": "content_filter"}.get(stop, stop)
        message = {"role": "assistant", "content": text}
        reply: Json = {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}
        return reply | ({"usage": self._usage()} if usage else {})

    def stream(self, pieces: tuple[str, ...], *, stop: str, usage: bool) -> list[bytes]:
        finish = {"end": "stop", "refusal": "content_filter"}.get(stop, stop)
        chunks: list[Json] = [{"choices": [{"delta": {"content": piece}}]} for piece in pieces]
        ends: list[Json] = [{"choices": [{"delta": {}, "finish_reason": finish}]}]
        if usage:
            ends.append({"choices": [], "usage": self._usage()})
        return [*map(event, chunks), b"".join(map(event, ends)) + b"data: [DONE]\n\n"]

    def broken(self) -> bytes:
        return event({"error": {"code": 529, "message": "Overloaded"}})


class Responses(Wire):
    """OpenAI's Responses API."""

    base = "/v1"

    def heard(self, body: Json) -> Heard:
        turns = [
            (
                str(item["role"]),
                *_parts(
                    item["content"], "input_text", lambda part: _after_comma(part["image_url"])
                ),
            )
            for item in body["input"]
        ]
        system = str(body.get("instructions", ""))
        return _heard(system, turns, body["max_output_tokens"], body.get("temperature"))

    def whole(self, text: str, *, stop: str, usage: bool) -> Json:
        part: Json = {"type": "output_text", "text": text, "annotations": []}
        if stop == "refusal":
            part = {"type": "refusal", "refusal": "I cannot help with that."}
        message = {"type": "message", "role": "assistant", "content": [part]}
        counted = {
            "input_tokens": 120,
            "input_tokens_details": {"cached_tokens": 100},
            "output_tokens": 30,
        }
        return {
            "object": "response",
            "status": "incomplete" if stop == "length" else "completed",
            "incomplete_details": {"reason": "max_output_tokens"} if stop == "length" else None,
            "output": [{"type": "reasoning", "summary": []}, message],
            "usage": counted if usage else None,
        }

    def stream(self, pieces: tuple[str, ...], *, stop: str, usage: bool) -> list[bytes]:
        deltas: list[Json] = [{"type": "response.output_text.delta", "delta": p} for p in pieces]
        response = self.whole("".join(pieces), stop=stop, usage=usage)
        kind = "response.incomplete" if stop == "length" else "response.completed"
        created: Json = {"type": "response.created", "response": {"status": "in_progress"}}
        ending: Json = {"type": kind, "response": response}
        return [event(created), *map(event, deltas), event(ending)]

    def broken(self) -> bytes:
        return event({"type": "error", "code": "server_error", "message": "Overloaded"})


class Messages(Wire):
    """Anthropic's Messages API."""

    def heard(self, body: Json) -> Heard:
        system = "".join(str(block["text"]) for block in body.get("system", []))
        turns = [
            (
                str(m["role"]),
                *_parts(m["content"], "text", lambda part: str(part["source"]["data"])),
            )
            for m in body["messages"]
        ]
        return _heard(system, turns, body["max_tokens"], body.get("temperature"))

    def whole(self, text: str, *, stop: str, usage: bool) -> Json:
        counted = {
            "input_tokens": 15,
            "cache_creation_input_tokens": 5,
            "cache_read_input_tokens": 100,
            "output_tokens": 30,
        }
        return {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": text}],
            "stop_reason": {"end": "end_turn", "length": "max_tokens"}.get(stop, stop),
            "usage": counted if usage else None,
        }

    def stream(self, pieces: tuple[str, ...], *, stop: str, usage: bool) -> list[bytes]:
        whole = self.whole("", stop=stop, usage=usage)
        counted: Json = whole["usage"] or {}
        early: Json = {**counted, "output_tokens": 1}
        start: Json = {"type": "message_start", "message": {"usage": early}}
        thought = {"type": "thinking_delta", "thinking": "Hm."}
        thinking: Json = {"type": "content_block_delta", "index": 0, "delta": thought}
        deltas: list[Json] = [
            {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": p}}
            for p in pieces
        ]
        ends: list[Json] = [
            {
                "type": "message_delta",
                "delta": {"stop_reason": whole["stop_reason"]},
                "usage": {"output_tokens": 30, "input_tokens": None},
            },
            {"type": "message_stop"},
        ]
        if not usage:
            start["message"] = {}
            ends[0]["usage"] = None
        first = event(start) + event({"type": "ping"}) + event(thinking)
        return [first, *map(event, deltas), b"".join(map(event, ends))]

    def failure(self, status: int, message: str) -> Json:
        return {"type": "error", "error": {"type": _kind(status), "message": message}}

    def broken(self) -> bytes:
        return event(self.failure(529, "Overloaded"))


class Generate(Wire):
    """Gemini's generateContent."""

    def model(self, path: str, body: Json) -> str:
        return path.rpartition("/")[2].partition(":")[0]

    def streamed(self, path: str, body: Json) -> bool:
        return path.endswith(":streamGenerateContent")

    def heard(self, body: Json) -> Heard:
        config = body["generationConfig"]
        instruction = body.get("systemInstruction", {"parts": []})
        system = "".join(str(part["text"]) for part in instruction["parts"])
        turns: list[tuple[str, str, list[str]]] = []
        for content in body["contents"]:
            parts = content["parts"]
            text = "".join(str(part["text"]) for part in parts if "text" in part)
            pictures = [str(p["inlineData"]["data"]) for p in parts if "inlineData" in p]
            role = "assistant" if content["role"] == "model" else "user"
            turns.append((role, text, pictures))
        return _heard(system, turns, config["maxOutputTokens"], config.get("temperature"))

    def whole(self, text: str, *, stop: str, usage: bool) -> Json:
        finish = {"end": "STOP", "length": "MAX_TOKENS", "refusal": "SAFETY"}[stop]
        counted = {
            "promptTokenCount": 120,
            "cachedContentTokenCount": 100,
            "candidatesTokenCount": 20,
            "thoughtsTokenCount": 10,
        }
        thought = {"text": "Hm.", "thought": True}
        content = {"role": "model", "parts": [thought, {"text": text}]}
        reply: Json = {"candidates": [{"content": content, "finishReason": finish}]}
        return reply | ({"usageMetadata": counted} if usage else {})

    def stream(self, pieces: tuple[str, ...], *, stop: str, usage: bool) -> list[bytes]:
        chunks: list[Json] = [
            {"candidates": [{"content": {"role": "model", "parts": [{"text": piece}]}}]}
            for piece in pieces
        ]
        lines = [*chunks, self.whole("", stop=stop, usage=usage)]
        return [f"data: {json.dumps(line)}\r\n\r\n".encode() for line in lines]

    def failure(self, status: int, message: str) -> Json:
        return {"error": {"code": status, "message": message, "status": "FAILED"}}

    def broken(self) -> bytes:
        return f"data: {json.dumps(self.failure(503, 'Overloaded'))}\r\n\r\n".encode()


def _heard(
    system: str, turns: list[tuple[str, str, list[str]]], most: int, temperature: float | None
) -> Heard:
    return Heard(system=system, turns=turns, max_tokens=most, temperature=temperature)


WIRES = {
    "openai": Responses(),
    "anthropic": Messages(),
    "gemini": Generate(),
    "openai_compatible": Chat(),
}


@dataclass(slots=True)
class FakeVendor:
    """A vendor whose models are named for what they do; any other name answers well.

    hang, hang-mid, abort, abort-mid, early-eof, broken (an error event), garbled, wrong-shape, html,
    plain (text), empty, blank, refusal, length, no-usage, redirect, too-long (context length),
    and every HTTP status from 400 to 529; 429 asks for 7 seconds. What `says` holds is said first,
    one for each call: JSON, or the bytes of a stream.
    """

    wire: Wire
    url: str = ""
    asked: list[Asked] = field(default_factory=list[Asked])
    left_at: asyncio.Queue[float] = field(default_factory=asyncio.Queue[float])
    together: asyncio.Barrier | None = None
    says: list[Json | bytes] = field(default_factory=list[Json | bytes])

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request as its model's name says; notes when a client leaves."""
        body: Json = await request.json()
        path = request.path
        model, streamed = self.wire.model(path, body), self.wire.streamed(path, body)
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(path, headers, body, self.wire.heard(body)))
        if self.together is not None:
            await self.together.wait()
        if self.says:
            said = self.says.pop(0)
            if isinstance(said, bytes):
                return web.Response(body=said, content_type="text/event-stream")
            return web.json_response(said, status=said.get("status_of_http", 200))
        try:
            if streamed and not model.isdigit() and model not in UNSTREAMED:
                return await self._stream(request, model)
            return await self._whole(request, model)
        except asyncio.CancelledError:
            self.left_at.put_nowait(asyncio.get_running_loop().time())
            raise

    async def _whole(self, request: web.Request, model: str) -> web.StreamResponse:
        match model:
            case "hang":
                await asyncio.Event().wait()
            case "abort" if request.transport is not None:
                request.transport.abort()
            case "hang-mid" | "abort-mid":
                reply = web.StreamResponse(headers={"Content-Type": "application/json"})
                reply.content_length = 100
                await reply.prepare(request)
                await reply.write(b'{"half":')
                return await self._break(request, reply, model)
            case _ if model in BODIES:
                kind, content = BODIES[model]
                return web.Response(text=content, content_type=kind)
            case "redirect":
                raise web.HTTPTemporaryRedirect(f"{self.url}/elsewhere")
            case "too-long":
                said = self.wire.failure(400, "This exceeds the model's maximum context length.")
                return web.json_response(said, status=400)
            case _ if model.isdigit():
                said = self.wire.failure(int(model), f"No luck with {KEY} today.")
                headers = {"Retry-After": "7"} if model == "429" else {}
                return web.json_response(said, status=int(model), headers=headers)
            case _:
                pass
        text = {"empty": "", "blank": " \n"}.get(model, TEXT)
        stop = model if model in {"length", "refusal"} else "end"
        return web.json_response(self.wire.whole(text, stop=stop, usage=model != "no-usage"))

    async def _stream(self, request: web.Request, model: str) -> web.StreamResponse:
        pieces = {"empty": (), "blank": (" ", "\n")}.get(model, PIECES)
        stop = model if model in {"length", "refusal"} else "end"
        events = self.wire.stream(pieces, stop=stop, usage=model != "no-usage")
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await reply.prepare(request)
        if model == "garbled":
            events = [b'data: {"half": \n\n']
        if model == "wrong-shape":
            events = [b'data: ["what"]\n\n']
        if model in {"hang-mid", "abort-mid", "early-eof", "broken"}:
            events = events[:2]
        for part in events:
            await reply.write(part)
        if model == "broken":
            await reply.write(self.wire.broken())
        return await self._break(request, reply, model)

    async def _break(
        self, request: web.Request, reply: web.StreamResponse, model: str
    ) -> web.StreamResponse:
        if model == "hang-mid":
            await asyncio.Event().wait()
        if model == "abort-mid" and request.transport is not None:
            request.transport.abort()
        return reply


BODIES = {
    "html": ("text/html", f"<html>Bad gateway {KEY}</html>"),
    "plain": ("text/plain", "All is well."),
    "garbled": ("application/json", '{"choices": <'),
    "wrong-shape": ("application/json", '["what", {"is": "this"}]'),
}
UNSTREAMED = {"hang", "abort", "html", "plain", "redirect", "too-long"}
"""Faults that come before a stream begins."""


@pytest.fixture
def name() -> str:
    """The provider under test; tests override it by their parameters."""
    return "openai_compatible"


@asynccontextmanager
async def serving(name: str) -> AsyncGenerator[FakeVendor]:
    """A vendor that speaks the wire format of the provider `name`, on loopback."""
    fake = FakeVendor(WIRES[name])
    app = web.Application()
    app.router.add_post("/{path:.*}", fake.serve)
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()


@pytest.fixture
async def vendor(name: str) -> AsyncGenerator[FakeVendor]:
    """A vendor that speaks the wire format of the provider under test."""
    async with serving(name) as fake:
        yield fake


Opening = Callable[..., AbstractAsyncContextManager[Provider]]


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    """The plugins that come with the product."""
    return Plugins()


@pytest.fixture
def opening(
    name: str, vendor: FakeVendor, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> Opening:
    """Opens the provider under test upon the fake vendor, with more settings if given."""
    monkeypatch.setenv(KEY_ENV, KEY)

    def open_it(**settings: object) -> AbstractAsyncContextManager[Provider]:
        offer = plugins.offers("provider")[name]
        url = vendor.url + vendor.wire.base
        given = {"base_url": url, "api_key_env": KEY_ENV, **settings}
        return offer.factory(offer.settings.model_validate(given))

    return open_it


@pytest.fixture
async def provider(opening: Opening) -> AsyncGenerator[Provider]:
    """The provider under test, opened upon the fake vendor."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(opening())


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """A file of stored answers for the provider replay."""
    rows = [
        {"model": "a", "prompt": "What is the capital of Australia?", "text": TEXT},
        {"model": "a", "prompt": "capital of Australia?", "text": "The shorter question."},
        {
            "model": "b",
            "prompt": "2 + 2\nis what?",
            "text": "4",
            "input_tokens": 9,
            "output_tokens": 1,
        },
        {"model": "b", "prompt": "2 + 2\nis what?", "text": "four"},
    ]
    file = tmp_path / "answers.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return file
