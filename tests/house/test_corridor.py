"""Between a platform and a provider stand few frames of ours, so that a traceback can be read."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Coroutine, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType, ModuleType
from typing import Any

import pytest

from moabot import Completion, Message, Prompt, Provider, Usage, Wrote, hookimpl
from moabot.app import opened
from moabot.config import Config
from moabot.plugins import BUILT_IN, Plugins, Register
from moabot.testing import RecordingReply

MOST_FRAMES = 10
OURS = ("bot/moabot/", "plugins/moabot_", "adapters/moabot_", "site-packages/moabot")
Stack = list[str]


class Looking:
    """A provider that notes, at each call, the stacks of ours that led to it, one for each task."""

    def __init__(self) -> None:
        self.parents: dict[asyncio.Task[Any], asyncio.Task[Any] | None] = {}
        self.seen: list[list[Stack]] = []

    @contextmanager
    def noting_parents(self) -> Generator[None]:
        """Remember who starts which task."""
        loop = asyncio.get_running_loop()

        def start(
            loop: asyncio.AbstractEventLoop,
            coro: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
            **_: object,
        ) -> asyncio.Task[Any]:
            task = asyncio.Task(coro, loop=loop)
            self.parents[task] = asyncio.current_task()
            return task

        loop.set_task_factory(start)
        try:
            yield
        finally:
            loop.set_task_factory(None)

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Look back, then answer."""
        task = asyncio.current_task()
        assert task is not None
        stacks = [[*_ours(_running(sys._getframe(1)))][::-1]]
        while (task := self.parents.get(task)) is not None:
            stacks.insert(0, [*_ours(_waiting(task))])
        self.seen.append(stacks)
        return Completion("yes", Usage(calls=1), "end")


def _running(frame: FrameType | None) -> Iterator[FrameType]:
    """From the innermost frame outward."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def _waiting(task: asyncio.Task[Any]) -> Iterator[FrameType]:
    """From the outermost frame of a task that waits inward."""
    waiting: object = task.get_coro()
    while (frame := getattr(waiting, "cr_frame", None)) is not None:
        yield frame
        waiting = getattr(waiting, "cr_await", None)


def _ours(frames: Iterator[FrameType]) -> Iterator[str]:
    for frame in frames:
        if any(room in frame.f_code.co_filename for room in OURS):
            yield frame.f_code.co_qualname


async def _looked(strategy: str, monkeypatch: pytest.MonkeyPatch) -> list[list[Stack]]:
    """Answer one question with a strategy; for each call, the stacks that led to it."""
    looking = Looking()

    @asynccontextmanager
    async def open_looking(settings: object) -> AsyncGenerator[Provider]:
        yield looking

    @hookimpl
    def moabot_register(register: Register) -> None:
        register.provider("looking", open_looking)

    module = ModuleType("looking")
    vars(module)["moabot_register"] = moabot_register
    monkeypatch.setitem(sys.modules, "looking", module)
    config = Config.model_validate(
        {
            "providers": {"l": {"plugin": "looking"}},
            "models": {"m": {"provider": "l", "name": "m"}},
            "panels": {"default": {"proposers": [{"model": "m"}]}},
            "defaults": {"strategy": strategy, "preset": "deep"},
        }
    )
    async with opened(config, Plugins(built_in=(*BUILT_IN, "looking"))) as app:
        with looking.noting_parents():
            message = Message("console", "local", "terminal", "me", "Compare a and b.", "1")
            await app.answering.handle(message, RecordingReply())
    return looking.seen


async def test_ten_frames_lead_from_a_platform_to_a_provider(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever debugs an answer reads this chain to know how it came about, tasks or not."""
    (stacks,) = await _looked("single", monkeypatch)

    chain = [name for stack in stacks for name in stack]
    assert chain[0] == "Answering.handle"
    assert len(chain) <= MOST_FRAMES, chain


@pytest.mark.parametrize("strategy", ["mixture", "router", "vote", "refinement", "specialization"])
async def test_no_stack_of_a_panel_is_deeper_than_ten_frames(
    strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a quorum starts tasks, each traceback begins anew; none may be too long to read."""
    looked = await _looked(strategy, monkeypatch)

    deepest = max((stack for stacks in looked for stack in stacks), key=len)
    assert len(looked) > 1
    assert len(deepest) <= MOST_FRAMES, deepest
