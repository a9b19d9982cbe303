"""`moabot init` leads from nothing to an answer, without a dead end."""

from __future__ import annotations

import os
import subprocess
import tomllib

import pytest
from tests.flow.conftest import MOABOT, Moabot

from moabot.config import parse
from moabot.plugins import Plugins
from moabot.starting import tokens, written

KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY")


@pytest.fixture
def keyless(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No key of any vendor, whatever the developer has set."""
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)
    return monkeypatch


def made(keyless: pytest.MonkeyPatch, *keys: str) -> dict[str, list[str]]:
    """The chains of the panel that is made with these keys."""
    for key in keys:
        keyless.setenv(key, "k")
    config = parse(tomllib.loads(written(Plugins(), platforms=())), source="made")
    panel = config.panels["default"]
    return {
        "proposers": [each.model[0] for each in panel.proposers],
        "roles": [each.role for each in panel.proposers],
        "synthesizer": list(panel.synthesizer or ()),
    }


def test_one_key_gives_a_panel_of_that_vendors_models(keyless: pytest.MonkeyPatch) -> None:
    """One key is what most people have."""
    panel = made(keyless, "ANTHROPIC_API_KEY")

    assert len(panel["proposers"]) == 3
    assert len(set(panel["roles"])) == 3


def test_several_keys_give_one_model_of_each_vendor_first(keyless: pytest.MonkeyPatch) -> None:
    """Models of one vendor err alike; a panel of two should be of two vendors."""
    panel = made(keyless, *KEYS)

    assert [name.partition("-")[0] for name in panel["proposers"][:3]] == [
        "gpt",
        "claude",
        "gemini",
    ]
    assert len(panel["proposers"]) == 4
    assert len(panel["synthesizer"]) > 4


def test_without_a_key_the_local_model_plays_every_role(keyless: pytest.MonkeyPatch) -> None:
    """Whoever has no key yet can try everything but the quality."""
    panel = made(keyless)

    assert panel["proposers"] == ["smollm2-135m"] * 3
    assert panel["roles"] == ["analytical", "critical", "practical"]


async def _init(moabot: Moabot, *words: str, **env: str) -> tuple[int, str, str]:
    process = subprocess.run(  # noqa: ASYNC221 - nothing else runs
        [MOABOT, "init", *words],
        cwd=moabot.home,
        env={**{k: v for k, v in os.environ.items() if k not in KEYS}, **env},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return process.returncode, process.stdout, process.stderr


async def test_init_writes_a_configuration_and_says_what_to_do_next(moabot: Moabot) -> None:
    """The next two commands, ready to be copied."""
    (moabot.home / "config.toml").unlink()
    code, out, _ = await _init(moabot, "--yes", OPENAI_API_KEY="k")

    assert code == 0
    assert "OPENAI_API_KEY: found" in out
    assert [line.split()[-1] for line in out.splitlines()[-2:-1]] == ["check"]
    assert parse(tomllib.loads((moabot.home / "config.toml").read_text()), source="made").panels


async def test_a_configuration_that_is_there_is_kept(moabot: Moabot) -> None:
    """An hour of somebody's work may stand in it."""
    before = (moabot.home / "config.toml").read_text()
    code, _, err = await _init(moabot, "--yes", OPENAI_API_KEY="k")

    assert code == 2
    assert "--force" in err
    assert (moabot.home / "config.toml").read_text() == before
    assert (await _init(moabot, "--yes", "--force", OPENAI_API_KEY="k"))[0] == 0
    assert (moabot.home / "config.toml").read_text() != before


async def test_without_a_terminal_and_without_yes_nothing_is_guessed(moabot: Moabot) -> None:
    """A script that forgot it is told what it forgot."""
    (moabot.home / "config.toml").unlink()
    code, _, err = await _init(moabot, OPENAI_API_KEY="k")

    assert (code, "moabot init --yes" in err) == (2, True)
    assert not (moabot.home / "config.toml").exists()


async def test_a_chat_that_nobody_offers_is_refused_by_name(moabot: Moabot) -> None:
    """Before anything is written."""
    (moabot.home / "config.toml").unlink()
    code, _, err = await _init(moabot, "--yes", "--platform", "irc", OPENAI_API_KEY="k")

    assert (code, "no plugin offers the platform 'irc'" in err) == (2, True)


async def test_a_folder_that_cannot_be_written_is_named(moabot: Moabot) -> None:
    """Not a traceback."""
    (moabot.home / "config.toml").unlink()
    (moabot.home / "config.toml").mkdir()
    code, _, err = await _init(moabot, "--yes", "--force", OPENAI_API_KEY="k")

    assert (code, "cannot be written" in err) == (2, True)


TOKENS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "DISCORD_BOT_TOKEN")
CHATS = tuple(sorted(tokens(Plugins())))


