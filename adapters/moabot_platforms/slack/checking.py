"""What `moabot check` finds out about Slack: tokens, scopes, the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from moabot.errors import MoabotError
from moabot.findings import Finding
from moabot.installations import Installations
from moabot_platforms.slack.http import INSTALL, public
from moabot_platforms.slack.manifest import SCOPES
from moabot_platforms.slack.payload import text
from moabot_platforms.slack.settings import SlackSettings
from moabot_platforms.slack.web import Web
from moabot_platforms.slack.workspaces import Many

__all__ = ["app_findings", "findings", "workspace_findings"]

AT_ONCE = 32
"""Workspaces that are looked at beside each other: all have half a minute."""
CALL_S = 10.0


async def findings(web: Web, reachable: Callable[[], Awaitable[str]]) -> Sequence[Finding]:
    """Each thing looked at. `reachable` says how Slack is connected, or raises what is wrong."""
    return [*await _token(web), await _connection(reachable)]


async def app_findings(
    settings: SlackSettings, reachable: Callable[[], Awaitable[str]]
) -> Sequence[Finding]:
    """The same where people install the app; that its secrets are there was seen by opening it."""
    secrets = (settings.client_id_env, settings.client_secret_env, settings.secret_key_env)
    there = Finding("platform slack app", "ok", f"{', '.join(secrets)} are set")
    begin = Finding("platform slack install", "ok", f"people begin at {public(settings, INSTALL)}")
    return [there, begin, await _connection(reachable)]


async def workspace_findings(
    settings: SlackSettings, many: Many, kept: Installations
) -> Sequence[Finding]:
    """How each workspace is that the app is installed in."""
    many.know(kept)
    again = f"and have it installed there again at {public(settings, INSTALL)}."
    places = asyncio.Semaphore(AT_ONCE)

    async def look(team: str) -> list[Finding]:
        async with places:
            return await _token(many.at(team).web, of=f" {team}", again=again)

    found = await asyncio.gather(*(look(each.workspace) for each in await kept.all()))
    return [finding for findings in found for finding in findings] or [
        Finding("platform slack token", "ok", "it is not installed in any workspace yet")
    ]


REINSTALL = "then click Reinstall to Workspace."


async def _token(web: Web, *, of: str = "", again: str = REINSTALL) -> list[Finding]:
    try:
        async with asyncio.timeout(CALL_S):
            me = await web.call("auth.test", {})
    except TimeoutError:
        said = f"Slack did not say within {CALL_S:.0f} s whose it is"
        return [Finding(f"platform slack token{of}", "error", said, "Try it again.")]
    except MoabotError as error:
        return [Finding(f"platform slack token{of}", "error", error.what, error.fix)]
    who = f"@{text(me, 'user')} in {text(me, 'team')} ({text(me, 'team_id')})"
    found = [Finding(f"platform slack token{of}", "ok", f"it is {who}")]
    granted = {scope.strip() for scope in text(me, "scopes").split(",")}
    if missing := [scope for scope in SCOPES if scope not in granted]:
        said = f"the bot token lacks {', '.join(missing)}"
        fix = (
            "Add them on the app's page under OAuth & Permissions, Bot Token Scopes "
            f"(or paste the output of `moabot slack manifest` under App Manifest), {again}"
        )
        return [*found, Finding(f"platform slack scopes{of}", "error", said, fix)]
    return [*found, Finding(f"platform slack scopes{of}", "ok", f"all {len(SCOPES)} are there")]


async def _connection(reachable: Callable[[], Awaitable[str]]) -> Finding:
    try:
        return Finding("platform slack connection", "ok", await reachable())
    except MoabotError as error:
        return Finding("platform slack connection", "error", error.what, error.fix)
