"""The app's home tab: what holds in a channel, and what was spent there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moabot.contract import Asker
from moabot.errors import Refused
from moabot_platforms.commands import told
from moabot_platforms.slack import blocks
from moabot_platforms.slack.payload import Json

if TYPE_CHECKING:
    from moabot_platforms.slack.platform import Slack

__all__ = ["home", "shown"]


async def home(slack: Slack, team: str, channel: str, user: str) -> None:
    """Show somebody the settings and sums of a channel, and how to choose another one."""
    asker = await slack.asker(team, channel, user)
    view = {"type": "home", "blocks": await _lines(slack, asker)}
    await slack.web(team).surely("views.publish", {"user_id": user, "view": view})


async def _lines(slack: Slack, asker: Asker) -> list[Json]:
    lines = [_section("*What holds, and what was spent, in:*", picker=True)]
    try:
        for words in ("status", "usage", "help"):
            said = await told(slack.desk, asker, words)
            lines += [_section(shown(said.text, ask=words == "help")), {"type": "divider"}]
    except Refused as refused:
        return [_section(blocks.escaped(str(refused)))]
    return lines[:-1]


def shown(words: str, *, ask: bool) -> str:
    """The shared commands' Markdown in Slack's own; `ask` adds the one that only Slack has."""
    lines = blocks.escaped(words).replace("\n- `", "\n• `/moa " if ask else "\n• `")
    lines = lines.replace("\n- ", "\n• ")
    own = "\n• `/moa ask QUESTION`: ask here, for all to see"
    first, _, rest = lines.partition("\n")
    return f"{first}{own}\n{rest}" if ask else lines


def _section(words: str, *, picker: bool = False) -> Json:
    select = {
        "type": "conversations_select",
        "action_id": "moabot_home",
        "placeholder": {"type": "plain_text", "text": "this conversation"},
        "filter": {"include": ["public", "private"]},
    }
    block = {"type": "section", "text": {"type": "mrkdwn", "text": words[:3000]}}
    return {**block, "accessory": select} if picker else block
