"""What is sent and read alike for all vendors: JSON, server-sent events, pictures, estimates."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Protocol

import orjson

from moabot.pricing import CHARS_PER_TOKEN, estimated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from moabot.contract import Attachment, Prompt, Usage

__all__ = ["Events", "Reply", "as_json", "base64_of", "data_url", "estimate"]


class Reply(Protocol):
    """What OpenAI's SDK gives when asked not to read the body itself."""

    @property
    def headers(self) -> Mapping[str, str]:
        """By lower-case name."""
        ...

    async def read(self) -> bytes:
        """The whole body."""
        ...

    def iter_bytes(self) -> AsyncIterator[bytes]:
        """The body, in the pieces that it comes in."""
        ...


class Events:
    """Cuts the bytes of a server-sent event stream into the JSON of its events.

    Every vendor here sends an event's JSON on one `data:` line, so a line is an event; comments,
    event names and `[DONE]` are dropped. Bytes and not typed objects: the official SDKs spend
    three to seven times the CPU on the same stream (bench/sdk_streams.py).
    """

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that `chunk` completes, as JSON bytes."""
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        return [data for line in lines if line[:5] == b"data:" and (data := _data(line))]


def _data(line: bytes) -> bytes:
    data = line[5:].strip()
    return b"" if data == b"[DONE]" else data


def as_json(value: object) -> bytes:
    """`value` as JSON bytes."""
    try:
        return orjson.dumps(value)
    except TypeError:  # half a surrogate pair in somebody's text: orjson refuses, json escapes
        return json.dumps(value).encode()


def base64_of(image: Attachment) -> str:
    """A picture's bytes as base64 text."""
    return b64encode(image.data).decode("ascii")


def data_url(image: Attachment) -> str:
    """A picture as a `data:` URL."""
    return f"data:{image.media_type};base64,{base64_of(image)}"


def estimate(prompt: Prompt, text: str) -> Usage:
    """Usage of a call whose vendor reported none, marked as estimated."""
    return estimated(prompt, output_tokens=-(-len(text) // CHARS_PER_TOKEN))
