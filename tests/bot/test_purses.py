"""What a channel, a workspace and a person may spend a day and a month; never a cent more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from moabot.access import AdmissionSettings, ChannelRules
from moabot.app import App
from moabot.budget import Budget
from moabot.contract import Asker, Message, Prompt, Scope, Usage
from moabot.errors import BudgetSpent, PurseEmpty, Refused
from moabot.purses import Purse, Purses
from moabot.store.rows import Spent
from moabot.store.sqlite import opened
from moabot.testing import RecordingReply, Said, Script, ScriptedProvider, hangs, rehearsal

PERSON = Asker(Scope("slack", "T1", "C1"), "U1")


def asking(author: str = "U1", *, channel: str = "C1", event: str = "E1") -> Message:
    """Somebody asks."""
    return Message("slack", "T1", channel, author, f"{event}?", event, thread=event)


class Clock:
    """Seconds since 1970, as it is told."""

    def __init__(self, day: str) -> None:
        self.now = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()

    def __call__(self) -> float:
        """Now."""
        return self.now

    def turn_to(self, day: str) -> None:
        """Another time."""
        self.now = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


def spend(purses: Sequence[Purse], usd: str, *, most: str | None = None) -> None:
    """One call that could cost `most`, or what it costs."""
    budget = Budget(None, purses)
    budget.settle(budget.reserve(Decimal(most or usd)), Usage(1, cost_usd=Decimal(usd)))


def limited(**usd: object) -> ChannelRules:
    """Budgets of a channel."""
    return ChannelRules.model_validate(usd)


KINDS: list[tuple[str, dict[str, object], dict[str, object], str]] = [
    ("this channel's", {"budget_day_usd": 1}, {}, "day"),
    ("this channel's", {"budget_month_usd": 1}, {}, "month"),
    ("this workspace's", {"workspace_day_usd": 1}, {}, "day"),
    ("this workspace's", {"workspace_month_usd": 1}, {}, "month"),
    ("your", {}, {"user_day_usd": 1}, "day"),
    ("your", {}, {"user_month_usd": 1}, "month"),
]


@pytest.mark.parametrize(("whose", "rules", "own", "period"), KINDS, ids=str)
def test_a_spent_budget_says_until_when_and_whom_to_ask(
    whose: str, rules: dict[str, object], own: dict[str, object], period: str
) -> None:
    """Both ways out of it: waiting, and asking."""
    clock = Clock("2026-11-22 15:00")
    purses = Purses(AdmissionSettings.model_validate({"contact": "Ann", **own}), clock)
    until = "2026-11-23" if period == "day" else "2026-12-01"
    with purses.opened(asking(), limited(**rules)) as mine:
        spend(mine, "0.99")
        with pytest.raises(PurseEmpty) as told:
            spend(mine, "0.02")

    assert str(told.value) == (
        f"Not enough is left of {whose} budget of $1 a {period}. "
        f"Ask again after {until} 00:00 UTC, or ask Ann for more."
    )


def test_a_budget_smaller_than_one_call_sends_nobody_to_tomorrow() -> None:
    """It would be the same tomorrow."""
    purses = Purses(AdmissionSettings(contact="Ann"), Clock("2026-11-22 15:00"))
    with (
        purses.opened(asking(), limited(budget_day_usd="0.01")) as mine,
        pytest.raises(PurseEmpty) as told,
    ):
        spend(mine, "0.02")

    assert str(told.value) == (
        "One call may cost $0.0200, more than this channel's budget of $0.01 a day. "
        "Please ask Ann for more, or choose a smaller preset."
    )


@pytest.mark.parametrize(("whose", "rules", "own", "period"), KINDS, ids=str)
def test_a_new_period_fills_the_purse(
    whose: str, rules: dict[str, object], own: dict[str, object], period: str
) -> None:
    """Of a month too, and not earlier."""
    clock = Clock("2026-12-31 23:59:59")
    purses = Purses(AdmissionSettings.model_validate(own), clock)
    with purses.opened(asking(), limited(**rules)) as mine:
        spend(mine, "1")
        clock.turn_to("2027-01-01 00:00:00")
        spend(mine, "1")
        clock.turn_to("2027-01-02 00:00:00")
        if period == "day":
            spend(mine, "1")
        else:
            with pytest.raises(PurseEmpty):
                spend(mine, "0.01")


def test_a_clock_that_is_set_back_fills_nothing_again() -> None:
    """Or a correction at midnight would pay twice."""
    clock = Clock("2026-11-23 00:10")
    with Purses(AdmissionSettings(), clock).opened(asking(), limited(budget_day_usd=1)) as mine:
        spend(mine, "1")
        clock.turn_to("2026-11-22 23:10")
        with pytest.raises(PurseEmpty):
            spend(mine, "0.01")


def test_a_call_takes_from_all_purses_or_from_none() -> None:
    """What one refuses must not stay reserved in the others."""
    purses = Purses(AdmissionSettings(user_day_usd=Decimal(1)), Clock("2026-11-22"))
    with purses.opened(asking(), limited(budget_day_usd=5, workspace_month_usd=9)) as mine:
        budget = Budget(Decimal(2), mine)
        with pytest.raises(PurseEmpty, match="your budget"):
            budget.reserve(Decimal("1.5"))
        with pytest.raises(BudgetSpent, match="the answer's"):
            budget.reserve(Decimal("2.5"))

        assert [purse.left_usd for purse in mine] == [5, 9, 1]
        assert budget.left_usd == 1


def test_what_is_held_for_answers_under_way_is_not_called_spent() -> None:
    """In a minute most of it is back; tomorrow would be wrong."""
    with Purses(AdmissionSettings()).opened(asking(), limited(budget_day_usd=1)) as mine:
        Budget(None, mine).reserve(Decimal("0.9"))
        with pytest.raises(
            PurseEmpty, match=r"Answers under way may need.* Ask again in a minute\."
        ):
            Budget(None, mine).reserve(Decimal("0.9"))


def test_people_share_the_purse_of_their_channel_and_have_their_own() -> None:
    """One account for each, however many answers are under way."""
    purses = Purses(AdmissionSettings(user_day_usd=Decimal(1)), Clock("2026-11-22"))
    rules = limited(budget_day_usd="1.5")
    with purses.opened(asking("U1"), rules) as one, purses.opened(asking("U2"), rules) as other:
        spend(one, "1")
        with pytest.raises(PurseEmpty, match="this channel's"):
            spend(other, "0.6")
        spend(other, "0.5")
    with purses.opened(asking("U2", channel="C2"), rules) as elsewhere:
        spend(elsewhere, "0.5")
        with pytest.raises(PurseEmpty, match="your"):
            spend(elsewhere, "0.01")


def test_an_unknown_price_is_refused_as_soon_as_any_purse_is_limited() -> None:
    """Unknown is not 0; whoever wants none of the limits has to know which there are."""
    rules = limited(workspace_day_usd=1, budget_day_usd=1)
    with (
        Purses(AdmissionSettings(user_month_usd=Decimal(1))).opened(asking(), rules) as mine,
        pytest.raises(
            BudgetSpent, match="keep to budget_day_usd and workspace_day_usd and user_month_usd"
        ),
    ):
        Budget(None, mine).reserve(None, model="big")
    with Purses(AdmissionSettings()).opened(asking(), limited()) as mine:
        assert Budget(None, mine).reserve(None) == 0


def test_a_call_whose_cost_nobody_told_counts_with_the_most_it_could_cost() -> None:
    """Guessing low would be spending what is not there."""
    with Purses(AdmissionSettings()).opened(asking(), limited(budget_day_usd=1)) as mine:
        budget = Budget(None, mine)
        budget.settle(budget.reserve(Decimal("0.4")), Usage(1))

        assert mine[0].left_usd == Decimal("0.6")


def test_purses_of_those_who_spend_nothing_are_forgotten() -> None:
    """Ids are cheap; and last month's spenders are no concern of this month."""
    clock = Clock("2026-11-22")
    purses = Purses(AdmissionSettings(), clock)
    for number in range(100):
        with purses.opened(asking(f"U{number}"), limited()) as mine:
            spend(mine, "0")
    assert purses._accounts == {}
    with purses.opened(asking(), limited()) as mine:
        spend(mine, "1")
    assert len(purses._accounts) == 3
    clock.turn_to("2026-12-01")
    with purses.opened(asking("U2", channel="C2"), limited()):
        pass

    assert purses._accounts == {}


