"""What a strategy may do: propose, aggregate, synthesize, judge, and hand over to another.

The panel enforces quorum, deadline, budget and fencing, so a strategy can be short and cannot
overspend. One panel serves one answer.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle, islice

from moabot.agreement import agreement, best
from moabot.budget import Budget
from moabot.calls import Calls, Order, Patience
from moabot.config import PanelSettings
from moabot.contract import Answer, Prompt, Proposal, Question, Strategy, Turn
from moabot.errors import BudgetSpent, ConfigError, ProviderError, QuorumNotReached
from moabot.fencing import fence
from moabot.plugins import nearest
from moabot.presets import PRESETS, Depth, Slot, fallback_of, preferring
from moabot.quorum import quorum
from moabot.recorder import Recorder
from moabot.voice import Voice
from moabot.wording import Prompts

__all__ = ["Panel"]

STAGE_SHARE = 0.6
"""A layer may use this share of the time that is left, so that the synthesizer gets the rest."""

DEEPEST_HANDOVER = 4


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The models of one answer, `began` at a loop time, and to be whole by `until`.

    `seed` is a secret of this answer: tags and orders of fenced proposals come from it.
    """

    question: Question
    settings: PanelSettings
    preset: str
    strategy: str
    prompts: Prompts
    calls: Calls
    recorder: Recorder
    budget: Budget
    strategies: Mapping[str, Strategy]
    began: float
    until: float
    seed: bytes
    draft: bool = True
    stream: bool = True
    handed: int = 0

    @property
    def depth(self) -> Depth:
        """What the preset asks for."""
        return PRESETS[self.preset]

    def slots(self, count: int | None = None, *, layer: int = 1) -> tuple[Slot, ...]:
        """As many slots as the preset has proposers, or `count`; they take turns when fewer.

        Models of the fallback chain that are not at work here stand behind each, for a failure.
        """
        proposers, roles = self.settings.proposers, list(self.prompts.roles)
        chosen = list(islice(cycle(proposers), count or self.depth.proposers))
        used = {name for p in chosen for name in p.model}
        spare = tuple(name for name in self.fallback if name not in used)
        return tuple(
            Slot(
                f"{layer}.{place + 1}",
                # A model that is named again plays another role, or it would repeat itself.
                p.role if place < len(proposers) else roles[place % len(roles)],
                (*p.model, *spare),
            )
            for place, p in enumerate(chosen)
        )

    @property
    def fallback(self) -> tuple[str, ...]:
        """The chain that is asked alone."""
        return fallback_of(self.settings)

    async def propose(
        self,
        slots: Sequence[Slot] | None = None,
        *,
        note: str = "",
        read: Sequence[Proposal] = (),
        enough: int | None = None,
        settled: Callable[[Sequence[Proposal]], bool] | None = None,
    ) -> tuple[Proposal, ...]:
        """Ask every slot (default: `self.slots()`) independently, and go on at the quorum.

        `note` is said after the question, `read` are earlier texts that the proposers see,
        fenced. `enough` overrides the quorum; `settled` ends the waiting as soon as it is true of
        the proposals so far. Raises `QuorumNotReached` with the survivors when fewer came.
        """
        asked = self.slots() if slots is None else tuple(slots)
        need = min(self._quorum(len(asked)) if enough is None else enough, len(asked))
        drafting = self.draft and not read and not self.recorder.shown
        voice = self._voice(self.recorder.drafted, draft=True) if drafting else None
        slack = need < len(asked)
        orders = [
            self._proposer(slot, note=note, read=read, voice=voice, slack=slack) for slot in asked
        ]
        came = await self._gather(orders, enough=need, settled=settled)
        if len(came) < need:
            raise QuorumNotReached(asked=len(asked), need=need, survivors=came)
        if len(came) < len(asked) and not (settled and settled(came)):
            self.confess(f"{len(came)} of {len(asked)} models answered in time.")
        return came

    async def aggregate(
        self, proposals: Sequence[Proposal], *, layer: int = 2, most: int | None = None
    ) -> tuple[Proposal, ...]:
        """Let the aggregators of one layer each combine the proposals, with different prompts.

        `most` bounds how many aggregators are asked. When all fail, the proposals themselves
        come back, and the answer will say so.
        """
        chains = self.settings.aggregators or (self._writers,) * 2
        until, texts = self._stage_end(), cycle(self.prompts.aggregators)
        orders = [
            Order(
                slot=f"{layer}.{place}",
                role="aggregator",
                chain=chain,
                prompt=self._prompt(text, self._fenced(proposals, f"{layer}.{place}")),
                until=until,
                patience=self._patience(hedge=self.settings.hedge),
            )
            for place, (chain, text) in enumerate(zip(chains[:most], texts, strict=False), start=1)
        ]
        combined = await self._gather(orders, enough=self._quorum(len(orders)))
        if not combined:
            self.confess("No aggregator answered, so a layer was left out.")
        elif len(combined) < len(orders):
            self.confess(f"{len(combined)} of {len(orders)} aggregators answered in time.")
        return combined or tuple(proposals)

    def synthesize(
        self, proposals: Sequence[Proposal] = (), *, note: str = "", rescue: bool = True
    ) -> Coroutine[None, None, Answer]:
        """Write the answer that the person sees, streamed; from no proposals: one model alone.

        Goes down the synthesizer's chain (alone: the fallback's); when all of it fails, the best
        proposal is the answer and says so. Raises `ProviderError` or `BudgetSpent` when there is
        none, or without `rescue`.
        """
        chain = self._writers if proposals else self.fallback
        resort = not proposals
        return self._write(chain, proposals, note=note, rescue=rescue, last_resort=resort)

    async def fall_back(self, survivors: Sequence[Proposal]) -> Answer:
        """Below quorum: the best live model answers, and is given what the survivors said."""
        alone = "" if survivors else ", so one model wrote this alone"
        self.confess(f"Too few models answered ({len(survivors)}){alone}.")
        return await self._write(self.fallback, survivors, last_resort=True)

    def choose(self, proposal: Proposal) -> Answer:
        """Make one proposal the answer as it is."""
        self._show(proposal.text)
        return self._answer(proposal.text)

    def rescue(self, proposals: Sequence[Proposal], why: str) -> Answer:
        """The best proposal as it is; `why` no model combined them, a sentence for the person."""
        self.confess(f"This is the best single proposal, as it came. {why}")
        return self.choose(best(proposals, question=self.question.text))

    def stand_by(self, answer: Answer) -> Answer:
        """Go back to an earlier answer of this panel, with the record as it is now."""
        if self.recorder.text != answer.text:
            self._show(answer.text)
        return replace(self._answer(answer.text), via=answer.via)

    def confess(self, sentence: str) -> None:
        """Note a sentence that tells the person how this is less than was asked for."""
        if sentence not in self.recorder.degraded:
            self.recorder.degraded.append(sentence)

    def has_room_for_round(self, rounds: int) -> bool:
        """Whether time and money are left for one more round like the mean of the `rounds` so far."""
        now, left, spent = _now(), self.budget.left_usd, self.budget.usage.cost_usd
        affordable = left is None or spent is None or spent / rounds <= left
        return affordable and now + (now - self.began) / rounds <= self.until

    def strong_in(self, kind: str) -> tuple[str, ...]:
        """The names of all models whose configured strengths contain `kind`."""
        return tuple(name for name, m in self.calls.models.items() if kind in m.strengths)

    async def judge(self, task: str, *, labels: Sequence[str]) -> str | None:
        """Ask one model which of `labels` fits the question; None when it does not say.

        `task` describes the labels. Quiet: not shown to the person, and a failure costs nothing.
        """
        listed = ", ".join(labels)
        system = self.prompts.judge.replace("{task}", task).replace("{labels}", listed)
        prompt = Prompt(system, (Turn("user", self.question.text[:4000]),), 512, 0.0)
        order = Order(
            slot="judge",
            role="judge",
            chain=self.settings.judge or self.fallback,
            prompt=prompt,
            until=min(self.until, _now() + self.settings.call_timeout_s),
            patience=self._patience(hedge=False),
        )
        said = await self._ask(order)
        words = re.findall(r"[a-z_]+", said.text.casefold()) if said else []
        return next((word for word in words if word in labels), None)

    async def hand_over(self, strategy: str, *, preset: str | None = None) -> Answer:
        """Let another strategy answer with this panel, at this `preset` or the panel's own.

        Raises `ConfigError` when there is no such strategy, or when strategies call in circles.
        """
        other = self.strategies.get(strategy)
        if other is None:
            raise ConfigError(
                f"The strategy {self.strategy!r} hands over to {strategy!r}, which does not exist.",
                fix=f"Correct the name{nearest(strategy, self.strategies)}.",
            )
        if self.handed >= DEEPEST_HANDOVER:
            raise ConfigError(
                f"The strategies hand over in a circle; {strategy!r} was to be next.",
                fix="Let one of [strategies.X] name a base that does not hand over.",
            )
        preset = preset or self.preset
        panel = replace(self, strategy=strategy, preset=preset, handed=self.handed + 1)
        answer = await other.answer(panel.question, panel)
        via = f"{strategy} ({answer.via})" if answer.via else strategy
        return replace(answer, strategy=self.strategy, via=via)

    def with_models(self, models: Sequence[str]) -> Panel:
        """The same panel, in which these models come first wherever models are chosen.

        Raises `ConfigError` for a name that is in no panel.
        """
        unknown = [name for name in models if name not in self.calls.models]
        if unknown:
            what = (
                f"The strategy {self.strategy!r} wants the model {unknown[0]!r}: no panel has it."
            )
            close = nearest(unknown[0], self.calls.models)
            raise ConfigError(what, fix=f"Correct the name{close}, or add it to a panel.")
        return replace(self, settings=preferring(self.settings, models))

    @property
    def _writers(self) -> tuple[str, ...]:
        return self.settings.synthesizer or self.fallback

    def _quorum(self, asked: int) -> int:
        return min(self.settings.quorum or asked // 2 + 1, asked)

    def _patience(self, *, hedge: bool, late: bool = False) -> Patience:
        return Patience(self.settings.call_timeout_s, self.settings.tries, hedge, late)

    def _stage_end(self) -> float:
        return _now() + STAGE_SHARE * max(self.until - _now(), 0.0)

    def _voice(self, say: Callable[[str], None], *, draft: bool = False) -> Voice:
        clock = asyncio.get_running_loop().time
        return Voice(say, restart=self.recorder.restarted, clock=clock, draft=draft)

    def _prompt(self, system: str, end: str) -> Prompt:
        """System, history and question first, so that providers' prompt caches hit; `end` last."""
        asked = f"{self.question.text}\n\n{end}" if end else self.question.text
        turns = (*self.question.history, Turn("user", asked, self.question.images))
        return Prompt(system, turns, self.settings.max_tokens, self.settings.temperature)

    def _proposer(
        self, slot: Slot, *, note: str, read: Sequence[Proposal], voice: Voice | None, slack: bool
    ) -> Order:
        role = self.prompts.roles.get(slot.role, "")
        fenced = self._fenced(read, slot.place) if read else ""
        end = "\n\n".join(part for part in (role, note, fenced) if part)
        return Order(
            slot=slot.place,
            role=slot.role,
            chain=slot.chain,
            prompt=self._prompt(self.prompts.system, end),
            until=self._stage_end(),
            # With slack, the quorum itself is the hedge, and costs nothing.
            patience=self._patience(hedge=self.settings.hedge and not slack, late=True),
            voice=voice,
        )

    def _fenced(self, proposals: Sequence[Proposal], slot: str) -> str:
        fair = self.settings.window_chars // max(len(proposals), 1)
        return fence(
            proposals,
            instruction=self.prompts.fence,
            seed=self.seed,
            chars=min(self.settings.proposal_chars, fair),
            slot=slot,
        )

    async def _gather(
        self,
        orders: Sequence[Order],
        *,
        enough: int,
        settled: Callable[[Sequence[Proposal]], bool] | None = None,
    ) -> tuple[Proposal, ...]:
        async def one(order: Order) -> Proposal | None:
            proposal = await self._ask(order)
            if proposal is not None:
                self._name_stand_in(order, proposal)
                self.recorder.proposed(proposal)
            return proposal

        came = await quorum(
            [partial(one, order) for order in orders],
            enough=enough,
            grace_s=self.settings.grace_s,
            until=max((order.until for order in orders), default=_now()),
            settled=settled,
        )
        return tuple(came)

    async def _ask(self, order: Order) -> Proposal | None:
        try:
            said = await self.calls.ask(order, self.recorder, self.budget)
        except ProviderError:
            return None  # the recorder has it
        except BudgetSpent as spent:
            self.confess(str(spent))
            return None
        if order.voice is not None:
            order.voice.settle(said.text)
        return said

    async def _write(
        self,
        chain: tuple[str, ...],
        proposals: Sequence[Proposal],
        *,
        note: str = "",
        rescue: bool = True,
        last_resort: bool,
    ) -> Answer:
        if self.recorder.text:
            self.recorder.restarted()
        system = self.prompts.synthesizer if proposals else self.prompts.system
        fenced = self._fenced(proposals, "synthesizer") if proposals else ""
        voice = self._voice(self.recorder.wrote) if self.stream else None
        order = Order(
            slot="synthesizer",
            role="synthesizer",
            chain=chain,
            prompt=self._prompt(system, "\n\n".join(part for part in (note, fenced) if part)),
            until=self.until,
            patience=self._patience(hedge=self.settings.hedge),
            voice=voice,
            last_resort=last_resort,
        )
        try:
            written = await self.calls.ask(order, self.recorder, self.budget)
        except (ProviderError, BudgetSpent) as error:
            if not proposals or not rescue:
                raise
            why = str(error) if isinstance(error, BudgetSpent) else "No model could combine them."
            return self.rescue(proposals, why)
        (voice.settle if voice is not None else self.recorder.wrote)(written.text)
        self._name_stand_in(order, written)
        return self._answer(written.text)

    def _name_stand_in(self, order: Order, done: Proposal) -> None:
        if done.model != order.chain[0]:
            self.confess(f"{done.model} stood in for {order.chain[0]}.")

    def _show(self, text: str) -> None:
        if self.recorder.text:
            self.recorder.restarted()
        self.recorder.wrote(text)

    def _answer(self, text: str) -> Answer:
        voted = [p for p in self.recorder.proposals if p.slot.startswith("1.")]
        return Answer(
            text=text,
            strategy=self.strategy,
            preset=self.preset,
            proposals=tuple(self.recorder.proposals),
            failures=tuple(self.recorder.failures),
            cancelled=tuple(self.recorder.stopped),
            agreement=agreement(voted, text, question=self.question.text),
            degraded=" ".join(self.recorder.degraded),
            usage=self.budget.usage,
        )


def _now() -> float:
    return asyncio.get_running_loop().time()
