"""Accepted messages and paid calls survive a crash: taken once, paid once, answered once.

The corridor writes into a `Journal`. `DurableJournal` keeps everything in a store; `PassingJournal`
keeps threads in memory and, given a store, what calls cost.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from pydantic import ValidationError

from moabot.config import ChannelSettings, Defaults
from moabot.contract import Attachment, Message, Scope
from moabot.errors import StoreError
from moabot.memo import Memo
from moabot.store import Store
from moabot.store.rows import Accepted, File, Said, Spent, Step

__all__ = [
    "DurableJournal",
    "Entry",
    "Journal",
    "PassingJournal",
    "event_of",
    "message_of",
    "scope_of",
    "wish_of",
]

log = logging.getLogger("moabot")
THREADS = 1000
"""Threads kept in memory; the one that was silent longest is forgotten first."""
MOST_TRIES = 3
"""Processes that may work on one message before it is given up."""
OWED = 10_000
"""Rows kept in memory while the disk takes none."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A message on its way to its answer.

    `wish` is what it asks for over the channel's settings, after a crash all that it was begun
    with. `seed` is the answer's secret, `receipt` the platform's word for the post that becomes
    the answer, `horizon` the last turn of the thread that it may read (None: all). `given_up`
    says that it must not be tried again.
    """

    message: Message
    wish: ChannelSettings
    seed: bytes = field(repr=False)
    memo: Memo | None = None
    receipt: str = ""
    horizon: int | None = None
    resumed: bool = False
    given_up: bool = False


class Journal(Protocol):
    """What is remembered of messages on their way, and of threads."""

    async def accept(self, message: Message, wish: ChannelSettings) -> Entry | None:
        """Take a message on, durably, before the platform is told so; None if it was before.

        Raises `StoreError` when it could not be kept; the platform should deliver it again.
        """
        ...

    async def turns(self, scope: Scope, *, before: int | None, most: int) -> Sequence[Said]:
        """The last `most` turns of a thread, oldest first, up to the place `before`."""
        ...

    def begin(self, entry: Entry, settings: Defaults, *, horizon: int) -> None:
        """The answer begins, with these settings, having read the thread up to `horizon`."""
        ...

    async def settled(self, entry: Entry) -> None:
        """Wait until all calls so far are on disk, so that the answer may be shown."""
        ...

    async def done(self, entry: Entry, *, text: str = "", error: str = "") -> None:
        """The person has the answer, which joins the thread, or was told why there is none."""
        ...

    def stopped(self, entry: Entry, text: str) -> None:
        """The answer was cancelled after `text`: by the person, or because the bot stops."""
        ...


class PassingJournal:
    """Remembers threads until the process ends. With a store, counts there what calls cost."""

    def __init__(self, store: Store | None = None) -> None:
        self._store = store
        self._threads: OrderedDict[Scope, list[Said]] = OrderedDict()
        self._places = 0

    async def accept(self, message: Message, wish: ChannelSettings) -> Entry | None:
        """Nothing is kept, so nothing is refused."""
        memo = None
        if self._store is not None:
            memo = _memo(message, write=partial(_count, self._store), durable=False)
        return Entry(message, wish, secrets.token_bytes(16), memo)

    async def turns(self, scope: Scope, *, before: int | None, most: int) -> Sequence[Said]:
        """From memory."""
        said = self._threads.get(scope, [])
        read = [turn for turn in said if before is None or turn.place <= before]
        return read[-most:] if most else []

    def begin(self, entry: Entry, settings: Defaults, *, horizon: int) -> None:
        """The ledger wants to know the strategy."""
        if entry.memo is not None:
            entry.memo.strategy = settings.strategy

    async def settled(self, entry: Entry) -> None:
        """Nothing is waited for: the ledger is written when the store closes."""

    async def done(self, entry: Entry, *, text: str = "", error: str = "") -> None:
        """Remember the turns."""
        if text:
            self._remember(entry.message, text)

    def stopped(self, entry: Entry, text: str) -> None:
        """Remember the turns."""
        if text:
            self._remember(entry.message, text)

    def _remember(self, message: Message, text: str) -> None:
        scope = scope_of(message)
        said = self._threads.setdefault(scope, [])
        for turn in _said(message, text):
            self._places += 1
            said.append(Said(turn.event, turn.role, turn.text, turn.at, self._places))
        del said[:-100]
        self._threads.move_to_end(scope)
        while len(self._threads) > THREADS:
            self._threads.popitem(last=False)


class DurableJournal:
    """Keeps everything in a store.

    While the disk takes no rows, new messages are refused, those taken on are answered, and what
    they cost is kept in memory until it can be written.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._owed: deque[Callable[[], asyncio.Future[None]]] = deque(maxlen=OWED)
        self._unwanted: set[str] = set()

    async def accept(
        self, message: Message, wish: ChannelSettings, *, again: Accepted | None = None
    ) -> Entry | None:
        """One insert, unique by event id; `again` is the row of which it repeats the words."""
        seed = secrets.token_bytes(16)
        row = _row(message, plan=wish.model_dump_json(exclude_none=True), seed=seed)
        if again is not None:
            origin, writer = again.origin or again.event, again.writer or again.author
            row = replace(row, origin=origin, writer=writer)
        if not await self._store.accept(row):
            return None
        self._repay()
        horizon = None if again is None else again.horizon
        return Entry(message, wish, seed, self._memo(message), horizon=horizon)

    async def resume(self, platform: str) -> Sequence[Entry]:
        """What earlier processes left unfinished, oldest first; the calls they paid are known."""
        entries: list[Entry] = []
        for row in await self._store.take_up(platform):
            message = message_of(row)
            known = await self._store.steps(row.event)
            entries.append(
                Entry(
                    message,
                    wish_of(row.plan),
                    row.seed,
                    self._memo(message, known),
                    receipt=row.receipt,
                    horizon=row.horizon,
                    resumed=True,
                    given_up=row.tries > MOST_TRIES,
                )
            )
        return entries

    async def turns(self, scope: Scope, *, before: int | None, most: int) -> Sequence[Said]:
        """From the store."""
        return await self._store.turns(scope, before=before, most=most)

    def begin(self, entry: Entry, settings: Defaults, *, horizon: int) -> None:
        """Freeze the plan, so that a crash changes nothing of it."""
        event = event_of(entry.message)
        if entry.memo is not None:
            entry.memo.strategy = settings.strategy
            entry.memo.task = asyncio.current_task()
        plan = settings.model_dump_json()  # of an answer begun before, the store keeps the first
        self._write(lambda: self._store.begin(event, plan=plan, horizon=horizon))

    async def posted(self, entry: Entry, receipt: str) -> None:
        """Keep the platform's word for the post, before anything is edited into it."""
        event = event_of(entry.message)
        await asyncio.wait([self._write(lambda: self._store.posted(event, receipt))])

    async def settled(self, entry: Entry) -> None:
        """The last write of the memo tells of all before it; a failed one is owed and logged."""
        if entry.memo is not None and entry.memo.last is not None:
            await asyncio.wait([entry.memo.last])

    async def done(self, entry: Entry, *, text: str = "", error: str = "") -> None:
        """Close the row; its turns join the thread in the same commit."""
        await asyncio.wait([self._end(entry, text=text, error=error)])

    async def amend(self, event: str, text: str | None) -> None:
        """A message ("platform:event id") was edited or, with None, deleted; raises `StoreError`."""
        await self._store.amend(event, text)

    async def give_up(self, entry: Entry, *, error: str) -> None:
        """Make a dead letter of a message that stopped too many processes."""
        event = event_of(entry.message)
        await asyncio.wait([self._write(lambda: self._store.end(event, error=error, dead=True))])

    def stop(self, message: Message) -> None:
        """From now on, whoever cancels the answer to `message` is a person who means it."""
        self._unwanted.add(event_of(message))

    def stopped(self, entry: Entry, text: str) -> None:
        """Over if a person meant it (see `stop`); else the next process takes it up."""
        if event_of(entry.message) in self._unwanted:
            self._end(entry, text=text, error="stopped")

    async def lay_down(self, platform: str) -> None:
        """All is cancelled, since the bot stops as it should: that is no failed try."""
        await asyncio.wait([self._write(lambda: self._store.lay_down(platform))])

    def _memo(self, message: Message, known: Sequence[Step] = ()) -> Memo:
        return _memo(message, write=self._keep, durable=True, known=known)

    def _keep(self, step: Step | None, spent: Spent | None) -> asyncio.Future[None]:
        return self._write(lambda: self._store.keep(step, spent))

    def _end(self, entry: Entry, *, text: str, error: str) -> asyncio.Future[None]:
        event = event_of(entry.message)
        turns = _said(entry.message, text) if text else ()
        self._unwanted.discard(event)
        return self._write(lambda: self._store.end(event, error=error, turns=turns))

    def _write(self, begin: Callable[[], asyncio.Future[None]]) -> asyncio.Future[None]:
        """Write; what the disk refuses is owed till it takes rows again, but not what no disk takes."""
        written = begin()
        written.add_done_callback(lambda future: self._heard(future, begin))
        return written

    def _heard(
        self, written: asyncio.Future[None], begin: Callable[[], asyncio.Future[None]]
    ) -> None:
        if written.cancelled() or not isinstance(error := written.exception(), StoreError):
            return
        if error.hopeless or not self._owed:
            log.error("memory fails", extra={"error": str(error)})
        if not error.hopeless:
            self._owed.append(begin)

    def _repay(self) -> None:
        """The store took a row, so it may take those again that it refused."""
        owed = [self._owed.popleft() for _ in range(len(self._owed))]
        for begin in owed:
            self._write(begin)


