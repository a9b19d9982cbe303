"""What every store must do; another database joins by another parameter of the fixture."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from moabot.contract import Scope, Usage
from moabot.errors import StoreError
from moabot.store import Store
from moabot.store.rows import (
    Accepted,
    By,
    Change,
    File,
    Installation,
    Opinion,
    Said,
    Spent,
    Step,
)
from moabot.store.schema import CHANGES
from moabot.store.sqlite import opened

ROOM = Scope("slack", "T1", "C1", "th", private=True)
NOW = 1_790_000_000.0


def accepted(event: str = "slack:E1", *, author: str = "U1", scope: Scope = ROOM) -> Accepted:
    """A message as the journal hands it over."""
    return Accepted(
        event=event,
        scope=scope,
        author=author,
        text=f"{author} asks",
        addressed=True,
        said_at=NOW,
        seed=b"seed",
        at=NOW,
    )


def spent(event: str = "slack:E1") -> Spent:
    """A ledger row of 110 tokens and a tenth of a cent."""
    usage = Usage(1, 100, 20, 10, Decimal("0.001"))
    return Spent(
        event=event,
        scope=ROOM,
        author="U1",
        strategy="mixture",
        slot="1.1",
        model="a",
        outcome="ok",
        usage=usage,
        at=NOW,
    )


def step(event: str = "slack:E1", *, outcome: str = "ok", prompt: str = "p1") -> Step:
    """What one call gave."""
    return Step(event, "1.1", "a", prompt, "ok" if outcome == "ok" else "failed", '{"text": "x"}')


def turns(event: str = "slack:E1") -> tuple[Said, Said]:
    """A question and its answer."""
    return Said(event, "user", "U1 asks", NOW), Said(event, "assistant", "an answer", NOW)


def _of_version(data_dir: Path, version: int) -> None:
    """A database as an earlier moabot left it, with a row in it."""
    data_dir.mkdir(mode=0o700)
    connection = sqlite3.connect(data_dir / "moabot.db")
    connection.executescript(";\n".join(CHANGES[:version]))
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()


@pytest.fixture(params=["sqlite", *(f"sqlite from version {n}" for n in range(1, len(CHANGES)))])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Store]:
    """Every store there is, new, and brought forward from every earlier version."""
    data_dir = tmp_path / "data"
    if "version" in request.param:
        _of_version(data_dir, int(request.param.split()[-1]))
    async with opened(data_dir, alone=True) as made:
        yield made


async def test_an_event_is_accepted_once(store: Store) -> None:
    """Chats deliver again and again; two answers cost twice and look foolish."""
    taken = await asyncio.gather(*[store.accept(accepted()) for _ in range(50)])

    assert taken.count(True) == 1


async def test_what_is_unfinished_comes_back_whole_and_oldest_first(store: Store) -> None:
    """The next process knows nothing but these rows."""
    later = replace(accepted("slack:E2"), at=NOW + 1)
    first = replace(accepted(), files=(File("a.png", "image/png", b"\x00\xff"),), plan="{}")
    await store.accept(later)
    await store.accept(first)
    store.begin(first.event, plan='{"strategy": "vote"}', horizon=7)
    store.begin(first.event, plan='{"strategy": "other"}', horizon=9)
    store.posted(first.event, "1700.42")

    found = await store.take_up("slack")

    begun = replace(first, plan='{"strategy": "vote"}', horizon=7, receipt="1700.42", tries=2)
    assert list(found) == [begun, replace(later, tries=2)]
    assert list(await store.take_up("discord")) == []


async def test_an_orderly_stop_counts_as_no_try(store: Store) -> None:
    """Three updates of the bot on one day must not give a question up."""
    await store.accept(accepted())
    await store.lay_down("slack")

    assert [row.tries for row in await store.take_up("slack")] == [1]


async def test_what_is_done_stays_known_but_does_not_come_back(store: Store) -> None:
    """A redelivery an hour later is still the same event."""
    await store.accept(accepted())
    await store.end("slack:E1", turns=turns())

    assert list(await store.take_up("slack")) == []
    assert await store.accept(accepted()) is False


async def test_a_step_and_its_cost_are_kept_together_in_order(store: Store) -> None:
    """A paid call that is remembered but not counted, or the reverse, would be a lie."""
    await store.accept(accepted())
    store.keep(step(prompt="p1"), spent())
    await store.keep(step(prompt="p2", outcome="failed"), None)

    assert [(s.prompt, s.outcome) for s in await store.steps("slack:E1")] == [
        ("p1", "ok"),
        ("p2", "failed"),
    ]
    [row] = await store.spending("model", since=NOW - 1)
    assert (row.key, row.calls, row.answers, row.cost_usd) == ("a", 1, 1, Decimal("0.001"))


async def test_the_usual_time_of_a_model_is_the_median_of_its_good_calls(store: Store) -> None:
    """Whoever asks what a question would take asks in another process than the bot's."""
    await store.accept(accepted())
    for number, seconds in enumerate((1.0, 9.0, 2.0)):
        store.keep(replace(step(prompt=f"p{number}"), said=f'{{"seconds": {seconds}}}'), None)
    failed = replace(step(prompt="p3", outcome="failed"), said='{"seconds": 30.0}')
    await store.keep(failed, None)

    assert await store.paces() == {"a": 2.0}


