"""An answer as the row of a store, and back."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from moabot.contract import Agreement, Answer, Question
from moabot.store.rows import Kept
from moabot_cache import exact

__all__ = ["answered", "as_row"]


class _Written(BaseModel):
    """What is kept of an answer: the text, and how sure it was."""

    model_config = ConfigDict(frozen=True)
    text: str
    strategy: str
    preset: str = ""
    via: str = ""
    support: int = 0
    of: int = 0


def as_row(question: Question, answer: Answer, *, shelf: str, encoder: str, vector: bytes) -> Kept:
    """What is kept of both from now on; it has expired until somebody says when it will."""
    now, cost = time.time(), answer.usage.cost_usd
    return Kept(
        partition=shelf,
        name=exact.name(question),
        scope=question.scope,
        author=question.author,
        event=question.event,
        question=question.text,
        encoder=encoder,
        vector=vector,
        answer=_written(answer),
        cost_usd=None if cost is None else float(cost),
        at=now,
        expires=now,
    )


def _written(answer: Answer) -> str:
    agreement = answer.agreement or Agreement(0, 0)
    return _Written(
        text=answer.text,
        strategy=answer.strategy,
        preset=answer.preset,
        via=answer.via,
        support=agreement.support,
        of=agreement.of,
    ).model_dump_json()


def answered(kept: Kept) -> Answer | None:
    """The answer again; None for a row that another version wrote or a disk damaged."""
    try:
        found = _Written.model_validate_json(kept.answer)
    except ValidationError:
        return None
    return Answer(
        found.text,
        found.strategy,
        found.preset,
        agreement=Agreement(found.support, found.of) if found.of else None,
        via=found.via,
        from_cache=True,
        asked_at=datetime.fromtimestamp(kept.at, UTC),
    )
