"""Modals: settings of a channel, a question about a message, a reason for a thumb down."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from moabot_platforms.commands import BUDGETS
from moabot_platforms.slack.payload import Json, inside, text

__all__ = [
    "ABOUT",
    "REASON",
    "SETTINGS",
    "about",
    "entered",
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
    """What may be changed in `channel`, as it is `here`: lists of `choices`, and budgets."""
    lists = [
        _input(name, _select(name, values, here.get(name, "")), label=name.capitalize())
        for name, values in choices.items()
    ]
    budgets = [
        _input(name, _amount(name, here[name]), label=f"USD a {span}", optional=True)
        for span, name in BUDGETS.items()
        if name in here
    ]
    return _modal(SETTINGS, "Settings here", [*lists, *budgets], note={"channel": channel})


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
    return text(_values(body), name, name, "value").strip()


def entered(body: Json) -> Mapping[str, str]:
    """What stands in each field: the value of the option that was chosen, or what was written."""
    fields = {name: inside(each, name) for name, each in _values(body).items()}
    return {
        name: text(field, "selected_option", "value") or text(field, "value").strip()
        for name, field in fields.items()
    }


def _values(body: Json) -> Json:
    return inside(body, "view", "state", "values")


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


def _amount(name: str, now: str) -> Json:
    return {
        "type": "number_input",
        "action_id": name,
        "is_decimal_allowed": True,
        "min_value": "0",
        **({"initial_value": now} if now else {}),
    }


def _plain(words: str) -> Json:
    return {"type": "plain_text", "text": words}
