"""The answer as it is written: streamed into one message after another, with task cards above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from moabot.errors import PlatformError
from moabot_platforms.edits import TryLater
from moabot_platforms.markdown import harmless, through
from moabot_platforms.progress import Progress, Step
from moabot_platforms.slack.blocks import preview, tasks
from moabot_platforms.slack.payload import Json, text
from moabot_platforms.slack.web import Content, Mark, Place, SlackRefused, SlackSilent, Web

__all__ = ["Stream", "settled"]

ROOM = 9_000
"""Characters of one streamed message; from 10,000 on others ran into errors."""
FULL = 200
"""What is not worth another call in a message, in characters."""
SOON_S = 5.0
"""A stream may be stopped twenty times a minute in a workspace; who must wait longer, posts."""
EXPIRED = "message_not_in_streaming_state"


@dataclass(slots=True)
class _Part:
    """One streamed message; `shown` is the text in it."""

    ts: str
    shown: str = ""
    open: bool = True


class Stream:
    """Shows a growing text, and tells in the end whether people have read exactly that.

    `sound` ends with the first doubt about what stands there, a call without an answer say. Then
    the caller removes all of it and shows the text in another way. `lost`: there may be a message
    that it does not know of. `alive` is told of those that it knows.
    """

    def __init__(self, web: Web, place: Place, *, of: str, alive: set[str]) -> None:
        self._web = web
        self._alive = alive
        self._place = place
        self._of = of
        self._parts: list[_Part] = []
        self._cards: dict[str, Step] = {}
        self._title = ""
        self._text = ""
        self._sent = 0
        self.sound = True
        self.lost = False

    @property
    def messages(self) -> tuple[str, ...]:
        """The ts of each message that it made."""
        return tuple(part.ts for part in self._parts)

    async def show(self, progress: Progress) -> None:
        """Bring what people see up to `progress`. Raises `TryLater`, and nothing else."""
        ready = "" if progress.is_draft else harmless(settled(progress.text))
        if not ready.startswith(self._text):
            self.sound = False
        try:
            while self.sound and await self._step(progress, ready):
                pass
        except TryLater:
            if self._parts:
                raise
            self.sound = False  # too many streams this minute: the other way does not wait
        except PlatformError:
            self.sound = False

    async def end(self, progress: Progress, final: str, tail: Sequence[Json]) -> str | None:
        """Complete `final` here if it fits into this message, with `tail` under it.

        Returns what is left to be posted, "" for nothing; None when nothing here is to be relied on.
        """
        if not (self.sound and self._parts and final.startswith(self._text)):
            return None
        try:
            return await self._ended(
                final, tail, cards=self._changed(progress.steps, _sum(progress.steps))
            )
        except PlatformError:
            return None

    async def remove(self) -> None:
        """Take all of it away."""
        for part in self._parts:
            await self._web.delete(self._place, part.ts)
            self._alive.discard(part.ts)
        self._parts.clear()
        self.sound = False

    async def _step(self, progress: Progress, ready: str) -> bool:
        """One call, with what fits; whether there is more to be sent."""
        part = self._parts[-1] if self._parts and self._parts[-1].open else None
        opening = through(ready, self._sent)[1] if part is None and self._sent else ""
        fresh = ready[self._sent :]
        room = ROOM - (len(part.shown) if part else len(opening))
        if part is not None and room < len(fresh) and room < FULL:
            await self._stop(part, through(ready, self._sent)[0], ())
            return True
        cut = len(fresh) if len(fresh) <= room else _cut(fresh, room)
        words = opening + fresh[:cut] if cut else ""
        steps, title = progress.steps, progress.standing  # they go on changing during the call
        chunks = [*self._changed(steps, title), *_chunks(words)]
        if not chunks:
            return False
        if part is None:
            part = await self._begin(chunks)
        elif not await self._append(part, chunks):
            return True
        part.shown += words
        self._sent += cut
        self._text = ready[: self._sent]
        self._cards = {_key(step): step for step in steps}
        self._title = title
        if cut < len(fresh):
            await self._stop(part, through(ready, self._sent)[0], ())
        return cut < len(fresh)

    async def _ended(
        self, final: str, tail: Sequence[Json], *, cards: Sequence[Json]
    ) -> str | None:
        part, rest = self._parts[-1], final[self._sent :]
        if part.open:
            fits = len(part.shown) + len(rest) <= ROOM
            closing = "" if fits or not self._sent else through(final, self._sent)[0]
            words = rest if fits else closing
            stopped = await self._stop(part, words, tail if fits else (), cards=cards)
            if stopped and fits:
                return ""
        if rest and self._sent:
            return through(final, self._sent)[1] + rest
        if rest or not part.shown:
            return None
        # It expired when it was whole; what stands under it is still missing.
        content = Content(preview(part.shown), (_markdown(part.shown), *tail))
        await self._web.update(self._place, part.ts, content, self._mark())
        return ""

    async def _begin(self, chunks: Sequence[Json]) -> _Part:
        place = self._place
        args = {
            "channel": place.channel,
            "thread_ts": place.thread,
            "recipient_team_id": place.team,
            "recipient_user_id": place.user,
            "task_display_mode": "plan",
            "chunks": chunks,
        }
        try:
            part = _Part(text(await self._web.call("chat.startStream", args), "ts"))
        except SlackSilent:
            self.lost = True
            raise
        self._parts.append(part)
        self._alive.add(part.ts)
        return part

    async def _append(self, part: _Part, chunks: Sequence[Json]) -> bool:
        """False: it takes no more, since it is too old or was silent for too long."""
        args = {"channel": self._place.channel, "ts": part.ts, "chunks": chunks}
        try:
            await self._web.call("chat.appendStream", args)
        except SlackRefused as refused:
            if refused.error != EXPIRED:
                raise
            part.open = False
            if not part.shown:
                await self._web.delete(self._place, part.ts)
                self._parts.remove(part)
                self._cards.clear()
                self._title = ""
            return False
        return True

    async def _stop(
        self, part: _Part, words: str, tail: Sequence[Json], *, cards: Sequence[Json] = ()
    ) -> bool:
        args: Json = {
            "channel": self._place.channel,
            "ts": part.ts,
            "chunks": [*cards, *_chunks(words)],
            "metadata": self._mark().wire(),
            **({"blocks": list(tail)} if tail else {}),
        }
        try:
            await self._web.soon("chat.stopStream", args, within_s=SOON_S)
        except SlackRefused as refused:
            if refused.error != EXPIRED:
                raise
            part.open = False
            return False
        part.open = False
        part.shown += words
        return True

    def _changed(self, steps: Sequence[Step], title: str) -> list[Json]:
        changed = [step for step in steps if self._cards.get(_key(step)) != step]
        named: list[Json] = [{"type": "plan_update", "title": title}]
        return [*(named if title != self._title else ()), *tasks(changed)]

    def _mark(self) -> Mark:
        return Mark(self._of, f"s{len(self._parts)}")


def settled(words: str) -> str:
    """The part of a growing text that what follows will not change.

    That is whole words, whole pictures, and whole rows of a table, which look odd in parts.
    """
    line = words.rfind("\n") + 1
    end = line if words.startswith("|", line) else max(words.rfind(" ") + 1, line)
    picture = words.rfind("![", 0, end)
    return words[:picture] if picture >= 0 and ")" not in words[picture:end] else words[:end]


def _sum(steps: Sequence[Step]) -> str:
    """What stays above the answer."""
    slots = {step.slot for step in steps if step.proposes}
    answered = {step.slot for step in steps if step.proposes and step.state == "answered"}
    return f"{len(answered)} of {len(slots)} models answered"


def _cut(fresh: str, room: int) -> int:
    """After a line in the second half of the room, else after a word."""
    return fresh.rfind("\n", room // 2, room) + 1 or fresh.rfind(" ", 0, room) + 1 or max(room, 0)


def _chunks(words: str) -> list[Json]:
    return [{"type": "markdown_text", "text": words}] if words else []


def _markdown(words: str) -> Json:
    return {"type": "markdown", "text": words}


def _key(step: Step) -> str:
    return f"{step.slot}-{step.model}"
