"""What a message is made of: Block Kit for answers, progress, footers and buttons."""

from __future__ import annotations

from collections.abc import Sequence

from moabot.contract import Answer, Proposal
from moabot.errors import MoabotError
from moabot_platforms.markdown import JOINER, harmless, pieces
from moabot_platforms.progress import Progress, Step
from moabot_platforms.slack.payload import Json
from moabot_platforms.slack.web import Content
from moabot_platforms.words import apology, footer, heading, printable

__all__ = [
    "AGAIN",
    "DEEPER",
    "PIECE",
    "PROPOSALS",
    "RATE",
    "STOP",
    "answer",
    "ending",
    "escaped",
    "preview",
    "proposals",
    "sorry",
    "tasks",
    "working",
]

PIECE = 11_000
"""Characters of one message's Markdown: Slack takes 12,000, and 13,200 with all around it."""
STOP, AGAIN, DEEPER, PROPOSALS, RATE = (
    "moabot_stop",
    "moabot_again",
    "moabot_deeper",
    "moabot_proposals",
    "moabot_rate",
)
STATES = {"asked": "in_progress", "answered": "complete", "failed": "error", "stopped": "complete"}
SIGNS = {"asked": "…", "answered": "✓", "failed": "✗", "stopped": "-"}


def escaped(words: str) -> str:
    """`words` for Slack's own markup, where they stay words."""
    shown = printable(words).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return shown.replace("@", f"@{JOINER}") if "@" in shown else shown


def preview(words: str) -> str:
    """The beginning of a text, for its notification."""
    line = " ".join(printable(words).split())
    return escaped(line if len(line) <= 150 else f"{line[:149]}…") or "…"


def working(progress: Progress, *, event: str, cards: bool) -> Content:
    """The post that says that somebody is at work, with a Stop button.

    `cards`: the models are shown by task cards elsewhere, so no lines are needed here.
    """
    title = f"{progress.standing} …" if progress.steps and not cards else "Asking the models …"
    lines = [] if cards else [_line(step) for step in progress.steps[-20:]]
    text = "\n".join([f"*{escaped(title)}*", *lines])
    return Content(title, (_section(text), {"type": "actions", "elements": [_stop(event)]}))


def tasks(steps: Sequence[Step]) -> list[Json]:
    """A task card for each model: its name, state and seconds."""
    return [
        {
            "type": "task_update",
            "id": f"{step.slot}-{step.model}",
            "title": _title(step),
            "status": STATES[step.state],
            **({"details": _details(step)} if _details(step) else {}),
        }
        for step in steps
    ]


def answer(markdown: str, tail: Sequence[Json] = ()) -> list[Content]:
    """The messages that show all of `markdown`, the last with `tail`."""
    parts = pieces(markdown, limit=PIECE) or ["(no text)"]
    return [
        Content(
            preview(part),
            ({"type": "markdown", "text": part}, *(tail if place == len(parts) - 1 else ())),
        )
        for place, part in enumerate(parts)
    ]


def ending(given: Answer, *, event: str, money: bool) -> tuple[Json, ...]:
    """Under an answer: what it lacks, how it came about, and what can be done with it."""
    lines: list[Json] = []
    if given.degraded:
        lines.append(_section(f":warning: {escaped(given.degraded)}"))
    lines.append(_context(" · ".join(footer(given, money=money))))
    more = [_button("Retry", AGAIN, event), _button("Deeper", DEEPER, event)]
    if given.proposals:
        more.append(_button("Show proposals", PROPOSALS, event))
    return (
        *lines,
        {"type": "context_actions", "elements": [_thumbs(event)]},
        {"type": "actions", "elements": more},
    )


def sorry(error: MoabotError, *, reference: str, event: str) -> Content:
    """Why there is no answer, and a button to ask again."""
    why = apology(error, reference=reference)
    actions: Json = {"type": "actions", "elements": [_button("Retry", AGAIN, event)]}
    return Content(preview(why), (_section(escaped(why)[:2900]), actions))


def proposals(given: Sequence[Proposal]) -> list[Content]:
    """Each model's proposal, one after another, in as few messages as they fit."""
    whole = "\n\n".join(f"### {heading(each)}\n\n{each.text}" for each in given)
    return answer(harmless(whole))


def _line(step: Step) -> str:
    details = f"  {_details(step)}" if _details(step) else ""
    return f"{SIGNS[step.state]} {escaped(_title(step))}{details}"


def _title(step: Step) -> str:
    plain = step.role in {"", "proposer"} or (step.proposes and step.role == step.slot)
    role = "" if plain else f" · {step.role}"
    return printable(f"{step.model}{role}")[:200]


def _details(step: Step) -> str:
    if step.seconds is None:
        return ""
    ended = {"failed": "failed after ", "stopped": "stopped after "}.get(step.state, "")
    return f"{ended}{step.seconds:.1f} s"


def _section(mrkdwn: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn[:3000]}}


def _context(words: str) -> Json:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": escaped(words)[:1900]}]}


def _stop(event: str) -> Json:
    return {**_button("Stop", STOP, event), "style": "danger"}


def _button(label: str, action: str, event: str) -> dict[str, object]:
    text = {"type": "plain_text", "text": label}
    return {"type": "button", "text": text, "action_id": action, "value": event}


def _thumbs(event: str) -> Json:
    def thumb(label: str, verdict: str) -> Json:
        return {"text": {"type": "plain_text", "text": label}, "value": f"{verdict} {event}"}

    return {
        "type": "feedback_buttons",
        "action_id": RATE,
        "positive_button": thumb("Good", "1"),
        "negative_button": thumb("Bad", "-1"),
    }
