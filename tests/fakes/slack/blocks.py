"""Whether Slack takes a message's blocks, a view, the chunks of a stream; if not, what it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.fakes.slack.limits import Limits
from tests.fakes.slack.shown import texts

Json = dict[str, Any]

BLOCKS = set(
    "actions alert card carousel container context context_actions divider file header image input "
    "markdown plan rich_text section table task_card video".split()
)
ELEMENTS = {
    "actions": set(
        "button checkboxes datepicker datetimepicker overflow radio_buttons static_select "
        "multi_static_select users_select conversations_select channels_select external_select "
        "timepicker workflow_button".split()
    ),
    "context_actions": {"feedback_buttons", "icon_button"},
    "context": {"mrkdwn", "plain_text", "image"},
    "input": set(
        "plain_text_input number_input checkboxes radio_buttons static_select multi_static_select "
        "users_select multi_users_select conversations_select channels_select datepicker "
        "timepicker external_select email_text_input url_text_input rich_text_input".split()
    ),
}
TASK_STATES = {"pending", "in_progress", "complete", "error"}
_NEEDS = {
    "actions": "elements",
    "context": "elements",
    "context_actions": "elements",
    "header": "text",
    "image": "alt_text",
    "input": "element",
    "markdown": "text",
    "plan": "title",
    "rich_text": "elements",
    "table": "rows",
    "task_card": "task_id",
}
_MOST_ELEMENTS = {"actions": 25, "context": 10, "context_actions": 5}


def problems(blocks: object, *, most: int, views: bool = False) -> list[str]:
    """What is wrong with a list of blocks, in Slack's words; nothing: it is taken."""
    if not isinstance(blocks, list):
        return ["must be an array [json-pointer:/blocks]"]
    listed: list[object] = blocks  # pyright: ignore[reportUnknownVariableType] - JSON
    if len(listed) > most:
        return [f"no more than {most} items allowed [json-pointer:/blocks]"]
    found = [
        f"{problem} [json-pointer:/blocks/{place}]"
        for place, block in enumerate(listed)
        for problem in _of_block(block, views=views)
    ]
    ids = [block.get("block_id") for block in _objects(listed) if block.get("block_id")]
    if len(ids) != len(set(ids)):
        found.append("`block_id` must be unique [json-pointer:/blocks]")
    return found


def _objects(values: list[object]) -> Iterator[Json]:
    for value in values:
        if isinstance(value, dict):
            yield value


def _of_block(block: object, *, views: bool) -> Iterator[str]:
    if not isinstance(block, dict):
        yield "must be an object"
        return
    inside: Json = block  # pyright: ignore[reportUnknownVariableType] - JSON
    kind = inside.get("type")
    if kind not in BLOCKS:
        yield f"unsupported type: {kind}"
        return
    if (needed := _NEEDS.get(kind)) and not inside.get(needed):
        yield f"missing required field: {needed}"
    if len(str(inside.get("block_id", ""))) > 255:
        yield "must be less than 256 characters: block_id"
    if kind == "markdown" and views:
        yield "unsupported type: markdown"
    yield from _of_kind(inside, kind)
    yield from _of_elements(inside, kind)


def _of_kind(block: Json, kind: str) -> Iterator[str]:
    match kind:
        case "section":
            yield from _of_section(block)
        case "table":
            yield from _of_table(block)
        case "header":
            yield from _of_text(block.get("text"), most=150, kinds={"plain_text"})
        case "markdown" if len(str(block.get("text"))) > 12_000:
            yield "must be less than 12001 characters"
        case "image" if not (block.get("image_url") or block.get("slack_file")):
            yield "missing required field: image_url"
        case "task_card" if block.get("status", "pending") not in TASK_STATES:
            yield f"must be a valid enum value: {block.get('status')}"
        case _:
            pass


def _of_section(block: Json) -> Iterator[str]:
    if not block.get("text") and not block.get("fields"):
        yield "missing required field: text"
    if "text" in block:
        yield from _of_text(block["text"], most=3000, kinds={"mrkdwn", "plain_text"})
    fields = block.get("fields", [])
    if len(fields) > 10:
        yield "no more than 10 items allowed: fields"
    for each in fields:
        yield from _of_text(each, most=2000, kinds={"mrkdwn", "plain_text"})
    if "accessory" in block:
        yield from _of_element(block["accessory"])


def _of_text(text: object, *, most: int, kinds: set[str]) -> Iterator[str]:
    if not isinstance(text, dict):
        yield "must provide an object: text"
        return
    inside: Json = text  # pyright: ignore[reportUnknownVariableType] - JSON
    if inside.get("type") not in kinds:
        yield f"unsupported type: {inside.get('type')}"
    if not str(inside.get("text", "")):
        yield "must be more than 0 characters"
    if len(str(inside.get("text", ""))) > most:
        yield f"must be less than {most + 1} characters"


