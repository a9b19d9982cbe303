"""The manifest of the Slack app: everything that Slack asks for, in one text to paste."""

from __future__ import annotations

import json

from moabot_platforms.slack.forms import ABOUT
from moabot_platforms.slack.http import PATH, REDIRECT, public
from moabot_platforms.slack.payload import Json
from moabot_platforms.slack.settings import SlackSettings

__all__ = ["SCOPES", "manifest"]

SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "users:read",
)
"""What the bot token may do."""
EVENTS = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "message.channels",
    "message.groups",
    "message.im",
    "tokens_revoked",
)
WHAT = "Several models propose, one writes the answer."


def manifest(settings: SlackSettings, *, name: str = "moabot") -> str:
    """JSON for "Create New App, From a manifest"."""
    url = public(settings, PATH) if settings.mode == "http" else ""
    many = settings.workspaces == "many"
    back: Json = {"redirect_urls": [public(settings, REDIRECT)]} if many else {}
    at: Json = {"url": url} if url else {}
    requests: Json = {"request_url": url} if url else {}
    whole = {
        "display_information": {"name": name, "description": WHAT},
        "features": {
            "agent_view": {"agent_description": f"{WHAT} Ask it anything."},
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name, "always_online": True},
            "shortcuts": [
                {
                    "name": "Ask moabot about this",
                    "type": "message",
                    "callback_id": ABOUT,
                    "description": "Ask the models about a message",
                }
            ],
            "slash_commands": [
                {
                    "command": "/moa",
                    "description": "Ask, choose how models work together, see what was spent",
                    "usage_hint": "ask QUESTION | strategy | preset | panel | usage | help",
                    "should_escape": True,
                    **at,
                }
            ],
        },
        "oauth_config": {**back, "scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS), **requests},
            "interactivity": {"is_enabled": True, **requests},
            "org_deploy_enabled": False,
            "socket_mode_enabled": settings.mode == "socket",
            "token_rotation_enabled": False,
        },
    }
    return json.dumps(whole, indent=2)
