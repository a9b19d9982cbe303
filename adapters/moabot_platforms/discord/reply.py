"""One answer on Discord: a sign, then who is at work, then the text; exactly one of them final."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from moabot.errors import PlatformError
from moabot_platforms import words
from moabot_platforms.discord import layout
from moabot_platforms.discord.layout import Marker, Page
from moabot_platforms.discord.marks import mark, nonce
from moabot_platforms.discord.places import MANY, PAGES, Right
from moabot_platforms.discord.sending import Doors, Forbidden, Gone, persist
from moabot_platforms.edits import LatestWins, TryLater
from moabot_platforms.progress import Progress

if TYPE_CHECKING:
    from moabot.contract import Answer
    from moabot.errors import MoabotError
    from moabot.journal import Entry
    from moabot_platforms.discord.places import Place

__all__ = ["DiscordReply", "Room"]

T = TypeVar("T")
log = logging.getLogger("moabot")
EVERY_S = 1.3
"""Seconds between two edits of one message; Discord allows 5 in 5 s for a whole channel."""

TYPING_S = 8.0
"""Seconds after which the bot is let type again; Discord shows it for ten."""


@dataclass(frozen=True, slots=True)
class Room:
    """Where an answer goes: the place now, and the one after `lasts_s` seconds, if that one ends.

    `later` gives it, and raises `PlatformError` as `Doors.sent` does.
    `message` is the one that Discord or an earlier process made for it, 0 when there is none;
    `search` says that an earlier process may have posted without telling.
    """

    place: Place
    message: int = 0
    lasts_s: float = float("inf")
    later: Callable[[], Awaitable[Place]] | None = None
    search: bool = False


class DiscordReply(Progress):
    """Shows what happens while `live` runs, and ends with the whole answer or an apology.

    What is posted is known by its nonce, for minutes, and by its mark, as long as it exists; so
    whichever process ends the answer, and however often it tries, every page stands there once.
    `posted` keeps where the sign stands, for the next process.
    """

    def __init__(
        self,
        entry: Entry,
        room: Room,
        *,
        posted: Callable[[Entry, str], Awaitable[None]],
        shows_cost: Callable[[Entry], Awaitable[bool]],
        doors: Doors,
    ) -> None:
        self._edits = LatestWins(self._show, every_s=EVERY_S)
        super().__init__(self._edits.changed)
        self._entry = entry
        self._room = room
        self._place = room.place
        self._until = asyncio.get_running_loop().time() + room.lasts_s
        self._posted = posted
        self._shows_cost = shows_cost
        self._doors = doors
        self._id = entry.message.event_id
        self._marker = Marker(self._id, entry.message.thread)
        self._posts: dict[int, int] = {}
        self._unsure = room.search
        self._placing = asyncio.Lock()
        self._moving = asyncio.Lock()
        self._generation = 0

    async def live(self) -> None:
        """Post the sign at once, then draw what changes until the answer is final."""
        try:
            await persist(self._move_if_late)
            await persist(self._placed)
        except PlatformError as error:  # the final text tries once more, and tells the log
            log.warning("no sign", extra={"event": self._id, "error": str(error)})
            return
        self._edits.changed()
        try:
            async with asyncio.timeout_at(self._until):
                await self._drawn()
        except TimeoutError:
            await self._go_on()

    async def finish(self, answer: Answer) -> None:
        """Show the whole answer; returns when Discord has all of it."""
        self.ended()
        await self._edits.close()
        await persist(self._move_if_late)
        money = await self._shows_cost(self._entry)
        most = self._place.pages
        try:
            await self._deliver(layout.answered(answer, self._marker, money=money, most=most))
        except Forbidden:
            if most != PAGES:
                raise
            # Perhaps nothing may be attached here, which no process knows of every place.
            await self._deliver(layout.answered(answer, self._marker, money=money, most=MANY))

    async def sorry(self, error: MoabotError, *, reference: str) -> None:
        """Say in one sentence why there is no answer."""
        await self._edits.close()
        await persist(self._move_if_late)
        told = words.apology(error, reference=reference)
        await self._deliver([layout.apology(told, self._marker)])

    async def closed(self) -> None:
        """Draw nothing more, however it ended."""
        await self._edits.close()

    async def _go_on(self) -> None:
        try:
            await self._move_if_late()
        except PlatformError as error:  # as above
            log.warning("not moved", extra={"event": self._id, "error": str(error)})
            return
        self._edits.changed()
        await self._drawn()

    async def _drawn(self) -> None:
        """Draw what changes, and be seen typing meanwhile."""
        async with asyncio.TaskGroup() as group:
            typing = group.create_task(self._type())
            await self._edits.run()
            typing.cancel()

    async def _type(self) -> None:
        while True:
            try:
                await self._doors.sent(self._place.channel, self._place.type)
            except PlatformError:  # the message itself tells as much
                return
            await asyncio.sleep(TYPING_S)

    async def _show(self) -> None:
        """Draw what is newest; raises `TryLater` when the channel was edited enough."""
        message = await self._placed()
        self._doors.take_edit(self._place.channel)
        await self._edit(message, layout.thinking(self, self._marker))

    async def _deliver(self, pages: list[Page]) -> None:
        await persist(self._placed)
        for number, page in enumerate(pages):
            await persist(partial(self._put, page, number))

    async def _put(self, page: Page, number: int) -> None:
        """A page that stands already is edited; one that was deleted is posted anew."""
        await self._look_for(number)
        if number not in self._posts:
            await self._post(page, number)
            return
        try:
            await self._edit(self._posts[number], page)
        except Gone:
            await self._lost(number)
            await self._put(page, number)

    async def _lost(self, number: int) -> None:
        """Somebody deleted the message, or a command's token died early."""
        if self._room.later is not None:
            await self._move()
        else:
            del self._posts[number]
            self._generation += 1

    async def _placed(self) -> int:
        """The id of the first message, which is posted if need be."""
        async with self._placing:
            if 0 not in self._posts:
                await self._place_it()
            return self._posts[0]

    async def _place_it(self) -> None:
        if self._room.message:
            self._posts[0] = self._room.message
        await self._look_for(0)
        if 0 not in self._posts:
            await self._post(layout.thinking(self, self._marker), 0)
        if self._generation or not self._entry.receipt:
            await self._posted(self._entry, self._place.receipt(self._posts[0]))

    async def _look_for(self, number: int) -> None:
        """Take up what an earlier process, or a try that we heard nothing of, may have posted."""
        if self._unsure and number not in self._posts:
            self._posts = {**await self._found(), **self._posts}
            self._unsure = False

    async def _found(self) -> Mapping[int, int]:
        after, place = int(self._id.removeprefix("i")), self._place
        try:
            found = await self._doors.sent(place.channel, lambda: place.find(after), to="read")
        except TryLater:  # and what would be posted now waits for it
            raise
        except PlatformError as error:  # a nonce will do, if not too much time has passed
            log.info("not searched", extra={"event": self._id, "error": str(error)})
            return {}
        marks = {mark(self._id, page): page for page in range(100)}
        return {page: found[number] for number, page in marks.items() if number in found}

    async def _post(self, page: Page, number: int) -> None:
        word = nonce(self._id, number, self._generation)
        try:
            self._posts[number] = await self._sent(page, lambda: self._place.post(page, nonce=word))
        except TryLater:  # perhaps it stands there, and its nonce is forgotten before the next try
            self._unsure = True
            raise

    async def _edit(self, message: int, page: Page) -> None:
        await self._sent(page, lambda: self._place.edit(message, page))

    async def _sent(self, page: Page, request: Callable[[], Awaitable[T]]) -> T:
        right: Right = self._place.right
        if page.attached and right == "write":
            right = "attach"
        return await self._doors.sent(self._place.channel, request, to=right)

    def _late(self) -> bool:
        return self._room.later is not None and asyncio.get_running_loop().time() >= self._until

    async def _move_if_late(self) -> None:
        """A command's reply cannot be edited for ever: go on in a message of its own."""
        async with self._moving:
            if not self._late():
                return
            try:
                if self._room.lasts_s > 0:  # else the token was dead before we began
                    await self._edit(await self._placed(), layout.moved(self._marker))
            except PlatformError as error:  # the answer itself is what counts
                log.info("not moved", extra={"event": self._id, "error": str(error)})
            await self._move()

    async def _move(self) -> None:
        if self._posts or self._room.message:  # else this is the first place, and its nonces hold
            self._generation += 1
        if self._room.later is not None:
            self._place = await self._room.later()
            self._room = Room(self._place, search=self._room.search)
        self._posts.clear()
        self._unsure |= self._room.search
