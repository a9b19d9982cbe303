"""Modals: settings of a channel, a question about a message, a reason for a thumb down."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from moabot_platforms.slack.payload import Json, inside, text

__all__ = [
    "ABOUT",
    "REASON",
    "SETTINGS",
    "about",
    "chosen",
    "filled",
    "noted",
    "reason",
    "settings",
]

SETTINGS, ABOUT, REASON = "moabot_settings", "moabot_about", "moabot_reason"
"""The names under which they come back."""


def settings(
    here: Mapping[str, str], choices: Mapping[str, Sequence[str]], *, channel: str
) -> Json:
    """The settings that have a fixed list of values, with what holds in `channel` now."""
    return _modal(
        SETTINGS,
        "Settings here",
        [
            _input(name, _select(name, values, here.get(name, "")), label=name.capitalize())
            for name, values in choices.items()
        ],
        note={"channel": channel},
    )


def about(message: str, *, channel: str, thread: str, author: str) -> Json:
    """What does somebody want to know about a message?"""
    element: Json = {"type": "plain_text_input", "multiline": True, "action_id": "question"}
    quoted = message if len(message) <= 1500 else f"{message[:1500]}…"
    note = {"channel": channel, "thread": thread, "author": author, "quoted": quoted}
    while len(json.dumps(note)) > 3000:
        note["quoted"] = note["quoted"][: len(note["quoted"]) * 2 // 3] + "…"
    question = _input("question", element, label="Your question about it")
    return _modal(ABOUT, "Ask moabot", [question], note=note)


def reason(event: str, *, channel: str) -> Json:
    """What was bad about an answer?"""
    element: Json = {"type": "plain_text_input", "multiline": True, "action_id": "reason"}
    what = _input("reason", element, label="What was wrong with the answer?", optional=True)
    return _modal(REASON, "Thank you", [what], note={"event": event, "channel": channel})


def noted(body: Json) -> Mapping[str, str]:
    """What the modal was opened with; a person can change all of it, so trust none of it."""
    try:
        note: object = json.loads(text(body, "view", "private_metadata"))
    except ValueError:
        note = {}
    found = inside(note)
    names = ("channel", "thread", "author", "quoted", "event")
    return {name: text(found, name) for name in names}


def filled(body: Json, name: str) -> str:
    """What was written into a field."""
    return text(body, "view", "state", "values", name, name, "value").strip()


def chosen(body: Json, name: str) -> str:
    """What was chosen in a list."""
    return text(body, "view", "state", "values", name, name, "selected_option", "value")


def _modal(name: str, title: str, fields: list[Json], *, note: Mapping[str, str]) -> Json:
    return {
        "type": "modal",
        "callback_id": name,
        "private_metadata": json.dumps(note),
        "title": _plain(title),
        "submit": _plain("Send" if name != SETTINGS else "Save"),
        "close": _plain("Cancel"),
        "blocks": fields,
    }


def _input(name: str, element: Json, *, label: str, optional: bool = False) -> Json:
    return {
        "type": "input",
        "block_id": name,
        "label": _plain(label),
        "element": element,
        "optional": optional,
    }


def _select(name: str, values: Sequence[str], now: str) -> Json:
    options = [{"text": _plain(value[:75]), "value": value[:150]} for value in values[:100]]
    initial = [option for option in options if option["value"] == now]
    return {
        "type": "static_select",
        "action_id": name,
        "options": options,
        **({"initial_option": initial[0]} if initial else {}),
    }


def _plain(words: str) -> Json:
    return {"type": "plain_text", "text": words}
