"""What a person reads on the screen, whom a text rings, and what a reader's client would load."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_RINGS = re.compile(r"<(?:!(?:channel|here|everyone|subteam\^)|@[UWB])[^<>]*>")
_RINGS_BY_NAME = re.compile(r"(?<!\w)@[A-Za-z][\w.-]*")
_PICTURE = re.compile(r"!\[[^\]]*\]\(\s*<?([^)\s>]+)")
_PRESSED = {"actions", "context_actions"}


def reading(text: str, markdown: str, blocks: list[Json]) -> str:
    """The blocks' text if there are any, else the message's own; entities as their characters.

    Without what stands on buttons.
    """
    seen = [markdown] if markdown else []
    if blocks:
        seen += [
            line for block in blocks if block.get("type") not in _PRESSED for line in texts(block)
        ]
    elif not markdown:
        seen = [text]
    return html.unescape("\n".join(line for line in seen if line))


def texts(value: object) -> Iterator[str]:
    """Each text in a block, in the order in which it stands there."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:  # pyright: ignore[reportUnknownVariableType] - JSON
            yield from texts(part)  # pyright: ignore[reportUnknownArgumentType] - JSON
    elif isinstance(value, dict):
        yield from _of_object(value)  # pyright: ignore[reportUnknownArgumentType] - JSON


_HOLDING = ("text", "title", "fields", "elements", "rows", "tasks", "element", "label", "details")


def _of_object(value: Json) -> Iterator[str]:
    if value.get("type") == "user":
        yield f"<@{value.get('user_id', '')}>"
    if value.get("type") == "broadcast":
        yield f"<!{value.get('range', '')}>"
    for name in (*_HOLDING, "output", "sources"):
        if name in value:
            yield from texts(value[name])


def _raw(text: str, markdown: str, blocks: list[Json]) -> Iterator[str]:
    """The texts in which Slack looks for mentions: all but plain_text."""
    yield from (text, markdown)
    yield from (line for block in blocks for line in _marked(block))


def _marked(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for part in value:  # pyright: ignore[reportUnknownVariableType] - JSON
            yield from _marked(part)  # pyright: ignore[reportUnknownArgumentType] - JSON
    elif isinstance(value, dict):
        inside: Json = value  # pyright: ignore[reportUnknownVariableType] - JSON
        if inside.get("type") in {"mrkdwn", "markdown", "markdown_text"}:
            yield str(inside.get("text", ""))
        if inside.get("type") == "user":
            yield f"<@{inside.get('user_id', '')}>"
        if inside.get("type") == "broadcast":
            yield f"<!{inside.get('range', '')}>"
        for part in inside.values():
            yield from _marked(part)


def pings(text: str, markdown: str, blocks: list[Json], *, by_name: bool) -> list[str]:
    """Mentions that ring. One within code counts too: Slack reads <…> before it reads marks."""
    found: list[str] = []
    for line in _raw(text, markdown, blocks):
        found += _RINGS.findall(line)
        if by_name:
            found += _RINGS_BY_NAME.findall(line)
    return found


def pictures(markdown: str, blocks: list[Json]) -> list[str]:
    """Addresses of images, of image blocks and in Markdown."""
    return [*_PICTURE.findall(markdown), *(url for block in blocks for url in _images(block))]


def _images(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for part in value:  # pyright: ignore[reportUnknownVariableType] - JSON
            yield from _images(part)  # pyright: ignore[reportUnknownArgumentType] - JSON
    elif isinstance(value, dict):
        inside: Json = value  # pyright: ignore[reportUnknownVariableType] - JSON
        if "image_url" in inside:
            yield str(inside["image_url"])
        if inside.get("type") == "markdown":
            yield from _PICTURE.findall(str(inside.get("text", "")))
        for part in inside.values():
            yield from _images(part)