def _of_table(block: Json) -> Iterator[str]:
    rows = block.get("rows")
    if not isinstance(rows, list):
        yield "must be an array: rows"
        return
    listed: list[Any] = rows  # pyright: ignore[reportUnknownVariableType] - JSON
    if len(listed) > 100:
        yield "no more than 100 items allowed: rows"
    if any(not isinstance(row, list) or len(row) > 20 for row in listed):  # pyright: ignore[reportUnknownArgumentType] - JSON
        yield "no more than 20 items allowed: row"
    if len({len(row) for row in listed if isinstance(row, list)}) > 1:  # pyright: ignore[reportUnknownArgumentType] - JSON
        yield "rows must have the same number of cells"
    for row in listed:
        for cell in row:
            if not isinstance(cell, dict) or cell.get("type") not in {"raw_text", "rich_text"}:  # pyright: ignore[reportUnknownMemberType] - JSON
                yield "unsupported type of cell"


def _of_elements(block: Json, kind: str) -> Iterator[str]:
    elements = block.get("elements", [])
    if kind in _MOST_ELEMENTS and len(elements) > _MOST_ELEMENTS[kind]:
        yield f"no more than {_MOST_ELEMENTS[kind]} items allowed: elements"
    if kind == "input" and isinstance(block.get("element"), dict):
        elements = [block["element"]]
        yield from _of_text(block.get("label"), most=2000, kinds={"plain_text"})
    ids: list[object] = []
    for element in elements:
        if kind in ELEMENTS and element.get("type") not in ELEMENTS[kind]:
            yield f"unsupported type: {element.get('type')}"
        if kind in {"actions", "context_actions", "input"}:
            yield from _of_element(element)
            ids.append(element.get("action_id"))
        if kind == "context" and element.get("type") != "image":
            yield from _of_text(element, most=2000, kinds={"mrkdwn", "plain_text"})
    named = [each for each in ids if each]
    if len(named) != len(set(named)):
        yield "`action_id` must be unique"


def _of_element(element: Json) -> Iterator[str]:
    kind = element.get("type")
    if len(str(element.get("action_id", ""))) > 255:
        yield "must be less than 256 characters: action_id"
    if len(str(element.get("value", ""))) > 2000:
        yield "must be less than 2001 characters: value"
    if kind == "button":
        yield from _of_text(element.get("text"), most=75, kinds={"plain_text"})
        if element.get("style", "primary") not in {"primary", "danger"}:
            yield f"must be a valid enum value: {element.get('style')}"
    if kind == "feedback_buttons":
        for side in ("positive_button", "negative_button"):
            if not isinstance(element.get(side), dict):
                yield f"missing required field: {side}"
                continue
            yield from _of_text(element[side].get("text"), most=75, kinds={"plain_text"})
    if kind == "icon_button" and element.get("icon") != "trash":
        yield f"must be a valid enum value: {element.get('icon')}"
    if str(kind).endswith("static_select"):
        yield from _of_options(element)


def _of_options(element: Json) -> Iterator[str]:
    options = element.get("options") or [
        option for group in element.get("option_groups", []) for option in group["options"]
    ]
    if not 1 <= len(options) <= 100:
        yield "must have 1 to 100 options"
    for option in options:
        yield from _of_text(option.get("text"), most=75, kinds={"plain_text"})
        if not 1 <= len(str(option.get("value", ""))) <= 150:
            yield "must be less than 151 characters: value"
    chosen = element.get("initial_option")
    if chosen is not None and chosen not in options:
        yield "initial_option must be one of the options"


def text_length(blocks: list[Json]) -> int:
    """How much text they have together."""
    return sum(len(text) for block in blocks for text in texts(block))


def view_problems(view: object) -> list[str]:
    """What is wrong with a modal or a home tab."""
    if not isinstance(view, dict):
        return ["must be an object [json-pointer:/view]"]
    inside: Json = view  # pyright: ignore[reportUnknownVariableType] - JSON
    found = problems(inside.get("blocks"), most=100, views=True)
    if inside.get("type") not in {"modal", "home"}:
        found.append(f"unsupported type: {inside.get('type')} [json-pointer:/view]")
    if inside.get("type") == "modal":
        found += _of_text(inside.get("title"), most=24, kinds={"plain_text"})
        for button in ("submit", "close"):
            if inside.get(button):
                found += _of_text(inside[button], most=24, kinds={"plain_text"})
        asks = any(block.get("type") == "input" for block in inside.get("blocks", []))
        if asks and not inside.get("submit"):
            found.append("a submit is required when an input block is within the view")
    if len(str(inside.get("private_metadata", ""))) > 3000:
        found.append("must be less than 3001 characters: private_metadata")
    if len(str(inside.get("callback_id", ""))) > 255:
        found.append("must be less than 256 characters: callback_id")
    return found


def chunk_problem(chunk: object, limits: Limits) -> str:
    """The error that a chunk of a stream is refused with; "" if it is taken."""
    if not isinstance(chunk, dict):
        return "invalid_chunks"
    inside: Json = chunk  # pyright: ignore[reportUnknownVariableType] - JSON
    match inside.get("type"):
        case "markdown_text" if isinstance(inside.get("text"), str):
            return "msg_too_long" if len(inside["text"]) > limits.markdown_text else ""
        case "plan_update" if inside.get("title"):
            return ""
        case "task_update" if inside.get("id") and inside.get("title"):
            return "" if inside.get("status") in TASK_STATES else "invalid_chunks"
        case "blocks":
            return "invalid_blocks" if problems(inside.get("blocks"), most=limits.blocks) else ""
        case _:
            return "invalid_chunks"
