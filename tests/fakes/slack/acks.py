"""What Slack does with what comes back: an ack's content, and what is sent to a response_url."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack.asked import Room
from tests.fakes.slack.blocks import problems, text_length, view_problems
from tests.fakes.slack.chat import rewrite
from tests.fakes.slack.exchanges import Exchange
from tests.fakes.slack.workspace import Post, View

Json = dict[str, Any]


def on_command(room: Room, sent: Exchange) -> None:
    """Post the text that came with the ack."""
    if sent.answer.get("text") or sent.answer.get("blocks"):
        payload = sent.payload
        posted = respond(
            room, sent.answer, channel=payload["channel_id"], user=payload["user_id"], post=None
        )
        sent.failure = posted


def respond(room: Room, said: Json, *, channel: str, user: str, post: Post | None) -> str:
    """Show what the app says to a command or a press: to its person, unless it is in_channel.

    Returns the error that Slack gives, "" if it is shown.
    """
    blocks: list[Json] = said.get("blocks") or []
    if problems(blocks, most=room.limits.blocks):
        return "invalid_blocks"
    if text_length(blocks) > room.limits.blocks_text:
        return "msg_blocks_too_long"
    if said.get("delete_original") and post is not None:
        post.deleted = True
        return ""
    text = str(said.get("text", ""))
    if not text and not blocks:
        return "no_text"
    if said.get("replace_original") and post is not None:
        rewrite(post, text, markdown="", blocks=said.get("blocks"))
        return ""
    where, space = room.workspace.channels[channel], room.workspace
    ts = space.stamp(room.clock.now())
    team = space.teams[where.team]
    post = Post(
        ts=ts,
        channel=channel,
        user=team.bot,
        bot_id=team.bot_id,
        text=text,
        blocks=blocks,
        thread_ts=str(said.get("thread_ts") or ""),
        to="" if said.get("response_type") == "in_channel" else user,
    )
    space.add(post)
    return ""


def on_submission(room: Room, view: View, sent: Exchange) -> None:
    """Close the modal, or do what the app says: errors, update, push, clear."""
    answer = sent.answer
    match answer.get("response_action"):
        case "errors":
            view.errors = answer["errors"]
            there = {block.get("block_id") for block in view.content["blocks"]}
            if not view.errors or set(view.errors) - there:
                sent.failure = "We had some trouble connecting. Try again?"
        case "update" | "push" as how:
            if found := view_problems(answer.get("view")):
                sent.failure = f"We had some trouble connecting. Try again? {found}"
            elif how == "update":
                view.content, view.errors = answer["view"], {}
                view.hash = room.workspace.stamp(room.clock.now())
            else:
                name = room.workspace.name("V")
                stamp = room.workspace.stamp(room.clock.now())
                pushed = View(
                    name, view.user, answer["view"], hash=stamp, root=view.root or view.id
                )
                room.workspace.views[name] = pushed
        case _:
            view.open, view.errors = False, {}
