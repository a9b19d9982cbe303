"""The example of a third party's plugin stays as short as it is promised to be."""

from __future__ import annotations

from pathlib import Path

MOST_LINES = 16
STRATEGY = "longest = "


def _lines(file: Path) -> list[str]:
    lines = [line.strip() for line in file.read_text().splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def test_a_provider_takes_sixteen_lines_of_python_and_toml_together(root: Path) -> None:
    """What is longer is written by fewer people; the line of the strategy is not its own."""
    acme = root / "examples/moabot-acme"
    toml = [line for line in _lines(acme / "pyproject.toml") if not line.startswith(STRATEGY)]

    assert len(_lines(acme / "moabot_acme/__init__.py") + toml) <= MOST_LINES


def test_its_users_need_two_steps(root: Path) -> None:
    """Install it, and name a model: whatever else is asked of them loses some."""
    readme = _lines(root / "examples/moabot-acme/README.md")

    assert [line[:2] for line in readme if line[:1].isdigit()] == ["1.", "2."]


def test_the_whole_test_of_a_provider_is_four_lines(root: Path) -> None:
    """A suite that takes a page to switch on is left switched off."""
    template = root / "bot/moabot/cli/template"

    assert len(_lines(template / "test_provider.txt")) <= 4
    assert len(_lines(template / "test_strategy.txt")) <= 4
