"""What people do at Slack: they mention, write, edit, delete, command, press, fill in, install."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack import acks, oauth, payloads
from tests.fakes.slack.asked import Room
from tests.fakes.slack.exchanges import COMMAND, EVENT, PRESSED, Exchange, PostOffice
from tests.fakes.slack.workspace import Channel, Post, Team, View

Json = dict[str, Any]

SUBSCRIBED = frozenset(
    "app_mention message.im message.channels message.groups app_home_opened app_context_changed "
    "agent_session_stopped app_uninstalled tokens_revoked".split()
)
_MESSAGES = {"channel": "message.channels", "group": "message.groups", "im": "message.im"}


@dataclass(slots=True)
class Acts:
    """Each act reaches the app at once, and returns what was sent. `url` is this server's."""

    room: Room
    post_office: PostOffice
    url: str = ""
    responses: dict[str, tuple[int, float, Json]] = field(
        default_factory=dict[str, tuple[int, float, Json]]
    )
    """response_urls: how often used, since when, what they belong to."""

    # ── events ───────────────────────────────────────────────────────────────────────────────

    def event(self, body: Json, *, team: str = "T1", ts: str = "") -> Exchange:
        """Any event."""
        space = self.room.workspace
        name, at = space.name("Ev"), self.room.clock.now()
        wrapped = payloads.event(space.teams[team], body, name=name, at=at)
        return self.post_office.send(Exchange(EVENT, wrapped, ts=ts))

    def mention(
        self, channel: str, user: str, text: str, *, thread: str = "", files: Sequence[str] = ()
    ) -> Exchange:
        """`@bot text` in a channel: an app_mention, and a message if the app hears those too."""
        bot = self.room.workspace.teams[self._channel(channel).team].bot
        return self._written(channel, user, f"<@{bot}> {text}", thread=thread, files=files)

    def say(
        self, channel: str, user: str, text: str, *, thread: str = "", files: Sequence[str] = ()
    ) -> Exchange:
        """A message that names nobody, such as a follow-up in a thread."""
        return self._written(channel, user, text, thread=thread, files=files)

    def direct(
        self, user: str, text: str, *, thread: str = "", files: Sequence[str] = ()
    ) -> Exchange:
        """A direct message to the bot."""
        return self._written(f"D{user}", user, text, thread=thread, files=files)

    def _written(
        self, channel: str, user: str, text: str, *, thread: str, files: Sequence[str]
    ) -> Exchange:
        where, space = self._channel(channel), self.room.workspace
        post = Post(
            ts=space.stamp(self.room.clock.now()),
            channel=where.id,
            user=user,
            text=text,
            thread_ts=thread,
            files=[space.files[name][0] for name in files],
        )
        space.add(post)
        return self._told(where, post)

    def _told(self, channel: Channel, post: Post) -> Exchange:
        """In an order of its own, as Slack promises none."""
        bot, subscribed = self.room.workspace.teams[channel.team].bot, self.room.subscribed
        bodies: list[Json] = []
        if f"<@{bot}>" in post.text and channel.kind != "im" and "app_mention" in subscribed:
            bodies.append(payloads.mention(post, channel))
        if _MESSAGES[channel.kind] in subscribed and bot in channel.members:
            bodies.append(payloads.message(post, channel))
        assert bodies, f"No event that the app subscribed to comes of this: {sorted(subscribed)}"
        self.post_office.faults.chance.shuffle(bodies)
        sent = [self.event(body, team=channel.team, ts=post.ts) for body in bodies]
        sent[0].twin = sent[1] if len(sent) > 1 else None
        return sent[0]

    def edit(self, channel: str, ts: str, text: str) -> Exchange:
        """A person edits their message; a mention in it fires again, with the old ts."""
        where, post = self._channel(channel), self.room.workspace.posts[channel, ts]
        before = payloads.message(post, where)
        post.before.append(post.text)
        post.text, post.edits = text, post.edits + 1
        bot = self.room.workspace.teams[where.team].bot
        twin: Exchange | None = None
        if f"<@{bot}>" in text and where.kind != "im" and "app_mention" in self.room.subscribed:
            twin = self.event(payloads.mention(post, where), team=where.team, ts=ts)
        changed = self._hidden(where, "message_changed")
        changed |= {"message": payloads.message(post, where), "previous_message": before}
        sent = self.event(changed, team=where.team, ts=ts)
        sent.twin = twin
        return sent

    def delete(self, channel: str, ts: str) -> Exchange:
        """A person deletes their message."""
        where, post = self._channel(channel), self.room.workspace.posts[channel, ts]
        post.deleted = True
        gone = {"deleted_ts": ts, "previous_message": payloads.message(post, where)}
        return self.event(self._hidden(where, "message_deleted") | gone, team=where.team, ts=ts)

    def _hidden(self, channel: Channel, subtype: str) -> Json:
        stamp = self.room.workspace.stamp(self.room.clock.now())
        kind = {"channel_type": payloads.TYPES[channel.kind], "channel": channel.id}
        return {"type": "message", "subtype": subtype, "hidden": True, "ts": stamp} | kind

    def stop(self, channel: str, user: str, thread: str) -> Exchange:
        """The session's own stop button: Slack ends the streams in the thread, and tells."""
        space = self.room.workspace
        session = space.sessions.get((channel, thread), {})
        assert session.get("status") == "processing", "The stop button is shown while processing."
        stopped: list[str] = []
        for post in space.thread(channel, thread):
            if post.stream is not None and post.stream.open:
                post.stream.open = False
                stopped.append(post.ts)
        body = {"type": "agent_session_stopped", "channel": channel, "user": user}
        body |= {"thread_ts": thread, "event_ts": space.stamp(self.room.clock.now())}
        return self.event({**body, "streaming_message_ts": stopped}, ts=thread)

    def open_home(self, user: str, *, tab: str = "home", team: str = "T1") -> Exchange:
        """Somebody opens the App Home."""
        stamp = self.room.workspace.stamp(self.room.clock.now())
        body = {"type": "app_home_opened", "user": user, "channel": f"D{user}", "tab": tab}
        return self.event({**body, "event_ts": stamp}, team=team)

    def uninstall(self, team: str = "T1") -> Exchange:
        """The app is removed from a workspace; its token is worth nothing from then on."""
        token = self.room.workspace.teams[team].token
        self.room.revoked.add(token)
        bot = self.room.workspace.teams[team].bot
        first = self.event({"type": "tokens_revoked", "tokens": {"bot": [bot]}}, team=team)
        first.twin = self.event({"type": "app_uninstalled"}, team=team)
        return first

    def install(self, team: str = "T1", *, redirect_uri: str = "") -> str:
        """Somebody allows the app: the code that oauth.v2.access takes once, within ten minutes."""
        return oauth.allow(self.room, team, redirect_uri=redirect_uri)

    # ── commands and what is pressed ─────────────────────────────────────────────────────────

    def slash(self, channel: str, user: str, text: str, *, name: str = "/moa") -> Exchange:
        """A slash command; `answer` is what the ack brings, posted to that person."""
        where, space = self._channel(channel), self.room.workspace
        person = space.people[user]
        payload = payloads.command(space.teams[where.team], where, person, name=name, text=text)
        return self._sent(COMMAND, payload, channel=where.id, user=user)

    def click(
        self, post: Post, action_id: str, *, user: str = "U1", value: str | None = None
    ) -> Exchange:
        """Press a button, or choose `value` in a list, on a message."""
        where = self._channel(post.channel)
        assert post.to in {"", user}, f"Only {post.to} sees this message."
        stamp = self.room.workspace.stamp(self.room.clock.now())
        blocks = [*post.blocks, *(post.stream.blocks if post.stream else [])]
        pressed = payloads.action(blocks, action_id, value, at=stamp)
        payload = self._pressed("block_actions", user, where.team) | {"actions": [pressed]}
        payload |= payloads.on_post(post, where)
        return self._sent(PRESSED, payload, channel=where.id, user=user, post=post)

    def click_in(
        self,
        view: View,
        action_id: str,
        *,
        user: str = "U1",
        value: str | None = None,
        at: str = "T1",
    ) -> Exchange:
        """Press something in a modal or in the App Home, in the workspace `at`."""
        team = self.room.workspace.teams[at]
        stamp = self.room.workspace.stamp(self.room.clock.now())
        pressed = payloads.action(view.content["blocks"], action_id, value, at=stamp)
        payload = self._pressed("block_actions", user, team.id) | {"actions": [pressed]}
        payload |= {"container": {"type": "view", "view_id": view.id}}
        payload |= {"view": payloads.submission(view, {}, team=team)}
        return self._sent(PRESSED, payload, user=user)

    def submit(
        self,
        view: View,
        chosen: dict[str, object] | None = None,
        *,
        user: str = "",
        at: str = "T1",
    ) -> Exchange:
        """Send a modal off, with `chosen` by action_id; it closes unless the app says otherwise.

        `at` is the workspace.
        """
        assert view.open, "The view is closed."
        team = self.room.workspace.teams[at]
        payload = self._pressed("view_submission", user or view.user, team.id)
        payload |= {"view": payloads.submission(view, chosen or {}, team=team)}
        payload |= {"response_urls": []}
        return self._sent(PRESSED, payload, user=user or view.user, view=view)

    def close_view(self, view: View) -> Exchange:
        """Close a modal without sending it."""
        view.open = False
        team = self.room.workspace.teams["T1"]
        payload = self._pressed("view_closed", view.user, team.id) | {"is_cleared": False}
        return self._sent(
            PRESSED, payload | {"view": view.wire(team=team.id, bot=team.bot_id)}, user=view.user
        )

    def shortcut(self, post: Post, callback_id: str, *, user: str = "U1") -> Exchange:
        """A shortcut in a message's menu."""
        where = self._channel(post.channel)
        payload = self._pressed("message_action", user, where.team)
        payload |= {"callback_id": callback_id, "message_ts": post.ts, "action_ts": post.ts}
        payload |= {"channel": {"id": where.id, "name": where.name}}
        payload |= {"message": post.wire(team=where.team)}
        return self._sent(PRESSED, payload, channel=where.id, user=user, post=post)

    def _pressed(self, kind: str, user: str, team: str) -> Json:
        space = self.room.workspace
        return payloads.pressed(kind, space.teams[team], space.people[user])

    def _sent(
        self,
        kind: str,
        payload: Json,
        *,
        user: str,
        channel: str = "",
        post: Post | None = None,
        view: View | None = None,
    ) -> Exchange:
        """With a trigger_id, and a response_url where there is a channel."""
        space, now = self.room.workspace, self.room.clock.now()
        trigger = f"{space.name('tr')}.{user}"
        self.room.triggers[trigger] = now
        payload["trigger_id"] = trigger
        if channel:
            name = space.name("R")
            self.responses[name] = (0, now, {"channel": channel, "user": user, "post": post})
            payload["response_url"] = f"{self.url}/response/{name}"
        exchange = Exchange(kind, payload, ts=post.ts if post else "")
        if view is not None:
            exchange.then = lambda sent: acks.on_submission(self.room, view, sent)
        elif kind == COMMAND:
            exchange.then = lambda sent: acks.on_command(self.room, sent)
        return self.post_office.send(exchange)

    def _channel(self, name: str) -> Channel:
        return self.room.workspace.channels[name]

    def team(self, name: str = "T1") -> Team:
        """A workspace that installed the app."""
        return self.room.workspace.teams[name]
