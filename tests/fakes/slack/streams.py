"""chat.*Stream, and the status lines of assistant threads and agent sessions."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack.asked import Asked, Method, Refused
from tests.fakes.slack.blocks import chunk_problem
from tests.fakes.slack.chat import blocks_of, metadata_of, thread_of
from tests.fakes.slack.workspace import Post, Stream

Json = dict[str, Any]
STATES = {"active", "processing", "suspended", "closed"}


def _start(asked: Asked) -> Json:
    channel = asked.joined()
    if not asked.text("thread_ts"):
        raise Refused("invalid_arguments", "[ERROR] missing required field: thread_ts")
    if channel.kind != "im":
        for who in ("team", "user"):
            if not asked.text(f"recipient_{who}_id"):
                raise Refused(f"missing_recipient_{who}_id")
    if asked.text("task_display_mode", "timeline") not in {"timeline", "plan", "dense"}:
        raise Refused("invalid_arguments")
    now = asked.now()
    post = Post(
        ts=asked.room.workspace.stamp(now),
        channel=channel.id,
        user=asked.team.bot,
        bot_id=asked.team.bot_id,
        thread_ts=thread_of(asked, channel),
        unfurls=False,
        stream=Stream(began=now, last=now, to=asked.text("recipient_user_id")),
    )
    _add(asked, post)
    asked.room.workspace.add(post)
    asked.room.workspace.statuses.pop((channel.id, post.thread_ts), None)
    return {"channel": channel.id, "ts": post.ts}


def _streaming(asked: Asked) -> Post:
    """The message, if it still takes text; a stream that is too old or was silent does not."""
    post, limits, now = asked.post(asked.channel()), asked.room.limits, asked.now()
    if post.user != asked.team.bot:
        raise Refused("message_not_owned_by_app")
    stream = post.stream
    if stream is not None and stream.open:
        too_old = now - stream.began >= limits.stream_life_s
        if too_old or now - stream.last >= limits.stream_silence_s:
            stream.open = False
    if stream is None or not stream.open:
        raise Refused("message_not_in_streaming_state")
    return post


def _add(asked: Asked, post: Post) -> None:
    """Take the text and the chunks, all or none."""
    stream, limits = post.stream, asked.room.limits
    if stream is None:
        raise Refused("message_not_in_streaming_state")
    text = asked.text("markdown_text")
    chunks: list[Json] = asked.value("chunks", "invalid_chunks") or []
    mode = "text" if text else "chunks" if chunks else ""
    if (text and chunks) or (mode and stream.mode not in {"", mode}):
        raise Refused("streaming_mode_mismatch")
    for chunk in chunks:
        if error := chunk_problem(chunk, limits):
            raise Refused(error)
    added = text + "".join(chunk["text"] for chunk in chunks if chunk["type"] == "markdown_text")
    if len(text) > limits.markdown_text or len(post.markdown) + len(added) > limits.stream_text:
        raise Refused("msg_too_long")
    if sum(len(chunk.get("blocks", [])) for chunk in chunks) + len(stream.blocks) > limits.blocks:
        raise Refused("invalid_blocks")
    stream.mode, stream.last = stream.mode or mode, asked.now()
    if added:
        post.before.append(post.markdown)
    post.markdown += added
    for chunk in chunks:
        _show(stream, chunk)


def _show(stream: Stream, chunk: Json) -> None:
    """A chunk that is not text: the plan's title, a task's card, blocks."""
    match chunk["type"]:
        case "plan_update":
            stream.plan = chunk["title"]
        case "task_update":
            stream.tasks[chunk["id"]] = {**stream.tasks.get(chunk["id"], {}), **chunk}
        case "blocks":
            stream.blocks += chunk["blocks"]
        case _:
            pass


def _append(asked: Asked) -> Json:
    if not asked.text("markdown_text") and not asked.args.get("chunks"):
        raise Refused("no_text")
    post = _streaming(asked)
    _add(asked, post)
    return {"channel": post.channel, "ts": post.ts}


def _stop(asked: Asked) -> Json:
    post = _streaming(asked)
    blocks, metadata = blocks_of(asked), metadata_of(asked)
    if (state := asked.text("session_status")) and state not in STATES:
        raise Refused("invalid_arguments")
    _add(asked, post)
    if post.stream is not None:
        post.stream.open = False
    post.blocks, post.metadata = blocks or [], metadata or post.metadata
    if state:
        asked.room.workspace.sessions.setdefault((post.channel, post.thread_ts), {})["status"] = (
            state
        )
    wired = post.wire(team=asked.team.id, metadata=True)
    asked.room.tell(asked.team, {**wired, "channel": post.channel, "event_ts": post.ts})
    return {"channel": post.channel, "ts": post.ts, "message": wired}


def _status(asked: Asked) -> Json:
    channel, limits = asked.joined("channel_id"), asked.room.limits
    loading: list[str] = asked.value("loading_messages", "invalid_arguments") or []
    if len(loading) > limits.loading_messages:
        raise Refused(
            "invalid_arguments", "[ERROR] no more than 10 items allowed: loading_messages"
        )
    where = (channel.id, asked.needs("thread_ts"))
    if where not in asked.room.workspace.posts:
        raise Refused("invalid_thread_ts")
    if status := asked.text("status"):
        until = asked.now() + limits.status_life_s
        asked.room.workspace.statuses[where] = (until, status, list(loading))
    else:
        asked.room.workspace.statuses.pop(where, None)
    return {}


def _session(asked: Asked) -> Json:
    channel, status = asked.joined("channel_id"), asked.needs("status")
    if status not in STATES:
        raise Refused("invalid_arguments", f"[ERROR] must be a valid enum value: {status}")
    where = (channel.id, asked.needs("thread_ts"))
    if where not in asked.room.workspace.posts:
        raise Refused("thread_not_found")
    sessions = asked.room.workspace.sessions
    if where not in sessions:
        if len(asked.text("title")) > 200:
            raise Refused("invalid_arguments", "[ERROR] must be less than 201 characters: title")
        sessions[where] = {"title": asked.text("title"), "by": asked.text("initiator_user_id")}
    sessions[where]["status"] = status
    answer = {"status": status, "agent_status": status, "title": sessions[where]["title"]}
    if "agent_session_stopped" in asked.room.subscribed:
        return answer
    return answer | {"warning": "missing_agent_session_stopped_event_subscription"}


def _rename(asked: Asked) -> Json:
    where = (asked.joined("channel_id").id, asked.needs("thread_ts"))
    if where not in asked.room.workspace.sessions:
        raise Refused("session_not_found")
    asked.room.workspace.sessions[where]["title"] = asked.needs("title")[:200]
    return {}


def _titled(asked: Asked) -> Json:
    asked.joined("channel_id")
    asked.needs("thread_ts")
    asked.needs("title")
    return {}


def _prompts(asked: Asked) -> Json:
    asked.joined("channel_id")
    prompts = asked.value("prompts", "invalid_arguments")
    if not prompts or len(prompts) > 4:
        raise Refused("invalid_arguments")
    return {}


METHODS: dict[str, Method] = {
    "chat.startStream": _start,
    "chat.appendStream": _append,
    "chat.stopStream": _stop,
    "assistant.threads.setStatus": _status,
    "assistant.threads.setTitle": _titled,
    "assistant.threads.setSuggestedPrompts": _prompts,
    "agents.sessions.setStatus": _session,
    "agents.sessions.rename": _rename,
}