async def test_a_thousand_answers_at_once_spend_not_a_cent_too_much() -> None:
    """Each reserves before it waits, so that none sees money that another one is spending."""
    asyncio.get_running_loop().set_debug(False)
    purses = Purses(AdmissionSettings(), Clock("2026-11-22"))
    rules, paid = limited(budget_day_usd=5), list[Decimal]()

    async def one(number: int) -> None:
        with purses.opened(asking(f"U{number}"), rules) as mine:
            budget = Budget(None, mine)
            try:
                held = budget.reserve(Decimal("0.02"))
            except PurseEmpty:
                return
            await asyncio.sleep(0)
            paid.append(Decimal("0.02"))
            budget.settle(held, Usage(1, cost_usd=paid[-1]))

    async with asyncio.TaskGroup() as group:
        for number in range(1000):
            group.create_task(one(number))

    assert sum(paid) == 5


async def test_the_ledger_tells_a_new_process_what_was_spent(tmp_path: Path) -> None:
    """Of today and of this month; last month is over."""
    clock = Clock("2026-11-22 12:00")
    days = {"2026-10-31": "50", "2026-11-01": "3", "2026-11-22": "1"}
    async with opened(tmp_path, alone=True) as store:
        for day, usd in days.items():
            spent = Spent(
                event=day, scope=PERSON.scope, author="U1", strategy="single", slot="1.1", model="a",
                outcome="ok", usage=Usage(1, cost_usd=Decimal(usd)), at=Clock(f"{day} 01:00").now,
                journaled=False,
            )  # fmt: skip
            await store.keep(None, spent)
        purses = Purses(AdmissionSettings(user_day_usd=Decimal(9)), clock)
        await purses.load(store)

    rules = limited(budget_day_usd=10, budget_month_usd=10, workspace_month_usd=10)
    with purses.opened(asking(), rules) as (channel, workspace, user):
        assert [purse.left_usd for purse in (channel, workspace, user)] == [6, 6, 8]


