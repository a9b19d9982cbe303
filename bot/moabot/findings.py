"""What `moabot check` finds, and who can tell it how they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from moabot.installations import Installations

__all__ = ["Checked", "CheckedWhereInstalled", "Finding"]


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


@runtime_checkable
class CheckedWhereInstalled(Protocol):
    """A platform that people install in workspaces of theirs, and that can tell how it is there."""

    async def check_installed(self, kept: Installations) -> Sequence[Finding]:
        """Look at each workspace, write nothing, and never raise for what is wrong."""
        ...
