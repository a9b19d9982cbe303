"""The corridor: one message in, one answer out."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

from moabot.budget import Budget
from moabot.calls import Calls
from moabot.channels import NO_WISH, Channels
from moabot.config import ChannelSettings, Config, Defaults
from moabot.contract import Answer, Cache, Message, Prompts, Question, Reply, Report, Strategy
from moabot.conversations import Conversations
from moabot.errors import ConfigError, MoabotError, QuorumNotReached, StoreError
from moabot.journal import Entry, Journal
from moabot.panel import Panel
from moabot.plugins import Plugins
from moabot.recorder import Recorder

__all__ = ["Answering"]

log = logging.getLogger("moabot")
log.addHandler(logging.NullHandler())


@dataclass(kw_only=True)
class Answering:
    """Everything that answering needs, opened and closed by the app."""

    config: Config
    calls: Calls
    strategies: Mapping[str, Strategy]
    prompts: Prompts
    plugins: Plugins
    journal: Journal
    channels: Channels
    cache: Cache | None = None

    def __post_init__(self) -> None:
        self._conversations = Conversations(self.config.limits, self.journal)

    async def handle(
        self, message: Message, reply: Reply, *, wish: ChannelSettings = NO_WISH
    ) -> None:
        """Take one message on and answer it, unless it was taken on before.

        `wish` is what this one message asks for, over the channel's settings. A platform that
        has to acknowledge early calls `journal.accept` and then `answer`.
        """
        try:
            entry = await self.journal.accept(message, wish)
        except StoreError as error:
            await _apologise(reply, error, reference=secrets.token_hex(4))
            return
        if entry is not None:
            await self.answer(entry, reply)

    async def answer(self, entry: Entry, reply: Reply) -> None:
        """Answer what was taken on; ends with exactly one `reply.finish` or `reply.sorry`.

        Raises nothing but `CancelledError`; what was written by then is remembered as a stopped
        answer.
        """
        message, reference = entry.message, secrets.token_hex(4)
        recorder = Recorder(reply, memo=entry.memo)
        try:
            settings = await self._settings_of(entry)
            question, horizon = await self._conversations.question(message, horizon=entry.horizon)
            self.journal.begin(entry, settings, horizon=horizon)
            answer = await self._recall(question, settings)
            if answer is None:
                answer = await self.think(question, settings, recorder, seed=entry.seed)
                await self._remember(question, settings, answer)
            await self.journal.settled(entry)
            await reply.finish(answer)
            await self.journal.done(entry, text=answer.text)
            self.plugins.answered(message, answer)
            _note(answer, reference)
        except asyncio.CancelledError:
            self.journal.stopped(entry, f"{recorder.text} [stopped]" if recorder.text else "")
            raise
        except MoabotError as error:
            await _apologise(reply, error, reference=reference)
            await self.journal.done(entry, error=str(error))
        except Exception:  # the platform's edge: the person is told, the log has the rest
            log.exception("broken", extra={"reference": reference})
            broken = MoabotError(
                "Something broke inside moabot.", fix="Ask again, or tell its admin."
            )
            await reply.sorry(broken, reference=reference)
            await self.journal.done(entry, error=f"broken, see the log: {reference}")

    async def think(
        self,
        question: Question,
        settings: Defaults,
        report: Report,
        *,
        seed: bytes | None = None,
    ) -> Answer:
        """Let the strategy answer; below the quorum, fall back and say so.

        `seed` is the answer's secret, the same after a crash; by default a new one.
        """
        panel = self._panel(question, settings, report, seed=seed or secrets.token_bytes(16))
        strategy = self.strategies[settings.strategy]
        try:
            answer = await strategy.answer(question, panel)
        except QuorumNotReached as short:
            answer = await panel.fall_back(short.survivors)
        return replace(answer, seconds=asyncio.get_running_loop().time() - panel.began)

    async def settings(self, message: Message, wish: ChannelSettings) -> Defaults:
        """What holds for this message: defaults, channel, a plugin's choice of strategy, wish."""
        settings = await self.channels.settings(message, wish)
        chosen = self.plugins.choose_strategy(message, tuple(self.strategies))
        if chosen is None or wish.strategy is not None:
            return settings
        return settings.model_copy(update={"strategy": chosen})

    async def _settings_of(self, entry: Entry) -> Defaults:
        """What the answer was begun with, as far as that still exists after a restart."""
        try:
            return await self.settings(entry.message, entry.wish)
        except ConfigError:
            if not entry.resumed:
                raise
            return await self.settings(entry.message, NO_WISH)

    def _panel(
        self, question: Question, settings: Defaults, report: Report, *, seed: bytes
    ) -> Panel:
        chosen = self.config.panels[settings.panel]
        began = asyncio.get_running_loop().time()
        return Panel(
            question=question,
            settings=chosen,
            preset=settings.preset,
            strategy=settings.strategy,
            prompts=self.prompts,
            calls=self.calls,
            recorder=report if isinstance(report, Recorder) else Recorder(report),
            budget=Budget(chosen.budget_usd),
            strategies=self.strategies,
            began=began,
            until=began + chosen.deadline_s,
            seed=seed,
            draft=settings.draft and settings.stream,
            stream=settings.stream,
        )

    async def _recall(self, question: Question, settings: Defaults) -> Answer | None:
        if self.cache is None or settings.cache == "off":
            return None
        return await self.cache.find(question, key=self._key(settings))

    async def _remember(self, question: Question, settings: Defaults, answer: Answer) -> None:
        if self.cache is not None and settings.cache != "off" and not answer.degraded:
            await self.cache.keep(question, answer, key=self._key(settings))

    def _key(self, settings: Defaults) -> str:
        """Whatever changes the answer to the same question is part of the key."""
        panel = self.config.panels[settings.panel]
        return f"{settings.cache}|{settings.strategy}|{settings.preset}|{panel.model_dump_json()}"


async def _apologise(reply: Reply, error: MoabotError, *, reference: str) -> None:
    log.warning("no answer", extra={"reference": reference, "error": str(error)})
    await reply.sorry(error, reference=reference)


def _note(answer: Answer, reference: str) -> None:
    log.info(
        "answered",
        extra={
            "reference": reference,
            "strategy": answer.strategy,
            "preset": answer.preset,
            "seconds": round(answer.seconds, 3),
            "calls": answer.usage.calls,
            "cost_usd": None if answer.usage.cost_usd is None else float(answer.usage.cost_usd),
            "proposals": len(answer.proposals),
            "failures": len(answer.failures),
            "degraded": answer.degraded,
        },
    )
