"""What a store must do, so that another database can take SQLite's place without a caller's change.

`tests/bot/test_store_suite.py` is what every store has to pass. A verb that writes begins at once, in
the order of the calls, and returns a future that ends when the row would survive a crash; it
need not be awaited. Every verb raises `StoreError`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from moabot.contract import Scope
from moabot.store.answers import Answers
from moabot.store.rows import (
    Accepted,
    By,
    Change,
    Installation,
    Kind,
    Left,
    Opinion,
    Said,
    Spending,
    Spent,
    Step,
)

__all__ = ["Store"]


class Store(Protocol):
    """The database of one bot."""

    @property
    def answers(self) -> Answers:
        """The rows of the cache."""
        ...

    def accept(self, entry: Accepted) -> asyncio.Future[bool]:
        """Take a message on; False when this event was taken before, by whomever."""
        ...

    def begin(self, event: str, *, plan: str, horizon: int) -> asyncio.Future[None]:
        """Note with what an answer was begun; what was noted first stands."""
        ...

    def keep(self, step: Step | None, spent: Spent | None) -> asyncio.Future[None]:
        """Remember a step and what it cost, both or neither."""
        ...

    def posted(self, event: str, receipt: str) -> asyncio.Future[None]:
        """Note the platform's word for the post that will become the answer."""
        ...

    def end(
        self, event: str, *, error: str = "", dead: bool = False, turns: Sequence[Said] = ()
    ) -> asyncio.Future[None]:
        """An answer is over: delivered, or given up (`dead`). Its turns join the thread, once."""
        ...

    def take_up(self, platform: str) -> asyncio.Future[Sequence[Accepted]]:
        """Every unfinished message of a platform, oldest first, with one more try counted."""
        ...

    def lay_down(self, platform: str) -> asyncio.Future[None]:
        """The bot stops as it should: what is unfinished on a platform had no try."""
        ...

    async def accepted(self, event: str) -> Accepted | None:
        """A message that was taken on, with its files, whatever became of it."""
        ...

    async def steps(self, event: str) -> Sequence[Step]:
        """What is remembered of an answer's calls, oldest first."""
        ...

    async def paces(self) -> Mapping[str, float]:
        """For each model that is remembered: the median seconds of its calls that went well."""
        ...

    async def dead(self) -> Sequence[Accepted]:
        """Messages that were given up, oldest first, without their files."""
        ...

    def revive(self, event: str) -> asyncio.Future[bool]:
        """Make a dead letter unfinished again; its failed calls are forgotten. False: no such."""
        ...

    async def turns(self, scope: Scope, *, before: int | None, most: int) -> Sequence[Said]:
        """The last `most` turns of a thread, oldest first, up to the place `before`."""
        ...

    def amend(self, event: str, text: str | None) -> asyncio.Future[None]:
        """A message was edited, or with None deleted, together with what was answered to it."""
        ...

    async def settings(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """For each key that has any: its settings, by name, as JSON."""
        ...

    def change(self, change: Change) -> asyncio.Future[None]:
        """Change one setting and write down that it was changed; `after` "" removes it.

        `before` is filled in by the store.
        """
        ...

    async def changes(self, key: str) -> Sequence[Change]:
        """Who changed what in a channel, newest first."""
        ...

    def opine(self, opinion: Opinion) -> asyncio.Future[None]:
        """Keep what a person thinks of an answer; a later opinion replaces theirs."""
        ...

    async def opinions(self) -> Sequence[Opinion]:
        """All opinions, newest first."""
        ...

    def install(self, installation: Installation) -> asyncio.Future[None]:
        """Keep what opens a workspace, in the place of what is older."""
        ...

    def uninstall(self, platform: str, workspace: str, *, before: float) -> asyncio.Future[bool]:
        """Forget a workspace, unless it was installed after that time; whether one was forgotten.

        With it end the messages that are unfinished there.
        """
        ...

    async def installations(
        self, platform: str, workspace: str | None = None
    ) -> Sequence[Installation]:
        """Where a platform is installed, by workspace; or that one workspace, if it is there."""
        ...

    async def spending(
        self, by: By, *, since: float, scope: Scope | None = None
    ) -> Sequence[Spending]:
        """The ledger since a time, of one channel or of all, summed for each key and day."""
        ...

    async def erase(self, *, user: str | None = None, channel: str | None = None) -> Left:
        """Delete all that a user ("platform:workspace/author") or a channel said or was told.

        Rows of the ledger stay as nobody's, so that sums stay true. Returns how much of
        theirs is left, which is nothing.
        """
        ...

    def expire(self, before: Mapping[Kind, float]) -> asyncio.Future[int]:
        """Delete rows of each kind that are older than a time; returns how many."""
        ...

    async def check(self) -> Sequence[str]:
        """What is wrong with the database itself; nothing, usually."""
        ...

    async def back_up(self, path: Path) -> None:
        """Write a whole, checked copy to a new file while work goes on."""
        ...
