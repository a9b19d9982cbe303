"""/moa: questions, settings and sums by command, modal, shortcut and home tab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from moabot.contract import Asker, Message
from moabot.errors import MoabotError, PlatformError, QuestionRejected
from moabot_platforms.commands import BUDGETS, SETTINGS, UNSET, changed, told
from moabot_platforms.slack import blocks, forms
from moabot_platforms.slack.home import shown
from moabot_platforms.slack.payload import Json, flag, inside, text
from moabot_platforms.slack.said import event_id, plain
from moabot_platforms.slack.web import Content, Mark, Place, SlackRefused
from moabot_platforms.words import stopping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moabot.config import Defaults
    from moabot_platforms.slack.platform import Slack

__all__ = ["Ack", "asked_about", "commanded", "set_here", "shortcut"]


class Ack(Protocol):
    """Acknowledges what Slack sent, with an answer for the one person."""

    async def __call__(
        self,
        text: str = "",
        *,
        response_type: str | None = None,
        response_action: str | None = None,
        errors: dict[str, str] | None = None,
    ) -> object:
        """Once, within three seconds."""
        ...


async def commanded(slack: Slack, ack: Ack, body: Json) -> None:
    """/moa WORDS."""
    words = text(body, "text").strip()
    name, _, rest = words.partition(" ")
    try:
        if name == "ask":
            await _ask(slack, body, rest)
            await ack()
        elif name in SETTINGS and not rest:
            await _open_settings(slack, body)
            await ack()
        else:
            asker = await _asker(slack, body)
            said = await told(slack.desk, asker, words)
            await ack(shown(said.text, ask=name in {"help", ""}), response_type="ephemeral")
            await _announce(slack, asker, said.announced)
    except MoabotError as error:
        await ack(blocks.escaped(str(error)), response_type="ephemeral")


async def set_here(slack: Slack, ack: Ack, body: Json) -> None:
    """The settings' modal was sent: what differs is changed, and the channel hears of it."""
    channel = forms.noted(body)["channel"]
    asker = await slack.asker(text(body, "team", "id"), channel, text(body, "user", "id"))
    here = await slack.desk.settings(asker)
    announced: list[str] = []
    for name, value in _wanted(body, here).items():
        try:
            announced.append((await changed(slack.desk, asker, name, value)).announced)
        except MoabotError as error:
            await ack(response_action="errors", errors={name: str(error)[:1900]})
            break
    else:
        await ack()
    for words in announced:
        await _announce(slack, asker, words)


def _wanted(body: Json, here: Defaults) -> Mapping[str, str]:
    """What differs in the modal from what holds, by the setting's name; an empty field unsets."""
    there = forms.entered(body)
    return {
        name: there[name] or UNSET
        for name in (*SETTINGS, *BUDGETS.values())
        if name in there and there[name] != _now(here, name)
    }


def _now(here: Defaults, name: str) -> str:
    value: object = getattr(here, name)
    return "" if value is None else str(value)


async def shortcut(slack: Slack, body: Json) -> None:
    """The message shortcut `Ask moabot about this`."""
    message = inside(body, "message")
    here = slack.workspaces.at(text(body, "team", "id"))
    view = forms.about(
        plain(text(message, "text"), bot=await here.bot()),
        channel=text(body, "channel", "id"),
        thread=text(message, "thread_ts") or text(message, "ts"),
        author=text(message, "user"),
    )
    args = {"trigger_id": text(body, "trigger_id"), "view": view}
    await here.web.call("views.open", args)


async def asked_about(slack: Slack, ack: Ack, body: Json) -> None:
    """The question about a message was sent: it is answered in the message's thread."""
    note, question = forms.noted(body), forms.filled(body, "question")
    team, channel, user = text(body, "team", "id"), note["channel"], text(body, "user", "id")
    quoted = "\n".join(f"> {line}" for line in note["quoted"].split("\n"))
    message = Message(
        platform="slack",
        workspace=team,
        channel=channel,
        author=user,
        text=f"{question}\n\nThis is about a message of @{note['author']}:\n{quoted}",
        event_id=event_id(team, channel, text(body, "view", "id")),
        thread=note["thread"],
        private=await slack.is_private(team, channel),
    )
    try:
        await _require_membership(slack, team, channel)
        if not await slack.take_on(message):
            raise stopping()
        await ack()
    except MoabotError as error:
        await ack(response_action="errors", errors={"question": str(error)[:1900]})


async def _require_membership(slack: Slack, team: str, channel: str) -> None:
    """A shortcut works where the bot is not: nobody would ever see its answer there."""
    try:
        answer = await slack.web(team).call("conversations.info", {"channel": channel})
        found = inside(answer, "channel")
    except SlackRefused as refused:
        raise _outside(refused.error) from refused
    except PlatformError:  # it cannot be told in time: posting will
        return
    if not (flag(found, "is_member") or flag(found, "is_im")):
        raise _outside("not_in_channel")


def _outside(why: str) -> PlatformError:
    return PlatformError(
        f"I cannot write here ({why}).", fix="Invite me with /invite, then ask again."
    )


async def _ask(slack: Slack, body: Json, question: str) -> None:
    """A command is no message: the question is posted, and answered in its thread."""
    if not question.strip():
        raise QuestionRejected("The question is empty.", fix="Write it after `/moa ask`.")
    await slack.desk.settings(await _asker(slack, body))  # who may not ask is not shown to all
    team, channel, user = (text(body, name) for name in ("team_id", "channel_id", "user_id"))
    shown = {"type": "section", "text": {"type": "mrkdwn", "text": _asked(user, question)}}
    mark = Mark(text(body, "trigger_id")[-32:], "question")
    try:
        root = await slack.web(team).post(
            Place(team, channel, "", user), Content(blocks.preview(question), (shown,)), mark
        )
    except SlackRefused as refused:
        raise _outside(refused.error) from refused
    message = Message(
        platform="slack",
        workspace=team,
        channel=channel,
        author=user,
        text=plain(question, bot=await slack.workspaces.at(team).bot()),
        event_id=event_id(team, channel, root),
        thread=root,
        private=await slack.is_private(team, channel),
    )
    if not await slack.take_on(message):
        raise stopping()


async def _open_settings(slack: Slack, body: Json) -> None:
    asker = await _asker(slack, body)
    here = await slack.desk.settings(asker)
    choices = slack.desk.choices()
    budgets = [name for name in BUDGETS.values() if await slack.desk.may_change(asker, name)]
    now = {name: _now(here, name) for name in (*choices, *budgets)}
    view = forms.settings(now, choices, channel=asker.scope.channel)
    args = {"trigger_id": text(body, "trigger_id"), "view": view}
    await slack.web(asker.scope.workspace).call("views.open", args)


async def _asker(slack: Slack, body: Json) -> Asker:
    team, channel, user = (text(body, name) for name in ("team_id", "channel_id", "user_id"))
    return await slack.asker(team, channel, user)


async def _announce(slack: Slack, asker: Asker, words: str) -> None:
    if not words:
        return
    line = f"<@{asker.author}> {blocks.escaped(words)}"
    shown = {"type": "section", "text": {"type": "mrkdwn", "text": line}}
    place = Place(asker.scope.workspace, asker.scope.channel, "", asker.author)
    mark = Mark("settings", words[:100])
    await slack.web(place.team).post(place, Content(blocks.preview(words), (shown,)), mark)


def _asked(user: str, question: str) -> str:
    quoted = blocks.escaped(question[:2500]).replace("\n", "\n>")
    return f"<@{user}> asked:\n>{quoted}"
