"""Which remembered answer a complaint means, and which pairs of questions it parted for good."""

from __future__ import annotations

from collections import OrderedDict

from moabot.store.answers import Answers
from moabot.store.rows import Given

__all__ = ["Complaints"]

LATEST = 10_000
"""Questions of which is known in memory which row they were given."""
PENDING = 500
"""Notes that are written together."""


class Complaints:
    """Notes who was given what; keeps the pairs that somebody called wrong."""

    def __init__(self, rows: Answers) -> None:
        self._rows = rows
        self._pending: dict[str, Given] = {}
        self._latest: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._parted: set[tuple[str, str, str]] = set()

    async def load(self) -> None:
        """Read the pairs."""
        self._parted.update(await self._rows.refused())

    def gave(self, event: str, partition: str, asked: str, *, place: int | None = None) -> None:
        """The message `event` was given the row at `place`; by default what the last one was."""
        if place is None:
            place = self._latest.get((partition, asked), 0)
        self._latest[partition, asked] = place
        while len(self._latest) > LATEST:
            self._latest.popitem(last=False)
        if event:
            self._pending[event] = Given(event, partition, asked, place)
        if len(self._pending) >= PENDING:
            self.write()

    def write(self) -> None:
        """Write the notes; nobody waits for it."""
        if self._pending:
            self._rows.give(list(self._pending.values()))
            self._pending.clear()

    async def meant(self, event: str) -> Given | None:
        """What this message was given."""
        return self._pending.get(event) or await self._rows.given(event)

    async def part(self, partition: str, *, asked: str, kept: str) -> None:
        """From now on, neither of the two questions is answered with the other's answer."""
        self._parted.add((partition, asked, kept))
        await self._rows.refuse(partition, asked=asked, kept=kept)

    def parted(self, partition: str, one: str, other: str) -> bool:
        """Whether these two were."""
        return (partition, one, other) in self._parted or (partition, other, one) in self._parted