@pytest.fixture
def empty(moabot: Moabot, keyless: pytest.MonkeyPatch) -> Moabot:
    """A folder without a configuration, and an environment without a key or a token."""
    for name in TOKENS:
        keyless.delenv(name, raising=False)
    moabot.config.unlink()
    return moabot


async def test_on_a_terminal_each_chat_is_a_question_and_enter_is_no(empty: Moabot) -> None:
    """A bot that joins a chat by accident is worse than one that joins none."""
    async with empty.terminal("init", OPENAI_API_KEY="k") as terminal:
        for name in CHATS:
            await terminal.shows(f"Live in {name}? [y/N]:")
            terminal.type("y\n" if name == "slack" else "\n")
        await terminal.shows("moabot run")
        assert await terminal.ended() == 0

    assert "slack: set SLACK_BOT_TOKEN and SLACK_APP_TOKEN before `moabot run`." in terminal.seen
    config = parse(tomllib.loads(empty.config.read_text()), source="made")
    assert set(config.platforms) == {"slack"}


async def test_on_a_terminal_enter_is_yes_where_the_tokens_are_set(empty: Moabot) -> None:
    """Whoever has set them means it."""
    async with empty.terminal(
        "init", OPENAI_API_KEY="k", SLACK_BOT_TOKEN="xoxb-1", SLACK_APP_TOKEN="xapp-1"
    ) as terminal:
        for name in CHATS:
            wanted = "Its tokens are set. [Y/n]:" if name == "slack" else "[y/N]:"
            await terminal.shows(f"Live in {name}?")
            await terminal.shows(wanted)
            terminal.type("\n")
        assert await terminal.ended() == 0

    assert "before `moabot run`" not in terminal.seen
    assert "[platforms.slack]" in empty.config.read_text()


async def test_ctrl_c_at_a_question_ends_it_as_everywhere(empty: Moabot) -> None:
    """A script tells "stopped" from "failed" by the exit code."""
    async with empty.terminal("init", OPENAI_API_KEY="k") as terminal:
        await terminal.shows("[y/N]:")
        await terminal.interrupt()
        assert await terminal.ended() == 130

    assert not empty.config.exists()


async def test_who_declines_the_model_is_told_what_is_left_to_do(empty: Moabot) -> None:
    """No dead end: a key will do as well."""
    async with empty.terminal("init") as terminal:
        for _ in CHATS:
            await terminal.shows("[y/N]:")
            terminal.type("\n")
        await terminal.shows("Fetch it? [y/N]:")
        terminal.type("n\n")
        await terminal.shows("after you have set a key and made this file anew")
        assert await terminal.ended() == 0

    assert "Nothing was fetched." in terminal.seen
    assert not (empty.home / "data/local").exists()


async def test_a_chat_chosen_by_option_names_the_tokens_it_lacks(empty: Moabot) -> None:
    """Before the bot is started in vain."""
    code, out, _ = await _init(empty, "--yes", "--platform", "slack", OPENAI_API_KEY="k")

    assert code == 0
    assert "slack: set SLACK_BOT_TOKEN and SLACK_APP_TOKEN before `moabot run`." in out
    assert "[platforms.slack]  # its tokens: SLACK_BOT_TOKEN, SLACK_APP_TOKEN" in (
        empty.config.read_text()
    )
