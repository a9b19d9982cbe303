"""What the calls of one answer gave and cost: written as they end, known again after a crash.

A call's name is its layer and slot, its model and a hash of its prompt, so that it is still known
when the configuration changed across the crash: whatever would be asked the same is not asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from hashlib import blake2b

import orjson

from moabot.contract import NOTHING, Cancelled, Failure, Prompt, Proposal, Scope, Usage
from moabot.store.rows import Outcome, Spent, Step

__all__ = ["Memo", "Write", "proposals_in"]

Gave = Proposal | Failure | Cancelled
Write = Callable[[Step | None, Spent | None], asyncio.Future[None]]
"""Takes a step and its cost, and begins at once to make both durable."""


class Memo:
    """The calls of one answer. Without `durable` only what they cost is written.

    `strategy` and `task`, the task that answers, are set as soon as they are known. A call that
    is cancelled because nobody needs it is not asked again after a crash; one that is cancelled
    together with the whole answer is.
    """

    def __init__(
        self,
        event: str,
        *,
        scope: Scope,
        author: str,
        write: Write,
        durable: bool,
        known: Sequence[Step] = (),
    ) -> None:
        self.strategy = ""
        self.task: asyncio.Task[object] | None = None
        self.last: asyncio.Future[None] | None = None
        self._event = event
        self._scope = scope
        self._author = author
        self._write = write
        self._durable = durable
        self._images: dict[int, bytes] = {}
        self._known: dict[tuple[str, str, str], list[Step]] = {}
        for step in known:
            self._known.setdefault((_layer(step.slot), step.model, step.prompt), []).append(step)

    def recall(self, slot: str, model: str, prompt: Prompt) -> Gave | None:
        """What this call gave before the crash, once for each time that it was made."""
        if not self._known:
            return None
        steps = self._known.get((_layer(slot), model, self._hash(prompt)))
        if not steps:
            return None
        place = next((i for i, step in enumerate(steps) if step.slot == slot), 0)
        return _read(steps.pop(place), slot)

    def keep(self, prompt: Prompt, gave: Gave) -> None:
        """A call ended: remember what it gave, together with what it cost."""
        usage = NOTHING if isinstance(gave, Failure) else gave.usage
        step = None
        ending = self.task is not None and self.task.cancelling() > 0
        if self._durable and not (ending and isinstance(gave, Cancelled)):
            outcome, said = _written(gave)
            step = Step(self._event, gave.slot, gave.model, self._hash(prompt), outcome, said)
        spent = self._spent(gave.slot, gave.model, usage, _outcome(gave))
        if step is not None or spent is not None:
            self.last = self._write(step, spent)

    def lost(self, slot: str, model: str, usage: Usage) -> None:
        """One try of a call failed, and may have cost something all the same."""
        spent = self._spent(slot, model, usage, "failed")
        if spent is not None:
            self.last = self._write(None, spent)

    def _spent(self, slot: str, model: str, usage: Usage, outcome: Outcome) -> Spent | None:
        if not usage.calls:
            return None
        return Spent(
            event=self._event,
            scope=self._scope,
            author=self._author,
            strategy=self.strategy,
            slot=slot,
            model=model,
            outcome=outcome,
            usage=usage,
            at=time.time(),
            journaled=self._durable,
        )

    def _hash(self, prompt: Prompt) -> str:
        whole = blake2b(digest_size=16)
        whole.update(f"{prompt.max_tokens} {prompt.temperature} {len(prompt.system)}\n".encode())
        whole.update(prompt.system.encode(errors="surrogatepass"))
        for turn in prompt.turns:
            text = turn.text.encode(errors="surrogatepass")
            whole.update(f"\n{turn.role} {len(text)}\n".encode())
            whole.update(text)
            for image in turn.images:
                known = self._images.get(id(image))  # the question keeps it alive
                if known is None:
                    known = self._images[id(image)] = blake2b(image.data, digest_size=16).digest()
                whole.update(known)
        return whole.hexdigest()


def proposals_in(steps: Sequence[Step]) -> tuple[Proposal, ...]:
    """What the first layer said, among the remembered calls of an answer."""
    gave = (_read(step, step.slot) for step in steps if _layer(step.slot) == "1")
    return tuple(each for each in gave if isinstance(each, Proposal))


def _layer(slot: str) -> str:
    return slot.partition(".")[0]


def _outcome(gave: Gave) -> Outcome:
    if isinstance(gave, Proposal):
        return "ok"
    return "failed" if isinstance(gave, Failure) else "cancelled"


def _written(gave: Gave) -> tuple[Outcome, str]:
    said: dict[str, object] = {"seconds": round(gave.seconds, 3)}
    if isinstance(gave, Failure):
        said["error"] = gave.error
    else:
        used = gave.usage
        said["tokens"] = (used.input_tokens, used.cached_input_tokens, used.output_tokens)
        said["calls"], said["estimated"] = used.calls, used.estimated
        said["cost_usd"] = None if used.cost_usd is None else str(used.cost_usd)
    if isinstance(gave, Proposal):
        said |= {"role": gave.role, "text": gave.text}
    return _outcome(gave), orjson.dumps(said).decode()


def _read(step: Step, slot: str) -> Gave:
    said = orjson.loads(step.said)
    seconds = float(said["seconds"])
    if step.outcome == "failed":
        return Failure(slot, step.model, str(said["error"]), seconds)
    cost = None if said["cost_usd"] is None else Decimal(said["cost_usd"])
    read, cached, written = (int(tokens) for tokens in said["tokens"])
    usage = Usage(int(said["calls"]), read, cached, written, cost, bool(said["estimated"]))
    if step.outcome == "cancelled":
        return Cancelled(slot, step.model, seconds, usage)
    return Proposal(slot, step.model, str(said["role"]), str(said["text"]), usage, seconds)
