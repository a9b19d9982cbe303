"""An answer as the row of a store, and back."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from moabot.contract import Agreement, Answer
from moabot.store.rows import Kept

__all__ = ["answered", "written"]


class _Written(BaseModel):
    """What is kept of an answer: the text, and how sure it was."""

    model_config = ConfigDict(frozen=True)
    text: str
    strategy: str
    preset: str = ""
    via: str = ""
    support: int = 0
    of: int = 0


def written(answer: Answer) -> str:
    """As JSON."""
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