async def test_dead_letters_are_listed_and_can_be_revived_once(store: Store) -> None:
    """Whoever mends the cause wants the question answered; failed calls get a new chance."""
    await store.accept(accepted())
    store.keep(step(), None)
    store.keep(step(prompt="p2", outcome="failed"), None)
    await store.end("slack:E1", error="it stopped three processes", dead=True)

    assert [row.error for row in await store.dead()] == ["it stopped three processes"]
    assert [await store.revive("slack:E1"), await store.revive("slack:E1")] == [True, False]
    assert [s.prompt for s in await store.steps("slack:E1")] == ["p1"]
    assert [row.tries for row in await store.take_up("slack")] == [1]


async def test_turns_join_their_thread_once_and_are_read_up_to_a_place(store: Store) -> None:
    """An answer that is resumed must read what it read before, whatever came since."""
    for event in ("slack:E1", "slack:E2"):
        await store.accept(accepted(event))
        await store.end(event, turns=turns(event))
    await store.end("slack:E2", turns=turns("slack:E2"))

    said = await store.turns(ROOM, before=None, most=10)
    assert [(turn.event, turn.role) for turn in said] == [
        ("slack:E1", "user"),
        ("slack:E1", "assistant"),
        ("slack:E2", "user"),
        ("slack:E2", "assistant"),
    ]
    assert list(await store.turns(ROOM, before=said[1].place, most=1)) == [said[1]]


@pytest.mark.parametrize(
    "other",
    [
        replace(ROOM, platform="discord"),
        replace(ROOM, workspace="T2"),
        replace(ROOM, channel="C2"),
        replace(ROOM, thread="other"),
        replace(ROOM, private=False),
    ],
    ids=["platform", "workspace", "channel", "thread", "privacy"],
)
async def test_a_thread_is_read_by_its_own_scope_only(store: Store, other: Scope) -> None:
    """What was said in one room must never be told in another."""
    await store.accept(accepted())
    await store.end("slack:E1", turns=turns())

    assert list(await store.turns(other, before=None, most=10)) == []


async def test_an_edit_changes_what_is_remembered(store: Store) -> None:
    """Who corrects a message does not want the old one quoted; also while it is being answered."""
    await store.accept(accepted())
    await store.accept(accepted("slack:E2"))
    await store.end("slack:E1", turns=turns())
    await store.amend("slack:E1", "corrected")
    await store.amend("slack:E2", "corrected too")
    await store.end("slack:E2", turns=turns("slack:E2"))

    said = await store.turns(ROOM, before=None, most=10)
    assert [t.text for t in said if t.role == "user"] == ["corrected", "corrected too"]


