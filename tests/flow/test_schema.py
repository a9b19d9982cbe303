"""The schema that editors get says what the configuration says."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from tests.flow.conftest import Moabot

from moabot.cli.schema import schema_of
from moabot.plugins import Plugins

EXAMPLE = tomllib.loads((Path(__file__).parents[2] / "config.toml").read_text())


def wrong(table: dict[str, object]) -> list[str]:
    """What an editor would underline."""
    errors = Draft202012Validator(schema_of(Plugins())).iter_errors(table)
    return [error.message for error in errors]


def test_the_example_has_nothing_underlined() -> None:
    """The documented example is right, in every editor."""
    assert wrong(EXAMPLE) == []


@pytest.mark.parametrize(
    "table",
    [
        {"defualts": {}},
        {"defaults": {"preset": "deepest"}},
        {"providers": {"up": {"plugin": "openai_compatible", "base_ulr": "http://x"}}},
        {"providers": {"up": {"plugin": "opnai"}}},
        {"platforms": {"irc": {}}},
    ],
    ids=["table", "value", "key of a plugin", "plugin", "platform"],
)
def test_what_the_bot_would_refuse_is_underlined(table: dict[str, object]) -> None:
    """Found while it is typed, not when the bot does not start."""
    assert len(wrong(table)) == 1


def test_keys_of_a_plugin_are_known() -> None:
    """Not only the core's."""
    up = {"plugin": "openai_compatible", "base_url": "http://127.0.0.1:1/v1"}

    assert wrong({"providers": {"up": up}}) == []


async def test_it_is_printed_as_json(moabot: Moabot) -> None:
    """Ready to be written into a file."""
    ended = await moabot("schema")

    assert (ended.code, ended.err) == (0, "")
    assert "properties" in json.loads(ended.out)
