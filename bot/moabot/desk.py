"""The desk: all that a platform may ask of the bot, on behalf of the people in the chat."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal, get_args

from moabot.access import channel_key, user_key, workspace_key
from moabot.answering import Answering
from moabot.channels import NO_WISH
from moabot.config import ChannelSettings, Defaults, Preset, Sharing
from moabot.contract import Asker, Message, Proposal, Reply, Scope
from moabot.errors import (
    MoabotError,
    PlatformError,
    PluginError,
    QuestionRejected,
    Refused,
    StoreError,
)
from moabot.guests import blamed
from moabot.installations import Installations
from moabot.journal import DurableJournal, Entry, event_of, message_of, scope_of, wish_of
from moabot.memo import proposals_in
from moabot.memory import Memory
from moabot.presets import deeper as next_preset
from moabot.store import Store
from moabot.store.rows import Accepted, By, Change, Opinion, Spending

__all__ = ["Desk"]

log = logging.getLogger("moabot")
REMEMBERED = 10_000
"""Events that were let in, by which a redelivery is told from a new question."""


class Desk:
    """Where a platform brings messages: calling it takes one on and answers it.

    A platform that must acknowledge early awaits `accept`, acknowledges, then awaits `answer`. An
    `event` is "platform:event id", as `moabot.journal.event_of` makes it. What an asker may not do
    raises `Refused`, and what cannot be read or written `StoreError`.
    """

    def __init__(self, answering: Answering, memory: Memory) -> None:
        if memory.durable is None or memory.store is None:
            raise StoreError(
                "A platform needs the database, which is not open.",
                fix="Open the app with everything kept.",
            )
        self._answering = answering
        self._journal: DurableJournal = memory.durable
        self._store: Store = memory.store
        self._open = True
        self._under_way: dict[str, Message] = {}
        self._unanswered: set[str] = set()
        self._met: OrderedDict[str, None] = OrderedDict()
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def __call__(self, message: Message, reply: Reply) -> None:
        """Take the message on and answer it; nothing happens when it was taken on before."""
        with self._working(message):
            if self._open:
                await self._answering.handle(message, reply)

    @property
    def taking(self) -> bool:
        """Whether new messages are taken on; when not, leave them to be delivered again."""
        return self._open

    async def knows(self, scope: Scope) -> bool:
        """Whether something was answered there: who goes on in such a thread means the bot."""
        return bool(await self._journal.turns(scope, before=None, most=1))

    async def admit(self, message: Message) -> None:
        """Decide what `accept` would refuse, before anything is fetched for it; raises `Refused`.

        What was let in once is not counted again when it is delivered again.
        """
        event, admission = event_of(message), self._answering.admission
        if event in self._met:
            return
        admission.check_room(len(self._unanswered))
        await admission.check(message)
        if len(self._met) >= REMEMBERED:
            self._met.popitem(last=False)
        self._met[event] = None

    async def accept(self, message: Message, *, wish: ChannelSettings = NO_WISH) -> Entry | None:
        """Take a message on, durably. None: it was before, or the bot stops and wants no more.

        Raises `Refused` when it is not let in: acknowledge it, and tell the person, but once and
        not each time when they flood. Raises `StoreError` when it cannot be kept: do not
        acknowledge, say so, or both.
        """
        return await self._taken_on(message, wish)

    async def answer(self, entry: Entry, reply: Reply) -> None:
        """Answer what was accepted, with exactly one `reply.finish` or `reply.sorry`."""
        with self._working(entry.message):
            await self._answering.handle(entry.message, reply, entry=entry)

    async def posted(self, entry: Entry, receipt: str) -> None:
        """Keep the platform's word for the post that becomes the answer, for after a crash."""
        await self._journal.posted(entry, receipt)

    async def amend(self, event: str, text: str | None) -> None:
        """A message was edited: its thread has the new text from now on.

        With None it was deleted: it is forgotten, with what was answered to it.
        """
        await self._journal.amend(event, text)

    async def stop(self, asker: Asker, event: str) -> bool:
        """A person wants no more: what was written by now is finished as the answer.

        False when there is nothing to stop any more.
        """
        message = self._under_way.get(event)
        if message is None:
            return False
        self._let_in(asker, scope_of(message), author=message.author)
        if asker.author != message.author and not await self.may_change(asker):
            raise Refused(
                "Only who asked may stop the answer.",
                fix="Ask them, or who manages this channel.",
            )
        if not self._answering.stop(event):
            return False
        self._journal.stop(message)
        return True

    async def again(
        self, asker: Asker, event: str, *, event_id: str, deeper: bool = False
    ) -> Entry | None:
        """Take the question of an earlier answer on anew, past the cache.

        `deeper` asks with the next preset. `event_id` is the platform's own id of this wish. None:
        as for `accept`. Raises `QuestionRejected` when the question is no longer known.
        """
        row = await self._row(asker, event)
        earlier = wish_of(row.plan)
        preset = earlier.preset or (await self.settings(asker)).preset
        wish = ChannelSettings(
            strategy=earlier.strategy,
            preset=next_preset(preset) if deeper else preset,
            panel=earlier.panel,
            cache="off",
        )
        now = datetime.now(UTC)
        message = replace(message_of(row), event_id=event_id, author=asker.author, at=now)
        return await self._taken_on(message, wish, again=row)

    async def proposals(self, asker: Asker, event: str) -> Sequence[Proposal]:
        """What each proposer said to a question; nothing once it is no longer known."""
        row = await self._row(asker, event)
        return proposals_in(await self._store.steps(row.event))

    async def rate(
        self, asker: Asker, event: str, verdict: Literal[1, -1], *, reason: str = ""
    ) -> None:
        """Keep what a person thinks of an answer; a later opinion replaces theirs.

        What is rated down is never given from the cache again.
        """
        row = await self._row(asker, event)
        who = user_key(asker.scope, asker.author)
        await self._store.opine(
            Opinion(row.event, row.scope, who, verdict, reason[:1000], time.time())
        )
        if verdict < 0:
            await self._answering.recall.forget(row.event)

    async def settings(self, asker: Asker) -> Defaults:
        """What holds where the asker is."""
        self._let_in(asker)
        return await self._answering.channels.settings(asker.scope)

    def choices(self) -> Mapping[str, tuple[str, ...]]:
        """The values that a setting with a fixed list of them can have, by its name."""
        return {
            "strategy": tuple(self._answering.strategies),
            "preset": get_args(Preset),
            "panel": tuple(self._answering.config.panels),
            "cache": get_args(Sharing),
        }

    async def may_change(self, asker: Asker, name: str = "strategy") -> bool:
        """Whether the asker may change that setting here."""
        try:
            await self._answering.channels.permit(asker, _key(asker.scope), name)
        except Refused:
            return False
        return True

    async def change(self, asker: Asker, name: str, value: object) -> Change:
        """Set `name` for the asker's channel, or with None unset it; it is written down who did.

        An asker without a channel sets it for the workspace.

        Returns the change. Raises `ConfigError` for what is no setting or no value of it.
        """
        key = _key(asker.scope)
        await self._answering.channels.change(key, name, value, asker=asker)
        changes = await self._store.changes(key)
        return next(change for change in changes if change.name == name)

    async def spending(self, asker: Asker, *, by: By, since: float) -> Sequence[Spending]:
        """What was spent where the asker is since a time (seconds since 1970)."""
        self._let_in(asker)
        return await self._store.spending(by, since=since, scope=asker.scope)

    def status(self, asker: Asker) -> Sequence[str]:
        """How the bot does, in a few lines."""
        self._let_in(asker)
        resting = self._answering.calls.resting()
        lines = [f"Answers under way: {len(self._under_way)}."]
        lines += [f"The model {name} rests for {seconds:.0f} s." for name, seconds in resting]
        return lines if resting else [*lines, "No model rests."]

    def installations(self, platform: str) -> Installations:
        """Where people have installed that platform."""
        return Installations(self._store, platform)

    async def left(self, platform: str) -> Sequence[Entry]:
        """What earlier processes left unfinished there, oldest first; a try of each is counted."""
        return await self._journal.resume(platform)

    async def lay_down(self, platform: str) -> None:
        """What is unfinished there is for the next process: nobody's mistake, so no try counts."""
        await self._journal.lay_down(platform)

    def lost(self, platform: str) -> None:
        """A platform has ended: what it accepted is for the next process, and takes no place here."""
        self._unanswered -= {
            event for event in self._unanswered if event.startswith(f"{platform}:")
        }

    async def finish_all(
        self, entries: Sequence[Entry], reply_to: Callable[[Entry], Reply]
    ) -> None:
        """Answer what was left unfinished: conversations beside each other, each in its order.

        Before it first waits, each has its place: what is new in a conversation comes after what
        was left of it, and `close` waits for all.
        """
        conversations: dict[Scope, list[Entry]] = {}
        for entry in entries:  # oldest first
            conversations.setdefault(scope_of(entry.message), []).append(entry)
        async with AsyncExitStack() as places, asyncio.TaskGroup() as group:
            for scope, left in conversations.items():
                place = await places.enter_async_context(AsyncExitStack())
                place.enter_context(self._counted())
                await place.enter_async_context(self._answering.admission.ahead(scope))
                group.create_task(self._in_order(left, reply_to, place))

    async def close(self, *, within_s: float) -> None:
        """Take nothing new, and wait for the answers under way as long as that."""
        self._open = False
        try:
            async with asyncio.timeout(within_s):
                await self._idle.wait()
        except TimeoutError:
            log.warning("left for the next process", extra={"answers": len(self._under_way)})

    async def shows_cost(self, entry: Entry) -> bool:
        """Whether an answer says what it cost, where that was asked; no when nobody can tell."""
        try:
            return (await self._answering.channels.settings(entry.message)).show_cost
        except MoabotError:  # a finished answer must not wait for that
            return False

    async def _in_order(
        self, entries: Sequence[Entry], reply_to: Callable[[Entry], Reply], place: AsyncExitStack
    ) -> None:
        async with place:
            for entry in entries:
                try:
                    with blamed(f"The platform {entry.message.platform!r}"):
                        if entry.given_up:
                            await self._give_up(entry, reply_to(entry))
                        else:
                            await self.answer(entry, reply_to(entry))
                except (PlatformError, PluginError) as error:
                    # It stays unfinished; the others must not suffer.
                    log.warning("not delivered", extra={"error": str(error)})
                if entry.given_up:  # also when there is nobody left to be told
                    await self._journal.give_up(
                        entry, error="three processes ended while answering it"
                    )

    async def _give_up(self, entry: Entry, reply: Reply) -> None:
        error = MoabotError(
            "This question stopped the bot again and again, so it was given up.",
            fix="Ask it in other words, or tell the bot's admin: `moabot dead-letters` lists it.",
        )
        await reply.sorry(error, reference=entry.message.event_id)

    async def _taken_on(
        self, message: Message, wish: ChannelSettings, *, again: Accepted | None = None
    ) -> Entry | None:
        """Refusing costs no row, so that a flood can be refused."""
        if not self._open:
            return None
        await self.admit(message)
        entry = await self._journal.accept(message, wish, again=again)
        if entry is not None:
            self._unanswered.add(event_of(message))
        return entry

    async def _row(self, asker: Asker, event: str) -> Accepted:
        row = await self._store.accepted(event)
        if row is None or not row.text:  # it was deleted
            raise QuestionRejected("That question is no longer known.", fix="Ask it again.")
        self._let_in(asker, row.scope, author=row.author)
        return row

    def _let_in(self, asker: Asker, scope: Scope | None = None, *, author: str = "") -> None:
        """Raise `Refused` for who is shut out, and for what was said elsewhere (a forged click).

        `author` may do it anywhere: a private answer can end in their direct messages. Others not
        beside a private thread either, where their platform tells in which thread they are.
        """
        settings, here = self._answering.config.admission, asker.scope
        if who := settings.shuts_out(here, asker.author):
            raise Refused(f"{who} may not use this bot.", fix=f"Please ask {settings.contact}.")
        if scope is None or (here.platform, asker.author) == (scope.platform, author):
            return
        if channel_key(here) != channel_key(scope):
            raise Refused("That was asked in another channel.", fix="Do it there.")
        inside = here.private and here.thread == scope.thread
        if scope.private and here.thread and not inside:
            raise Refused("That was asked in another thread.", fix="Do it there.")

    @contextmanager
    def _working(self, message: Message) -> Generator[None]:
        event = event_of(message)
        mine = self._under_way.setdefault(event, message) is message  # not a redelivery's
        try:
            with self._counted():
                yield
        finally:
            if mine:
                del self._under_way[event]
                self._unanswered.discard(event)

    @contextmanager
    def _counted(self) -> Generator[None]:
        """Meanwhile something is under way, for which `close` waits."""
        self._count += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._idle.set()


def _key(place: Scope) -> str:
    """Without a channel the workspace is meant."""
    return channel_key(place) if place.channel else workspace_key(place)
