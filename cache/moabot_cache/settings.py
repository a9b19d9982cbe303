"""`[cache]`: what the semantic cache may keep, for how long, and how near is near."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Settings"]


class Settings(BaseModel):
    """The cache of answers; who shares them is set by `cache` in [defaults] and [channels]."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    semantic: bool = Field(
        default=True, description="also find questions in other words, not only repeated ones"
    )
    encoder: str = Field(
        default="minilm",
        description="minilm, or the directory of a sentence-transformers model",
    )
    nearest: float = Field(
        default=0.75,
        ge=0.5,
        le=1,
        description="cosine from which a question is compared at all; the guards decide then",
    )
    caution: float = Field(
        default=0.0,
        ge=-0.25,
        le=0.25,
        description="added to every cosine that the guards want: less hits more, and errs more",
    )
    most: int = Field(default=100_000, ge=10, description="answers kept, in all")
    keep_days: float = Field(default=30.0, gt=0, description="days that an answer is given")
    hot: int = Field(default=2_000, ge=1, description="answers held in memory, ready at once")
