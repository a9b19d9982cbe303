"""Which answers stay when there is no more room: those asked for often, dear to make, and short."""

from __future__ import annotations

from collections import defaultdict
from random import Random

import numpy as np

__all__ = ["GROUP", "Bounds", "worth"]

GROUP = 32
"""Letters of a name that say who shares it; each such group has a quota."""
SAMPLE = 12
"""Entries that are looked at to find one to give up; a full order would cost more than it is worth."""
HALVING = 10
"""After how many times its entries in questions all counts are halved, so that old fame fades."""
BITS = 21
PLACES = 1 << BITS
FEWEST = 1_000
WAITING_USD = 0.001


def worth(cost_usd: float | None) -> float:
    """Dollars that giving it once saves, with what a person's waiting is worth on top."""
    return WAITING_USD + (cost_usd or 0.0)


class Bounds:
    """Estimates how often each question is asked, also those that are not kept; picks who leaves.

    A newcomer asked once does not displace what was asked twice, so a stream of questions that
    nobody repeats leaves the others alone. `most` is in bytes, and `share` the part of it that one
    group may fill.
    """

    def __init__(self, *, most: float, share: float = 1.0, seed: int = 0) -> None:
        self._most = most
        self._quota = share * most
        self._cells = bytearray(PLACES)  # an index into it is quicker than into an array
        self._since = 0
        self._all = _Pool()
        self._groups: defaultdict[str, _Pool] = defaultdict(_Pool)
        self._sizes: dict[str, int] = {}
        self._worth: dict[str, float] = {}
        self._random = Random(seed)  # noqa: S311 - a sample, no secret

    def __len__(self) -> int:
        return len(self._sizes)

    def asked(self, name: str) -> None:
        """Somebody asked this."""
        cells = self._cells
        for cell in _cells(name):
            if cells[cell] < 255:
                cells[cell] += 1
        self._since += 1
        if self._since >= HALVING * max(len(self), FEWEST):
            self._since = 0
            counts = np.frombuffer(self._cells, dtype=np.uint8)
            np.right_shift(counts, 1, out=counts)

    def admit(self, name: str, *, size: int, worth: float = 1.0) -> list[str]:
        """Take `name` in; returns who has to leave for it, which may be itself.

        `size` is in bytes; `worth` is what one answer saves, in any unit.
        """
        if name in self._sizes:
            self.remove(name)
        group = self._groups[name[:GROUP]]
        self._sizes[name], self._worth[name] = size, worth
        self._all.add(name, size)
        group.add(name, size)
        leaving: list[str] = []
        while name in self._sizes and (group.size > self._quota or self._all.size > self._most):
            pool = group if group.size > self._quota else self._all
            leaving.append(min([name, *pool.sample(self._random)], key=self._value))
            self.remove(leaving[-1])
        return leaving

    def remove(self, name: str) -> None:
        """It is gone, for whatever reason."""
        size = self._sizes.pop(name, None)
        if size is None:
            return
        del self._worth[name]
        self._all.remove(name, size)
        group = self._groups[name[:GROUP]]
        group.remove(name, size)
        if not group.names:
            del self._groups[name[:GROUP]]

    def _value(self, name: str) -> float:
        """What a byte of it is expected to save."""
        return min(self._cells[cell] for cell in _cells(name)) * (
            self._worth[name] / self._sizes[name]
        )


class _Pool:
    """Names to draw from, and their bytes."""

    __slots__ = ("at", "names", "size")

    def __init__(self) -> None:
        self.names: list[str] = []
        self.at: dict[str, int] = {}
        self.size = 0

    def add(self, name: str, size: int) -> None:
        self.at[name] = len(self.names)
        self.names.append(name)
        self.size += size

    def remove(self, name: str, size: int) -> None:
        at, last = self.at.pop(name), self.names.pop()
        if last != name:
            self.names[at] = last
            self.at[last] = at
        self.size -= size

    def sample(self, random: Random) -> list[str]:
        return random.choices(self.names, k=SAMPLE)


def _cells(name: str) -> tuple[int, int, int]:
    """Three places of the table; the least of their counts is the least wrong."""
    number = hash(name)
    return number & (PLACES - 1), number >> BITS & (PLACES - 1), number >> 2 * BITS & (PLACES - 1)
