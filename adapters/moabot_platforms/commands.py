"""The commands of a chat: words in, words out; what they may do is for the desk to say."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from moabot.config import Defaults
from moabot.contract import Asker, Usage
from moabot.errors import QuestionRejected
from moabot.plugins import nearest
from moabot_platforms.words import cost, counted, printable

if TYPE_CHECKING:
    from moabot.desk import Desk

__all__ = ["BUDGETS", "COMMANDS", "SETTINGS", "UNSET", "Told", "changed", "told"]

DAY_S = 86_400.0
USAGE_DAYS = 30
UNSET = "default"
"""The word that takes a channel's own setting back."""

SETTINGS: Mapping[str, str] = {
    "strategy": "how models work together",
    "preset": "how deep: from fast to max",
    "panel": "which models answer",
    "cache": "who shares remembered answers",
}
"""The settings that a command shows and changes, and what each is."""


BUDGETS: Mapping[str, str] = {"day": "budget_day_usd", "month": "budget_month_usd"}
"""The settings that limit what is spent, by the span of time."""
NAMES: Mapping[str, str] = {setting: f"budget of a {span}" for span, setting in BUDGETS.items()}


@dataclass(frozen=True, slots=True)
class Told:
    """What a command has to say: to the one who gave it, and, if `announced`, to the channel.

    `announced` lacks its subject: the platform puts the person before it.
    """

    text: str
    announced: str = ""


async def told(desk: Desk, asker: Asker, words: str) -> Told:
    """Do what `words` ("strategy vote") say. Raises a `MoabotError` that can be shown as it is."""
    name, _, rest = words.strip().partition(" ")
    command = COMMANDS.get(name.lower() or "help")
    if command is None:
        raise QuestionRejected(
            f"There is no command {printable(name[:40])!r}{nearest(name, COMMANDS)}.",
            fix=f"There are: {', '.join(COMMANDS)}.",
        )
    return await command.run(desk, asker, rest.strip())


async def changed(desk: Desk, asker: Asker, name: str, value: str) -> Told:
    """Change one setting of the asker's channel; `UNSET` takes it back."""
    before = _shown(await desk.settings(asker), name)
    await desk.change(asker, name, None if value == UNSET else value)
    after = _shown(await desk.settings(asker), name)
    what = NAMES.get(name, name)
    if before == after:
        return Told(f"The {what} here stays {after}.")
    return Told(
        f"The {what} here is now {after}; the next question sees it.",
        announced=f"changed the {what} here from {before} to {after}.",
    )


def _shown(settings: Defaults, name: str) -> str:
    value = getattr(settings, name)
    if value is None:
        return "not set"
    return f"${value}" if name in BUDGETS.values() else f"`{printable(str(value))}`"


@dataclass(frozen=True, slots=True)
class _Command:
    """One command: what stands in the help, and what it does."""

    usage: str
    help: str
    run: Callable[[Desk, Asker, str], Awaitable[Told]]


def _setting(name: str) -> _Command:
    async def show_or_change(desk: Desk, asker: Asker, value: str) -> Told:
        if value:
            return await changed(desk, asker, name, value)
        here = _shown(await desk.settings(asker), name)
        values = ", ".join(f"`{each}`" for each in desk.choices()[name])
        return Told(f"The {name} here is {here}. There are: {values}.")

    return _Command(f"{name} [NAME]", f"show or change {SETTINGS[name]}", show_or_change)


async def _budget(desk: Desk, asker: Asker, words: str) -> Told:
    if not words:
        here = await desk.settings(asker)
        each = (f"{_shown(here, setting)} a {span}" for span, setting in BUDGETS.items())
        return Told(f"The budget here: {', '.join(each)}.")
    span, _, amount = words.partition(" ")
    if span not in BUDGETS or not amount.strip():
        raise QuestionRejected(
            f"A budget is for a day or a month; {printable(words[:40])!r} is not.",
            fix=f"For example: budget day 5. To have none: budget day {UNSET}.",
        )
    return await changed(desk, asker, BUDGETS[span], amount.strip().lstrip("$"))


async def _note(desk: Desk, asker: Asker, words: str) -> Told:
    if words:
        return await changed(desk, asker, "note", words)
    return Told(f"The note to the models here is {_shown(await desk.settings(asker), 'note')}.")


async def _usage(desk: Desk, asker: Asker, _: str) -> Told:
    since = time.time() - USAGE_DAYS * DAY_S
    rows = await desk.spending(asker, by="channel", since=since)
    if not rows:
        return Told(f"Nothing was asked here in the last {USAGE_DAYS} days.")
    whole = _summed(row.cost_usd for row in rows)
    answers, calls = sum(row.answers for row in rows), sum(row.calls for row in rows)
    spent = f"{counted(answers, 'answer')}, {counted(calls, 'call')}, {whole}"
    lines = [f"In the last {USAGE_DAYS} days, here: {spent}."]
    if unpriced := sum(row.unpriced for row in rows):
        lines.append(f"The price of {counted(unpriced, 'call')} is unknown and not in the sum.")
    by_model = await desk.spending(asker, by="model", since=since)
    for model in sorted({row.key for row in by_model}):
        own = [row for row in by_model if row.key == model]
        spent = _summed(row.cost_usd for row in own)
        lines.append(f"- {printable(model)}: {counted(sum(r.calls for r in own), 'call')}, {spent}")
    return Told("\n".join(lines))


async def _status(desk: Desk, asker: Asker, _: str) -> Told:
    here = await desk.settings(asker)
    settings = ", ".join(f"{name} `{getattr(here, name)}`" for name in SETTINGS)
    return Told("\n".join([f"Here: {settings}.", *desk.status(asker)]))


async def _help(desk: Desk, asker: Asker, _: str) -> Told:
    lines = [f"- `{command.usage}`: {command.help}" for command in COMMANDS.values()]
    may = (
        "You may change settings here."
        if await desk.may_change(asker)
        else ("Settings are changed by who manages this channel.")
    )
    return Told("\n".join(["Mention me with a question, or use:", *lines, may]))


def _summed(costs: Iterable[Decimal]) -> str:
    return cost(Usage(calls=1, cost_usd=sum(costs, Decimal(0))))


COMMANDS: Mapping[str, _Command] = {
    **{name: _setting(name) for name in SETTINGS},
    "budget": _Command(
        "budget [day|month USD]", "show or change what answers here may cost", _budget
    ),
    "note": _Command("note [WORDS]", "show or change what models are told here", _note),
    "usage": _Command("usage", "what was asked and spent here", _usage),
    "status": _Command("status", "what holds here, and how the bot does", _status),
    "help": _Command("help", "this", _help),
}
