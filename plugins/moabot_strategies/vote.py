"""vote: two models are probed; if they agree that is the answer, else more are asked.

For answers that can be checked: a number, a name, a choice. Asking stops as soon as the lead is
safe, which costs about half the calls of a full vote and no accuracy worth naming. Now and then
everybody is asked, to learn whom the others never support; such a voter is not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

from pydantic import Field

from moabot.agreement import final_answer, normal
from moabot.config import Settings
from moabot.contract import Answer, Proposal, Question
from moabot.errors import QuorumNotReached
from moabot.hookspecs import hookimpl
from moabot.panel import Panel
from moabot.plugins import Register
from moabot.presets import Slot
from moabot_strategies.trust import Trust


class VoteSettings(Settings):
    """When the lead is safe, and who is asked in turn."""

    lead: int = Field(default=2, ge=1, description="stop when the first is this far ahead")
    voters: int | None = Field(
        default=None, ge=2, description="voters at most; default: all proposers"
    )
    ask_all_every: int = Field(
        default=12,
        ge=0,
        description="ask every voter each so many questions, and stop counting those who stand "
        "far apart from the others; 1 always asks all, 0 never does and counts everybody",
    )


class Vote:
    """Probe, compare, widen."""

    def __init__(self, settings: VoteSettings) -> None:
        self._settings = settings
        self._trust = Trust(settings.ask_all_every)

    async def answer(self, question: Question, panel: Panel) -> Answer:
        """The answer of the majority; among equals, the synthesizer decides."""
        voters = self._settings.voters or max(len(panel.settings.proposers), 3)
        slots = panel.slots(voters)
        doubted = self._trust.doubted({slot.chain[0] for slot in slots})
        if panel.calls.is_dry:
            return await self._rehearse(panel, slots)
        if self._trust.is_due():
            ballots = await self._ask_all(panel, slots, doubted)
        else:
            ballots = await self._widen(panel, [s for s in slots if s.chain[0] not in doubted])
        if not ballots:
            raise QuorumNotReached(asked=voters, need=1, survivors=())
        counted = count(ballots)
        if len(counted) > 1 and counted[0][1] == counted[1][1]:
            return await panel.synthesize(ballots)
        return panel.choose(_as_most_wrote([b for b in ballots if vote(b) == counted[0][0]]))

    async def _rehearse(self, panel: Panel, slots: Sequence[Slot]) -> Answer:
        """What it usually takes: one voter more than the lead (measured: 2.8 for a lead of 2).

        Dry answers agree or not for no reason, so they cannot tell when asking would stop.
        """
        usual = len(slots) if self._settings.ask_all_every == 1 else self._settings.lead + 1
        ballots = await panel.propose(slots[:usual], note=panel.prompts.checkable)
        return panel.choose(ballots[0])

    async def _ask_all(
        self, panel: Panel, slots: Sequence[Slot], doubted: frozenset[str]
    ) -> list[Proposal]:
        """The ballots that count, once more than half of all voters agree, or all have answered.

        Whoever is not known yet is waited for, or a slow one would never be found out.
        """

        def settled(now: Sequence[Proposal]) -> bool:
            heard = {ballot.slot for ballot in now}
            unheard = [slot.chain[0] for slot in slots if slot.place not in heard]
            agreed = any(votes * 2 > len(slots) for _, votes in count(now))
            return agreed and all(map(self._trust.knows, unheard))

        ballots = await self._poll(panel, slots, settled)
        self._trust.note([(ballot.model, vote(ballot)) for ballot in ballots], of=len(slots))
        return [ballot for ballot in ballots if ballot.model not in doubted] or list(ballots)

    async def _widen(self, panel: Panel, waiting: list[Slot]) -> list[Proposal]:
        """Ask wave after wave of those `waiting`, until the lead is safe."""
        ballots: list[Proposal] = []

        def settled(now: Sequence[Proposal]) -> bool:
            unheard = len(asked) - len(now) + len(waiting)
            return self.decided([*ballots, *now], left=unheard)

        while waiting and not self.decided(ballots, left=len(waiting)):
            asked = waiting[: self._next_wave(ballots)]
            del waiting[: len(asked)]
            ballots += await self._poll(panel, asked, settled)
        return ballots

    async def _poll(
        self, panel: Panel, asked: Sequence[Slot], settled: Callable[[Sequence[Proposal]], bool]
    ) -> Sequence[Proposal]:
        note = panel.prompts.checkable
        try:
            return await panel.propose(asked, note=note, enough=len(asked), settled=settled)
        except QuorumNotReached as short:
            panel.confess(f"{len(asked) - len(short.survivors)} of the voters did not answer.")
            return short.survivors

    def decided(self, ballots: Sequence[Proposal], *, left: int) -> bool:
        """Whether the lead is large enough, or cannot be lost to `left` more voters."""
        tally = [votes for _, votes in count(ballots)] + [0, 0]
        lead = tally[0] - tally[1]
        return len(ballots) > 1 and (lead >= self._settings.lead or lead > left)

    def _next_wave(self, ballots: Sequence[Proposal]) -> int:
        """As many at once as are needed for the lead, and never fewer than one."""
        tally = [votes for _, votes in count(ballots)] + [0, 0]
        return max(self._settings.lead - (tally[0] - tally[1]), 1)


def vote(ballot: Proposal) -> str:
    """What a ballot is counted as: its stated answer, else its whole text."""
    return normal(final_answer(ballot.text) or ballot.text)


def count(ballots: Sequence[Proposal]) -> list[tuple[str, int]]:
    """The answers with their votes, most first."""
    return Counter(map(vote, ballots)).most_common()


def _as_most_wrote(ballots: Sequence[Proposal]) -> Proposal:
    """The ballot in the spelling that most of them have: "UppEr" and "upper" are one vote."""
    spelled = [final_answer(ballot.text) for ballot in ballots]
    return ballots[max(range(len(ballots)), key=lambda place: spelled.count(spelled[place]))]


@asynccontextmanager
async def open_vote(settings: VoteSettings) -> AsyncGenerator[Vote]:
    """Nothing to open."""
    yield Vote(settings)


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer it."""
    register.strategy("vote", open_vote, VoteSettings)
