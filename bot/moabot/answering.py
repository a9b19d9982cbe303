"""The corridor: one message in, one answer out."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping
from dataclasses import replace

from moabot.budget import Budget
from moabot.calls import Calls
from moabot.channels import NO_WISH, Channels
from moabot.config import ChannelSettings, Config, Defaults
from moabot.contract import Answer, Cache, Message, Prompts, Question, Reply, Report, Strategy
from moabot.conversations import Conversations
from moabot.errors import MoabotError, PlatformError, ProviderError, QuorumNotReached
from moabot.panel import Panel
from moabot.plugins import Plugins
from moabot.recorder import Recorder

__all__ = ["Answering"]

log = logging.getLogger("moabot")
log.addHandler(logging.NullHandler())

LATE_S = 1.0
"""What a strategy may take after the deadline, by which its last call has ended."""


class Answering:
    """Everything that answering needs, opened and closed by the app."""

    def __init__(
        self,
        config: Config,
        *,
        calls: Calls,
        strategies: Mapping[str, Strategy],
        prompts: Prompts,
        plugins: Plugins,
        cache: Cache | None = None,
    ) -> None:
        self._config = config
        self._calls = calls
        self._strategies = strategies
        self._prompts = prompts
        self._plugins = plugins
        self._cache = cache
        self._channels = Channels(config, strategies=tuple(strategies))
        self._conversations = Conversations(config.limits)

    async def handle(
        self, message: Message, reply: Reply, *, wish: ChannelSettings = NO_WISH
    ) -> None:
        """Answer one message; ends with exactly one `reply.finish` or `reply.sorry`.

        `wish` is what this one message asks for, over the channel's settings. Raises nothing but
        `CancelledError`; what was written by then is remembered as a stopped answer.
        """
        reference = secrets.token_hex(4)
        recorder = Recorder(reply)
        answer: Answer | None = None
        try:
            settings = self.settings(message, wish)
            question = self._conversations.question(message)
            answer = await self._recall(question, settings)
            if answer is None:
                answer = await self.think(question, settings, recorder)
                await self._remember(question, settings, answer)
            self._conversations.keep(message, answer.text)
            await reply.finish(answer)
        except asyncio.CancelledError:
            if answer is None and recorder.shown:
                self._conversations.keep(message, f"{recorder.shown} [stopped]")
            raise
        except Exception as error:  # the edge: the person is told, or the log has it
            if answer is not None:
                log.exception("undelivered", extra={"reference": reference})
            else:
                await _apologise(reply, error, reference)
        else:
            self._plugins.answered(message, answer)
            _note(answer, reference)

    async def think(self, question: Question, settings: Defaults, report: Report) -> Answer:
        """Let the strategy answer; below the quorum, fall back and say so.

        The panel keeps its deadline; a strategy that waits for something else is stopped then.
        """
        panel = self._panel(question, settings, report)
        strategy = self._strategies[settings.strategy]
        limit = asyncio.timeout_at(panel.until + LATE_S)
        try:
            async with limit:
                answer = await strategy.answer(question, panel)
        except QuorumNotReached as short:
            answer = await panel.fall_back(short.survivors)
        except TimeoutError:
            if not limit.expired():
                raise
            answer = _overdue(panel)
        return replace(answer, seconds=asyncio.get_running_loop().time() - panel.began)

    def settings(self, message: Message, wish: ChannelSettings) -> Defaults:
        """What holds for this message: defaults, channel, a plugin's choice of strategy, wish."""
        settings = self._channels.settings(message, wish)
        chosen = self._plugins.choose_strategy(message, tuple(self._strategies))
        if chosen is None or wish.strategy is not None:
            return settings
        return settings.model_copy(update={"strategy": chosen})

    def _panel(self, question: Question, settings: Defaults, report: Report) -> Panel:
        chosen = self._config.panels[settings.panel]
        began = asyncio.get_running_loop().time()
        return Panel(
            question=question,
            settings=chosen,
            preset=settings.preset,
            strategy=settings.strategy,
            prompts=self._prompts,
            calls=self._calls,
            recorder=report if isinstance(report, Recorder) else Recorder(report),
            budget=Budget(chosen.budget_usd),
            strategies=self._strategies,
            began=began,
            until=began + chosen.deadline_s,
            seed=secrets.token_bytes(16),
            draft=settings.draft and settings.stream,
            stream=settings.stream,
        )

    async def _recall(self, question: Question, settings: Defaults) -> Answer | None:
        if self._cache is None or settings.cache == "off":
            return None
        return await self._cache.find(question, key=self._key(settings))

    async def _remember(self, question: Question, settings: Defaults, answer: Answer) -> None:
        if self._cache is not None and settings.cache != "off" and not answer.degraded:
            await self._cache.keep(question, answer, key=self._key(settings))

    def _key(self, settings: Defaults) -> str:
        """Whatever changes the answer to the same question is part of the key."""
        panel = self._config.panels[settings.panel]
        return f"{settings.cache}|{settings.strategy}|{settings.preset}|{panel.model_dump_json()}"


async def _apologise(reply: Reply, error: Exception, reference: str) -> None:
    if isinstance(error, ProviderError):
        error.fix = error.fix or error.usual_fix
    if isinstance(error, MoabotError):
        told = error
        log.warning("no answer", extra={"reference": reference, "error": str(error)})
    else:
        log.error("broken", exc_info=error, extra={"reference": reference})
        told = MoabotError("Something broke inside moabot.", fix="Ask again, or tell its admin.")
    try:
        await reply.sorry(told, reference=reference)
    except PlatformError:
        log.exception("undelivered", extra={"reference": reference})


def _overdue(panel: Panel) -> Answer:
    proposals = panel.recorder.proposals
    if not proposals:
        raise MoabotError(
            f"The strategy {panel.strategy!r} had no answer by the deadline.",
            fix="Ask again, or raise deadline_s of the panel.",
        )
    return panel.rescue(proposals, "The time was up.")


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
