"""auth.*, conversations.*, users.*, views.*, reactions.*, files.*, oauth.*: all that is not chat.*."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack import oauth
from tests.fakes.slack.asked import Asked, Method, Refused
from tests.fakes.slack.blocks import view_problems
from tests.fakes.slack.workspace import Channel, Post, View

Json = dict[str, Any]


def _auth_test(asked: Asked) -> Json:
    team = asked.team
    return {
        "url": f"https://{team.id.lower()}.slack.example/",
        "team": team.id,
        "user": "moabot",
        "team_id": team.id,
        "user_id": team.bot,
        "bot_id": team.bot_id,
        "is_enterprise_install": False,
    }


def _revoke(asked: Asked) -> Json:
    asked.room.revoked.add(asked.team.token)
    return {"revoked": True}


def _connect(asked: Asked) -> Json:
    return {"url": asked.room.socket_url()}


def _wire(channel: Channel, bot: str) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_private": channel.kind != "channel",
        "is_im": channel.kind == "im",
        "is_member": bot in channel.members,
        "num_members": len(channel.members),
        "context_team_id": channel.team,
    }


def _info(asked: Asked) -> Json:
    channel, bot = asked.channel(), asked.team.bot
    if channel.kind != "channel":
        asked.joined()
    return {"channel": _wire(channel, bot)}


def _members(asked: Asked) -> Json:
    return {"members": sorted(asked.channel().members), "response_metadata": {"next_cursor": ""}}


def _open(asked: Asked) -> Json:
    user = asked.needs("users").split(",")[0]
    if f"D{user}" not in asked.room.workspace.channels:
        raise Refused("user_not_found")
    return {"channel": {"id": f"D{user}"}}


def _page(asked: Asked, posts: list[Post]) -> Json:
    """A page of them, oldest first; metadata only when asked for."""
    limit = min(int(asked.text("limit", "100") or 100), 1000)
    begin = int(asked.text("cursor", "0") or 0)
    oldest, latest = asked.text("oldest", "0"), asked.text("latest", "9999999999")
    chosen = [post for post in posts if float(oldest) <= float(post.ts) <= float(latest)]
    more = begin + limit < len(chosen)
    metadata = asked.truth("include_all_metadata", otherwise=False)
    return {
        "messages": [
            post.wire(team=asked.team.id, metadata=metadata)
            for post in chosen[begin : begin + limit]
        ],
        "has_more": more,
        "response_metadata": {"next_cursor": str(begin + limit) if more else ""},
    }


def _replies(asked: Asked) -> Json:
    channel, ts = asked.joined(), asked.needs("ts")
    posts = [post for post in asked.room.workspace.thread(channel.id, ts) if not post.to]
    if not posts:
        raise Refused("thread_not_found")
    return _page(asked, posts)


def _history(asked: Asked) -> Json:
    channel = asked.joined()
    posts = [
        post
        for (where, _), post in sorted(asked.room.workspace.posts.items(), reverse=True)
        if where == channel.id and not (post.to or post.deleted or post.thread_ts)
    ]
    return _page(asked, posts)


def _user(asked: Asked) -> Json:
    person = asked.room.workspace.people.get(asked.needs("user"))
    if person is None:
        raise Refused("user_not_found")
    profile = {"display_name": person.name, "real_name": person.name}
    return {
        "user": {
            "id": person.id,
            "team_id": person.team or asked.team.id,
            "name": person.name,
            "real_name": person.name,
            "profile": profile,
            "is_admin": person.admin or person.owner,
            "is_owner": person.owner,
            "is_bot": person.bot,
            "deleted": False,
            "tz": "Etc/UTC",
        }
    }


def _checked_view(asked: Asked) -> Json:
    view = asked.value("view", "invalid_arguments")
    if found := view_problems(view):
        raise Refused("invalid_arguments", *(f"[ERROR] {each}" for each in found))
    return dict(view)


def _triggered(asked: Asked) -> None:
    """A trigger opens one view, soon."""
    trigger, room = asked.needs("trigger_id"), asked.room
    if trigger not in room.triggers:
        raise Refused("invalid_trigger_id")
    at = room.triggers[trigger]
    if at < 0:
        raise Refused("exchanged_trigger_id")
    if asked.now() - at > room.limits.trigger_s:
        raise Refused("expired_trigger_id")
    room.triggers[trigger] = -1.0


def _shown(asked: Asked, view: View) -> Json:
    return {"view": view.wire(team=asked.team.id, bot=asked.team.bot_id)}


def _view_open(asked: Asked) -> Json:
    content, space = _checked_view(asked), asked.room.workspace
    if content["type"] != "modal":
        raise Refused("invalid_arguments", "[ERROR] must be a modal [json-pointer:/view/type]")
    _triggered(asked)
    user = asked.text("trigger_id").rsplit(".", 1)[-1]
    view = View(space.name("V"), user, content, hash=space.stamp(asked.now()))
    space.views[view.id] = view
    return _shown(asked, view)


def _view_update(asked: Asked) -> Json:
    content, space = _checked_view(asked), asked.room.workspace
    wanted, external = asked.text("view_id"), asked.text("external_id")
    found = [
        view
        for view in space.views.values()
        if view.open and (view.id == wanted or external == view.content.get("external_id", " "))
    ]
    if not found:
        raise Refused("not_found")
    if asked.text("hash") not in {"", found[0].hash}:
        raise Refused("hash_conflict")
    found[0].content, found[0].hash = content, space.stamp(asked.now())
    return _shown(asked, found[0])


def _view_publish(asked: Asked) -> Json:
    content, user, space = _checked_view(asked), asked.needs("user_id"), asked.room.workspace
    if content["type"] != "home":
        raise Refused("invalid_arguments", "[ERROR] must be a home [json-pointer:/view/type]")
    if user not in space.people:
        raise Refused("user_not_found")
    old = space.homes.get(user)
    if old is not None and asked.text("hash") not in {"", old.hash}:
        raise Refused("hash_conflict")
    name = old.id if old else space.name("V")
    space.homes[user] = View(name, user, content, hash=space.stamp(asked.now()))
    return _shown(asked, space.homes[user])


def _react(asked: Asked) -> Json:
    post = asked.post(asked.joined(), "timestamp")
    users = post.reactions.setdefault(asked.needs("name").strip(":"), set())
    if asked.team.bot in users:
        raise Refused("already_reacted")
    users.add(asked.team.bot)
    return {}


def _unreact(asked: Asked) -> Json:
    post, name = asked.post(asked.joined(), "timestamp"), asked.needs("name").strip(":")
    if asked.team.bot not in post.reactions.get(name, set()):
        raise Refused("no_reaction")
    post.reactions[name].discard(asked.team.bot)
    return {}


def _file(asked: Asked) -> Json:
    found = asked.room.workspace.files.get(asked.needs("file"))
    if found is None:
        raise Refused("file_not_found")
    return {"file": found[0]}


METHODS: dict[str, Method] = {
    "auth.test": _auth_test,
    "auth.revoke": _revoke,
    "apps.connections.open": _connect,
    "conversations.info": _info,
    "conversations.members": _members,
    "conversations.open": _open,
    "conversations.replies": _replies,
    "conversations.history": _history,
    "users.info": _user,
    "views.open": _view_open,
    "views.push": _view_open,
    "views.update": _view_update,
    "views.publish": _view_publish,
    "reactions.add": _react,
    "reactions.remove": _unreact,
    "files.info": _file,
    "oauth.v2.access": oauth.access,
}

SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "chat.startStream": "chat:write",
    "chat.appendStream": "chat:write",
    "chat.stopStream": "chat:write",
    "assistant.threads.setStatus": "chat:write",
    "assistant.threads.setTitle": "assistant:write",
    "assistant.threads.setSuggestedPrompts": "assistant:write",
    "agents.sessions.setStatus": "chat:write",
    "agents.sessions.rename": "chat:write",
    "conversations.open": "im:write",
    "users.info": "users:read",
    "reactions.add": "reactions:write",
    "reactions.remove": "reactions:write",
    "files.info": "files:read",
}
"""What a bot token needs for a method."""
BY_KIND = {"channel": "channels", "group": "groups", "im": "im"}
"""conversations.* need these with :read or :history."""
