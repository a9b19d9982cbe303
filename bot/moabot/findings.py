"""What `moabot check` finds, and who can tell it how they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

__all__ = ["Checked", "Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `moabot check` looked at, and how to mend it (`fix`) unless it is ok."""

    what: str
    state: Literal["ok", "warning", "error"]
    said: str
    fix: str = ""


@runtime_checkable
class Checked(Protocol):
    """A provider or platform that can tell how it is; `moabot check` asks those that can."""

    async def check(self) -> Sequence[Finding]:
        """Look at everything that an administrator could have done wrong: tokens, rights, disk.

        Never raise for what is wrong; say it, with where to click or what to set.
        """
        ...
