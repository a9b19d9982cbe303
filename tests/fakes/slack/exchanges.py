"""What Slack sends to the app, and how often it tries: events with retries, the rest once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.fakes.slack.clock import Clock
from tests.fakes.slack.faults import Faults
from tests.fakes.slack.limits import Limits

Json = dict[str, Any]
EVENT, PRESSED, COMMAND = "events_api", "interactive", "slash_commands"


@dataclass(frozen=True, slots=True)
class Try:
    """One delivery: after how many seconds it was acked, or why it counts as failed."""

    at: float
    seconds: float
    failed: str = ""


@dataclass(slots=True)
class Exchange:
    """Something that reaches the app. `ts` is the message it is about."""

    kind: str
    payload: Json
    ts: str = ""
    tries: list[Try] = field(default_factory=list[Try])
    answer: Json = field(default_factory=dict[str, Any])
    """What came with the ack: a command's reply, a submission's response_action."""
    failure: str = ""
    """Why it was given up; of a command or click, what its person is told."""
    twin: Exchange | None = None
    """The same message as another event: app_mention and message."""
    then: Callable[[Exchange], None] | None = None
    """What Slack does with the ack."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Acked or given up."""

    @property
    def was_acked(self) -> bool:
        """Whether a delivery was acked in time."""
        return any(not each.failed for each in self.tries)

    async def acked(self) -> None:
        """Wait for it; an AssertionError says why it was given up."""
        for each in (self, self.twin):
            if each is not None:
                await each.ended.wait()
                assert each.was_acked, each.failure


class Transport(Protocol):
    """Socket Mode or HTTP."""

    async def send(self, exchange: Exchange, *, attempt: int, reason: str) -> str:
        """Deliver once; returns why it failed, "" if it was acked. "stop": try no more."""
        ...


@dataclass(slots=True)
class PostOffice:
    """Delivers, each in a task of its own, until it is closed."""

    clock: Clock
    limits: Limits
    faults: Faults
    transport: Transport
    sent: list[Exchange] = field(default_factory=list[Exchange])
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by whatever people could see or the app could notice."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def send(self, exchange: Exchange) -> Exchange:
        """Begin to deliver it."""
        self.sent.append(exchange)
        task = asyncio.create_task(self._deliver(exchange))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return exchange

    async def quiet(self) -> None:
        """Wait until everything was acked or given up."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        """Deliver no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deliver(self, exchange: Exchange) -> None:
        event = exchange.kind == EVENT
        if event and (delay := self.faults.delay_s()):
            await self.clock.sleep(delay)
        reason = ""
        for attempt, wait_s in enumerate((0.0, *(self.limits.retries_s if event else ()))):
            if wait_s:
                await self.clock.sleep(wait_s)
            reason = await self._try(exchange, attempt=attempt, reason=reason)
            if reason in {"", "stop"}:
                break
        exchange.failure = reason
        if not reason and exchange.then is not None:
            exchange.then(exchange)
        exchange.ended.set()
        self.changed.set()
        if event and not reason and self.faults.again():
            await self.clock.sleep(self.faults.chance.uniform(0, 5))
            await self._try(exchange, attempt=1, reason="timeout")

    async def _try(self, exchange: Exchange, *, attempt: int, reason: str) -> str:
        began = self.clock.now()
        failed = await self.transport.send(exchange, attempt=attempt, reason=reason)
        exchange.tries.append(Try(began, self.clock.now() - began, failed))
        self.changed.set()
        return failed
