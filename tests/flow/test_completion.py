"""What a shell completes, `--version`, and a list of commands that is not cut."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.flow.conftest import CONFIG, MOABOT

pytestmark = pytest.mark.timeout(60)  # each starts the program


def completed(words: str, folder: Path) -> list[str]:
    """What bash is told for the last of `words`."""
    variables = {
        "_MOABOT_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = subprocess.run(
        [MOABOT],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("moabot ex", ["explain"]),
        ("moabot cache st", ["stats"]),
        ("moabot ask --strategy m", ["mixture"]),
        ("moabot ask --preset th", ["thorough"]),
        ("moabot ask --panel qu", ["quick"]),
        ("moabot ask --show", ["--show-proposals"]),
    ],
    ids=["command", "subcommand", "strategy", "preset", "panel", "option"],
)
def test_a_shell_completes(tmp_path: Path, words: str, wanted: list[str]) -> None:
    """Names of one's own, too: nobody remembers what the panels of last year are called."""
    text = CONFIG.format(url="http://127.0.0.1:9/v1", home=tmp_path)
    panel = '[panels.quick]\nproposers = [{model = "a"}]\n'
    (tmp_path / "config.toml").write_text(text + panel)

    assert completed(words, tmp_path) == wanted


@pytest.mark.parametrize("text", ["", "panels = 3\n", "[[[\n"], ids=["none", "wrong", "no TOML"])
def test_a_shell_completes_nothing_from_a_wrong_configuration(tmp_path: Path, text: str) -> None:
    """A traceback in the middle of a line that somebody types would be rude."""
    (tmp_path / "config.toml").write_text(text)

    assert completed("moabot ask --panel x", tmp_path) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script(tmp_path: Path, shell: str) -> None:
    """`eval` of it is the whole installation."""
    done = subprocess.run(
        [MOABOT],
        cwd=tmp_path,
        env={**os.environ, "_MOABOT_COMPLETE": f"source_{shell}"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "_MOABOT_COMPLETE" in done.stdout


@pytest.mark.parametrize("words", [[], ["cache"], ["plugins"]], ids=["all", "cache", "plugins"])
def test_every_command_is_described_on_one_line_of_80_columns(words: list[str]) -> None:
    """A sentence that ends in dots tells nobody which command to take."""
    done = subprocess.run(
        [MOABOT, *words, "--help"],
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    listed = done.stdout.partition("Commands:\n")[2].partition("Examples:")[0]

    assert listed
    assert "..." not in listed
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_version_tells_of_what_matters() -> None:
    """The first question under every report of a defect."""
    done = subprocess.run([MOABOT, "--version"], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()

    assert lines[0].startswith("moabot ")
    assert "(Python 3." in lines[0]
    assert {line.split()[0] for line in lines} >= {"moabot", "openai", "anthropic", "pydantic"}
