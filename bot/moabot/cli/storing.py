"""Runs one command on the database, beside a bot that may be running."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import typer

from moabot import config as configuration
from moabot.config import Config
from moabot.errors import StoreError
from moabot.memory import stored
from moabot.store import Store

__all__ = ["read_config", "with_store"]

T = TypeVar("T")


def read_config(context: typer.Context) -> Config:
    """The configuration chosen by `--config`; no key of a provider is needed."""
    return configuration.load(context.obj if isinstance(context.obj, Path) else None)


def with_store(config: Config, work: Callable[[Store], Awaitable[T]]) -> T:
    """Open the database that is there and do `work` on it; raises `StoreError`."""
    if not (config.data_dir / "moabot.db").exists():
        raise StoreError(
            f"There is no database in {str(config.data_dir)!r} yet.",
            fix="`moabot ask`, `moabot chat` and the bot make one; or correct data_dir or --config.",
        )

    async def whole() -> T:
        async with stored(config, alone=False) as store:
            return await work(store)

    return asyncio.run(whole())
