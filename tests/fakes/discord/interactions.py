"""Interactions on the fake: three seconds to acknowledge one, fifteen minutes to work with it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.fakes.discord.posting import Files, Posting
from tests.fakes.discord.rules import Refusal, check_choices, check_modal, invalid
from tests.fakes.discord.state import State
from tests.fakes.discord.world import (
    DM,
    EPHEMERAL,
    EVERYBODY_MAY,
    GROUP,
    Channel,
    Json,
    Post,
    User,
)

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, FORM = 4, 5, 6, 7, 8, 9
FITTING = {
    COMMAND: {MESSAGE, DEFERRED, FORM},
    COMPONENT: {MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, FORM},
    AUTOCOMPLETE: {CHOICES},
    MODAL: {MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE},
}


@dataclass(slots=True, eq=False)
class Interaction:
    """What a person did, and what the bot made of it.

    `answered_with` is the type of the first response (5 defers), None while there is none;
    `acknowledged_after_s` how long that took. `posts` are the messages made with its token, the
    original first; `choices` what autocompletion offered, `form` the modal that was opened.
    """

    id: str
    type: int
    user: User
    channel: Channel
    data: Json
    born_s: float
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    source: Post | None = None
    by_user_install: bool = False
    answered_with: int | None = None
    acknowledged_after_s: float | None = None
    original: Post | None = None
    posts: list[Post] = field(default_factory=list[Post])
    follow_ups: int = 0
    choices: list[Json] | None = None
    form: Json | None = None

    @property
    def text(self) -> str:
        """What the person reads as the response now; empty while the bot is thinking."""
        return "" if self.original is None else self.original.text

    @property
    def private(self) -> bool:
        """Whether only the person sees the response."""
        return self.original is not None and self.original.only_for is not None


@dataclass(slots=True)
class Interactions:
    """Every interaction so far, and what its token is good for."""

    state: State
    posting: Posting
    all: list[Interaction] = field(default_factory=list[Interaction])

    def begin(
        self,
        kind: int,
        user: User,
        channel: Channel,
        data: Json,
        *,
        source: Post | None = None,
        by_user_install: bool = False,
    ) -> Interaction:
        """Somebody does something: the gateway tells it."""
        interaction = Interaction(
            self.state.clock.snowflake(),
            kind,
            user,
            channel,
            data,
            self.state.clock.now_s(),
            source=source,
            by_user_install=by_user_install,
        )
        self.all.append(interaction)
        event = self._event(interaction)
        mine = channel.guild_id if channel.guild_id == self.state.guild_id else ""
        self.posting.gateway.tell("INTERACTION_CREATE", lambda _: event, guild_id=mine)
        return interaction

    def respond(self, number: str, token: str, body: Json, files: Files) -> Json:
        """The first response, which must come within three seconds, once."""
        found = [each for each in self.all if (each.id, each.token) == (number, token)]
        age_s = self.state.clock.now_s() - found[0].born_s if found else 0.0
        if not found or age_s > self.state.limits.acknowledge_s:
            raise Refusal(404, 10062, "Unknown interaction")
        interaction = found[0]
        if interaction.answered_with is not None:
            raise Refusal(400, 40060, "Interaction has already been acknowledged.")
        kind = int(body["type"])
        if kind not in FITTING[interaction.type]:
            raise invalid(type="INTERACTION_APPLICATION_COMMAND_CALLBACK_TYPE_INVALID")
        self._respond(interaction, kind, body.get("data") or {}, files)
        interaction.answered_with, interaction.acknowledged_after_s = kind, age_s
        self.state.touch()
        return self._told(interaction, kind)

    def follow_up(self, hook: Mapping[str, str], body: Json, files: Files) -> Post:
        """A further message; the first after a deferred response takes its place."""
        interaction = self.living(hook)
        if interaction.original is not None and interaction.original.loading:
            return self.posting.edit(interaction.original, body, files)
        interaction.follow_ups += 1
        if interaction.by_user_install and interaction.follow_ups > 5:
            raise Refusal(400, 40094, "This interaction has reached its follow-up messages limit")
        return self._post(interaction, body, files)

    def post_of(self, hook: Mapping[str, str]) -> Post:
        """The message that the token may read, edit and delete."""
        interaction, which = self.living(hook), hook["message"]
        post = interaction.original if which == "@original" else self._among(interaction, which)
        if post is None or post.deleted:
            raise Refusal(404, 10008, "Unknown Message")
        return post

    def living(self, hook: Mapping[str, str]) -> Interaction:
        """The interaction of an application's token that is still good for something."""
        found = next((each for each in self.all if each.token == hook["token"]), None)
        foreign = hook["application"] != self.state.bot.id
        if found is None or found.answered_with is None or foreign:
            raise Refusal(404, 10015, "Unknown Webhook")
        if self.state.clock.now_s() - found.born_s > self.state.limits.token_s:
            raise Refusal(401, 50027, "Invalid Webhook Token")
        return found

    def _among(self, interaction: Interaction, which: str) -> Post | None:
        return next((post for post in interaction.posts if post.id == which), None)

    def _respond(self, interaction: Interaction, kind: int, data: Json, files: Files) -> None:
        source = interaction.source
        if kind == CHOICES:
            check_choices(data["choices"])
            interaction.choices = data["choices"]
        elif kind == FORM:
            check_modal(data)
            interaction.form = data
        elif kind == MESSAGE:
            interaction.original = self._post(interaction, data, files)
        elif kind == DEFERRED:
            interaction.original = self.posting.loading(
                interaction.channel,
                only_for=interaction.user if data.get("flags", 0) & EPHEMERAL else None,
                asked_with=self._metadata(interaction),
            )
            interaction.posts.append(interaction.original)
        elif source is None:
            raise invalid(type="INTERACTION_APPLICATION_COMMAND_CALLBACK_TYPE_INVALID")
        else:
            interaction.original = source
            if kind == UPDATE:
                self.posting.edit(source, data, files)

    def _post(self, interaction: Interaction, body: Json, files: Files) -> Post:
        private = interaction.user if body.get("flags", 0) & EPHEMERAL else None
        post = self.posting.create(
            interaction.channel,
            body,
            files,
            only_for=private,
            asked_with=self._metadata(interaction),
        )
        interaction.posts.append(post)
        return post

    def _metadata(self, interaction: Interaction) -> Json:
        return {
            "id": interaction.id,
            "type": interaction.type,
            "user": interaction.user.wire(),
            "authorizing_integration_owners": self._owners(interaction),
        }

    def _owners(self, interaction: Interaction) -> Json:
        if interaction.by_user_install:
            return {"1": interaction.user.id}
        return {"0": interaction.channel.guild_id or "0"}

    def _told(self, interaction: Interaction, kind: int) -> Json:
        callback: Json = {"id": interaction.id, "type": interaction.type}
        resource: Json = {"type": kind}
        post = interaction.original
        if post is not None:
            callback |= {
                "response_message_id": post.id,
                "response_message_loading": post.loading,
                "response_message_ephemeral": post.only_for is not None,
            }
            if kind in {MESSAGE, UPDATE, DEFERRED}:
                resource["message"] = post.wire()
        return {"interaction": callback, "resource": resource}

    def _event(self, interaction: Interaction) -> Json:
        channel, user = interaction.channel, interaction.user
        permissions = str(EVERYBODY_MAY & ~channel.denied)
        event: Json = {
            "id": interaction.id,
            "application_id": self.state.bot.id,
            "type": interaction.type,
            "token": interaction.token,
            "version": 1,
            "channel_id": channel.id,
            "channel": channel.wire(self.state.bot) | {"permissions": permissions},
            "app_permissions": permissions,
            "locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": self._owners(interaction),
            "attachment_size_limit": 10 * 1024 * 1024,
            "data": interaction.data,
        }
        if interaction.source is not None:
            event["message"] = interaction.source.wire()
        if channel.type == DM:
            return event | {"user": user.wire(), "context": 1}
        if channel.type == GROUP:
            return event | {"user": user.wire(), "context": 2}
        member = self.state.member(user) | {"permissions": str(self.state.may(user))}
        guild: Json = {"id": channel.guild_id, "locale": "en-US", "features": []}
        return event | {
            "member": member,
            "guild_id": channel.guild_id,
            "guild": guild,
            "guild_locale": "en-US",
            "context": 0,
        }
