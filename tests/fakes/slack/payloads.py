"""What Slack sends, in its own shapes: events, commands, clicks, submissions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.fakes.slack.workspace import Channel, Person, Post, Team, View

Json = dict[str, Any]
TYPES = {"channel": "channel", "group": "group", "im": "im"}


def event(team: Team, body: Json, *, name: str, at: float) -> Json:
    """An event in its outer envelope; `name` is the event_id."""
    granted = {"team_id": team.id, "user_id": team.bot, "is_bot": True, "enterprise_id": None}
    return {
        "token": "verification",
        "team_id": team.id,
        "api_app_id": "A1",
        "event": body,
        "type": "event_callback",
        "event_id": name,
        "event_time": int(at),
        "authorizations": [{**granted, "is_enterprise_install": False}],
        "is_ext_shared_channel": False,
        "event_context": f"4-{name}",
    }


def message(post: Post, channel: Channel) -> Json:
    """A `message` event."""
    wired = post.wire(team=channel.team)
    if post.files:
        wired["subtype"] = "file_share"
    wired |= {"channel": channel.id, "channel_type": TYPES[channel.kind], "event_ts": post.ts}
    return wired | {"client_msg_id": f"m-{post.ts}"}


def mention(post: Post, channel: Channel) -> Json:
    """An `app_mention` event."""
    wired = post.wire(team=channel.team) | {"type": "app_mention", "channel": channel.id}
    return wired | {"event_ts": post.ts, "client_msg_id": f"m-{post.ts}"}


def command(team: Team, channel: Channel, person: Person, *, name: str, text: str) -> Json:
    """A slash command, without its trigger and response_url."""
    return {
        "token": "verification",
        "team_id": team.id,
        "team_domain": team.id.lower(),
        "channel_id": channel.id,
        "channel_name": channel.name,
        "user_id": person.id,
        "user_name": person.name,
        "command": name,
        "text": text,
        "api_app_id": "A1",
        "is_enterprise_install": "false",
    }


def pressed(kind: str, team: Team, person: Person) -> Json:
    """What all interactions have in common."""
    return {
        "type": kind,
        "team": {"id": team.id, "domain": team.id.lower()},
        "user": {
            "id": person.id,
            "username": person.name,
            "name": person.name,
            "team_id": team.id,
        },
        "api_app_id": "A1",
        "token": "verification",
        "enterprise": None,
        "is_enterprise_install": False,
    }


def on_post(post: Post, channel: Channel) -> Json:
    """The message on which something was pressed."""
    where = {"message_ts": post.ts, "channel_id": channel.id, "is_ephemeral": bool(post.to)}
    if post.thread_ts:
        where["thread_ts"] = post.thread_ts
    said: Json = {
        "container": {"type": "message", **where},
        "channel": {"id": channel.id, "name": channel.name},
        "state": {"values": _state(post.blocks)},
    }
    return said if post.to else said | {"message": post.wire(team=channel.team)}


def elements(blocks: list[Json]) -> Iterator[tuple[str, Json]]:
    """Each thing that can be pressed or filled in, with its block's id."""
    for place, block in enumerate(blocks):
        name = str(block.get("block_id") or f"b{place}")
        inside = [*block.get("elements", []), block.get("accessory"), block.get("element")]
        for element in inside:
            if isinstance(element, dict) and element.get("type") in _PRESSABLE:  # pyright: ignore[reportUnknownMemberType] - JSON
                yield name, element  # pyright: ignore[reportUnknownMemberType] - JSON


_PRESSABLE = set(
    "button checkboxes static_select multi_static_select radio_buttons overflow plain_text_input "
    "number_input feedback_buttons icon_button users_select multi_users_select "
    "conversations_select channels_select".split()
)
_FILLED = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "multi_static_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
}


def _state(blocks: list[Json], chosen: dict[str, object] | None = None) -> Json:
    """What stands in the fields; `chosen` is by action_id, an option by its value."""
    values: Json = {}
    for block, element in elements(blocks):
        if (kind := str(element["type"])) not in _FILLED:
            continue
        name, initial = _FILLED[kind]
        action = str(element.get("action_id", ""))
        filled = element.get(initial)
        if chosen is not None and action in chosen:
            filled = _choice(element, chosen[action])
        values.setdefault(block, {})[action] = {"type": kind, name: filled}
    return values


def _choice(element: Json, wanted: object) -> object:
    """The option of that value, as a person can only choose what is offered; or the text."""
    options = element.get("options") or [
        option for group in element.get("option_groups", []) for option in group["options"]
    ]
    if not options:
        return wanted
    by_value = {option["value"]: option for option in options}
    if isinstance(wanted, list):
        return [by_value[each] for each in wanted]  # pyright: ignore[reportUnknownVariableType] - JSON
    return by_value[str(wanted)]


def action(blocks: list[Json], action_id: str, value: str | None, *, at: str) -> Json:
    """What pressing it sends. A KeyError: nothing of that name is on the screen."""
    for block, element in elements(blocks):
        if element.get("action_id") != action_id:
            continue
        kind = str(element["type"])
        sent: Json = {"type": kind, "action_id": action_id, "block_id": block, "action_ts": at}
        if kind == "feedback_buttons":
            bad = value in {"negative", element["negative_button"].get("value", "negative")}
            side = "negative" if bad else "positive"
            return (
                sent
                | {"text": element[f"{side}_button"]["text"]}
                | {"value": element[f"{side}_button"].get("value", "")}
            )
        if kind == "conversations_select":
            return sent | {"selected_conversation": value}
        if kind in {"static_select", "radio_buttons", "overflow"}:
            return sent | {"selected_option": _choice(element, value)}
        return sent | {"value": element.get("value", ""), "text": element.get("text")}
    shown = [element.get("action_id") for _, element in elements(blocks)]
    raise KeyError(f"Nothing named {action_id!r} can be pressed; there are {shown}.")


def submission(view: View, chosen: dict[str, object], *, team: Team) -> Json:
    """A view with what stands in its fields. A KeyError: no field has that action_id."""
    blocks: list[Json] = view.content["blocks"]
    there = {str(element.get("action_id")) for _, element in elements(blocks)}
    if unknown := set(chosen) - there:
        raise KeyError(f"There is no field {sorted(unknown)}; there are {sorted(there)}.")
    wired = view.wire(team=team.id, bot=team.bot_id)
    return wired | {"state": {"values": _state(blocks, chosen)}}
