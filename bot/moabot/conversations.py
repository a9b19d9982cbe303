"""What was said in a thread, bounded, and a question made of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from moabot.config import LimitSettings
from moabot.contract import Message, Question, Turn
from moabot.errors import QuestionRejected
from moabot.journal import Journal, event_of, scope_of
from moabot.store.rows import Said

__all__ = ["Conversations"]

SENTENCE = re.compile(r"(?<=[.!?…])\s")
SHORT_CHARS = 160
SHORT_SHARE = 0.2
"""The part of `history_chars` that shortened turns may take."""
OLDER = 4
"""How many times `history_turns` are looked at; the older ones are shortened."""
SHORTENED = "[Said earlier in this thread, each cut to its first sentence]"


class Conversations:
    """Threads as models read them: the last turns as they are, older ones shortened."""

    def __init__(self, limits: LimitSettings, journal: Journal) -> None:
        self._limits = limits
        self._journal = journal

    async def question(
        self, message: Message, *, horizon: int | None = None
    ) -> tuple[Question, int]:
        """The message with what was said before it, and the place of the last turn it knows.

        `horizon` is such a place, when the question is made again. Raises `QuestionRejected`.
        """
        text = message.text.strip()
        if not text:
            raise QuestionRejected("The question is empty.", fix="Write what you want to know.")
        if len(text) > self._limits.question_chars:
            raise QuestionRejected(
                f"The question has {len(text):,} characters; "
                f"at most {self._limits.question_chars:,} are read.",
                fix="Shorten it, or raise [limits] question_chars.",
            )
        scope = scope_of(message)
        most = OLDER * self._limits.history_turns
        said = await self._journal.turns(scope, before=horizon, most=most)
        images = tuple(a for a in message.attachments if a.is_image)
        bounded = self._bounded(said)
        question = Question(text, bounded, scope, images, message.author, event_of(message))
        return question, said[-1].place if said else 0

    def _bounded(self, said: Sequence[Said]) -> tuple[Turn, ...]:
        """The newest turns whole, as far as there is room; in the first of them, the older ones."""
        limits = self._limits
        whole, room = len(said), limits.history_chars
        if sum(len(turn.text) for turn in said) > room or whole > limits.history_turns:
            room = int(room * (1 - SHORT_SHARE))
        while whole > max(len(said) - limits.history_turns, 0):
            room -= len(said[whole - 1].text)
            if room < 0:
                break
            whole -= 1
        if whole < len(said) and said[whole].role == "assistant":
            whole += 1  # Anthropic and others refuse a conversation that an assistant begins.
        kept = [Turn(turn.role, turn.text) for turn in said[whole:]]
        older = _shortened(said[:whole], chars=int(limits.history_chars * SHORT_SHARE))
        if older and kept:  # in one turn, since two of one role in a row are refused as well
            kept[0] = Turn("user", f"{older}\n\n{kept[0].text}")
        return tuple(kept)


def _shortened(said: Sequence[Said], *, chars: int) -> str:
    """First sentences, the newest that fit into `chars`; no model is asked to sum them up."""
    lines: list[str] = []
    room = chars - len(SHORTENED)
    for turn in reversed(said):
        line = f"{turn.role}: {_first_sentence(turn.text)}"
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    return "\n".join([SHORTENED, *reversed(lines)]) if lines else ""


def _first_sentence(text: str) -> str:
    first = SENTENCE.split(" ".join(text.split()), maxsplit=1)[0]
    return first if len(first) <= SHORT_CHARS else f"{first[:SHORT_CHARS]}…"
