"""How an app gets into a workspace: a person allows it in a browser, the app exchanges the code."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from tests.fakes.slack.asked import Asked, Code, Refused, Room

Json = dict[str, Any]
CODE_S = 600.0
"""Then a code is worth nothing; it never is a second time."""


def asked_to_allow(room: Room, query: Mapping[str, str]) -> str:
    """Where Slack sends the browser of a person who is asked to allow the app in `team`.

    They do, unless `room.declining`. Raises `Refused`, which they would read on a page.
    """
    if query.get("client_id") != room.client[0]:
        raise Refused("invalid_client_id")
    if not query.get("scope"):
        raise Refused("no_scopes")
    uri = query.get("redirect_uri", "")
    if not any(uri == each or uri.startswith(f"{each}/") for each in room.redirects):
        raise Refused("bad_redirect_uri")
    state = {"state": query["state"]} if "state" in query else {}
    if room.declining:
        return f"{uri}?{urlencode({'error': 'access_denied', **state})}"
    code = allow(room, query.get("team", "T1"), redirect_uri=uri)
    return f"{uri}?{urlencode({'code': code, **state})}"


def allow(room: Room, team: str, *, redirect_uri: str = "") -> str:
    """Somebody allows it: the code."""
    code = f"{room.workspace.name('code')}.{team}"
    room.codes[code] = Code(team, redirect_uri, room.clock.now())
    return code


def client_of(header: str) -> Json:
    """The app's credentials, as they also may come."""
    if not header.startswith("Basic "):
        return {}
    name, _, secret = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    return {"client_id": name, "client_secret": secret}


def access(asked: Asked) -> Json:
    """oauth.v2.access; an app that is installed anew keeps its token, unless that was revoked."""
    room, space = asked.room, asked.room.workspace
    if asked.text("client_id") != room.client[0]:
        raise Refused("invalid_client_id")
    if asked.text("client_secret") != room.client[1]:
        raise Refused("bad_client_secret")
    code = room.codes.pop(asked.needs("code"), None)
    if code is None or asked.now() - code.at > CODE_S:
        raise Refused("invalid_code")
    if asked.text("redirect_uri") != code.redirect_uri:
        raise Refused("bad_redirect_uri")
    team = space.teams[code.team]
    if team.token in room.revoked:
        team.token = f"xoxb-{team.id}-{space.name('token')}"
    where = {"team": {"id": team.id, "name": team.name or team.id}, "enterprise": None}
    whole = {"team": None, "enterprise": {"id": "E1", "name": "Everybody"}}
    rotation = {"expires_in": 43_200, "refresh_token": "xoxe-1-fake"} if room.rotating else {}
    return {
        **rotation,
        "access_token": team.token,
        "token_type": "bot",
        "scope": ",".join(team.scopes),
        "bot_user_id": team.bot,
        "app_id": "A1",
        **(whole if room.whole_organization else where),
        "is_enterprise_install": room.whole_organization,
        "authed_user": {"id": "U1"},
    }