async def test_a_deletion_forgets_question_and_answer_but_not_the_event(store: Store) -> None:
    """The answer may quote the question. A late redelivery must not bring it back."""
    await store.accept(accepted())
    store.keep(step(), None)
    await store.amend("slack:E1", None)
    store.keep(step(), None)
    await store.end("slack:E1", turns=turns())

    assert list(await store.turns(ROOM, before=None, most=10)) == []
    assert list(await store.steps("slack:E1")) == []
    assert await store.accept(accepted()) is False


@pytest.mark.parametrize("way", ["deleted", "erased"])
async def test_a_question_asked_again_by_another_stays_its_writers(store: Store, way: str) -> None:
    """Threads are kept longer than messages, and can be read until then."""
    copied = accepted("slack:R1", author="U2")
    await store.accept(replace(copied, origin="slack:E1", writer="U1"))
    await store.end("slack:R1", turns=turns("slack:R1"))
    assert len(await store.turns(ROOM, before=None, most=9)) == 2
    await store.expire({"inbox": time.time() + 1})

    if way == "deleted":
        await store.amend("slack:E1", None)
    else:
        assert await store.erase(user="slack:T1/U1") == (0, 0)

    assert list(await store.turns(ROOM, before=None, most=9)) == []


async def test_a_question_asked_again_reads_as_far_as_the_first(store: Store) -> None:
    """Until it is begun, and has a place of its own that nothing changes any more."""
    await store.accept(accepted())
    store.begin("slack:E1", plan="{}", horizon=7)
    await store.accept(replace(accepted("slack:R1"), origin="slack:E1", writer="U1"))
    before = await store.accepted("slack:R1")
    await store.begin("slack:R1", plan='{"strategy": "vote"}', horizon=5)
    begun = await store.accepted("slack:R1")

    assert before is not None
    assert begun is not None
    assert (before.horizon, begun.horizon, begun.plan) == (7, 5, '{"strategy": "vote"}')
    assert (begun.origin, begun.writer) == ("slack:E1", "U1")


async def test_each_change_of_a_setting_says_who_when_from_and_to(store: Store) -> None:
    """The next person wonders why the channel behaves so, and whom to ask."""
    key = "slack:T1/C1"
    store.change(Change(key, "preset", "", '"deep"', "slack:T1/U1", NOW))
    await store.change(Change(key, "preset", "", '"fast"', "slack:T1/U2", NOW + 1))

    assert await store.settings([key, "slack:T1"]) == {key: {"preset": '"fast"'}}
    assert list(await store.changes(key)) == [
        Change(key, "preset", '"deep"', '"fast"', "slack:T1/U2", NOW + 1),
        Change(key, "preset", "", '"deep"', "slack:T1/U1", NOW),
    ]
    await store.change(Change(key, "preset", "", "", "slack:T1/U1", NOW + 2))
    assert await store.settings([key]) == {}


async def test_a_person_has_one_opinion_of_an_answer(store: Store) -> None:
    """Who presses the other thumb has changed their mind, not voted twice."""
    store.opine(Opinion("slack:E1", ROOM, "slack:T1/U1", 1, "", NOW))
    last = Opinion("slack:E1", ROOM, "slack:T1/U1", -1, "too long", NOW + 1)
    await store.opine(last)

    assert list(await store.opinions()) == [last]


async def test_an_installation_is_found_by_its_platform_and_workspace(store: Store) -> None:
    """Each platform reads its own; a workspace that has none is no error."""
    here = Installation("slack", "T1", "UBOT", b"\x00sealed", NOW)
    other = replace(here, workspace="T2")
    store.install(other)
    store.install(replace(here, platform="other"))
    await store.install(here)

    assert list(await store.installations("slack")) == [here, other]
    assert list(await store.installations("slack", "T1")) == [here]
    assert list(await store.installations("slack", "T3")) == []


