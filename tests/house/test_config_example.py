"""The config.toml that comes along is true: as it stands, and with every line switched on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from moabot.config import Config, load, parse
from moabot.plugins import Plugins


@pytest.fixture
def switched_on(root: Path) -> dict[str, object]:
    """The file with each `#` removed that stands before a key, a table or a bracket."""
    return tomllib.loads(re.sub(r"(?m)^#(?=\S)", "", (root / "config.toml").read_text()))


def test_the_file_as_it_stands_equals_the_defaults(root: Path) -> None:
    """A newcomer who starts in the checkout, without any key, must get what is documented."""
    assert load(root / "config.toml") == Config()


def test_every_line_that_is_switched_off_would_work(switched_on: dict[str, object]) -> None:
    """An administrator switches lines on by removing a sign, and trusts them."""
    config = parse(switched_on, source="config.toml")

    assert config.panels["default"].quorum == 2
    assert config.models["own"].price is not None


def test_the_example_shows_every_table(switched_on: dict[str, object]) -> None:
    """What the example does not show is not found."""
    assert set(switched_on) == set(Config.model_fields)


def test_the_example_names_plugins_that_exist(switched_on: dict[str, object]) -> None:
    """A name in an example is copied; it must not be a dead end."""
    config, plugins = parse(switched_on, source="config.toml"), Plugins()

    assert {chosen.plugin for chosen in config.providers.values()} <= set(
        plugins.offers("provider")
    )
    assert {own.plugin for own in config.strategies.values()} <= set(plugins.offers("strategy"))
