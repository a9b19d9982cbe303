"""What holds however the event loop orders its tasks: 200 schedules of each, in virtual time.

A failure prints a token; `pytest --detangle-replay=TOKEN` with the test's name repeats it exactly.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import detangle
import pytest

from moabot.access import AdmissionSettings, ChannelRules
from moabot.admission import Admission
from moabot.answering import Answering
from moabot.budget import Budget
from moabot.config import Defaults
from moabot.contract import Message, Usage
from moabot.errors import BudgetSpent, Refused
from moabot.journal import DurableJournal
from moabot.purses import Purses
from moabot.store.files import migrate
from moabot.store.sqlite import SqliteStore
from moabot.testing import RecordingReply, ScriptedProvider, rehearsal, says

pytestmark = pytest.mark.timeout(240)  # seconds; coverage follows every step of every schedule

PANEL = {"hedge": False, "tries": 1, "budget_usd": "1"}
PRICE = {"input": 1000, "output": 1000}
TABLES = {
    "models": {m: {"provider": "scripted", "name": m, "price": PRICE} for m in ("a", "b", "c")},
    "defaults": {"strategy": "mixture", "preset": "thorough", "stream": False},
    "limits": {"calls": 4},
}


def asking(event: str, *, thread: str = "th") -> Message:
    """A person asks in a thread."""
    return Message("slack", "T1", "C1", "U1", f"{event}?", event, thread=thread)


@asynccontextmanager
async def corridor(
    provider: ScriptedProvider, **panel: object
) -> AsyncGenerator[tuple[Answering, SqliteStore]]:
    """The whole bot, with its journal in memory and the door of a crowd."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    path = Path("memory")
    migrate(connection, path, alone=True)
    store = SqliteStore(path, write=connection, read=connection)
    journal = DurableJournal(store)
    async with rehearsal(provider, TABLES, panel={**PANEL, **panel}) as app:
        yield (
            replace(
                app.answering,
                journal=journal,
                admission=Admission(AdmissionSettings(), crowd=True),
            ),
            store,
        )
    await store.close()


@detangle.test(runs=200, seed=1, database=False)
async def test_each_event_is_answered_once_however_its_deliveries_overlap() -> None:
    """Chats deliver again what they think was not heard, while it is being answered."""
    provider = ScriptedProvider({m: says(f"{m}.", seconds=0.01) for m in "abc"})
    replies = {event: [RecordingReply() for _ in range(3)] for event in ("E1", "E2", "E3")}
    async with corridor(provider, budget_usd="1000") as (answering, store):
        async with asyncio.TaskGroup() as group:
            for event, several in replies.items():
                for reply in several:
                    group.create_task(answering.handle(asking(event), reply))
        left = await store.take_up("slack")

    for several in replies.values():
        assert sum(reply.answer is not None for reply in several) == 1
        assert [reply.error for reply in several] == [None] * 3
    assert len(provider.prompts) == 3 * 4
    assert list(left) == []


@detangle.test(runs=200, seed=2, database=False)
async def test_no_purse_is_a_cent_over_at_any_step() -> None:
    """Answers reserve, wait and settle in every order; what is held is never spent twice."""
    own = AdmissionSettings(user_day_usd=Decimal(5))
    purses = Purses(own, lambda: 1_795_000_000.0)
    rules = ChannelRules(budget_day_usd=Decimal(4), workspace_month_usd=Decimal(6))
    limits = {"channel": 4, "workspace": 6, "user": 5}
    paid: list[Decimal] = []

    @detangle.invariant
    def nobody_is_over() -> None:
        for (owner, _), account in purses._accounts.items():
            assert account.day_usd + account.reserved_usd <= limits[owner]
            assert account.reserved_usd >= 0

    async def call(budget: Budget, cost: int) -> None:
        try:
            held = budget.reserve(Decimal(cost))
        except BudgetSpent:
            return
        used = Usage(1, cost_usd=Decimal(0))
        try:
            await asyncio.sleep(0.01)
            used = Usage(1, cost_usd=Decimal(cost))
            paid.append(Decimal(cost))
        finally:
            budget.settle(held, used)

    async def answer(number: int) -> None:
        with purses.opened(asking(f"E{number}"), rules) as mine:
            budget = Budget(Decimal(3), mine)
            for _ in range(2):
                await asyncio.gather(call(budget, 1), call(budget, 2))

    for work in [detangle.spawn(answer(number)) for number in range(4)]:
        detangle.inject_cancellation(work)
        await asyncio.wait([work])

    assert sum(paid) <= 4
    assert all(account.reserved_usd == 0 for account in purses._accounts.values())


@detangle.test(runs=200, seed=3, database=False)
async def test_a_stop_at_any_await_leaves_nothing_behind() -> None:
    """A person stops an answer; no call goes on, nothing stays held, the thread is not stuck."""
    provider = ScriptedProvider({m: says(f"{m}.", seconds=0.01) for m in "abc"})
    async with corridor(provider, budget_usd="1000") as (answering, _):
        work = [
            detangle.spawn(answering.handle(asking(event), RecordingReply()))
            for event in ("E1", "E2", "E3")
        ]
        for each in work:
            detangle.inject_cancellation(each, points=30)
        await asyncio.wait(work)
        last = RecordingReply()
        await answering.handle(asking("E4"), last)

        assert last.answer is not None
        assert provider.running == []
        assert answering.admission._queue._lines == {}
        assert answering.admission._queue._waiting == 0
        accounts = answering.admission._purses._accounts.values()
        assert all(account.reserved_usd == 0 and not account.users for account in accounts)
        assert not answering.calls._gate.locked()


@detangle.test(runs=200, seed=4, database=False)
async def test_a_full_house_never_admits_more_than_it_may() -> None:
    """Whoever arrives, leaves or gives up in the line, in any order."""
    admission = Admission(AdmissionSettings(at_once=2, waiting=3, waiting_here=1), crowd=True)
    inside: list[str] = []

    async def one(thread: str, event: str) -> None:
        try:
            async with admission.admitted(asking(event, thread=thread), Defaults()):
                inside.append(thread)
                assert len(inside) <= 2
                assert len(set(inside)) == len(inside)
                try:
                    await asyncio.sleep(0.01)
                finally:
                    inside.remove(thread)
        except Refused:
            assert len(inside) <= 2

    work = [detangle.spawn(one(f"t{n % 3}", f"E{n}")) for n in range(9)]
    for each in work[::2]:
        detangle.inject_cancellation(each)
    await asyncio.wait(work)

    assert all(not each.exception() for each in work if not each.cancelled())
    assert admission._queue._lines == {}
    assert admission._queue._waiting == 0
