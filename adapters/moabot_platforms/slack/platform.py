"""Slack as a platform: what is said there reaches the desk once, and is answered in its thread."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from moabot.contract import Asker, Message, Scope
from moabot.errors import MoabotError, PlatformError, Refused, StoreError
from moabot.findings import Finding
from moabot.guests import blamed
from moabot.installations import Installations
from moabot.journal import Entry, event_of
from moabot_platforms.refusals import MOST
from moabot_platforms.slack.blocks import escaped
from moabot_platforms.slack.gate import Gate
from moabot_platforms.slack.home import home
from moabot_platforms.slack.payload import Json, flag, inside, number, text, words
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
from moabot_platforms.slack.web import Web
from moabot_platforms.slack.workspaces import Absent, Gone, Workspaces
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


LookInside = Callable[[Installations], Awaitable[Sequence[Finding]]]


class Slack:
    """The platform. `listen` brings events to `hear` until it is cancelled, `look` checks.

    `look_inside` checks the workspaces that are installed, where people install it.
    """

    def __init__(
        self,
        settings: SlackSettings,
        workspaces: Workspaces,
        *,
        listen: Callable[[Slack], Awaitable[None]],
        look: Callable[[], Awaitable[Sequence[Finding]]],
        look_inside: LookInside | None = None,
    ) -> None:
        self.settings = settings
        self.workspaces = workspaces
        self._listen = listen
        self._look = look
        self._look_inside = look_inside
        self._desk: Desk | None = None
        self._group: asyncio.TaskGroup | None = None
        self._manners = Manners()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._gate = Gate()
        self._telling = defaultdict[str, asyncio.Semaphore](partial(asyncio.Semaphore, MOST))
        self._under_way: dict[str, Entry] = {}
        self._unsure_until: dict[str, float] = {}
        self._private: OrderedDict[tuple[str, str], bool] = OrderedDict()
        self._threads: OrderedDict[tuple[str, str, str], None] = OrderedDict()

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
            await self.workspaces.open(desk.installations(NAME))
            await self._listen(self)

    async def check(self) -> Sequence[Finding]:
        """Tokens, scopes and connection, for `moabot check`."""
        return await self._look()

    async def check_installed(self, kept: Installations) -> Sequence[Finding]:
        """Each workspace that people have installed it in."""
        return await self._look_inside(kept) if self._look_inside else ()

    def reply_to(self, entry: Entry) -> SlackReply:
        """The reply to a message, which may be of an earlier process."""
        here = self.workspaces.at(entry.message.workspace)
        return SlackReply(here, entry, self.desk, manners=self._manners)

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
        team = text(body, "team_id")
        try:
            if (here := await self.workspaces.find(team)) is None:
                return True
            match happened(body, bot=await here.bot()):
                case Said() as said:
                    return await self._said(said)
                case "uninstalled":
                    await self._removed(team, at=number(body, "event_time") or time.time())
                case "limited":
                    log.warning("slack holds events back", extra={"workspace": team})
                case what:
                    await self._done(what)
        except Absent:  # it was removed between two looks
            return True
        except StoreError as error:
            log.warning("not taken on", extra={"error": str(error)})
            return False
        return True

    async def _done(self, what: Amended | Stopped | HomeOpened | None) -> None:
        match what:
            case Amended():
                await self.desk.amend(f"{NAME}:{what.event}", what.text)
            case Stopped():
                self._start(self._stopped(what))
            case HomeOpened():
                self._start(home(self, what.team, what.channel, what.user))
            case None:
                pass

    async def take_on(self, message: Message) -> bool:
        """Accept a message and begin its answer; False when it is no time for that."""
        entry = await self.desk.accept(message)
        if entry is not None:
            self._threads[message.workspace, message.channel, message.thread] = None
            while len(self._threads) > REMEMBERED:
                self._threads.popitem(last=False)
            self.answer(entry)
        return entry is not None or self.desk.taking

    def answer(self, entry: Entry) -> None:
        """Answer what was accepted, in a task of its own."""
        self._start(self._answer(entry))

    async def whisper(
        self, team: str, channel: str, user: str, said: str, *, thread: str = ""
    ) -> None:
        """Tell one person something; nobody else sees it."""
        args = {"channel": channel, "user": user, "text": escaped(said), "link_names": False}
        where = {"thread_ts": thread} if thread else {}
        await self.web(team).surely("chat.postEphemeral", {**args, **where})

    def web(self, team: str) -> Web:
        """The Web API of a workspace."""
        return self.workspaces.at(team).web

    async def members(self, team: str, channel: str) -> frozenset[str]:
        """Who is in a channel."""
        found: set[str] = set()
        cursor = ""
        while True:
            args = {"channel": channel, "limit": 1000, "cursor": cursor}
            answer = await self.web(team).surely("conversations.members", args)
            found.update(words(answer, "members"))
            cursor = text(answer, "response_metadata", "next_cursor")
            if not cursor:
                return frozenset(found)

    async def asker(self, team: str, channel: str, user: str, *, thread: str = "") -> Asker:
        """Who does something where; Slack is asked each time whether they manage the workspace."""
        scope = Scope(NAME, team, channel, thread, private=await self.is_private(team, channel))
        # Whoever writes to the bot alone manages that conversation.
        manages = channel.startswith("D") or await self._manages(team, user)
        return Asker(scope, user, manages=manages)

    async def is_private(self, team: str, channel: str, kind: str = "") -> bool:
        """Whether not everybody can read there. `kind` is what Slack told of it with an event."""
        place = (team, channel)
        if kind:
            self._private[place] = kind != "channel"
        elif place not in self._private:
            if _now() < self._unsure_until.get(team, float("-inf")):
                return True
            try:
                async with asyncio.timeout(KIND_S):
                    answer = await self.web(team).surely("conversations.info", {"channel": channel})
            except TimeoutError:  # a flood in many channels must not be acknowledged one a second
                self._unsure_until[team] = _now() + UNSURE_S
                return True
            except PlatformError:
                return True  # whoever cannot be told apart shares nothing
            found = inside(answer, "channel")
            self._private[place] = flag(found, "is_private") or flag(found, "is_im")
        while len(self._private) > REMEMBERED:
            self._private.popitem(last=False)
        return self._private[place]

    async def _said(self, said: Said) -> bool:
        if not await self._is_addressed(said):
            return True
        if not self.desk.taking:
            return False
        message = await self._message(said)
        try:
            await self.desk.admit(message)
        except Refused as refused:
            told = self._manners.refusals[said.team]
            if not self._telling[said.team].locked() and told.may_tell(said.channel, said.user):
                self._start(self._refuse(message, refused))
            return True
        return await self.take_on(await self._completed(message, said))

    async def _refuse(self, message: Message, refused: Refused) -> None:
        told = apology(refused, reference="")
        async with self._telling[message.workspace]:
            where = (message.workspace, message.channel, message.author)
            await self.whisper(*where, told, thread=message.thread)

    async def _is_addressed(self, said: Said) -> bool:
        """A direct message, a mention, or a follow-up in a thread of ours."""
        bot = await self.workspaces.at(said.team).bot()
        if said.kind == "im" or said.mentions(bot):
            return True
        if not said.thread or said.thread == said.ts or said.is_for_another:
            return False
        if (said.team, said.channel, said.thread) in self._threads:
            return True
        private = await self.is_private(said.team, said.channel, said.kind)
        return await self.desk.knows(Scope(NAME, said.team, said.channel, said.thread, private))

    async def _completed(self, message: Message, said: Said) -> Message:
        """With all that Slack has to be asked for."""
        fetched = await self.workspaces.at(said.team).fetch(said.files)
        return replace(
            fetched.added_to(message),
            private=await self.is_private(said.team, said.channel, said.kind),
        )

    async def _message(self, said: Said) -> Message:
        return Message(
            platform=NAME,
            workspace=said.team,
            channel=said.channel,
            author=said.user,
            text=plain(said.text, bot=await self.workspaces.at(said.team).bot()),
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

    async def _removed(self, team: str, *, at: float) -> None:
        """Slack tells it again until it is kept; but what ends the platform must end its group."""
        try:
            await self.workspaces.leave(team, at=at)
        except Gone as gone:
            self._start(_raised(gone))

    async def _stopped(self, stopped: Stopped) -> None:
        """Slack's own stop button knows the thread only: it stops the asker's answers there."""
        asker = await self.asker(stopped.team, stopped.channel, stopped.user)
        where = (stopped.team, stopped.channel, stopped.thread)
        for event, entry in list(self._under_way.items()):
            message = entry.message
            if (message.workspace, message.channel, message.thread) == where:
                with suppress(Refused):
                    await self.desk.stop(asker, event)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        if self._group is None:
            raise PlatformError("Slack is not running.", fix="Run the bot.")
        self._group.create_task(_guarded(work))

    async def _manages(self, team: str, user: str) -> bool:
        if not {user, f"{team}/{user}"}.isdisjoint(self.settings.admins):
            return True
        try:
            found = inside(await self.web(team).surely("users.info", {"user": user}), "user")
        except PlatformError:
            return False
        if text(found, "team_id") != team:
            return False  # a guest from another workspace may well be an admin there
        return flag(found, "is_admin") or flag(found, "is_owner") or flag(found, "is_primary_owner")


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _raised(error: PlatformError) -> None:
    raise error


async def _guarded(work: Coroutine[None, None, None]) -> None:
    """The edge: what breaks one answer or one home tab must not end the others."""
    try:
        with blamed("Slack"):
            await work
    except Gone:
        raise
    except MoabotError:
        log.exception("broken")
