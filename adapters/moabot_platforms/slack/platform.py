"""Slack as a platform: what is said there reaches the desk once, and is answered in its thread."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from moabot.contract import Asker, Message, Scope
from moabot.errors import MoabotError, PlatformError, Refused, StoreError
from moabot.findings import Finding
from moabot.guests import blamed
from moabot.journal import Entry, event_of
from moabot_platforms.refusals import MOST
from moabot_platforms.slack.blocks import escaped
from moabot_platforms.slack.files import Files
from moabot_platforms.slack.gate import Gate
from moabot_platforms.slack.home import home
from moabot_platforms.slack.payload import Json, flag, inside, text, words
from moabot_platforms.slack.reply import Manners, SlackReply
from moabot_platforms.slack.said import (
    Amended,
    HomeOpened,
    Said,
    Stopped,
    event_id,
    happened,
    plain,
)
from moabot_platforms.slack.settings import SlackSettings
from moabot_platforms.slack.web import Workspace
from moabot_platforms.words import apology

if TYPE_CHECKING:
    from moabot.desk import Desk

__all__ = ["Slack"]

log = logging.getLogger("moabot")
NAME = "slack"
KIND_S = 1.0
"""For asking what kind of channel it is: events are acknowledged within three seconds."""
UNSURE_S = 5.0
"""Slack is not asked that again for so long when it had no time for it."""
AT_ONCE = 256
"""Events that are taken on at once; the others wait."""
LATE_S = 3.0
"""Then Slack has given up on an event that it sent, and sends it again."""
REMEMBERED = 10_000
"""Threads and channels that are kept in mind; the oldest are looked up again."""


class Slack:
    """The platform. `listen` brings events to `hear` until it is cancelled, `look` checks."""

    def __init__(
        self,
        settings: SlackSettings,
        home: Workspace,
        *,
        files: Files,
        listen: Callable[[Slack], Awaitable[None]],
        look: Callable[[], Awaitable[Sequence[Finding]]],
    ) -> None:
        self.settings = settings
        self.home = home
        self._files = files
        self._listen = listen
        self._look = look
        self._desk: Desk | None = None
        self._group: asyncio.TaskGroup | None = None
        self._manners = Manners()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._gate = Gate()
        self._telling = asyncio.Semaphore(MOST)
        self._under_way: dict[str, Entry] = {}
        self._unsure_until = float("-inf")
        self._private: OrderedDict[str, bool] = OrderedDict()
        self._threads: OrderedDict[tuple[str, str], None] = OrderedDict()

    @property
    def desk(self) -> Desk:
        """The desk, once it runs."""
        if self._desk is None:
            raise PlatformError("Slack is not running.", fix="Run the bot.")
        return self._desk

    async def run(self, desk: Desk) -> None:
        """Listen until cancelled; every answer is a task of its own."""
        self._desk = desk
        async with asyncio.TaskGroup() as group:
            self._group = group
            await self._listen(self)

    async def check(self) -> Sequence[Finding]:
        """Tokens, scopes and connection, for `moabot check`."""
        return await self._look()

    def reply_to(self, entry: Entry) -> SlackReply:
        """The reply to a message, which may be of an earlier process."""
        return SlackReply(self.home, entry, self.desk, manners=self._manners)

    async def hear(self, body: Json) -> bool:
        """Take on what an event tells, before it is acknowledged. False: Slack must send it again.

        In a flood, events wait for few places: all at once, each would be acknowledged too late.
        """
        came = _now()
        with self._gate.hearing():
            async with self._places:
                late = _now() - came > LATE_S
                return not late and await self._heard(body)

    async def _heard(self, body: Json) -> bool:
        if text(body, "team_id") != self.home.team:
            return True  # another workspace has the app too; this token is of no use there
        what = happened(body, bot=self.home.bot)
        try:
            match what:
                case Said():
                    return await self._said(what)
                case Amended():
                    await self.desk.amend(f"{NAME}:{what.event}", what.text)
                case Stopped():
                    await self._stopped(what)
                case HomeOpened():
                    self._start(home(self, what.team, what.channel, what.user))
                case "uninstalled":
                    self._start(_lost())
                case _:
                    pass
        except StoreError as error:
            log.warning("not taken on", extra={"error": str(error)})
            return False
        return True

    async def take_on(self, message: Message) -> bool:
        """Accept a message and begin its answer; False when it is no time for that."""
        entry = await self.desk.accept(message)
        if entry is not None:
            self._threads[message.channel, message.thread] = None
            while len(self._threads) > REMEMBERED:
                self._threads.popitem(last=False)
            self.answer(entry)
        return entry is not None or self.desk.taking

    def answer(self, entry: Entry) -> None:
        """Answer what was accepted, in a task of its own."""
        self._start(self._answer(entry))

    async def whisper(self, channel: str, user: str, said: str, *, thread: str = "") -> None:
        """Tell one person something; nobody else sees it."""
        args = {"channel": channel, "user": user, "text": escaped(said), "link_names": False}
        where = {"thread_ts": thread} if thread else {}
        await self.home.web.surely("chat.postEphemeral", {**args, **where})

    async def members(self, channel: str) -> frozenset[str]:
        """Who is in a channel."""
        found: set[str] = set()
        cursor = ""
        while True:
            args = {"channel": channel, "limit": 1000, "cursor": cursor}
            answer = await self.home.web.surely("conversations.members", args)
            found.update(words(answer, "members"))
            cursor = text(answer, "response_metadata", "next_cursor")
            if not cursor:
                return frozenset(found)

    async def asker(self, team: str, channel: str, user: str, *, thread: str = "") -> Asker:
        """Who does something where; Slack is asked each time whether they manage the workspace."""
        scope = Scope(NAME, team, channel, thread, private=await self.is_private(channel))
        # Whoever writes to the bot alone manages that conversation.
        manages = channel.startswith("D") or await self._manages(user)
        return Asker(scope, user, manages=manages)

    async def is_private(self, channel: str, kind: str = "") -> bool:
        """Whether not everybody can read there. `kind` is what Slack told of it with an event."""
        if kind:
            self._private[channel] = kind != "channel"
        elif channel not in self._private:
            if _now() < self._unsure_until:
                return True
            try:
                async with asyncio.timeout(KIND_S):
                    answer = await self.home.web.surely("conversations.info", {"channel": channel})
            except TimeoutError:  # a flood in many channels must not be acknowledged one a second
                self._unsure_until = _now() + UNSURE_S
                return True
            except PlatformError:
                return True  # whoever cannot be told apart shares nothing
            found = inside(answer, "channel")
            self._private[channel] = flag(found, "is_private") or flag(found, "is_im")
        while len(self._private) > REMEMBERED:
            self._private.popitem(last=False)
        return self._private[channel]

    async def _said(self, said: Said) -> bool:
        if not await self._is_addressed(said):
            return True
        if not self.desk.taking:
            return False
        message = self._message(said)
        try:
            await self.desk.admit(message)
        except Refused as refused:
            if not self._telling.locked() and self._manners.refusals.may_tell(
                said.channel, said.user
            ):
                self._start(self._refuse(message, refused))
            return True
        return await self.take_on(await self._completed(message, said))

    async def _refuse(self, message: Message, refused: Refused) -> None:
        told = apology(refused, reference="")
        async with self._telling:
            await self.whisper(message.channel, message.author, told, thread=message.thread)

    async def _is_addressed(self, said: Said) -> bool:
        """A direct message, a mention, or a follow-up in a thread of ours."""
        if said.kind == "im" or said.mentions(self.home.bot):
            return True
        if not said.thread or said.thread == said.ts or said.is_for_another:
            return False
        if (said.channel, said.thread) in self._threads:
            return True
        private = await self.is_private(said.channel, said.kind)
        return await self.desk.knows(Scope(NAME, said.team, said.channel, said.thread, private))

    async def _completed(self, message: Message, said: Said) -> Message:
        """With all that Slack has to be asked for."""
        fetched = await self._files.fetch(said.files)
        return replace(
            fetched.added_to(message), private=await self.is_private(said.channel, said.kind)
        )

    def _message(self, said: Said) -> Message:
        return Message(
            platform=NAME,
            workspace=said.team,
            channel=said.channel,
            author=said.user,
            text=plain(said.text, bot=self.home.bot),
            event_id=event_id(said.team, said.channel, said.ts),
            thread=said.thread or said.ts,
            private=True,
            at=said.at,
        )

    async def _answer(self, entry: Entry) -> None:
        await self._gate.passed()
        reply = self.reply_to(entry)
        event = event_of(entry.message)
        self._under_way[event] = entry
        try:
            async with reply.shown():
                await self.desk.answer(entry, reply)
        finally:
            del self._under_way[event]

    async def _stopped(self, stopped: Stopped) -> None:
        """Slack's own stop button knows the thread only: it stops the asker's answers there."""
        asker = await self.asker(stopped.team, stopped.channel, stopped.user)
        for event, entry in list(self._under_way.items()):
            if (entry.message.channel, entry.message.thread) == (stopped.channel, stopped.thread):
                with suppress(Refused):
                    await self.desk.stop(asker, event)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        if self._group is None:
            raise PlatformError("Slack is not running.", fix="Run the bot.")
        self._group.create_task(_guarded(work))

    async def _manages(self, user: str) -> bool:
        if user in self.settings.admins:
            return True
        try:
            found = inside(await self.home.web.surely("users.info", {"user": user}), "user")
        except PlatformError:
            return False
        if text(found, "team_id") != self.home.team:
            return False  # a guest from another workspace may well be an admin there
        return flag(found, "is_admin") or flag(found, "is_owner") or flag(found, "is_primary_owner")


class _Gone(PlatformError):
    """There is no Slack any more."""


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _lost() -> None:
    raise _Gone("The app was removed from Slack.", fix="Install it again.")


async def _guarded(work: Coroutine[None, None, None]) -> None:
    """The edge: what breaks one answer or one home tab must not end the others."""
    try:
        with blamed("Slack"):
            await work
    except _Gone:
        raise
    except MoabotError:
        log.exception("broken")
