"""config.toml as a person wrote it, after a program wrote into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from moabot.cli.allowing import allow, forbid
from moabot.config import load
from moabot.errors import ConfigError
from moabot.pins import Pin

PIN = Pin("moabot-acme", "0.1.0", "a" * 64)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "data_dir = 'd'  # here\n",
        "[plugins]\n",
        "[plugins]\nallow = []   # nobody\n# the end\n",
        '[plugins]\nallow = ["other"]\nload_s = 3\n[limits]\ncalls = 5  # few\n',
        '[plugins]\nallow = [\n  "other", # a friend\'s\n  "Moabot_Acme",\n]\n',
        'plugins.allow = ["other"]\n',
    ],
    ids=["empty", "no table", "no list", "empty list", "one line", "several lines", "dotted"],
)
def test_an_entry_comes_and_goes_and_all_else_stays(tmp_path: Path, text: str) -> None:
    """Whoever keeps a configuration under version control reads each change of it."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    others = [each for each in load(path).plugins.allow if each == "other"]
    comments = [line.partition("#")[2] for line in text.splitlines() if "#" in line]

    allow(path, PIN)
    allow(path, PIN)
    allowed = load(path).plugins.allow
    written = path.read_text()
    gone = forbid(path, "Moabot.Acme"), forbid(path, "moabot-acme")

    assert sorted(allowed) == sorted([*others, str(PIN)])
    assert all(comment in written for comment in comments)
    assert gone == (True, False)
    assert list(load(path).plugins.allow) == others
    assert all(comment in path.read_text() for comment in comments)


def test_a_file_that_is_not_there_is_begun_and_its_permissions_are_kept(tmp_path: Path) -> None:
    """A configuration that only its owner may read must stay so."""
    path = tmp_path / "config.toml"
    nothing = forbid(path, "moabot-acme")
    allow(path, PIN)
    path.chmod(0o600)
    allow(path, Pin("other"))

    assert not nothing
    assert load(path).plugins.allow == (str(PIN), "other")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["config.toml"]


@pytest.mark.parametrize("text", ["plugins = [", "plugins = 7", "[plugins]\nallow = 'x'"])
def test_a_file_that_is_wrong_already_is_left_alone(tmp_path: Path, text: str) -> None:
    """A program that guesses what was meant makes it worse."""
    path = tmp_path / "config.toml"
    path.write_text(text)

    with pytest.raises(ConfigError, match=r"config\.toml"):
        allow(path, PIN)

    assert path.read_text() == text
