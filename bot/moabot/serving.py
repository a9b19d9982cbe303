"""Runs one platform: what a crash left is finished first, and a stop loses nothing.

SIGTERM or Ctrl-C: no new message is taken, answers under way have `drain_s` to end, the rest is
left in the journal for the next process. A second Ctrl-C ends the process at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import groupby

from moabot.answering import Answering
from moabot.config import ChannelSettings
from moabot.contract import Message, Platform, Reply
from moabot.errors import MoabotError, PlatformError
from moabot.journal import DurableJournal, Entry, scope_of

__all__ = ["Desk", "serve"]

log = logging.getLogger("moabot")
INTERRUPTED = 130
NO_WISH = ChannelSettings()


class Desk:
    """Where a platform brings messages: calling it takes one on and answers it.

    A platform that must acknowledge early awaits `accept`, acknowledges, then awaits `answer`.
    """

    def __init__(self, answering: Answering, journal: DurableJournal) -> None:
        self._answering = answering
        self._journal = journal
        self._open = True
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def __call__(self, message: Message, reply: Reply) -> None:
        """Take the message on and answer it; nothing happens when it was taken on before."""
        async with self._working():
            if self._open:
                await self._answering.handle(message, reply)

    async def accept(self, message: Message, *, wish: ChannelSettings = NO_WISH) -> Entry | None:
        """Take a message on, durably. None: it was before, or the bot stops and wants no more.

        Raises `StoreError` when it cannot be kept: do not acknowledge, say so, or both.
        """
        return await self._journal.accept(message, wish) if self._open else None

    async def answer(self, entry: Entry, reply: Reply) -> None:
        """Answer what was accepted."""
        async with self._working():
            await self._answering.handle(entry.message, reply, entry=entry)

    def stop(self, entry: Entry) -> None:
        """A person wants no answer: call this, then cancel the task that awaits `answer`.

        A task that is cancelled without it leaves its message to the next process.
        """
        self._journal.stop(entry.message)

    async def posted(self, entry: Entry, receipt: str) -> None:
        """Keep the platform's word for the post that becomes the answer, for after a crash."""
        await self._journal.posted(entry, receipt)

    async def amend(self, event: str, text: str | None) -> None:
        """A message ("platform:event id") was edited: the thread has the new text from now on.

        With None it was deleted: it is forgotten, with what was answered to it. Raises `StoreError`.
        """
        await self._journal.amend(event, text)

    async def finish_all(
        self, entries: Sequence[Entry], reply_to: Callable[[Entry], Reply]
    ) -> None:
        """Answer what was left unfinished: threads beside each other, each in its order."""
        threads = groupby(sorted(entries, key=_thread), key=_thread)  # stable: oldest first
        async with asyncio.TaskGroup() as group:
            for _, thread in threads:
                group.create_task(self._in_order(list(thread), reply_to))

    async def close(self, *, within_s: float) -> None:
        """Take nothing new, and wait for the answers under way as long as that."""
        self._open = False
        try:
            async with asyncio.timeout(within_s):
                await self._idle.wait()
        except TimeoutError:
            log.warning("left for the next process", extra={"answers": self._under_way})

    async def _in_order(self, entries: Sequence[Entry], reply_to: Callable[[Entry], Reply]) -> None:
        for entry in entries:
            try:
                if entry.given_up:
                    await self._give_up(entry, reply_to(entry))
                else:
                    await self.answer(entry, reply_to(entry))
            except PlatformError as error:  # it stays unfinished; the others must not suffer
                log.warning("not delivered", extra={"error": str(error)})

    async def _give_up(self, entry: Entry, reply: Reply) -> None:
        error = MoabotError(
            "This question stopped the bot again and again, so it was given up.",
            fix="Ask it in other words, or tell the bot's admin: `moabot dead-letters` lists it.",
        )
        await reply.sorry(error, reference=entry.message.event_id)
        await self._journal.give_up(entry, error="three processes ended while answering it")

    @asynccontextmanager
    async def _working(self) -> AsyncGenerator[None]:
        self._under_way += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()


async def serve(
    platform: Platform,
    desk: Desk,
    *,
    journal: DurableJournal,
    name: str,
    reply_to: Callable[[Entry], Reply],
    drain_s: float,
) -> None:
    """Run `platform` (called `name` in its messages) until it ends or the process is told to stop.

    `reply_to` makes the reply for a message of an earlier process.
    """
    stop = asyncio.Event()
    async with _signals(stop):
        left = await journal.resume(name)
        async with asyncio.TaskGroup() as group:
            work = [
                group.create_task(desk.finish_all(left, reply_to)),
                group.create_task(platform.run(desk)),
            ]
            work.append(group.create_task(_ended(work[1], stop)))
            await stop.wait()
            await desk.close(within_s=drain_s)
            for task in work:
                task.cancel()
        await journal.lay_down(name)


async def _ended(platform: asyncio.Task[None], stop: asyncio.Event) -> None:
    """A platform that ends by itself ends the serving."""
    await asyncio.wait([platform])
    stop.set()


@asynccontextmanager
async def _signals(stop: asyncio.Event) -> AsyncGenerator[None]:
    loop = asyncio.get_running_loop()

    def told() -> None:
        if stop.is_set():
            os._exit(INTERRUPTED)  # the journal has what matters
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _thread(entry: Entry) -> tuple[str, ...]:
    scope = scope_of(entry.message)
    return scope.platform, scope.workspace, scope.channel, scope.thread
