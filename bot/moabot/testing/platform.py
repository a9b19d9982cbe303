"""What every platform keeps: it hears people, answers them, and stops when it is told to."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import ClassVar, TypeGuard

from moabot.contract import Answer, Message, Platform, Reply
from moabot.errors import MoabotError
from moabot.plugins import Kind
from moabot.testing.checked import SOON_S, Checked, ContractBroken, hold

__all__ = ["PlatformContract"]

SAID = "What is the capital of Australia?"


class PlatformContract(Checked):
    """The suite for a chat platform: inherit from it, and stand in for the people of the chat.

    Write `say`, which lets a person say something, and `shown`, which returns all that the chat
    has shown so far. Each is called while the platform under test runs.
    """

    kind: ClassVar[Kind] = "platform"

    async def say(self, text: str) -> None:
        """Let somebody say `text` to the bot."""
        raise NotImplementedError

    async def shown(self) -> str:
        """All that the chat shows by now."""
        raise NotImplementedError

    def test_what_a_person_says_arrives_once_and_is_answered(self) -> None:
        """The whole purpose of a platform."""

        async def answer(message: Message, reply: Reply) -> None:
            hold(SAID in message.text, f"It heard {message.text!r} instead of {SAID!r}.")
            hold(bool(message.event_id), "The message has no event id, so it cannot be told apart.")
            reply.asked("1.1", "a", "proposer")
            reply.wrote("Can")
            await reply.finish(Answer("Canberra.", "single"))

        shown = self.run(self._heard(answer))
        hold(shown.count("Canberra.") == 1, f"The chat shows {shown!r}, not the answer once.")

    def test_an_apology_is_one_sentence_with_its_reference(self) -> None:
        """A person needs to know what to do, and an administrator where to look."""

        async def fail(message: Message, reply: Reply) -> None:
            await reply.sorry(MoabotError("Nobody answered.", fix="Ask again."), reference="r-17")

        shown = self.run(self._heard(fail))
        hold("r-17" in shown, f"The apology {shown!r} does not tell its reference.")
        hold("Traceback" not in shown, "The apology shows a traceback.")

    def test_it_stops_when_it_is_cancelled(self) -> None:
        """Else the bot cannot be stopped but by force."""

        async def never(message: Message, reply: Reply) -> None:
            """Nobody speaks here."""

        async def stop() -> None:
            async with AsyncExitStack() as stack:
                running = asyncio.create_task((await self._platform(stack)).run(never))
                await asyncio.sleep(0)
                await _stopped(running)

        self.run(stop())

    async def _heard(self, answer: Callable[[Message, Reply], Awaitable[None]]) -> str:
        """Say something, let `answer` answer it, and return what the chat shows then."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def handle(message: Message, reply: Reply) -> None:
            try:
                await answer(message, reply)
            except AssertionError as error:
                done.set_exception(error)
            else:
                done.set_result(None)

        async with AsyncExitStack() as stack:
            running = asyncio.create_task((await self._platform(stack)).run(handle))
            await self.say(SAID)
            await asyncio.wait([done, running], timeout=SOON_S, return_when="FIRST_COMPLETED")
            hold(done.done(), f"Nobody heard it; `run` {'ended' if running.done() else 'waits'}.")
            shown = await self.shown()
            await _stopped(running)
            await done
        return shown

    async def _platform(self, stack: AsyncExitStack) -> Platform:
        platform = await self.opened(stack)
        if not _is_platform(platform):
            raise ContractBroken("Its `run` is no `async def`.")
        return platform


async def _stopped(running: asyncio.Future[None]) -> None:
    running.cancel()
    await asyncio.wait([running], timeout=SOON_S)
    hold(running.done(), "It went on after it was cancelled.")


def _is_platform(opened: object) -> TypeGuard[Platform]:
    return inspect.iscoroutinefunction(getattr(opened, "run", None))
