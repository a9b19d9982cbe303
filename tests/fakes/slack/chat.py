"""chat.*: posts, edits, deletions."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack.asked import Asked, Method, Refused
from tests.fakes.slack.blocks import problems, text_length
from tests.fakes.slack.workspace import Channel, Post

Json = dict[str, Any]


def blocks_of(asked: Asked) -> list[Json] | None:
    """The blocks that were sent; None: there was no such argument."""
    blocks = asked.value("blocks", "invalid_blocks_format")
    if blocks is None:
        return None
    limits = asked.room.limits
    if found := problems(blocks, most=limits.blocks):
        raise Refused("invalid_blocks", *(f"[ERROR] {each}" for each in found))
    if text_length(blocks) > limits.blocks_text:
        raise Refused("msg_blocks_too_long")
    return list(blocks)


def metadata_of(asked: Asked) -> Json | None:
    """The message's metadata, if it has the shape that Slack asks for."""
    metadata = asked.value("metadata", "invalid_metadata_format")
    if metadata and not (
        metadata.get("event_type") and isinstance(metadata.get("event_payload"), dict)
    ):
        raise Refused("invalid_metadata_schema")
    return metadata or None


def thread_of(asked: Asked, channel: Channel) -> str:
    """The first message of the thread it goes to; "" is none."""
    if not (ts := asked.text("thread_ts")):
        return ""
    root = asked.room.workspace.posts.get((channel.id, ts))
    if root is None or root.to:
        raise Refused("thread_not_found")
    return root.thread_ts or root.ts


def _content(asked: Asked) -> tuple[str, str, list[Json] | None]:
    text, markdown, blocks = asked.text("text"), asked.text("markdown_text"), blocks_of(asked)
    if markdown and (text or blocks):
        raise Refused("markdown_text_conflict")
    if len(markdown) > asked.room.limits.markdown_text:
        raise Refused("msg_too_long")
    if not (text or markdown or blocks or asked.value("attachments", "invalid_attachments")):
        raise Refused("no_text")
    return text, markdown, blocks


def _post_message(asked: Asked) -> Json:
    channel, room = asked.joined(), asked.room
    text, markdown, blocks = _content(asked)
    post = Post(
        ts=room.workspace.stamp(asked.now()),
        channel=channel.id,
        user=asked.team.bot,
        bot_id=asked.team.bot_id,
        text=text[: room.limits.post_text],
        markdown=markdown,
        blocks=blocks or [],
        thread_ts=thread_of(asked, channel),
        metadata=metadata_of(asked),
        unfurls=asked.truth("unfurl_links", otherwise=bool(blocks is None)),
        by_name=asked.truth("link_names", otherwise=False) or asked.text("parse") == "full",
    )
    room.workspace.add(post)
    room.workspace.statuses.pop((channel.id, post.thread_ts), None)
    wired = post.wire(team=asked.team.id, metadata=True)
    room.tell(asked.team, {**wired, "channel": channel.id, "event_ts": post.ts})
    return {"channel": channel.id, "ts": post.ts, "message": wired}


def _post_ephemeral(asked: Asked) -> Json:
    channel, user = asked.joined(), asked.needs("user")
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    text, markdown, blocks = _content(asked)
    ts = asked.room.workspace.stamp(asked.now())
    post = Post(
        ts=ts,
        channel=channel.id,
        user=asked.team.bot,
        bot_id=asked.team.bot_id,
        text=text,
        markdown=markdown,
        blocks=blocks or [],
        thread_ts=thread_of(asked, channel),
        to=user,
        by_name=asked.truth("link_names", otherwise=False) or asked.text("parse") == "full",
    )
    asked.room.workspace.add(post)
    return {"message_ts": ts}


def rewrite(post: Post, text: str, *, markdown: str, blocks: list[Json] | None) -> None:
    """Put new content in place; blocks that are not sent stay, as they do at Slack."""
    post.before.append(post.shown)
    post.text, post.markdown, post.edits = text, markdown, post.edits + 1
    if post.stream is not None:
        post.stream.blocks = []
    if blocks is not None:
        post.blocks = blocks


def _update(asked: Asked) -> Json:
    channel, limits = asked.channel(), asked.room.limits
    post = asked.post(channel)
    if post.user != asked.team.bot:
        raise Refused("cant_update_message")
    if post.streaming:
        raise Refused("streaming_state_conflict")
    text, markdown, blocks = _content(asked)
    if len(text) > limits.update_text:
        raise Refused("msg_too_long")
    rewrite(post, text, markdown=markdown, blocks=blocks)
    if (metadata := metadata_of(asked)) is not None:
        post.metadata = metadata
    wired = post.wire(team=asked.team.id, metadata=True)
    event = {"type": "message", "subtype": "message_changed", "hidden": True, "message": wired}
    stamp = asked.room.workspace.stamp(asked.now())
    asked.room.tell(asked.team, {**event, "channel": channel.id, "ts": stamp, "event_ts": stamp})
    return {"channel": channel.id, "ts": post.ts, "text": post.text, "message": wired}


def _delete(asked: Asked) -> Json:
    channel = asked.channel()
    post = asked.post(channel)
    if post.user != asked.team.bot:
        raise Refused("cant_delete_message")
    post.deleted = True
    return {"channel": channel.id, "ts": post.ts}


METHODS: dict[str, Method] = {
    "chat.postMessage": _post_message,
    "chat.postEphemeral": _post_ephemeral,
    "chat.update": _update,
    "chat.delete": _delete,
}
