"""The reply to one question in Slack: a sign at once, models at work, one complete answer."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moabot.contract import Answer
from moabot.errors import MoabotError, PlatformError, Refused, StoreError
from moabot.journal import Entry, event_of
from moabot_platforms.edits import LatestWins, TryLater
from moabot_platforms.markdown import harmless
from moabot_platforms.progress import Progress
from moabot_platforms.refusals import Refusals
from moabot_platforms.slack import blocks
from moabot_platforms.slack.payload import text
from moabot_platforms.slack.stream import Stream
from moabot_platforms.slack.web import (
    Content,
    Mark,
    Place,
    SlackRefused,
    SlackSilent,
    is_marked,
    marked,
)
from moabot_platforms.slack.workspaces import Workspace
from moabot_platforms.words import apology

if TYPE_CHECKING:
    from moabot.desk import Desk

__all__ = ["Manners", "SlackReply", "place_of"]

SIGN_S = 0.05
"""Before the first sign: who is refused at once, or answered, needs none."""
EVERY_S = 1.0
"""Between two updates of a message; Slack takes some fifty a minute in a workspace."""
EDIT_EVERY_S = 3.0
STATUS_S = 45.0
"""A status line vanishes after two minutes."""


@dataclass(frozen=True, slots=True)
class Manners:
    """What the replies of one process know of each other.

    `alive` are the streamed messages of those under way, `refusals` are by team.
    """

    alive: set[str] = field(default_factory=set[str])
    refusals: defaultdict[str, Refusals] = field(
        default_factory=lambda: defaultdict[str, Refusals](Refusals)
    )


class SlackReply(Progress):
    """Shows one answer. Within `shown` its progress is seen; without, only how it ends.

    A first post, the placeholder, becomes the answer, unless the answer was streamed: then it is
    taken away.
    """

    def __init__(self, here: Workspace, entry: Entry, desk: Desk, *, manners: Manners) -> None:
        super().__init__(self._changes)
        self._web = here.web
        self._bot = here.bot
        self._entry = entry
        self._desk = desk
        self._manners = manners
        self._event = event_of(entry.message)
        self._of = hashlib.blake2b(self._event.encode(), key=entry.seed, digest_size=16).hexdigest()
        self._place = place_of(entry)
        self._stream = Stream(here.web, self._place, of=self._of, alive=manners.alive)
        self._posts: dict[str, str] = {}
        self._edits = LatestWins(self._show, every_s=EVERY_S)
        self._edited_at = 0.0
        self._status = ("", 0.0)

    @asynccontextmanager
    async def shown(self) -> AsyncGenerator[None]:
        """Let people see how it goes, from a first sign on."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._edits.run())
            fresh = group.create_task(self._freshen())
            try:
                yield
                await self._edits.close()  # a bot that stops does not wait for an edit to arrive
            finally:
                fresh.cancel()
                self._manners.alive.difference_update(self._stream.messages)

    async def finish(self, answer: Answer) -> None:
        """The whole answer: in the stream if all of it can be, else in the placeholder."""
        await self._settle()
        self.ended()
        final = harmless(answer.text)
        money = await self._desk.shows_cost(self._entry)
        tail = blocks.ending(answer, event=self._event, money=money)
        left = await self._stream.end(self, final, tail)
        if left is None:
            await self._deliver(blocks.answer(final, tail))
            return
        for place, content in enumerate(blocks.answer(left, tail) if left else ()):
            await self._web.post(self._place, content, Mark(self._of, f"{place + 1}"))
        if placeholder := self._posts.pop("0", ""):
            await self._web.delete(self._place, placeholder)
        await self._session("active")

    async def sorry(self, error: MoabotError, *, reference: str) -> None:
        """Why there is no answer, where the answer would have been; a refusal is for its person."""
        await self._settle()
        if isinstance(error, Refused) and not self._posts:
            await self._refuse(error)
            return
        await self._deliver([blocks.sorry(error, reference=reference, event=self._event)])

    async def _refuse(self, error: Refused) -> None:
        """Tell them alone, unless they know; a channel need not read it a thousand times."""
        place = self._place
        if not self._manners.refusals[place.team].may_tell(place.channel, place.user):
            return
        args = {
            "channel": place.channel,
            "thread_ts": place.thread,
            "user": place.user,
            "text": blocks.escaped(apology(error, reference="")),
            "link_names": False,
        }
        await self._web.surely("chat.postEphemeral", args)

    async def _settle(self) -> None:
        """No edit comes after this, and what an earlier process posted is known."""
        await self._edits.close()
        if self._entry.resumed and not self._posts:
            self._posts = await self._left_behind(receipt=self._entry.receipt)

    async def _deliver(self, contents: Sequence[Content]) -> None:
        """Exactly these messages, whatever stands there of earlier tries."""
        if self._stream.lost:
            left = await self._left_behind(receipt=self._posts.get("0", ""))
            self._posts = {**left, **self._posts}
        for place, content in enumerate(contents):
            await self._put(str(place), content)
        for part, ts in list(self._posts.items()):
            if not part.isdigit() or int(part) >= len(contents):
                await self._web.delete(self._place, ts)
        await self._stream.remove()
        await self._session("active")

    async def _put(self, part: str, content: Content) -> None:
        mark = Mark(self._of, part)
        old = self._posts.get(part, "")
        if old:
            try:
                await self._web.update(self._place, old, content, mark)
            except SlackRefused:  # it is gone, or too old to be edited
                mark = Mark(self._of, f"{part} anew")
            else:
                return
        self._posts[part] = await self._web.post(self._place, content, mark)
        if old:
            await self._web.delete(self._place, old)

    async def _left_behind(self, *, receipt: str) -> dict[str, str]:
        """All that was posted of this answer, streams without an end included; by part.

        `receipt` is the placeholder's ts, as far as it was noted. Everything that we post says what
        it is, but for a stream before it is stopped; so where nothing says so, nothing is taken for
        such a stream.
        """
        noted = {"0": receipt} if receipt else {}
        try:
            thread = await self._web.thread(self._place)
        except SlackRefused:  # it may not read here: what was noted must do
            return noted
        found = marked(thread, self._of)
        try:
            bot = await self._bot()
        except StoreError as error:
            raise SlackSilent("who we are", error.what) from error
        for post in thread if "0" in found else ():
            ts = text(post, "ts")
            ours = text(post, "user") == bot and not is_marked(post)
            if ours and ts > found["0"] and ts not in self._manners.alive:
                found[f"stream {ts}"] = ts
        return {**noted, **found}

    def _changes(self) -> None:
        self._edits.changed()

    async def _show(self) -> None:
        await self._sign()
        before = self._stream.messages
        try:
            if self.steps:
                await self._stream.show(self)
            if not self._stream.sound:
                await self._edit()
        finally:
            if self._stream.messages != before:
                self._status = ("", 0.0)  # a new message takes the line away
            await self._stand()

    async def _sign(self) -> None:
        """The placeholder, once."""
        if "0" in self._posts:
            return
        content = blocks.working(self, event=self._event, cards=True)
        self._posts["0"] = await self._web.post(self._place, content, Mark(self._of, "0"))
        await self._desk.posted(self._entry, self._posts["0"])
        await self._session("processing")

    async def _edit(self) -> None:
        """The models' states as lines of the placeholder, where there is no stream."""
        if _now() - self._edited_at < EDIT_EVERY_S:
            raise TryLater("Too soon.", retry_after_s=EDIT_EVERY_S - (_now() - self._edited_at))
        self._edited_at = _now()
        content = blocks.working(self, event=self._event, cards=False)
        args = {"channel": self._place.channel, "ts": self._posts["0"], "text": content.text}
        await self._web.call("chat.update", {**args, "blocks": list(content.blocks)})

    async def _stand(self) -> None:
        """The status line: where it stands, before it vanishes."""
        words, at = self._status
        if self.standing == words and _now() - at < STATUS_S / 2:
            return
        self._status = (self.standing, _now())
        where = {"channel_id": self._place.channel, "thread_ts": self._place.thread}
        with suppress(PlatformError):  # nice to have
            args = {**where, "status": f"is at work: {self.standing}"}
            await self._web.call("assistant.threads.setStatus", args)

    async def _session(self, status: str) -> None:
        """The agent's session, which has a stop button of its own while it is processing."""
        with suppress(PlatformError):  # nice to have
            args = {
                "channel_id": self._place.channel,
                "thread_ts": self._place.thread,
                "status": status,
                "initiator_user_id": self._place.user,
            }
            await self._web.call("agents.sessions.setStatus", args)

    async def _freshen(self) -> None:
        """The first sign, and the status line before it vanishes."""
        pause_s = SIGN_S
        while True:
            await asyncio.sleep(pause_s)
            self._edits.changed()
            pause_s = STATUS_S


def place_of(entry: Entry) -> Place:
    """Where the answer to a message goes: into its thread, or the one that it begins."""
    message = entry.message
    return Place(message.workspace, message.channel, message.thread, message.author)


def _now() -> float:
    return asyncio.get_running_loop().time()
