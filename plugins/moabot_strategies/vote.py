"""vote: two models are probed; if they agree that is the answer, else more are asked.

For answers that can be checked: a number, a name, a choice. Asking stops as soon as the lead is
safe, which costs about half the calls of a full vote and no accuracy worth naming.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
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


class VoteSettings(Settings):
    """When the lead is safe, and who is asked in turn."""

    lead: int = Field(default=2, ge=1, description="stop when the first is this far ahead")
    voters: int | None = Field(
        default=None, ge=2, description="voters at most; default: all proposers"
    )


class Vote:
    """Probe, compare, widen."""

    def __init__(self, settings: VoteSettings) -> None:
        self._settings = settings

    async def answer(self, question: Question, panel: Panel) -> Answer:
        """The answer of the majority; among equals, the synthesizer decides."""
        voters = self._settings.voters or max(len(panel.settings.proposers), 3)
        waiting = list(panel.slots(voters))
        ballots: list[Proposal] = []
        while waiting and not self.decided(ballots, left=len(waiting)):
            asked = waiting[: self._next_wave(ballots)]
            del waiting[: len(asked)]
            ballots += await self._poll(panel, asked, before=tuple(ballots), left=len(waiting))
        if not ballots:
            raise QuorumNotReached(asked=voters, need=1, survivors=())
        counted = count(ballots)
        if len(counted) > 1 and counted[0][1] == counted[1][1]:
            return await panel.synthesize(ballots)
        return panel.choose(next(b for b in ballots if vote(b) == counted[0][0]))

    async def _poll(
        self, panel: Panel, asked: Sequence[Slot], *, before: Sequence[Proposal], left: int
    ) -> Sequence[Proposal]:
        def settled(now: Sequence[Proposal]) -> bool:
            return self.decided([*before, *now], left=left + len(asked) - len(now))

        try:
            return await panel.propose(
                asked, note=panel.prompts.checkable, enough=len(asked), settled=settled
            )
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


@asynccontextmanager
async def open_vote(settings: VoteSettings) -> AsyncIterator[Vote]:
    """Nothing to open."""
    yield Vote(settings)


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer it."""
    register.strategy("vote", open_vote, VoteSettings)