async def test_the_newest_installation_of_a_workspace_stands(store: Store) -> None:
    """Whichever is written last: two processes may tell the store in either order."""
    old = Installation("slack", "T1", "UOLD", b"old", NOW)
    new = Installation("slack", "T1", "UNEW", b"new", NOW + 1)
    store.install(old)
    store.install(new)
    await store.install(old)

    assert list(await store.installations("slack")) == [new]


async def test_an_installation_is_forgotten_unless_it_is_newer(store: Store) -> None:
    """The news that an app was removed may come after it was installed again."""
    await store.install(Installation("slack", "T1", "UBOT", b"sealed", NOW))
    await store.install(Installation("slack", "T2", "UBOT", b"sealed", NOW))

    assert not await store.uninstall("slack", "T1", before=NOW - 1)
    assert await store.uninstall("slack", "T1", before=NOW)
    assert not await store.uninstall("slack", "T1", before=NOW)
    assert [each.workspace for each in await store.installations("slack")] == ["T2"]


async def test_what_is_unfinished_ends_with_its_installation_and_nowhere_else(store: Store) -> None:
    """It could never be delivered, but would be paid for at each start."""
    there = Scope("slack", "T2", "C2")
    await store.install(Installation("slack", "T1", "UBOT", b"sealed", NOW))
    await store.accept(accepted("slack:E1"))
    await store.accept(accepted("slack:E2", scope=there))
    assert not await store.uninstall("slack", "T1", before=NOW - 1)
    before = [row.event for row in await store.take_up("slack")]
    assert await store.uninstall("slack", "T1", before=NOW)

    assert before == ["slack:E1", "slack:E2"]
    assert [row.event for row in await store.take_up("slack")] == ["slack:E2"]


async def test_the_ledger_sums_exactly_and_keeps_unknown_apart_from_zero(store: Store) -> None:
    """Ten thousand tenths of a cent are ten dollars; a price nobody knows is not zero."""
    unknown = Usage(1, 1, 0, 1, None)
    guessed = Usage(1, 1, 0, 1, Decimal("0.25"), estimated=True)
    apart = replace(spent(), journaled=False)
    for _ in range(100):
        store.keep(None, replace(apart, usage=Usage(1, 1, 0, 1, Decimal("0.0000001"))))
    store.keep(None, replace(apart, usage=unknown))
    await store.keep(None, replace(apart, usage=guessed, outcome="cancelled"))

    [row] = await store.spending("channel", since=NOW - 1)
    assert row.key == "slack:T1/C1"
    assert (row.cost_usd, row.estimated_usd) == (Decimal("0.25001"), Decimal("0.25"))
    assert (row.calls, row.unpriced, row.answers) == (102, 1, 1)


@pytest.mark.parametrize(
    ("by", "key"),
    [
        ("channel", "slack:T1/C1"),
        ("user", "slack:T1/U1"),
        ("workspace", "slack:T1"),
        ("model", "a"),
        ("strategy", "mixture"),
    ],
)
async def test_the_ledger_is_summed_by(store: Store, by: By, key: str) -> None:
    """An administrator asks who, where, which model, and which way of thinking costs."""
    store.keep(None, replace(spent(), journaled=False))
    await store.keep(None, replace(spent(), journaled=False, at=NOW + 86_400))

    rows = await store.spending(by, since=NOW - 1)
    assert [(row.key, row.calls) for row in rows] == [(key, 1), (key, 1)]
    assert rows[1].day - rows[0].day == 1
    assert list(await store.spending("user", since=NOW + 90_000)) == []


