"""The one door: who may ask now, in which order, and from which purses it is paid."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
)
from dataclasses import dataclass, field

from moabot.access import AdmissionSettings, ChannelRules
from moabot.contract import Message, Scope
from moabot.errors import PurseEmpty, Refused
from moabot.journal import scope_of
from moabot.purses import Purse, Purses
from moabot.rates import Rates
from moabot.store import Store

__all__ = ["Admission"]

log = logging.getLogger("moabot")


class Admission:
    """Lets messages in, whatever way they came.

    In a `crowd`, where several people ask, rates are kept, each thread is answered in order, and
    what waits is bounded. Lists and purses hold everywhere.
    """

    def __init__(self, settings: AdmissionSettings, *, crowd: bool) -> None:
        self._settings = settings
        self._crowd = crowd
        self._purses = Purses(settings)
        self._rates = Rates(settings)
        self._queue = _Queue(settings)

    async def load(self, store: Store | None) -> None:
        """Learn what was spent in earlier processes; raises `StoreError`."""
        if store is not None:
            await self._purses.load(store)

    def adopt(self, settings: AdmissionSettings) -> None:
        """Go on by other settings; only `at_once` stays as it was, since answers hold places."""
        self._settings = settings
        self._purses.settings = self._queue.settings = self._rates.settings = settings

    @asynccontextmanager
    async def admitted(
        self, message: Message, rules: ChannelRules, *, again: bool = False
    ) -> AsyncGenerator[tuple[Purse, ...]]:
        """Around the whole answering of `message`: what it costs is paid from these purses.

        Waits until the thread's earlier messages are answered. Raises `Refused` with the sentence
        for the person when too many wait, or no purse could pay for an answer. `again` says that
        the message was let in by an earlier process; whoever answers such ones is `ahead`.
        """
        try:
            async with AsyncExitStack() as stack:
                if self._crowd:
                    await stack.enter_async_context(
                        self._queue.turn(scope_of(message), again=again)
                    )
                yield stack.enter_context(self.paying(message, rules))
        except PurseEmpty as empty:
            raise Refused(empty.what, fix=empty.fix) from empty

    def ahead(self, conversation: Scope) -> AbstractAsyncContextManager[None]:
        """Meanwhile what earlier processes left of a conversation is answered; new ones wait."""
        return self._queue.head(conversation)

    def paying(
        self, message: Message, rules: ChannelRules
    ) -> AbstractContextManager[tuple[Purse, ...]]:
        """The purses from which all that is asked because of `message` is paid."""
        return self._purses.opened(message, rules)

    def check_room(self, unanswered: int) -> None:
        """Raise `Refused` when a crowd waits for so many answers that no more are taken on."""
        if self._crowd and unanswered >= self._settings.at_once + self._settings.waiting:
            raise Refused(
                f"The bot is busy: {unanswered} questions are not answered yet.",
                fix="Ask again in a minute.",
            )

    async def check(self, message: Message) -> None:
        """Count a new question; raises `Refused` with the sentence for the person."""
        if who := self._settings.shuts_out(message, message.author):
            raise Refused(
                f"{who} may not ask this bot.", fix=f"Please ask {self._settings.contact}."
            )
        if self._crowd:
            await self._rates.take(message)


@dataclass(slots=True)
class _Line:
    """The messages of one conversation: one under way, the others wait in order."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


class _Queue:
    """One answer at a time in each conversation, and a bounded number in all."""

    def __init__(self, settings: AdmissionSettings) -> None:
        self.settings = settings
        self._gate = asyncio.Semaphore(settings.at_once)
        self._lines: dict[Scope, _Line] = {}
        self._waiting = 0

    @asynccontextmanager
    async def turn(self, conversation: Scope, *, again: bool) -> AsyncGenerator[None]:
        """Wait in line; raises `Refused` when it is too long. For `again` the line is held."""
        if not again:
            self._check(conversation)
        async with AsyncExitStack() as stack:
            self._waiting += 1
            try:
                if not again:
                    await stack.enter_async_context(self.head(conversation))
                await stack.enter_async_context(self._gate)
            finally:
                self._waiting -= 1
            yield

    @asynccontextmanager
    async def head(self, conversation: Scope) -> AsyncGenerator[None]:
        """Come to the head of a conversation's line, at once if nobody is in it, and stay there."""
        line = self._lines.setdefault(conversation, _Line())
        line.length += 1
        try:
            async with line.lock:
                yield
        finally:
            line.length -= 1
            if not line.length:
                del self._lines[conversation]

    def _check(self, conversation: Scope) -> None:
        most, line = self.settings, self._lines.get(conversation)
        if line is not None and line.length > most.waiting_here:
            waiting = line.length - 1
            more = "1 more question waits" if waiting == 1 else f"{waiting} more questions wait"
            raise Refused(
                f"{more if waiting else 'Another question is being answered'} in this thread.",
                fix="Ask again when the next one is answered.",
            )
        if (line is not None or self._gate.locked()) and self._waiting >= most.waiting:
            raise Refused(
                f"The bot is busy: {self._waiting} questions wait already.",
                fix="Ask again in a minute.",
            )
