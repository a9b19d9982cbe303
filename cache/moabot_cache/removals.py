"""Hears which rows other processes removed, also when the news of it is gone."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from moabot.store.answers import Answers

__all__ = ["Removals"]

LOOK_S = 1.0
"""How old our knowledge may be of what other processes removed (`moabot erase`, `cache flush`)."""
PAGE = 1_000


class Removals:
    """What was removed since we last looked. The store numbers removals without gaps."""

    def __init__(self, rows: Answers) -> None:
        self._rows = rows
        self._heard_to: int | None = None
        self._looked_at = float("-inf")

    def due(self) -> bool:
        """Whether it is time to look; who is told so looks."""
        if (now := time.monotonic()) < self._looked_at + LOOK_S:
            return False
        self._looked_at = now
        return True

    def look_again(self) -> None:
        """Do not trust what was heard for another second."""
        self._looked_at = float("-inf")

    async def heard(self) -> Sequence[int] | None:
        """Places that are gone; None when the store no longer knows all of them."""
        last = await self._rows.last_gone()
        since = last if self._heard_to is None else self._heard_to
        gone = await self._rows.gone(since)
        self._heard_to = gone[-1][0] if gone else last
        known = sum(number <= last for number, _ in gone)
        return [place for _, place in gone] if known == last - since else None

    async def missing(self, places: Collection[int]) -> Sequence[int]:
        """Those of the places that have no row any more; reads all rows."""
        missing = set(places)
        place = 0
        while rows := await self._rows.after(place, most=PAGE):
            missing.difference_update(row.place for row in rows)
            place = rows[-1].place
        return sorted(missing)
