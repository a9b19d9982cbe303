"""What Discord refuses in a message or a command, with its own codes."""

from __future__ import annotations

import re
from collections import Counter

from tests.fakes.discord.world import COMPONENTS_V2, Json, texts, walk

MIB = 1024 * 1024
CLASSIC = {1, 2, 3, 5, 6, 7, 8}  # rows, buttons, selects: the components of a plain message
COMMAND_NAME = re.compile(r"[-_'\w]{1,32}")
MOST_OF_A_KIND = {1: 100, 2: 15, 3: 15}  # slash commands, user menus, message menus


class Refusal(Exception):
    """Discord says no: an HTTP status, its own code, and where in the body the fault is."""

    def __init__(self, status: int, code: int, message: str, **errors: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"message": message, "code": code}
        if errors:
            said = {
                field: {"_errors": [{"code": what, "message": what}]}
                for field, what in errors.items()
            }
            self.body["errors"] = said


def invalid(**errors: str) -> Refusal:
    """The form is filled in wrongly: a field, and what is wrong with it."""
    return Refusal(400, 50035, "Invalid Form Body", **errors)


def check_message(
    *, content: str, embeds: list[Json], components: list[Json], flags: int, files: dict[str, bytes]
) -> None:
    """Refuse a message that Discord would not show as it is."""
    if any(len(data) > 10 * MIB for data in files.values()):
        raise Refusal(413, 40005, "Request entity too large")
    if flags & COMPONENTS_V2:
        _check_layout(content, embeds, components)
    elif any(part["type"] not in CLASSIC for part in walk(components)):
        raise invalid(components="UNION_TYPE_CHOICES")
    elif not (content or embeds or components or files):
        raise Refusal(400, 50006, "Cannot send an empty message")
    if len(content) > 2000:
        raise invalid(content="BASE_TYPE_MAX_LENGTH")
    _check_embeds(embeds)
    _check_components(components)


def _check_layout(content: str, embeds: list[Json], components: list[Json]) -> None:
    if content or embeds:
        raise invalid(flags="MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2")
    if not components:
        raise Refusal(400, 50006, "Cannot send an empty message")
    if len(walk(components)) > 40:
        raise invalid(components="COMPONENT_MAX_TOTAL_COMPONENTS")
    if sum(map(len, texts(components))) > 4000:
        raise invalid(components="COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED")
    if any(not text for text in texts(components)):
        raise invalid(components="BASE_TYPE_BAD_LENGTH")


def _check_embeds(embeds: list[Json]) -> None:
    if len(embeds) > 10 or any(len(embed.get("description", "")) > 4096 for embed in embeds):
        raise invalid(embeds="BASE_TYPE_MAX_LENGTH")
    if sum(len(embed.get("description", "") + embed.get("title", "")) for embed in embeds) > 6000:
        raise invalid(embeds="MAX_EMBED_SIZE_EXCEEDED")


def _check_components(components: list[Json]) -> None:
    parts = walk(components)
    ids = Counter(str(part["custom_id"]) for part in parts if "custom_id" in part)
    if any(times > 1 for times in ids.values()):
        raise invalid(components="COMPONENT_CUSTOM_ID_DUPLICATED")
    if any(not 1 <= len(each) <= 100 for each in ids):
        raise invalid(components="BASE_TYPE_BAD_LENGTH")
    for part in parts:
        inside = part.get("components", [])
        if part["type"] == 1 and not 1 <= len(inside) <= 5:
            raise invalid(components="BASE_TYPE_BAD_LENGTH")
        if len(part.get("label") or "") > 80 and part["type"] == 2:
            raise invalid(components="BASE_TYPE_MAX_LENGTH")
        if len(part.get("options", [])) > 25:
            raise invalid(components="BASE_TYPE_MAX_LENGTH")


def check_allowed_mentions(allowed: Json | None) -> None:
    """Refuse lists of ids beside the word that allows them all."""
    for kind in ("users", "roles"):
        if allowed and allowed.get(kind) and kind in allowed.get("parse", []):
            raise invalid(allowed_mentions="MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE")


def check_modal(modal: Json) -> None:
    """Refuse a form that cannot be shown."""
    if not 1 <= len(modal["title"]) <= 45 or not 1 <= len(modal["custom_id"]) <= 100:
        raise invalid(title="BASE_TYPE_BAD_LENGTH")
    if not 1 <= len(modal["components"]) <= 5:
        raise invalid(components="BASE_TYPE_BAD_LENGTH")
    for part in walk(modal["components"]):
        if len(part.get("label") or "") > 45:
            raise invalid(label="BASE_TYPE_MAX_LENGTH")


def check_choices(choices: list[Json]) -> None:
    """Refuse what autocompletion cannot show."""
    if len(choices) > 25:
        raise invalid(choices="BASE_TYPE_MAX_LENGTH")
    if any(not 1 <= len(choice["name"]) <= 100 for choice in choices):
        raise invalid(choices="BASE_TYPE_BAD_LENGTH")
    if any(isinstance(value := each["value"], str) and len(value) > 100 for each in choices):
        raise invalid(choices="BASE_TYPE_MAX_LENGTH")


def check_commands(commands: list[Json]) -> None:
    """Refuse commands that cannot be registered."""
    for kind, most in MOST_OF_A_KIND.items():
        if sum(each.get("type", 1) == kind for each in commands) > most:
            raise Refusal(400, 30032, "Maximum number of application commands reached")
    for command in commands:
        if command.get("type", 1) != 1:
            if command.get("description") or not 1 <= len(command["name"]) <= 32:
                raise invalid(description="APPLICATION_COMMAND_DESCRIPTION_NOT_EMPTY")
            continue
        _check_slash(command)


def _check_slash(command: Json) -> None:
    name = str(command["name"])
    if not COMMAND_NAME.fullmatch(name) or name != name.lower():
        raise invalid(name="APPLICATION_COMMAND_INVALID_NAME")
    if not 1 <= len(command.get("description", "")) <= 100:
        raise invalid(description="BASE_TYPE_BAD_LENGTH")
    options: list[Json] = command.get("options", [])
    if len(options) > 25:
        raise invalid(options="BASE_TYPE_MAX_LENGTH")
    needed = [bool(option.get("required")) for option in options]
    if needed != sorted(needed, reverse=True):
        raise invalid(options="APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID")
    for option in options:
        if len(option.get("choices") or []) > 25:
            raise invalid(choices="BASE_TYPE_MAX_LENGTH")
        _check_slash(option)
