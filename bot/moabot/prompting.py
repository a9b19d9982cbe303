"""`[prompts]`: an administrator's words to the models instead of ours."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, field_validator

__all__ = ["PromptSettings"]


class PromptSettings(BaseModel):
    """Your own words instead of ours; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    system: str | None = Field(default=None, description="said to every proposer")
    synthesizer: str | None = Field(default=None, description="said to the synthesizer")
    aggregators: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="said to the aggregators, in turn"
    )
    fence: str | None = Field(
        default=None, description="said before fenced proposals; must contain {tag}"
    )
    judge: str | None = Field(
        default=None, description="said to the model that classifies questions"
    )
    critique: str | None = Field(
        default=None, description="said to proposers in later rounds of refinement"
    )
    checkable: str | None = Field(
        default=None, description="said when answers are counted by the strategy vote"
    )
    roles: Mapping[str, str] = Field(
        default_factory=dict, description="a sentence for each role; adds to the built-in roles"
    )

    @field_validator("fence")
    @classmethod
    def _names_the_tag(cls, fence: str | None) -> str | None:
        if fence is not None and "{tag}" not in fence:
            raise ValueError("it must contain {tag}, or the fences could be forged")
        return fence
