"""Setting the bot up on Discord: the link that lets it in, and what is said when something is wrong."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import pytest
from tests.adapters.discord.conftest import Living
from tests.fakes.discord.service import FakeDiscord
from typer.testing import CliRunner

from moabot.cli import app
from moabot.errors import PlatformError
from moabot.testing import ScriptedProvider
from moabot_platforms.discord.checking import application_id, check
from moabot_platforms.discord.inviting import PERMISSIONS, invitation, missing
from moabot_platforms.discord.settings import DiscordSettings


@pytest.fixture
async def discord(service: FakeDiscord) -> AsyncGenerator[FakeDiscord]:
    """Discord, which is asked without a bot running."""
    with service.in_place():
        yield service


def test_the_invitation_asks_for_what_is_needed_and_no_more() -> None:
    """Who lets a bot in reads the list; an administrator's rights are not given lightly."""
    link = invitation(1234)

    assert link == (
        "https://discord.com/oauth2/authorize?client_id=1234"
        "&permissions=309237746688&scope=bot+applications.commands"
    )
    assert sum(PERMISSIONS.values()) == 309237746688
    assert missing(309237746688) == []
    assert missing(1 << 3) == []
    assert missing(309237746688 - (1 << 15)) == ["Attach Files"]


def test_the_command_prints_the_link_alone() -> None:
    """It is copied from there, or opened by a script."""
    told = CliRunner().invoke(app, ["discord", "invite", "--application", "1234"])

    assert told.exit_code == 0
    assert told.stdout == f"{invitation(1234)}\n"
    assert "Attach Files" in told.stderr


async def test_all_is_well_where_the_bot_was_let_in(discord: FakeDiscord) -> None:
    """Each thing that was looked at is named."""
    found = await check(DiscordSettings())

    assert {finding.state for finding in found} == {"ok"}
    assert found[0].what == "platform discord token"
    assert await application_id(DiscordSettings()) == int(discord.state.bot.id)


async def test_a_missing_intent_is_named_with_the_place_to_click(discord: FakeDiscord) -> None:
    """Without it the bot would not start."""
    found = await check(DiscordSettings(message_content=True))
    told = [finding for finding in found if finding.state == "error"]

    assert [finding.said for finding in told] == ["the Message Content intent is off"]
    assert f"/applications/{discord.state.bot.id}/bot" in told[0].fix


async def test_a_wrong_token_names_the_variable(
    discord: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token itself is never shown."""
    monkeypatch.setenv("DISCORD_TOKEN", "a.wrong.token")
    wrong = await check(DiscordSettings())
    monkeypatch.delenv("DISCORD_TOKEN")
    unset = await check(DiscordSettings())

    assert [(f.what, f.state) for f in (*wrong, *unset)] == [
        ("platform discord token", "error")
    ] * 2
    assert "DISCORD_TOKEN" in wrong[0].said
    assert "is not set" in unset[0].said
    assert "a.wrong.token" not in str(wrong)


@pytest.mark.parametrize("route", ["GET /users/@me", "GET /users/@me/guilds"])
async def test_a_connection_that_breaks_sends_to_the_network(
    discord: FakeDiscord, route: str
) -> None:
    """Else the bot itself is blamed for a cable."""
    discord.state.faults.hits = lambda asked: asked == route
    discord.state.faults.coming.extend(("cut",) * 20)
    found = await check(DiscordSettings())

    assert [(f.state, f.fix) for f in found] == [("error", "Check the network, and try again.")]


@pytest.mark.parametrize("noticed", ["at a new session", "at a request"])
async def test_a_token_that_is_revoked_ends_the_bot_with_a_reason(
    service: FakeDiscord, living: Living, noticed: str
) -> None:
    """It must not knock at Discord's door for ever: 10,000 refusals ban the address."""
    with pytest.RaisesGroup(pytest.RaisesGroup(pytest.RaisesExc(PlatformError, match="token"))):
        async with living(ScriptedProvider()):
            service.state.revoke()
            if noticed == "at a request":
                service.mention("Why?")
            else:
                await service.gateway.drop("invalid")
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    assert service.state.invalid_requests <= 3