A_CENT = {"input": 1, "output": 9}  # for 1000 tokens read and 1000 written
FREE = {"input": 0, "output": 0}
YES = Said("Yes.", usage=Usage(1, 1000, 0, 1000))
NONE: Mapping[str, Script] = {}


@asynccontextmanager
async def chat(
    folder: Path, *, price: object = A_CENT, scripts: Mapping[str, Script] = NONE, **own: object
) -> AsyncGenerator[App]:
    """A bot whose calls cost a cent each, and at most about four; U1 is its admin."""
    models = {m: {"provider": "scripted", "name": m, "price": price} for m in ("a", "b", "c")}
    tables = {
        "data_dir": str(folder),
        "models": models,
        "admission": {"admins": ["slack:T1/U1"]},
        "defaults": {"strategy": "mixture", "preset": "thorough", "stream": False, **own},
    }
    provider = ScriptedProvider({**dict.fromkeys(models, YES), **scripts})
    async with rehearsal(provider, tables, panel={"hedge": False}, keep="all") as app:
        yield app


async def told(app: App, event: str) -> RecordingReply:
    """Ask, and return what came."""
    reply = RecordingReply()
    await app.answering.handle(asking(event=event), reply)
    return reply


async def test_an_empty_purse_refuses_and_a_restart_does_not_fill_it(tmp_path: Path) -> None:
    """From the first answer to the refusal, as a person in the channel sees it."""
    async with chat(tmp_path, budget_day_usd="0.20") as app:
        first, second = await told(app, "E1"), await told(app, "E2")
    async with chat(tmp_path, budget_day_usd="0.20") as app:
        replies = [await told(app, f"F{number}") for number in range(6)]

    assert first.answer is not None
    assert first.answer.usage.cost_usd == Decimal("0.04")
    assert second.answer is not None
    assert isinstance(replies[-1].error, Refused)
    assert "Not enough is left of this channel's budget of $0.20 a day" in str(replies[-1].error)
    asked = [first, second, *replies]
    cost = sum((r.answer.usage.cost_usd or 0 for r in asked if r.answer), Decimal(0))
    assert Decimal("0.12") < cost <= Decimal("0.20")


async def test_a_purse_that_empties_in_the_middle_gives_the_best_that_is_there(
    tmp_path: Path,
) -> None:
    """What was paid is shown, and the answer says why it is less."""
    async with chat(tmp_path, budget_day_usd="0.12") as app:
        replies = [await told(app, f"E{number}") for number in range(4)]

    short = [reply.answer for reply in replies if reply.answer and reply.answer.degraded]
    assert short
    assert "left of this channel's budget of $0.12 a day" in short[0].degraded


async def test_free_models_are_asked_when_the_purse_is_empty(tmp_path: Path) -> None:
    """A limit of no money is a wish for models that cost none."""
    async with chat(tmp_path, price=FREE, budget_day_usd=0) as app:
        reply = await told(app, "E1")

    assert reply.error is None


async def test_a_limit_set_by_command_holds_for_the_next_question(tmp_path: Path) -> None:
    """Also for what was spent before anybody thought of a limit."""
    async with chat(tmp_path) as app:
        before = await told(app, "E1")
        await app.channels.change("slack:T1/C1", "budget_month_usd", "0.05", asker=PERSON)
        after = await told(app, "E2")

    assert before.answer is not None
    assert isinstance(after.error, Refused)
    assert "this channel's budget of $0.05 a month" in str(after.error)


async def test_a_call_that_was_paid_before_a_crash_is_counted_once(tmp_path: Path) -> None:
    """The answer that resumes knows of it by its memo, the purses by the ledger."""
    combining = asyncio.Event()

    def proposes_then_hangs(prompt: Prompt) -> Said:
        if "[proposal 1 " not in prompt.turns[-1].text:
            return YES
        combining.set()
        return hangs()

    async with chat(tmp_path, scripts={"a": proposes_then_hangs}, budget_day_usd=1) as app:
        answering = asyncio.create_task(app.answering.handle(asking(), RecordingReply()))
        await combining.wait()
        answering.cancel()
        await asyncio.wait([answering])
    async with chat(tmp_path, budget_day_usd=1) as app:
        assert app.memory.durable is not None
        assert app.memory.store is not None
        [entry] = await app.memory.durable.resume("slack")
        reply = RecordingReply()
        await app.answering.handle(entry.message, reply, entry=entry)
        ledger = await app.memory.store.spending("channel", since=0)
        account = app.admission._purses._accounts["channel", "slack:T1/C1"]

    assert reply.answer is not None
    assert account.month_usd == sum(row.cost_usd for row in ledger) > Decimal("0.04")
