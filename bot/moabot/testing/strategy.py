"""What every strategy keeps, whatever the models do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import ClassVar, get_args

from moabot.app import App
from moabot.config import ChannelSettings
from moabot.config import Preset as PresetName
from moabot.contract import Question
from moabot.errors import ProviderBusy
from moabot.plugins import BUILT_IN, Kind
from moabot.testing.checked import InVirtualTime, hold
from moabot.testing.rehearsing import ask, rehearsal
from moabot.testing.replies import RecordingReply
from moabot.testing.scripted import Script, ScriptedProvider, hangs, says

__all__ = ["StrategyContract"]

MODELS = tuple("abcd")
BUSY = says(error=ProviderBusy("Too many.", provider="scripted", model="a"))
DEADLINE_S = 60.0


class StrategyContract(InVirtualTime):
    """The suite for a strategy, on four scripted models and in virtual time.

    >>> class TestLongest(StrategyContract):
    ...     plugin = "moabot_acme"

    `question` is what is asked; `scripts` are what the models say when all goes well.
    """

    kind: ClassVar[Kind] = "strategy"

    question: str = "Compare a and b."
    scripts: Mapping[str, Script] = {}

    def test_it_answers_at_every_depth(self) -> None:
        """A person may choose any preset with any strategy."""
        for preset in get_args(PresetName):
            reply, _ = self.run(self._asked(self.scripts, preset=preset))
            text = _text(reply)
            hold(not reply.text or reply.text == text, "What it streamed is not what it answered.")

    def test_every_call_is_counted(self) -> None:
        """A call past the panel is neither billed nor bounded."""
        reply, provider = self.run(self._asked(self.scripts))

        _text(reply)
        counted = reply.answer.usage.calls if reply.answer is not None else 0
        hold(
            counted == len(provider.prompts),
            f"It made {len(provider.prompts)} calls, and its answer counts {counted}.",
        )

    def test_it_answers_when_one_model_is_silent(self) -> None:
        """The slowest vendor must not decide when people are answered."""
        for silent in MODELS:
            reply, _ = self.run(self._asked({**self.scripts, silent: hangs()}))
            _text(reply)

    def test_it_answers_when_one_model_alone_is_left(self) -> None:
        """An outage of three vendors is no reason to be silent."""
        scripts = {**self.scripts, **dict.fromkeys("bcd", BUSY)}
        reply, _ = self.run(self._asked(scripts))

        _text(reply)

    def test_it_says_so_when_nobody_answers(self) -> None:
        """The person must get an apology in time, not an empty text and not a wait without end."""
        for script in (BUSY, hangs()):
            reply, _ = self.run(self._asked(dict.fromkeys(MODELS, script)))
            hold(
                reply.error is not None or bool(reply.answer and reply.answer.degraded),
                "No model answered, and the person was not told.",
            )

    def test_nothing_runs_on_when_the_person_leaves(self) -> None:
        """What is still asked then is paid for nothing."""

        async def leave() -> list[str]:
            provider = ScriptedProvider(dict.fromkeys(MODELS, hangs()))
            async with self._bot(provider) as app:
                asking = asyncio.create_task(ask(app, self.question, wish=self._wish()))
                await asyncio.sleep(1)
                asking.cancel()
                await asyncio.wait([asking])
                return list(provider.running)

        running = self.run(leave())
        hold(not running, f"{running} were still asked after the person had left.")

    def test_it_can_be_explained_without_a_call(self) -> None:
        """`moabot explain` shows what an answer would cost; it must cost nothing itself."""

        async def explain() -> int:
            provider = ScriptedProvider()
            async with self._bot(provider) as app:
                await app.explain(Question(self.question), wish=self._wish())
            return len(provider.prompts)

        hold(self.run(explain()) == 0, "Its dry run called a model.")

    def _wish(self, preset: str = "balanced") -> ChannelSettings:
        return ChannelSettings.model_validate({"strategy": "under-test", "preset": preset})

    async def _asked(
        self, scripts: Mapping[str, Script], *, preset: str = "balanced"
    ) -> tuple[RecordingReply, ScriptedProvider]:
        provider = ScriptedProvider(scripts)
        async with self._bot(provider) as app:
            loop = asyncio.get_running_loop()
            began = loop.time()
            reply = await ask(app, self.question, wish=self._wish(preset))
            seconds = loop.time() - began
            hold(seconds <= DEADLINE_S + 2, f"It took {seconds:.0f} s of {DEADLINE_S:g} allowed.")
        return reply, provider

    @asynccontextmanager
    async def _bot(self, provider: ScriptedProvider) -> AsyncGenerator[App]:
        offer = self.offer()
        tables = {"strategies": {"under-test": {"plugin": offer.name, **self.settings}}}
        plugins = () if self.plugin in BUILT_IN else (self.module,)
        panel = {"deadline_s": DEADLINE_S}
        async with rehearsal(provider, tables, models=MODELS, panel=panel, plugins=plugins) as app:
            yield app


def _text(reply: RecordingReply) -> str:
    hold(reply.answer is not None, f"There was no answer: {reply.error}")
    text = reply.answer.text if reply.answer is not None else ""
    hold(bool(text.strip()), "Its answer is empty.")
    return text
