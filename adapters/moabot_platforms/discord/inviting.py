"""The link that brings the bot to a server, with the rights it needs and no other."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

__all__ = ["PERMISSIONS", "invitation", "missing"]

PERMISSIONS: Mapping[str, int] = {
    "View Channels": 1 << 10,
    "Send Messages": 1 << 11,
    "Attach Files": 1 << 15,
    "Read Message History": 1 << 16,
    "Create Public Threads": 1 << 35,
    "Send Messages in Threads": 1 << 38,
}
"""What the bot may need on a server, by the names that Discord shows."""
SCOPES = "bot applications.commands"
ADMINISTRATOR = 1 << 3


def invitation(application_id: int) -> str:
    """The address where somebody who manages a server lets the bot in."""
    query = {
        "client_id": str(application_id),
        "permissions": str(sum(PERMISSIONS.values())),
        "scope": SCOPES,
    }
    return f"https://discord.com/oauth2/authorize?{urlencode(query)}"


def missing(permissions: int) -> list[str]:
    """The names of what is not among the permission bits that a server gave."""
    if permissions & ADMINISTRATOR:
        return []
    return [name for name, bit in PERMISSIONS.items() if not permissions & bit]
