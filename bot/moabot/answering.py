"""The corridor: one message in, one answer out."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from moabot.admission import Admission
from moabot.budget import Budget
from moabot.calls import Calls
from moabot.channels import NO_WISH, Channels
from moabot.config import ChannelSettings, Config, Defaults
from moabot.contract import (
    NOTHING,
    Answer,
    Cache,
    Message,
    Question,
    Reply,
    Report,
    Strategy,
)
from moabot.conversations import Conversations
from moabot.errors import (
    ConfigError,
    MoabotError,
    ProviderError,
    QuorumNotReached,
    Refused,
)
from moabot.guests import blamed
from moabot.journal import Entry, Journal, event_of
from moabot.panel import Panel
from moabot.plugins import Plugins
from moabot.purses import Purse
from moabot.recall import Recall
from moabot.recorder import Recorder
from moabot.terms import Terms
from moabot.wording import Prompts

__all__ = ["Answering"]

log = logging.getLogger("moabot")
log.addHandler(logging.NullHandler())

LATE_S = 1.0
"""What a strategy may take after the deadline, by which its last call has ended."""


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
    admission: Admission
    cache: Cache | None = None

    def __post_init__(self) -> None:
        self._conversations = Conversations(self.config.limits, self.journal)
        self._under_way: dict[str, asyncio.Task[object]] = {}
        self._halted: set[str] = set()
        name = self.config.cache.plugin
        self.recall = Recall(self.cache, name=name, plugins=self.plugins)

    async def handle(
        self,
        message: Message,
        reply: Reply,
        *,
        wish: ChannelSettings = NO_WISH,
        entry: Entry | None = None,
    ) -> None:
        """Answer one message, once; ends with exactly one `reply.finish` or `reply.sorry`.

        `wish` is what this one message asks for, over the channel's settings. `entry` is given
        when the journal took the message on before: early, for a platform that must acknowledge,
        or in an earlier process. Raises nothing but `CancelledError`; what was written by then is
        remembered as a stopped answer.
        """
        reference = secrets.token_hex(4)
        recorder = Recorder(reply)
        answer: Answer | None = None
        try:
            entry = entry or await self._let_in(message, wish)
            if entry is None:
                return  # a redelivery
            recorder.memo = entry.memo
            async with self._admitted(entry) as (terms, purses):
                question = await self._begun(entry, terms.settings)
                answer = await self.recall.joined(question, terms)
                if answer is None:
                    with self.recall.leading(question, terms) as land:  # no gap before looking
                        if (answer := await self.recall.find(question, terms)) is None:
                            answer = await self.think(
                                question, terms, recorder, seed=entry.seed, purses=purses
                            )
                        land(answer)
                        await self.recall.keep(question, terms, answer)
                await self._deliver(answer, entry, reply)
        except asyncio.CancelledError:
            if entry is None or not await self._halt(entry, reply, answer, recorder):
                raise
        except Exception as error:  # the edge: the person is told, or the log has it
            if answer is not None:  # it stays unfinished: the next process delivers it
                log.exception("undelivered", extra={"reference": reference})
            elif await _apologise(reply, error, reference) and entry is not None:
                await self.journal.done(entry, error=f"{error} ({reference})")
        else:
            await self._announce(message, answer, reference)

    async def _deliver(self, answer: Answer, entry: Entry, reply: Reply) -> None:
        """Once what it cost is safe, show it; then it is done."""
        await self.journal.settled(entry)
        self._under_way.pop(event_of(entry.message), None)  # too late to stop it
        await reply.finish(answer)
        await self.journal.done(entry, text=answer.text)

    async def _announce(self, message: Message, answer: Answer, reference: str) -> None:
        try:
            with blamed("What follows an answer"):
                _note(answer, reference)
                await self.plugins.answered(message, answer)
        except MoabotError:  # the person has the answer, so nobody need be told
            log.exception("broken", extra={"reference": reference})

    def stop(self, event: str) -> bool:
        """A person wants no more: what was written by now is the answer. False: it is too late."""
        task = self._under_way.pop(event, None)
        if task is None:
            return False
        self._halted.add(event)
        task.cancel()
        return True

    async def think(
        self,
        question: Question,
        terms: Terms,
        report: Report,
        *,
        seed: bytes | None = None,
        purses: Sequence[Purse] = (),
    ) -> Answer:
        """Let the strategy answer; below the quorum, fall back and say so.

        The panel keeps its deadline; a strategy that waits for something else is stopped then.
        `seed` is the answer's secret, the same after a crash; by default a new one. Each call
        must fit into the panel's budget and into all `purses`.
        """
        budget = Budget(terms.panel.budget_usd, purses)
        seed = seed or secrets.token_bytes(16)
        panel = self._panel(question, terms, report, seed=seed, budget=budget)
        strategy = self.strategies[terms.settings.strategy]
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
        if not answer.text.strip():  # a provider cannot give an empty text, a strategy can
            raise MoabotError(
                f"The strategy {terms.settings.strategy!r} gave an empty text.",
                fix="Ask again, or choose another strategy.",
            )
        return replace(answer, seconds=asyncio.get_running_loop().time() - panel.began)

    async def terms(self, message: Message, wish: ChannelSettings) -> Terms:
        """What holds for this message, and goes on to hold for it when another configuration comes."""
        config, prompts = self.config, self.prompts  # those of the channels that are asked now
        return Terms(await self._settings(message, wish), config, prompts)

    async def _settings(self, message: Message, wish: ChannelSettings) -> Defaults:
        """What holds for this message: defaults, channel, a plugin's choice of strategy, wish."""
        settings = await self.channels.settings(message, wish)
        chosen = await self.plugins.choose_strategy(message, tuple(self.strategies))
        if chosen is None or wish.strategy is not None:
            return settings
        return settings.model_copy(update={"strategy": chosen})

    async def _let_in(self, message: Message, wish: ChannelSettings) -> Entry | None:
        """Take on what did not come through the desk's `accept`, which lets in before."""
        entry = await self.journal.accept(message, wish)
        if entry is not None:
            try:
                await self.admission.check(message)
            except Refused as refused:
                await self.journal.done(entry, error=str(refused))
                raise
        return entry

    @asynccontextmanager
    async def _admitted(self, entry: Entry) -> AsyncGenerator[tuple[Terms, tuple[Purse, ...]]]:
        """Let in by the one door, on its terms; from here on `stop` ends the answer."""
        event, task = event_of(entry.message), asyncio.current_task()
        if task is not None:
            self._under_way[event] = task
        try:
            terms, again = await self._terms_of(entry), entry.resumed
            admitted = self.admission.admitted(entry.message, terms.settings, again=again)
            async with admitted as purses:
                yield terms, purses
        finally:
            self._under_way.pop(event, None)

    async def _halt(
        self, entry: Entry, reply: Reply, answer: Answer | None, recorder: Recorder
    ) -> bool:
        """The answer was cancelled: what was written is remembered; shown, if a person wanted it."""
        event = event_of(entry.message)
        self.journal.stopped(entry, answer.text if answer else _cut(recorder.shown))
        if event not in self._halted:
            return False
        self._halted.discard(event)
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
        try:
            with blamed("The platform's reply"):
                await reply.finish(answer or _partial(recorder))
        except MoabotError:
            log.exception("undelivered", extra={"event": event})
        return True

    async def _begun(self, entry: Entry, settings: Defaults) -> Question:
        """The question with what was said before it, as it was when the answer was begun."""
        question, horizon = await self._conversations.question(entry.message, horizon=entry.horizon)
        self.journal.begin(entry, settings, horizon=horizon)
        return question

    async def _terms_of(self, entry: Entry) -> Terms:
        """What the answer, or the one that is asked again, was begun with, as far as it still exists."""
        try:
            return await self.terms(entry.message, entry.wish)
        except ConfigError:
            if entry.horizon is None and not entry.resumed:
                raise
            gone = {"strategy": None, "panel": None}
            return await self.terms(entry.message, entry.wish.model_copy(update=gone))

    def _panel(
        self, question: Question, terms: Terms, report: Report, *, seed: bytes, budget: Budget
    ) -> Panel:
        chosen, settings = terms.panel, terms.settings
        began = asyncio.get_running_loop().time()
        return Panel(
            question=question,
            settings=chosen,
            preset=settings.preset,
            strategy=settings.strategy,
            prompts=terms.prompts.noting(settings.note),
            calls=self.calls,
            recorder=report if isinstance(report, Recorder) else Recorder(report),
            budget=budget,
            strategies=self.strategies,
            began=began,
            until=began + chosen.deadline_s,
            seed=seed,
            draft=settings.draft and settings.stream,
            stream=settings.stream,
        )


