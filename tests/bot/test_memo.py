"""A call is known again by what was asked, pictures included."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from moabot.contract import Attachment, Prompt, Proposal, Scope, Turn, Usage
from moabot.memo import Memo
from moabot.store.rows import Spent, Step

PICTURE = Attachment("a.png", "image/png", b"red")
ASKED = Prompt("system", (Turn("user", "What colour?", (PICTURE, PICTURE)),))


async def test_a_call_about_another_picture_is_another_call() -> None:
    """The words are the same; the answer must not be."""
    written: list[Step] = []

    def write(step: Step | None, spent: Spent | None) -> asyncio.Future[None]:
        assert step is not None
        written.append(step)
        return asyncio.get_running_loop().create_future()

    def memo() -> Memo:
        scope = Scope("x", "y", "z")
        return Memo("e", scope=scope, author="u", write=write, durable=True, known=written)

    said = Proposal("1.1", "a", "proposer", "Red.", Usage(1, 9, 0, 1), 0.5)
    memo().keep(ASKED, said)
    odd = replace(ASKED, system="half \ud83d pair")  # a strategy of somebody else's wrote it
    memo().keep(odd, said)
    blue = replace(PICTURE, data=b"blue")
    other = replace(ASKED, turns=(Turn("user", "What colour?", (blue, blue)),))

    assert memo().recall("1.1", "a", other) is None
    assert memo().recall("1.1", "a", ASKED) == said
    assert memo().recall("1.1", "a", odd) == said
