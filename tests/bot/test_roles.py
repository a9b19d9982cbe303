"""Who may change what, where: every role, every setting, every lock; and no way around it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

from moabot.channels import Channels
from moabot.config import ChannelSettings, parse
from moabot.contract import Asker, Message, Scope
from moabot.errors import ConfigError, Refused
from moabot.store import Store
from moabot.store.sqlite import opened

CHANNEL, WORKSPACE = Scope("slack", "T1", "C1"), Scope("slack", "T1", "")
MANAGER = Asker(CHANNEL, "U2", manages=True)
ROLES = {
    "member": ("U1", False),
    "manager": ("U2", True),
    "admin": ("boss", False),
    "denied": ("bad", True),
    "denied admin": ("fallen", True),
}
VALUES: dict[str, object] = {
    "strategy": "vote",
    "preset": "deep",
    "panel": "other",
    "cache": "off",
    "draft": False,
    "stream": False,
    "show_cost": False,
    "note": "Answer in German.",
    "changes": "everyone",
    "budget_day_usd": "7",
    "budget_month_usd": "7",
    "workspace_day_usd": "7",
    "workspace_month_usd": "7",
}
MONEY = {name for name in VALUES if name.endswith("_usd")}
KEYS = ("slack:T1/C1", "slack:T1/C2", "slack:T1", "slack:T2")


def channels(store: Store, changes: str) -> Channels:
    """Two panels, two admins of whom one was denied, and a lock on every place."""
    config = parse(
        {
            "providers": {"p": {"plugin": "p"}},
            "models": {"m": {"provider": "p", "name": "m"}},
            "panels": {name: {"proposers": [{"model": "m"}]} for name in ("default", "other")},
            "defaults": {"strategy": "single", "changes": changes},
            "admission": {
                "admins": ["slack:T1/boss", "slack:T1/fallen"],
                "deny": {"users": ["slack:T1/bad", "slack:T1/fallen"]},
            },
        },
        source="test",
    )
    return Channels(config, strategies=("single", "vote"), store=store)


def may(role: str, changes: str, name: str, *, here: bool) -> bool:
    """The policy, in other words than the product's."""
    if role == "admin":
        return True
    if role.startswith("denied") or name in MONEY or not here or changes == "admins":
        return False
    return role == "manager" or (changes == "everyone" and name != "changes")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store]:
    """A database."""
    async with opened(tmp_path, alone=True) as made:
        yield made


def test_the_matrix_has_every_setting() -> None:
    """A setting that is added must be thought of here."""
    assert set(VALUES) == set(ChannelSettings.model_fields)


@pytest.mark.parametrize("changes", ["managers", "everyone", "admins"])
async def test_no_role_changes_what_it_may_not(store: Store, changes: str) -> None:
    """Every role, setting and place, from a channel and from the workspace: 0 escapes."""
    known, escapes, locked_out = channels(store, changes), list[object](), list[object]()
    for role, name, key, scope in product(ROLES, VALUES, KEYS, (CHANNEL, WORKSPACE)):
        author, manages = ROLES[role]
        asker = Asker(scope, author, manages=manages)
        here = key == ("slack:T1/C1" if scope is CHANNEL else "slack:T1")
        try:
            await known.change(key, name, VALUES[name], asker=asker)
            done = True
        except Refused:
            done = False
        except ConfigError:  # a workspace's budget set for a channel, by who may set budgets
            assert "/" in key
            assert name.startswith("workspace_")
            done = role == "admin"
        await known.change(key, "changes", None, asker=Asker(scope, "boss"))
        if done != may(role, changes, name, here=here):
            (escapes if done else locked_out).append((role, name, key, scope))

    assert escapes == []
    assert locked_out == []


async def test_who_is_refused_is_told_whom_to_ask_and_nothing_is_written(store: Store) -> None:
    """In the audit stands what was changed, by whom."""
    known = channels(store, "managers")
    with pytest.raises(Refused, match="those who manage this place"):
        await known.change("slack:T1/C1", "preset", "deep", asker=Asker(CHANNEL, "U1"))
    with pytest.raises(Refused, match=r"Please ask the bot's admin\."):
        await known.change("slack:T1/C1", "budget_day_usd", 9, asker=MANAGER)
    await known.change("slack:T1/C1", "preset", "deep", asker=MANAGER)

    assert [(change.name, change.who) for change in await store.changes("slack:T1/C1")] == [
        ("preset", "slack:T1/U2")
    ]


async def test_a_workspace_s_lock_holds_in_its_channels(store: Store) -> None:
    """A channel's manager cannot open what the whole workspace closed."""
    known = channels(store, "everyone")
    await known.change("slack:T1", "changes", "admins", asker=Asker(WORKSPACE, "boss"))

    for name in ("preset", "changes"):
        with pytest.raises(Refused, match="fixed"):
            await known.change("slack:T1/C1", name, VALUES[name], asker=MANAGER)


async def test_a_lock_closes_what_a_channel_had_opened_before(store: Store) -> None:
    """Whoever locks a workspace does not look through its channels first."""
    known = channels(store, "managers")
    await known.change("slack:T1/C1", "changes", "everyone", asker=Asker(CHANNEL, "boss"))
    await known.change("slack:T1/C1", "preset", "deep", asker=Asker(CHANNEL, "U1"))
    await known.change("slack:T1", "changes", "admins", asker=Asker(WORKSPACE, "boss"))

    with pytest.raises(Refused, match="fixed"):
        await known.change("slack:T1/C1", "preset", "fast", asker=Asker(CHANNEL, "U1"))


async def test_a_wish_widens_no_purse_and_opens_no_lock(store: Store) -> None:
    """The other way in: what a message asks for itself, on any platform."""
    known = channels(store, "managers")
    await known.change("slack:T1/C1", "budget_day_usd", "5", asker=Asker(CHANNEL, "boss"))
    message = Message("slack", "T1", "C1", "U1", "Hello", "E1")

    wished = await known.settings(message, ChannelSettings.model_validate(VALUES))

    assert wished.budget_day_usd == Decimal(5)
    assert wished.workspace_month_usd is None
    assert (wished.changes, wished.preset, wished.note) == ("managers", "deep", "Answer in German.")


async def test_a_workspace_s_purse_in_a_channel_is_found_at_the_start(store: Store) -> None:
    """It would look like a limit and be none."""
    table = {
        "providers": {"p": {"plugin": "p"}},
        "models": {"m": {"provider": "p", "name": "m"}},
        "panels": {"default": {"proposers": [{"model": "m"}]}},
        "channels": {"slack:T1/C1": {"workspace_day_usd": 5}},
    }

    with pytest.raises(ConfigError, match=r"slack:T1/C1: workspace_day_usd.*Set it for 'slack:T1'"):
        Channels(parse(table, source="test"), strategies=("router",), store=store)