def _count(store: Store, step: Step | None, spent: Spent | None) -> asyncio.Future[None]:
    written = store.keep(step, spent)
    written.add_done_callback(_say_if_lost)
    return written


def _say_if_lost(written: asyncio.Future[None]) -> None:
    if not written.cancelled() and (error := written.exception()) is not None:
        log.error("spending not counted", extra={"error": str(error)})


def event_of(message: Message) -> str:
    """The name under which a message is known, over all platforms."""
    return f"{message.platform}:{message.event_id}"


def scope_of(message: Message) -> Scope:
    """Who may see what this message is about."""
    return Scope(
        message.platform, message.workspace, message.channel, message.thread, message.private
    )


def _memo(
    message: Message,
    *,
    write: Callable[[Step | None, Spent | None], asyncio.Future[None]],
    durable: bool,
    known: Sequence[Step] = (),
) -> Memo:
    return Memo(
        event_of(message),
        scope=scope_of(message),
        author=message.author,
        write=write,
        durable=durable,
        known=known,
    )


def _said(message: Message, text: str) -> tuple[Said, Said]:
    event, now = event_of(message), time.time()
    return Said(event, "user", message.text, now), Said(event, "assistant", text, now)


def _row(message: Message, *, plan: str, seed: bytes) -> Accepted:
    return Accepted(
        event=event_of(message),
        scope=scope_of(message),
        author=message.author,
        text=message.text,
        addressed=message.addressed,
        said_at=message.at.timestamp(),
        seed=seed,
        at=time.time(),
        plan=plan,
        files=tuple(File(a.name, a.media_type, a.data) for a in message.attachments),
    )


def message_of(row: Accepted) -> Message:
    """The message as it was accepted."""
    scope = row.scope
    return Message(
        platform=scope.platform,
        workspace=scope.workspace,
        channel=scope.channel,
        author=row.author,
        text=row.text,
        event_id=row.event.removeprefix(f"{scope.platform}:"),
        thread=scope.thread,
        addressed=row.addressed,
        private=scope.private,
        attachments=tuple(Attachment(f.name, f.media_type, f.data) for f in row.files),
        at=datetime.fromtimestamp(row.said_at, UTC),
    )


def wish_of(plan: str) -> ChannelSettings:
    """What an accepted message wished for, once begun all that held for it."""
    try:
        return ChannelSettings.model_validate_json(plan)
    except ValidationError:  # another version of moabot wrote it
        return ChannelSettings()
