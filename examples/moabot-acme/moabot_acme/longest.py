# The strategy longest: three models propose, and the longest proposal is the answer.
from contextlib import nullcontext

from moabot import hookimpl


class Longest:
    async def answer(self, question, panel):
        proposals = await panel.propose(panel.slots(3))
        return panel.choose(max(proposals, key=lambda proposal: len(proposal.text)))


@hookimpl
def moabot_register(register):
    register.strategy("longest", lambda settings: nullcontext(Longest()))
