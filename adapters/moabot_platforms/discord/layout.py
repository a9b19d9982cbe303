"""What our messages look like, in Components V2: at most 40 components and 4,000 characters each."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord
from discord import ui

from moabot_platforms import words
from moabot_platforms.discord.marks import Press, Pressed, mark
from moabot_platforms.discord.markup import shown
from moabot_platforms.markdown import pieces

if TYPE_CHECKING:
    from moabot.contract import Answer, Proposal
    from moabot_platforms.progress import Progress, State

__all__ = ["Marker", "Page", "answered", "apology", "moved", "plain", "proposal_page", "thinking"]

TEXT = 3000
"""Characters of an answer in one message; its footer has the others."""
MOST_TEXT = 4000
"""Characters in all the texts of one message."""
SIGNS: dict[State, str] = {"asked": "⏳", "answered": "✅", "failed": "❌", "stopped": "⏹️"}
MOST_STEPS = 12
NOTHING = "(Nothing that can be shown.)"
"""For a text of control characters alone; Discord takes no empty one."""
SHOWN: tuple[Pressed, str, str] = ("shown", "🗂️", "Show proposals")
AFTER: tuple[tuple[Pressed, str, str], ...] = (
    ("good", "👍", ""),
    ("bad", "👎", ""),
    ("again", "🔁", "Retry"),
    SHOWN,
    ("deeper", "🔬", "Deeper"),
)


@dataclass(frozen=True, slots=True)
class Marker:
    """What every message of one answer carries."""

    event_id: str
    thread: str

    def text(self, content: str, page: int) -> ui.TextDisplay[ui.LayoutView]:
        """A text by which any process finds this page again."""
        return ui.TextDisplay(content, id=mark(self.event_id, page))

    def button(
        self, what: Pressed, emoji: str, label: str, *, page: int = 0
    ) -> ui.Button[ui.LayoutView]:
        """A button that works as long as the message exists, whatever process runs."""
        press = Press(what, self.event_id, self.thread, page)
        return ui.Button(emoji=emoji, label=label or None, custom_id=str(press))


@dataclass(frozen=True, slots=True)
class Page:
    """One message of an answer; `attached` is the text of a file that goes with it."""

    items: tuple[ui.Item[ui.LayoutView], ...]
    attached: str = ""

    def view(self) -> ui.LayoutView:
        """As discord.py takes it; stopped, so that it keeps no list of our messages."""
        view = ui.LayoutView(timeout=None)
        for item in self.items:
            view.add_item(item)
        if self.attached:
            view.add_item(ui.File("attachment://answer.md"))
        view.stop()
        return view

    def files(self) -> list[discord.File]:
        """New for each try, since sending reads them."""
        if not self.attached:
            return []
        return [discord.File(io.BytesIO(self.attached.encode()), "answer.md")]


def thinking(progress: Progress, marker: Marker) -> Page:
    """Who was asked and how they do, then the end of the text so far."""
    steps = progress.steps[-MOST_STEPS:]
    lines = [f"**{_short(progress.standing)}**"]
    for step in steps:
        took = "" if step.seconds is None else f" · {step.seconds:.1f} s"
        role = "" if step.role in {"", step.slot, "proposer"} else f" {step.role}"
        lines.append(_short(f"{SIGNS[step.state]} `{step.model}`{role}{took}"))
    states = words.printable("\n".join(lines))
    items: list[ui.Item[ui.LayoutView]] = [ui.Container(marker.text(states, 0))]
    if progress.text.strip():
        # Only the end is rendered, however long the text: it is drawn again each second.
        tail = progress.text[-2 * TEXT :]
        draft = "-# A draft, until the synthesis comes:\n" if progress.is_draft else ""
        limit = min(TEXT, MOST_TEXT - len(states) - len(draft))
        items += [ui.TextDisplay(f"{draft}{p}") for p in pieces(shown(tail), limit=limit)[-1:]]
    items.append(ui.ActionRow(marker.button("stop", "⏹️", "Stop")))
    return Page(tuple(items))


def answered(answer: Answer, marker: Marker, *, money: bool, most: int) -> list[Page]:
    """The whole answer over as many messages as it needs, or attached if that is over `most`."""
    # Rendering 100,000 characters takes half a second, in which nobody else is served.
    long = len(answer.text) > most * TEXT
    texts = pieces(shown(answer.text[:TEXT] if long else answer.text), limit=TEXT) or [NOTHING]
    attached = ""
    if long or len(texts) > most:
        attached = answer.text
        texts = [f"{pieces(texts[0], limit=TEXT // 2)[0]}\n\n-# It goes on in the attached file."]
    pages = [_further(text, marker, page) for page, text in enumerate(texts[:-1])]
    ending: list[ui.Item[ui.LayoutView]] = [marker.text(texts[-1], len(texts) - 1)]
    if answer.degraded:
        ending.append(ui.TextDisplay(f"⚠️ {_short(shown(answer.degraded), 500)}"))
    foot = " · ".join(words.footer(answer, money=money))
    ending.append(ui.TextDisplay(f"-# {_short(foot, 300)}"))
    ending.append(ui.ActionRow(*(marker.button(*button) for button in AFTER)))
    return [*pages, Page(tuple(ending), attached)]


def _further(text: str, marker: Marker, page: int) -> Page:
    """A page before the last; the button tells who replies to it which conversation they mean."""
    return Page((marker.text(text, page), ui.ActionRow(marker.button(*SHOWN))))


def apology(text: str, marker: Marker) -> Page:
    """Why there is no answer, and a button to try again."""
    again = marker.button("again", "🔁", "Retry")
    return Page((marker.text(_short(shown(text), TEXT), 0), ui.ActionRow(again)))


def plain(text: str) -> Page:
    """A few words to one person."""
    return Page((ui.TextDisplay(_short(shown(text), TEXT) or NOTHING),))


def moved(marker: Marker) -> Page:
    """What a command's reply says when Discord no longer lets us edit it."""
    text = "This takes longer than Discord lets a command wait; the answer comes as a message."
    return Page((marker.text(text, 0),))


def proposal_page(proposals: Sequence[Proposal], marker: Marker, page: int) -> Page:
    """One page of what the models proposed, with a button to the page before and after it."""
    texts = [
        f"**{words.heading(proposal)}**\n{piece}"
        for proposal in proposals
        for piece in pieces(shown(proposal.text), limit=TEXT)
    ]
    if not texts:
        return Page((ui.TextDisplay("There are no proposals to show: one model answered alone."),))
    page = min(page, len(texts) - 1)
    text = ui.TextDisplay[ui.LayoutView](texts[page])
    if len(texts) == 1:
        return Page((text,))
    turning: list[ui.Button[ui.LayoutView]] = []
    if page > 0:
        turning.append(marker.button("turned", "◀️", "Before", page=page - 1))
    if page < len(texts) - 1:
        turning.append(marker.button("turned", "▶️", "Next", page=page + 1))
    count = ui.TextDisplay[ui.LayoutView](f"-# Page {page + 1} of {len(texts)}")
    return Page((text, count, ui.ActionRow(*turning)))


def _short(text: str, most: int = 200) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
