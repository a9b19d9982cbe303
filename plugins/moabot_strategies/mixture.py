"""mixture: several models propose, aggregators combine in layers, a synthesizer writes.

The preset says how many propose and in how many layers. A panel that names one model several
times samples it several times (Self-MoA). Proposals too long to be read at once are combined
window by window, each time with what came before (as in Self-MoA-Seq, arXiv 2502.00674).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from moabot.contract import Answer, Proposal, Question
from moabot.hookspecs import hookimpl
from moabot.panel import Panel
from moabot.plugins import NoSettings, Register


class Mixture:
    """Layers of models, each reading the layer before it."""

    async def answer(self, question: Question, panel: Panel) -> Answer:
        """Propose, combine layer by layer, write."""
        if panel.depth.layers == 0:
            return await panel.synthesize()
        proposals = await panel.propose()
        for layer in range(2, panel.depth.layers + 1):
            proposals = await panel.aggregate(proposals, layer=layer)
        return await panel.synthesize(await _fitting(proposals, panel))


async def _fitting(proposals: Sequence[Proposal], panel: Panel) -> Sequence[Proposal]:
    """The proposals, if one prompt can hold them; else they are folded into fewer texts."""
    read = list(proposals)
    layer = panel.depth.layers + 1
    while len(read) > 2 and sum(len(p.text) for p in read) > panel.settings.window_chars:
        folded = await panel.aggregate(read[:2], layer=layer, most=1)
        read = [*folded, *read[2:]] if len(folded) == 1 else read[1:]
        layer += 1
    return read


@asynccontextmanager
async def open_mixture(settings: NoSettings) -> AsyncGenerator[Mixture]:
    """Nothing to open."""
    yield Mixture()


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer it."""
    register.strategy("mixture", open_mixture)
