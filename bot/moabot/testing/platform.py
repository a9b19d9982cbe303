"""What every platform keeps: it hears people, answers them, and stops when it is told to."""

from __future__ import annotations

import asyncio
import inspect
import re
from contextlib import AsyncExitStack
from tempfile import TemporaryDirectory
from typing import ClassVar, TypeGuard

from moabot.contract import Platform
from moabot.desk import Desk
from moabot.errors import ProviderRejected
from moabot.plugins import Kind
from moabot.testing.checked import SOON_S, Checked, ContractBroken, hold
from moabot.testing.rehearsing import rehearsal
from moabot.testing.scripted import ScriptedProvider, says

__all__ = ["PlatformContract"]

SAID = "What is the capital of Australia?"
MOMENT_S = 0.01
REFERENCE = re.compile(r"\b[0-9a-f]{8}\b")


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
        provider = ScriptedProvider({"a": says("Canberra.")})
        shown = self.run(self._heard(provider))
        asked = [prompt.turns[-1].text for _, prompt in provider.prompts]
        hold(len(asked) == 1, f"The bot was asked {len(asked)} times: {asked!r}.")
        hold(SAID in asked[0], f"The bot heard {asked[0]!r} instead of {SAID!r}.")
        hold(shown.count("Canberra.") == 1, f"The chat shows {shown!r}, not the answer once.")

    def test_an_apology_is_one_sentence_with_its_reference(self) -> None:
        """A person needs to know what to do, and an administrator where to look."""
        refused = ProviderRejected("The key is wrong.", provider="p", model="a")
        provider = ScriptedProvider({"a": says(error=refused)})
        shown = self.run(self._heard(provider))
        hold("The key is wrong." in shown, f"The chat shows {shown!r}, not why nobody answered.")
        hold(bool(REFERENCE.search(shown)), f"The apology {shown!r} does not tell its reference.")
        hold("Traceback" not in shown, "The apology shows a traceback.")

    def test_it_stops_when_it_is_cancelled(self) -> None:
        """Else the bot cannot be stopped but by force."""

        async def stop() -> None:
            async with AsyncExitStack() as stack:
                desk = await _desk(stack, ScriptedProvider())
                running = asyncio.create_task((await self._platform(stack)).run(desk))
                await asyncio.sleep(0)
                await _stopped(running)

        self.run(stop())

    async def _heard(self, provider: ScriptedProvider) -> str:
        """Say something, let the bot answer it, and return what the chat shows then."""
        async with AsyncExitStack() as stack:
            desk = await _desk(stack, provider)
            running = asyncio.create_task((await self._platform(stack)).run(desk))
            before = await self.shown()
            await self.say(SAID)
            for _ in range(int(SOON_S / MOMENT_S)):
                if await self.shown() != before or running.done():
                    break
                await asyncio.sleep(MOMENT_S)
            await desk.close(within_s=SOON_S)
            shown = (await self.shown()).removeprefix(before)
            hold(bool(shown), f"The chat shows nothing new; `run` {_how(running)}.")
            await _stopped(running)
        return shown

    async def _platform(self, stack: AsyncExitStack) -> Platform:
        platform = await self.opened(stack)
        if not _is_platform(platform):
            raise ContractBroken("Its `run` is no `async def`.")
        return platform


async def _desk(stack: AsyncExitStack, provider: ScriptedProvider) -> Desk:
    """The desk of a bot that asks one scripted model."""
    folder = stack.enter_context(TemporaryDirectory())
    tables = {"data_dir": folder, "defaults": {"strategy": "single", "preset": "fast"}}
    bot = rehearsal(provider, tables, models=("a",), keep="all")
    app = await stack.enter_async_context(bot)
    return Desk(app.answering, app.memory)


def _how(running: asyncio.Future[None]) -> str:
    return "ended" if running.done() else "waits"


async def _stopped(running: asyncio.Future[None]) -> None:
    running.cancel()
    await asyncio.wait([running], timeout=SOON_S)
    hold(running.done(), "It went on after it was cancelled.")


def _is_platform(opened: object) -> TypeGuard[Platform]:
    return inspect.iscoroutinefunction(getattr(opened, "run", None))
