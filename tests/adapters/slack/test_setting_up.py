"""Setting up: the manifest to paste, and what `moabot check` says when something is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from tests.fakes.slack import FakeSlack

from moabot.errors import ConfigError
from moabot_platforms.slack import open_slack
from moabot_platforms.slack.manifest import SCOPES, manifest
from moabot_platforms.slack.settings import SlackSettings


def _settings(slack: FakeSlack) -> SlackSettings:
    return SlackSettings(api_url=slack.api_url)


async def test_check_finds_everything_in_order() -> None:
    """And says who the bot is and where, so that a wrong workspace is seen."""
    async with FakeSlack() as slack, open_slack(_settings(slack)) as platform:
        found = await platform.check()

    assert [finding.state for finding in found] == ["ok", "ok", "ok"]
    assert "T1" in found[0].said


async def test_check_names_the_scopes_that_are_missing_and_where_to_click() -> None:
    """Slack's own answer to a missing scope names the method, not the page."""
    async with FakeSlack() as slack:
        slack.workspace.teams["T1"].scopes = ("chat:write",)
        async with open_slack(_settings(slack)) as platform:
            found = await platform.check()

    (scopes,) = [finding for finding in found if finding.state == "error"]
    assert "app_mentions:read" in scopes.said
    assert "chat:write" not in scopes.said
    assert "OAuth & Permissions" in scopes.fix


async def test_check_tells_a_wrong_app_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commonest mistake: the two tokens are exchanged."""
    monkeypatch.setenv("SLACK_APP_TOKEN", "xoxb-T1-fake")
    async with FakeSlack() as slack, open_slack(_settings(slack)) as platform:
        found = await platform.check()

    assert found[-1].state == "error"
    assert "SLACK_APP_TOKEN" in found[-1].fix


async def test_a_wrong_bot_token_is_told_when_slack_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before anything else is tried."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-wrong")
    async with FakeSlack() as slack:
        with pytest.raises(ConfigError, match="SLACK_BOT_TOKEN"):
            async with open_slack(_settings(slack)):
                pass


def test_the_manifest_asks_for_what_the_bot_uses() -> None:
    """One paste sets up everything; forgotten events are questions without answers."""
    made = json.loads(manifest(SlackSettings()))

    assert made["oauth_config"]["scopes"]["bot"] == sorted(SCOPES)
    assert {"app_mention", "message.im", "agent_session_stopped"} <= set(
        made["settings"]["event_subscriptions"]["bot_events"]
    )
    assert made["settings"]["socket_mode_enabled"]
    assert len(made["features"]["agent_view"]["agent_description"]) <= 300


def test_the_manifest_for_http_names_the_address() -> None:
    """In three places, which nobody should have to find."""
    settings = SlackSettings(mode="http", public_url="https://bot.example/")
    made = manifest(settings)

    assert made.count('"https://bot.example/slack/events"') == 3
    assert not json.loads(made)["settings"]["socket_mode_enabled"]


def test_the_manifest_for_many_workspaces_names_where_slack_sends_browsers_back() -> None:
    """Slack refuses to install with any other address."""
    settings = SlackSettings(workspaces="many", mode="http", public_url="https://bot.example/")
    made = json.loads(manifest(settings))

    assert made["oauth_config"]["redirect_urls"] == ["https://bot.example/slack/oauth_redirect"]
    assert "redirect_urls" not in json.loads(manifest(SlackSettings()))["oauth_config"]


def test_many_workspaces_without_http_are_refused() -> None:
    """A browser cannot come back by a websocket."""
    with pytest.raises(ValueError, match='mode = "http"'):
        SlackSettings(workspaces="many")


def test_mode_http_without_an_address_is_refused() -> None:
    """Slack would have nowhere to send anything."""
    with pytest.raises(ValueError, match="public_url"):
        SlackSettings(mode="http")


def test_the_command_prints_a_key() -> None:
    """What an error sends people to must be there, and give them a key."""
    moabot = Path(sys.executable).with_name("moabot")
    printed = subprocess.run(
        [moabot, "slack", "key"], capture_output=True, text=True, check=True
    ).stdout

    assert len(Fernet(printed.strip()).encrypt(b"")) > 0


def test_the_command_prints_the_manifest_without_a_token(tmp_path: Path) -> None:
    """It is the first step; there are no tokens before it."""
    config = tmp_path / "config.toml"
    config.write_text("[platforms.slack]\n", encoding="utf-8")
    moabot = Path(sys.executable).with_name("moabot")
    printed = subprocess.run(
        [moabot, "--config", config, "slack", "manifest", "--name", "oracle"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(printed.stdout)["display_information"]["name"] == "oracle"


def test_a_name_that_slack_would_refuse_is_refused_here(tmp_path: Path) -> None:
    """Slack says so after the paste, in words about a schema."""
    moabot = Path(sys.executable).with_name("moabot")
    refused = subprocess.run(
        [moabot, "slack", "manifest", "--name", "o" * 36],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "has 36 characters. Slack takes at most 35." in refused.stderr
