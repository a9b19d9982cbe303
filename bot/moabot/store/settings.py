"""`[store]`: how long rows are kept, and what is left free for accepted answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["KeepDays", "StoreSettings"]


class KeepDays(BaseModel):
    """`[store.keep_days]`: after how many days each kind of row is deleted."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    inbox: int = Field(
        default=7,
        ge=1,
        description="accepted messages and their files, the replies of models, dead letters",
    )
    turns: int = Field(default=90, ge=1, description="what was said in threads")
    ledger: int = Field(default=400, ge=1, description="what calls used and cost")
    feedback: int = Field(default=400, ge=1, description="what people thought of answers")
    audit: int = Field(default=400, ge=1, description="who changed which setting of a channel")


class StoreSettings(BaseModel):
    """The database in `data_dir`, and how the bot closes."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    keep_days: KeepDays = Field(default=KeepDays(), description="days, for each kind of row")
    keep_free_mb: int = Field(
        default=16,
        ge=0,
        description="megabytes of disk below which no new question is taken",
    )
    drain_s: float = Field(
        default=25.0, ge=0, description="seconds that answers under way may take after SIGTERM"
    )
