"""Buttons under answers: stop, retry, deeper, proposals, thumbs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from moabot.contract import Asker, Scope
from moabot.errors import MoabotError, PlatformError
from moabot_platforms.slack import blocks, forms
from moabot_platforms.slack.home import home
from moabot_platforms.slack.payload import Json, inside, listed, text
from moabot_platforms.words import stopping

if TYPE_CHECKING:
    from moabot_platforms.slack.platform import Slack

__all__ = ["Click", "clicked", "reasoned"]


class Click:
    """What a person pressed, and where. `event` is the question that the button belongs to."""

    def __init__(self, body: Json) -> None:
        action = next(iter(listed(body, "actions")), inside({}))
        self.action = text(action, "action_id")
        self.value = text(action, "value")
        self.at = text(action, "action_ts")
        self.team = text(body, "team", "id")
        self.channel = text(body, "channel", "id") or text(body, "container", "channel_id")
        self.user = text(body, "user", "id")
        self.trigger = text(body, "trigger_id")
        message = inside(body, "message")
        self.thread = text(message, "thread_ts") or text(message, "ts")
        chosen = text(action, "selected_conversation")
        self.chosen = chosen or text(action, "selected_option", "value")


async def clicked(slack: Slack, body: Json) -> None:
    """Do what a button says; what it may not do, its person is told alone."""
    click = Click(body)
    try:
        await _done(slack, click)
    except PlatformError:
        raise  # there is no telling anybody
    except MoabotError as error:
        await _tell(slack, click, str(error))


async def reasoned(slack: Slack, body: Json) -> None:
    """A reason was given for a thumb down."""
    noted = forms.noted(body)
    asker = await _asker(
        slack, text(body, "team", "id"), noted["channel"], text(body, "user", "id")
    )
    reason = forms.filled(body, "reason")
    await slack.desk.rate(asker, noted["event"], -1, reason=reason)


async def _done(slack: Slack, click: Click) -> None:
    match click.action:
        case blocks.STOP:
            asker = await slack.asker(click.team, click.channel, click.user)
            if not await slack.desk.stop(asker, click.value):
                await _tell(slack, click, "There is nothing to stop any more.")
        case blocks.AGAIN | blocks.DEEPER:
            await _again(slack, click, deeper=click.action == blocks.DEEPER)
        case blocks.PROPOSALS:
            await _propose(slack, click)
        case blocks.RATE:
            await _rate(slack, click)
        case "moabot_home":
            if click.user in await slack.members(
                click.team, click.chosen
            ):  # only they see what it spends
                await home(slack, click.team, click.chosen, click.user)
        case _:
            pass


async def _again(slack: Slack, click: Click, *, deeper: bool) -> None:
    asker = await _asker(slack, click.team, click.channel, click.user)
    event_id = f"{click.team}:{click.channel}:{click.at}:{click.user}"
    entry = await slack.desk.again(asker, click.value, event_id=event_id, deeper=deeper)
    if entry is not None:
        slack.answer(entry)
    elif not slack.desk.taking:
        raise stopping()


async def _propose(slack: Slack, click: Click) -> None:
    asker = await _asker(slack, click.team, click.channel, click.user)
    proposals = await slack.desk.proposals(asker, click.value)
    if not proposals:
        await _tell(slack, click, "What the models proposed is no longer known.")
        return
    for content in blocks.proposals(proposals):
        args = {
            "channel": click.channel,
            "user": click.user,
            "text": content.text,
            "blocks": list(content.blocks),
            "link_names": False,
            **({"thread_ts": click.thread} if click.thread else {}),
        }
        await slack.web(click.team).surely("chat.postEphemeral", args)


async def _rate(slack: Slack, click: Click) -> None:
    thumb, _, event = click.value.partition(" ")
    verdict: Literal[1, -1] = 1 if thumb == "1" else -1
    asker = await _asker(slack, click.team, click.channel, click.user)
    await slack.desk.rate(asker, event, verdict)
    if verdict == -1:
        view = forms.reason(event, channel=click.channel)
        args = {"trigger_id": click.trigger, "view": view}
        await slack.web(click.team).call("views.open", args)


async def _tell(slack: Slack, click: Click, words: str) -> None:
    await slack.whisper(click.team, click.channel, click.user, words, thread=click.thread)


async def _asker(slack: Slack, team: str, channel: str, user: str) -> Asker:
    """Somebody who needs no rights for this, so that Slack need not be asked for them."""
    private = await slack.is_private(team, channel)
    return Asker(Scope("slack", team, channel, private=private), user)