@pytest.mark.parametrize(
    "whose", [{"user": "slack:T1/U1"}, {"channel": "slack:T1/C1"}], ids=["user", "channel"]
)
async def test_erasing_leaves_no_row_and_no_word_in_the_file(
    store: Store, whose: dict[str, str], tmp_path: Path
) -> None:
    """A person has the right to be forgotten, and a deleted page still holds its words."""
    secret = "erase-me-canary"
    other = replace(ROOM, channel="C2")
    await store.accept(replace(accepted(), text=secret))
    await store.accept(accepted("slack:E2", author="U2", scope=other))
    store.keep(replace(step(), said=secret), spent())
    store.opine(Opinion("slack:E1", ROOM, "slack:T1/U1", 1, secret, NOW))
    await store.end("slack:E1", turns=[Said("slack:E1", "assistant", secret, NOW)])

    assert await store.erase(**whose) == (0, 0)

    assert list(await store.turns(ROOM, before=None, most=10)) == []
    assert list(await store.steps("slack:E1")) == []
    assert list(await store.opinions()) == []
    assert [row.event for row in await store.take_up("slack")] == ["slack:E2"]
    [kept] = await store.spending("model", since=0)
    assert (kept.calls, kept.answers) == (1, 1)
    await store.end("slack:E1", turns=turns())  # an answer that was under way meanwhile
    await store.keep(step(), spent())
    assert await store.erase(**whose) == (0, 0)
    words = b"".join(f.read_bytes() for f in (tmp_path / "data").iterdir())
    assert secret.encode() not in words


async def test_old_rows_go_each_kind_in_its_time_but_never_what_is_unfinished(store: Store) -> None:
    """A question that waits for the bot to start again is not old, it is waiting."""
    await store.accept(accepted())
    await store.accept(accepted("slack:E2"))
    store.keep(step(), spent())
    await store.end("slack:E1", turns=turns())
    future = time.time() + 1

    await store.expire({"ledger": NOW - 1, "turns": NOW - 1, "inbox": NOW - 1})
    assert len(await store.turns(ROOM, before=None, most=9)) == 2
    gone = await store.expire({"ledger": future, "turns": future, "inbox": future})

    assert gone == 1 + 2 + 1 + 1
    assert [row.event for row in await store.take_up("slack")] == ["slack:E2"]
    assert list(await store.steps("slack:E1")) == []


async def test_a_backup_is_whole_and_made_while_others_write(store: Store, tmp_path: Path) -> None:
    """Nobody stops a bot to save its memory."""
    await asyncio.gather(*[store.accept(accepted(f"slack:E{number}")) for number in range(200)])
    more = [store.accept(accepted(f"slack:F{number}")) for number in range(50)]
    await store.back_up(tmp_path / "saved.db")
    (tmp_path / "restored").mkdir()
    (tmp_path / "saved.db").rename(tmp_path / "restored" / "moabot.db")
    await asyncio.gather(*more)

    async with opened(tmp_path / "restored", alone=True) as restored:
        assert len(await restored.take_up("slack")) >= 200
        assert list(await restored.check()) == []
    with pytest.raises(StoreError, match="Name a new one"):
        await store.back_up(tmp_path / "data" / "moabot.db")


@pytest.mark.parametrize(
    "broken",
    [{"seed": "no bytes", "at": None}, {"text": "\ud800"}, {"tries": 2**70}],
    ids=["types", "no Unicode", "a giant"],
)
async def test_one_impossible_write_costs_no_other_in_its_commit(
    store: Store, broken: dict[str, object]
) -> None:
    """Writes of many answers share a commit; one of them must not take the others down."""
    bad = replace(accepted("slack:BAD"), **broken)  # type: ignore[arg-type]
    results = await asyncio.gather(
        store.accept(accepted("slack:E1")),
        store.accept(bad),
        store.accept(accepted("slack:E2")),
        return_exceptions=True,
    )

    assert [results[0], results[2]] == [True, True]
    assert isinstance(results[1], StoreError)
