"""A conversation in the terminal: lines in, answers out, a few commands in between."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import get_args
from uuid import uuid4

from moabot.config import ChannelSettings, Preset
from moabot.contract import Answer, Handle, Message
from moabot.plugins import nearest
from moabot_platforms.console.ctrlc import stopping
from moabot_platforms.console.screen import Screen

__all__ = ["HELP", "Chat", "terminal_message"]

HELP = """\
/strategy NAME  think another way
/preset NAME    think less or more deeply
/proposals      show what each model had proposed for the last answer
/new            begin a new conversation; nothing said before is remembered
/help           show this
/quit           leave, as Ctrl-D does
Ctrl-C stops a running answer and keeps what came."""


def terminal_message(text: str, *, thread: str = "") -> Message:
    """What a person typed, as the bot hears it; without `thread` it stands alone."""
    event = uuid4().hex
    return Message(
        platform="console",
        workspace="local",
        channel="terminal",
        author="you",
        text=text,
        event_id=event,
        thread=thread or event,
    )


class Chat:
    """The platform that a person at the terminal is on; `wish` is what they chose by command."""

    def __init__(
        self, screen: Screen, *, wish: ChannelSettings, strategies: tuple[str, ...]
    ) -> None:
        self.wish = wish
        self.unanswered = 0
        self._screen = screen
        self._strategies = strategies
        self._thread = uuid4().hex
        self._last: Answer | None = None
        self._commands: dict[str, Callable[[str], None]] = {
            "/strategy": self._strategy,
            "/preset": self._preset,
            "/proposals": self._proposals,
            "/new": self._new,
            "/help": self._help,
        }

    async def run(self, handle: Handle) -> None:
        """Answer each line until the end of input or /quit."""
        while (line := await self._next()) is not None:
            if line in {"/quit", "/exit"}:
                return
            if re.match(r"/\w*(\s|$)", line):
                self._obey(line)
            elif line:
                await self._answer(line, handle)

    async def _next(self) -> str | None:
        while True:
            await asyncio.sleep(0)  # a Ctrl-C since the last answer must not wait for this line
            try:
                line = self._screen.read()
            except KeyboardInterrupt:
                if not self._screen.talks:
                    raise
                self._screen.say("\nCtrl-C stops a running answer. Leave with Ctrl-D or /quit.")
            else:
                return None if line is None else line.strip()

    async def _answer(self, text: str, handle: Handle) -> None:
        message = terminal_message(text, thread=self._thread)
        with self._screen.reply() as reply:
            async with stopping() as stop:
                await handle(message, reply)
            if stop.pressed and not stop.late:
                reply.stop()
        if stop.late and not self._screen.talks:
            raise KeyboardInterrupt  # it was meant for the wait that follows
        if reply.broken is not None:
            raise reply.broken
        self._last = reply.answer or self._last
        self.unanswered += reply.answer is None
        if self._screen.console is not None:
            self._screen.say("")

    def _obey(self, line: str) -> None:
        name, _, rest = line.partition(" ")
        command = self._commands.get(name)
        if command is None:
            known = [*self._commands, "/quit"]
            self._screen.say(
                f"There is no command {name!r}{nearest(name, known)}; /help lists them."
            )
        else:
            command(rest.strip())

    def _strategy(self, name: str) -> None:
        if self._chosen("strategy", name, self._strategies):
            self.wish = self.wish.model_copy(update={"strategy": name})

    def _preset(self, name: str) -> None:
        if self._chosen("preset", name, get_args(Preset)):
            self.wish = self.wish.model_copy(update={"preset": name})

    def _chosen(self, kind: str, name: str, names: tuple[str, ...]) -> bool:
        if name in names:
            self._screen.say(f"From now on: {kind} {name}.")
            return True
        wrong = f"There is no {kind} {name!r}{nearest(name, names)}. " if name else ""
        self._screen.say(f"{wrong}Choose one of {', '.join(names)}.")
        return False

    def _proposals(self, _: str) -> None:
        if self._last is None or not self._last.proposals:
            self._screen.say("There are no proposals yet: ask something first.")
        else:
            self._screen.show_proposals(self._last)

    def _new(self, _: str) -> None:
        self._thread = uuid4().hex
        self._last = None
        self._screen.say("A new conversation.")

    def _help(self, _: str) -> None:
        self._screen.say(HELP)
