"""Every text that we say to models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

__all__ = ["Prompts"]


@dataclass(frozen=True, slots=True)
class Prompts:
    """Every text that we say to models, so that an administrator can replace any of them.

    `roles` maps a role's name to the sentence put before the question for a proposer of that
    role. `aggregators` are taken in turn by the aggregators of a layer. `fence` stands before
    fenced proposals and names their `{tag}`.
    """

    system: str
    roles: Mapping[str, str]
    aggregators: tuple[str, ...]
    synthesizer: str
    fence: str
    judge: str
    critique: str
    checkable: str

    def noting(self, note: str | None) -> Prompts:
        """The same, with a channel's note for those who answer and for who writes the answer."""
        if not note:
            return self
        return replace(
            self, system=f"{self.system}\n\n{note}", synthesizer=f"{self.synthesizer}\n\n{note}"
        )
