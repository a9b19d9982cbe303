"""Opens what outlives a process: nothing, what is spent, or all that the bot must remember."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from moabot.config import Config
from moabot.errors import StoreError
from moabot.journal import DurableJournal, Journal, PassingJournal
from moabot.retention import expiring
from moabot.store import Store

__all__ = ["Keep", "Memory", "remembering", "stored"]

Keep = Literal["nothing", "spending", "most", "all"]
"""What is to outlive the process. "most" is "all" if it can be, else what can be."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered, and where; `problem` tells why it is less than was wanted."""

    journal: Journal
    durable: DurableJournal | None = None
    store: Store | None = None
    problem: StoreError | None = None


@asynccontextmanager
async def remembering(config: Config, keep: Keep) -> AsyncGenerator[Memory]:
    """Open as much memory as is wanted; only "all" raises `StoreError` when it cannot be had."""
    async with AsyncExitStack() as stack:
        problem = None
        if keep in {"most", "all"}:
            try:
                store = await stack.enter_async_context(_kept(config, alone=True))
            except StoreError as error:
                if keep == "all":
                    raise
                problem = error
            else:
                durable = DurableJournal(store)
                yield Memory(durable, durable, store)
                return
        if keep != "nothing" and _is_home(config):
            try:
                store = await stack.enter_async_context(_kept(config, alone=False))
            except StoreError as error:
                problem = problem or error
            else:
                yield Memory(PassingJournal(store), None, store, problem)
                return
        yield Memory(PassingJournal(), problem=problem)


@asynccontextmanager
async def stored(config: Config, *, alone: bool) -> AsyncGenerator[Store]:
    """The database of `config`; the bot itself must be `alone`, commands work beside it."""
    from moabot.store import sqlite  # noqa: PLC0415 - who keeps nothing does not load it

    async with sqlite.opened(
        config.data_dir, alone=alone, keep_free_mb=config.store.keep_free_mb
    ) as store:
        yield store


@asynccontextmanager
async def _kept(config: Config, *, alone: bool) -> AsyncGenerator[Store]:
    """The database, from which meanwhile is deleted what is old."""
    async with stored(config, alone=alone) as store, expiring(store.expire, config.store.keep_days):
        yield store


def _is_home(config: Config) -> bool:
    """Whether the bot lives here: a single question leaves no directory behind just anywhere."""
    chosen = "data_dir" in config.model_fields_set
    return chosen or config.data_dir.exists() or Path("config.toml").exists()
