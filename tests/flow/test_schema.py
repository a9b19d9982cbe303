"""The schema that editors get says what the configuration says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.flow.conftest import Moabot

from moabot.cli.schema import schema_of
from moabot.plugins import Plugins

EXAMPLE = Path(__file__).parents[2] / "config.toml"
CHECK = Path(sys.executable).with_name("check-jsonschema")


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The schema, as an editor reads it."""
    path = tmp_path_factory.mktemp("schema") / "config.schema.json"
    path.write_text(json.dumps(schema_of(Plugins())))
    return path


def wrong(schema: Path, config: Path) -> int:
    """How many places an editor would underline."""
    command: list[str | Path] = [CHECK, "--schemafile", schema, "-o", "json", config]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return len(json.loads(done.stdout)["errors"])


def test_the_example_has_nothing_underlined(schema: Path) -> None:
    """The documented example is right, in every editor."""
    assert wrong(schema, EXAMPLE) == 0


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("[defualts]", 1),
        ("[defaults]\npreset = 'deepest'", 1),
        ("[providers.up]\nplugin = 'openai_compatible'\nbase_ulr = 'http://x'", 1),
        ("[providers.up]\nplugin = 'openai_compatible'\nbase_url = 'http://x/v1'", 0),
        ("[providers.up]\nplugin = 'opnai'", 1),
        ("[platforms.irc]", 1),
    ],
    ids=["table", "value", "wrong key of a plugin", "right key", "plugin", "platform"],
)
def test_what_the_bot_would_refuse_is_underlined(
    schema: Path, text: str, places: int, tmp_path: Path
) -> None:
    """Found while it is typed, not when the bot does not start."""
    (tmp_path / "config.toml").write_text(text)

    assert wrong(schema, tmp_path / "config.toml") == places


async def test_it_is_printed_as_json(moabot: Moabot) -> None:
    """Ready to be written into a file."""
    ended = await moabot("schema")

    assert (ended.code, ended.err) == (0, "")
    assert "properties" in json.loads(ended.out)
