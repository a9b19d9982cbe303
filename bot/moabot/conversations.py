"""What was said in a thread, bounded, and a question made of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from moabot.config import LimitSettings
from moabot.contract import Message, Question, Scope, Turn
from moabot.errors import QuestionRejected

__all__ = ["Conversations", "scope_of"]

THREADS = 1000
"""Threads kept in memory; the one that was silent longest is forgotten first."""


class Conversations:
    """The turns of each thread, in memory, as many as `limits` allow."""

    def __init__(self, limits: LimitSettings) -> None:
        self._limits = limits
        self._threads: OrderedDict[Scope, tuple[Turn, ...]] = OrderedDict()

    def question(self, message: Message) -> Question:
        """The message with what was said before it; raises `QuestionRejected`."""
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
        images = tuple(a for a in message.attachments if a.is_image)
        return Question(text, self._threads.get(scope, ()), scope, images)

    def keep(self, message: Message, answer: str) -> None:
        """Remember a question and what was answered."""
        scope = scope_of(message)
        turns = (
            *self._threads.pop(scope, ()),
            Turn("user", message.text),
            Turn("assistant", answer),
        )
        self._threads[scope] = self._bounded(turns)
        while len(self._threads) > THREADS:
            self._threads.popitem(last=False)

    def _bounded(self, turns: Sequence[Turn]) -> tuple[Turn, ...]:
        kept: list[Turn] = []
        room = self._limits.history_chars
        for turn in list(reversed(turns))[: self._limits.history_turns]:
            room -= len(turn.text)
            if room < 0:
                break
            kept.append(turn)
        if kept and kept[-1].role == "assistant":
            kept.pop()  # Anthropic and others refuse a conversation that an assistant begins.
        return tuple(reversed(kept))


def scope_of(message: Message) -> Scope:
    """Who may see what this message is about."""
    return Scope(
        message.platform, message.workspace, message.channel, message.thread, message.private
    )
