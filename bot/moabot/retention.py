"""Deletes rows that are older than `[store.keep_days]`, whether or not anybody asks anything."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from moabot.errors import StoreError
from moabot.store.rows import Kind
from moabot.store.settings import KeepDays

__all__ = ["expiring"]

log = logging.getLogger("moabot")
HOUR_S = 3_600.0
DAY_S = 24 * HOUR_S


@asynccontextmanager
async def expiring(
    expire: Callable[[Mapping[Kind, float]], Awaitable[int]], days: KeepDays
) -> AsyncGenerator[None]:
    """Meanwhile `expire`, a store's, is called: now and each day, after a failure in an hour."""
    task = asyncio.create_task(_again_and_again(expire, days))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _again_and_again(
    expire: Callable[[Mapping[Kind, float]], Awaitable[int]], days: KeepDays
) -> None:
    while True:
        pause_s = DAY_S
        try:
            await expire(_bounds(days))
        except StoreError as error:
            log.warning("old rows stay for now", extra={"error": str(error)})
            pause_s = HOUR_S
        await asyncio.sleep(pause_s)


def _bounds(days: KeepDays) -> Mapping[Kind, float]:
    """Before which time, in seconds since 1970, rows of each kind are old."""
    now = time.time()
    return {
        "inbox": now - days.inbox * DAY_S,
        "turns": now - days.turns * DAY_S,
        "ledger": now - days.ledger * DAY_S,
        "feedback": now - days.feedback * DAY_S,
        "audit": now - days.audit * DAY_S,
        "answers": now,
        "answers_refused": now - days.feedback * DAY_S,
        "answers_gone": now - DAY_S,
    }
