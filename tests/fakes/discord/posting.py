"""Messages on the fake: written, edited and deleted as Discord allows it, and told to the gateway."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Literal

from tests.fakes.discord.gateway import (
    DIRECT_MESSAGES,
    GUILD_MESSAGES,
    MESSAGE_CONTENT,
    Gateway,
    Session,
)
from tests.fakes.discord.reading import pings
from tests.fakes.discord.rules import Refusal, check_allowed_mentions, check_message, invalid
from tests.fakes.discord.state import State
from tests.fakes.discord.world import (
    ATTACH_FILES,
    COMPONENTS_V2,
    DM,
    EPHEMERAL,
    GROUP,
    LOADING,
    SEND_MESSAGES,
    SUPPRESS_EMBEDS,
    VIEW_CHANNEL,
    Channel,
    Json,
    Post,
    User,
    walk,
)

Files = dict[str, bytes]
OWN_FLAGS = SUPPRESS_EMBEDS | COMPONENTS_V2 | 1 << 12  # the last: without a sound


@dataclass(slots=True)
class Draft:
    """What a request makes of a message: everything that `check_message` looks at."""

    content: str = ""
    embeds: list[Json] = field(default_factory=list[Json])
    components: list[Json] = field(default_factory=list[Json])
    attachments: list[Json] = field(default_factory=list[Json])
    files: Files = field(default_factory=Files)
    flags: int = 0


@dataclass(slots=True)
class Posting:
    """Writes messages; every change is told to the sessions that may hear of it."""

    state: State
    gateway: Gateway

    def check_may(self, channel: Channel, permissions: int = VIEW_CHANNEL | SEND_MESSAGES) -> None:
        """Refuse what the bot may not do here."""
        foreign = channel.type != DM and channel.guild_id != self.state.guild_id
        denied = permissions & channel.denied
        if foreign or denied & VIEW_CHANNEL:
            raise Refusal(403, 50001, "Missing Access")
        if denied and channel.type == DM:
            raise Refusal(403, 50007, "Cannot send messages to this user")
        if denied:
            raise Refusal(403, 50013, "Missing Permissions")

    def create(
        self,
        channel: Channel,
        body: Json,
        files: Files,
        *,
        only_for: User | None = None,
        asked_with: Json | None = None,
    ) -> Post:
        """A new message of the bot, or the one that was posted with the same enforced nonce."""
        nonce = body.get("nonce")
        if nonce is not None and len(str(nonce)) > 25:
            raise invalid(nonce="NONCE_TYPE_TOO_LONG")
        if nonce is not None and body.get("enforce_nonce"):
            earlier = self.state.nonces.get((channel.id, str(nonce)))
            if earlier and self.state.clock.now_s() - earlier[0] < self.state.limits.nonce_s:
                return earlier[1]
        post = Post(
            self.state.clock.snowflake(),
            channel,
            self.state.bot,
            self.state.clock.date(),
            nonce=None if nonce is None else str(nonce),
            only_for=only_for,
            asked_with=asked_with,
        )
        post.reply_to = self._original(body)
        self._write(post, body, files)
        post.flags |= EPHEMERAL if only_for is not None else 0
        channel.posts[post.id] = post
        if nonce is not None and body.get("enforce_nonce"):
            self.state.nonces[channel.id, str(nonce)] = (self.state.clock.now_s(), post)
        self.tell(post, "CREATE")
        return post

    def edit(self, post: Post, body: Json, files: Files) -> Post:
        """What an edit makes of a message of the bot."""
        if not post.loading:
            post.before.append(post.text)
        self._write(post, body, files)
        post.flags &= ~LOADING
        post.edited = self.state.clock.date()
        self.tell(post, "UPDATE")
        return post

    def delete(self, post: Post) -> None:
        """Remove it for everybody."""
        post.deleted = True
        post.channel.posts.pop(post.id, None)
        event = {"id": post.id, "channel_id": post.channel.id}
        if post.channel.guild_id:
            event["guild_id"] = post.channel.guild_id
        if post.only_for is None:
            intents = GUILD_MESSAGES if post.channel.guild_id else DIRECT_MESSAGES
            self.gateway.tell(
                "MESSAGE_DELETE", lambda _: event, guild_id=post.channel.guild_id, intents=intents
            )

    def tell(self, post: Post, what: Literal["CREATE", "UPDATE"]) -> None:
        """Tell the gateway, unless only one person sees it or the server is not the bot's."""
        guild_id = post.channel.guild_id
        self.state.touch()
        if (
            post.channel.type == GROUP
            or post.only_for is not None
            or guild_id not in {"", self.state.guild_id}
        ):
            return
        self.gateway.tell(
            f"MESSAGE_{what}",
            lambda session: self._event(post, session),
            guild_id=guild_id,
            intents=GUILD_MESSAGES if guild_id else DIRECT_MESSAGES,
        )

    def loading(self, channel: Channel, *, only_for: User | None, asked_with: Json) -> Post:
        """The sign that the bot is thinking."""
        post = Post(self.state.clock.snowflake(), channel, self.state.bot, self.state.clock.date())
        post.flags = LOADING | (EPHEMERAL if only_for is not None else 0)
        post.only_for, post.asked_with = only_for, asked_with
        channel.posts[post.id] = post
        self.tell(post, "CREATE")
        return post

    def _event(self, post: Post, session: Session) -> Json:
        bot = None if session.intents & MESSAGE_CONTENT else self.state.bot
        value = post.wire(content_for=bot)
        value["channel_type"] = post.channel.type
        if post.channel.guild_id:
            member = self.state.member(post.author)
            del member["user"]
            value |= {"guild_id": post.channel.guild_id, "member": member}
            for mentioned, user in zip(value["mentions"], post.mentions, strict=True):
                there = self.state.member(user)
                del there["user"]
                mentioned["member"] = there
        return copy.deepcopy(value)

    def _original(self, body: Json) -> Post | None:
        reference = body.get("message_reference")
        if reference is None:
            return None
        found = self.state.post(str(reference["message_id"]))
        if found is None and reference.get("fail_if_not_exists", True):
            raise invalid(message_reference="MESSAGE_REFERENCE_UNKNOWN_MESSAGE")
        return found

    def _write(self, post: Post, body: Json, files: Files) -> None:
        if files and post.channel.guild_id == self.state.guild_id:
            self.check_may(post.channel, ATTACH_FILES)
        check_allowed_mentions(body.get("allowed_mentions"))
        draft = self._draft(post, body, files)
        check_message(
            content=draft.content,
            embeds=draft.embeds,
            components=draft.components,
            flags=draft.flags,
            files=draft.files,
        )
        _number(draft.components)
        post.content, post.embeds, post.components = draft.content, draft.embeds, draft.components
        post.attachments, post.files, post.flags = draft.attachments, draft.files, draft.flags
        post.allowed = body.get("allowed_mentions")
        self.state.pings += pings(
            draft.content, draft.components, allowed=post.allowed, reply_to=post.reply_to
        )

    def _draft(self, post: Post, body: Json, files: Files) -> Draft:
        """Only what the request names changes; that a message is a layout never changes back."""
        wanted = int(body.get("flags") or 0) & OWN_FLAGS
        kept = post.flags & ~OWN_FLAGS | post.flags & COMPONENTS_V2
        draft = Draft(
            content=str(body["content"] or "") if "content" in body else post.content,
            embeds=(body["embeds"] or []) if "embeds" in body else post.embeds,
            components=(body["components"] or []) if "components" in body else post.components,
            flags=kept | wanted if "flags" in body else post.flags,
        )
        named = body.get("attachments")
        kept_ids = None if named is None else {str(each["id"]) for each in named}
        draft.attachments = [
            each for each in post.attachments if kept_ids is None or each["id"] in kept_ids
        ]
        draft.files = {each["filename"]: post.files[each["filename"]] for each in draft.attachments}
        for name, data in files.items():
            draft.attachments.append(self.attachment(post.channel, name, data))
            draft.files[name] = data
        return draft

    def attachment(self, channel: Channel, name: str, data: bytes) -> Json:
        """A file of a message, which anybody can fetch from its address."""
        number = self.state.clock.snowflake()
        url = f"{self.state.url}/attachments/{channel.id}/{number}/{name}"
        self.state.uploads[number] = data
        kind = KINDS.get(name.rpartition(".")[2], "application/octet-stream")
        common = {"id": number, "filename": name, "size": len(data), "content_type": kind}
        return common | {"url": url, "proxy_url": url, "flags": 0}


KINDS = {
    "md": "text/markdown; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "png": "image/png",
    "pdf": "application/pdf",
}


def _number(components: list[Json]) -> None:
    """Each component gets an id, as Discord gives one."""
    taken = {part["id"] for part in walk(components) if part.get("id")}
    free = iter(range(1, 1000))
    for part in walk(components):
        if not part.get("id"):
            part["id"] = next(number for number in free if number not in taken)
