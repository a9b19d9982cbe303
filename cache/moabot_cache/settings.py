"""`[cache]`: what the semantic cache may keep, for how long, and how near is near."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

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
    most_mb: float = Field(
        default=400.0,
        gt=0,
        description="megabytes of answers that are kept; those seldom asked, cheap and long go first",
    )
    scope_share: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="part of most_mb that one channel or workspace may fill",
    )
    author_a_day: int = Field(
        default=500, ge=1, description="answers to one person's questions that are kept in a day"
    )
    keep_days: float = Field(default=30.0, gt=0, description="days that an answer is given")
    stale_hours: float = Field(
        default=24.0,
        ge=0,
        description="hours after keep_days in which it is still given, while it is made anew",
    )
    shadow: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="part of the hits that are answered anew all the same, to compare; costs money",
    )
    hot: int = Field(default=2_000, ge=1, description="answers held in memory, ready at once")
    verifier: Literal["off", "judge", "cross-encoder"] = Field(
        default="off",
        description="who is asked about what the guards refuse: nobody, the models of `judge` after "
        "the reply, or a model of your own at once about what is only too far",
    )
    verifier_path: Path | None = Field(
        default=None, description="the cross-encoder's ONNX file; it reads BERT's uncased pieces"
    )
    verifier_sha256: str = Field(default="", description="what that file's SHA-256 must be")
    verifier_least: float = Field(
        default=0.9, gt=0, le=1, description="probability from which the cross-encoder is believed"
    )

    @model_validator(mode="after")
    def _verifier_has_a_model(self) -> Settings:
        if self.verifier == "cross-encoder" and self.verifier_path is None:
            raise ValueError('verifier = "cross-encoder" needs verifier_path and verifier_sha256')
        return self
