"""Who shares remembered answers: a hard partition, never a part of what is compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from moabot.contract import Question, Share

__all__ = ["digest", "history", "partition"]


def partition(question: Question, *, key: str, share: Share) -> str:
    """The name of the shelf that this question may be answered from, and no other.

    `key` is all that makes the answer (strategy, models, prompts). Private rooms, which direct
    messages are, share with nobody, whatever `share` says.
    """
    scope = question.scope
    shared = share == "workspace" and not scope.private
    room = ("workspace",) if shared else ("channel", scope.channel, str(scope.private))
    return digest((scope.platform, scope.workspace, *room, key))


def history(question: Question) -> str:
    """What was said before, as a part of what is asked; empty for a question that stands alone."""
    if not question.history:
        return ""
    return digest(part for turn in question.history for part in (turn.role, turn.text))


def digest(parts: Iterable[str]) -> str:
    """A hash that tells ("ab", "c") from ("a", "bc")."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        whole.update(len(data).to_bytes(8, "big"))
        whole.update(data)
    return whole.hexdigest()[:32]
