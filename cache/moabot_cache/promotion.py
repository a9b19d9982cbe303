"""A question that is known to be another one: a row that points to that one's answer."""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel, ValidationError

from moabot.store.rows import Kept
from moabot_cache.verifier import Near

__all__ = ["alias", "origin"]

MARK = '{"same_as":'


class _Alias(BaseModel):
    same_as: int


def alias(near: Near, of: Kept) -> Kept:
    """A row under the asked question's name that lives as long as the kept one.

    It has no vector: it is found exactly only, so that one likeness does not lead to the next.
    """
    asked = near.asked
    return replace(
        of,
        name=near.name.removeprefix(of.partition),
        scope=asked.scope,
        author=asked.author,
        event=asked.event,
        question=asked.text,
        vector=b"",
        answer=_Alias(same_as=of.place).model_dump_json(),
        cost_usd=None,
        place=0,
    )


def origin(row: Kept) -> int | None:
    """The place of the row that it points to; None for one with an answer of its own, or damaged."""
    if not row.answer.startswith(MARK):
        return None
    try:
        return _Alias.model_validate_json(row.answer).same_as
    except ValidationError:
        return None
