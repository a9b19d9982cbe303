"""`[limits]`: bounds on everything that grows."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["LimitSettings"]


class LimitSettings(BaseModel):
    """Bounds on everything that grows."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    question_chars: int = Field(
        default=100_000, ge=1, description="the longest question, with its files"
    )
    history_turns: int = Field(default=20, ge=0, description="turns of a thread that models read")
    history_chars: int = Field(
        default=40_000, ge=0, description="characters of a thread that models read"
    )
    calls: int = Field(default=512, ge=1, description="provider calls under way at once, in all")
    calls_per_provider: int = Field(
        default=128, ge=1, description="provider calls under way at once, for each provider"
    )
