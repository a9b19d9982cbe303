"""What `moabot check` finds out about Slack: tokens, scopes, the connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from moabot.errors import MoabotError
from moabot.findings import Finding
from moabot_platforms.slack.manifest import SCOPES
from moabot_platforms.slack.payload import text
from moabot_platforms.slack.web import Web

__all__ = ["findings"]


async def findings(web: Web, reachable: Callable[[], Awaitable[str]]) -> Sequence[Finding]:
    """Each thing looked at. `reachable` says how Slack is connected, or raises what is wrong."""
    return [*await _token(web), await _connection(reachable)]


async def _token(web: Web) -> list[Finding]:
    try:
        me = await web.call("auth.test", {})
    except MoabotError as error:
        return [Finding("platform slack token", "error", error.what, error.fix)]
    who = f"@{text(me, 'user')} in {text(me, 'team')} ({text(me, 'team_id')})"
    found = [Finding("platform slack token", "ok", f"it is {who}")]
    granted = {scope.strip() for scope in text(me, "scopes").split(",")}
    if missing := [scope for scope in SCOPES if scope not in granted]:
        said = f"the bot token lacks {', '.join(missing)}"
        fix = (
            "Add them on the app's page under OAuth & Permissions, Bot Token Scopes "
            "(or paste the output of `moabot slack manifest` under App Manifest), "
            "then click Reinstall to Workspace."
        )
        return [*found, Finding("platform slack scopes", "error", said, fix)]
    return [*found, Finding("platform slack scopes", "ok", f"all {len(SCOPES)} are there")]


async def _connection(reachable: Callable[[], Awaitable[str]]) -> Finding:
    try:
        return Finding("platform slack connection", "ok", await reachable())
    except MoabotError as error:
        return Finding("platform slack connection", "error", error.what, error.fix)