async def _apologise(reply: Reply, error: Exception, reference: str) -> bool:
    """Tell the person why there is no answer; False when the platform did not take it."""
    if isinstance(error, ProviderError):
        error.fix = error.fix or error.usual_fix
    if isinstance(error, Refused):
        told: MoabotError = error
        log.info("refused", extra={"reference": reference, "why": str(error)})
    elif isinstance(error, MoabotError):
        told = error
        log.warning("no answer", extra={"reference": reference, "error": str(error)})
    else:
        log.error("broken", exc_info=error, extra={"reference": reference})
        told = MoabotError("Something broke inside moabot.", fix="Ask again, or tell its admin.")
    try:
        with blamed("The platform's reply"):
            await reply.sorry(told, reference=reference)
    except MoabotError:
        log.exception("undelivered", extra={"reference": reference})
        return False
    return True


def _overdue(panel: Panel) -> Answer:
    proposals = panel.recorder.proposals
    if not proposals:
        raise MoabotError(
            f"The strategy {panel.strategy!r} had no answer by the deadline.",
            fix="Ask again, or raise deadline_s of the panel.",
        )
    return panel.rescue(proposals, "The time was up.")


def _partial(recorder: Recorder) -> Answer:
    return Answer(
        recorder.shown or "Nothing was written yet.",
        strategy="",
        proposals=tuple(recorder.proposals),
        failures=tuple(recorder.failures),
        cancelled=tuple(recorder.stopped),
        degraded="Stopped on request.",
        usage=sum((call.usage for call in recorder.calls), NOTHING),
    )


def _cut(text: str) -> str:
    return f"{text} [stopped]" if text else ""


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
