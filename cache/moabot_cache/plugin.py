"""Offers the semantic cache; loads it only when it is opened."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from moabot.hookspecs import hookimpl
from moabot.plugins import Register
from moabot_cache.settings import Settings

if TYPE_CHECKING:
    from moabot.contract import Ask, Cache
    from moabot.store import Store

__all__ = ["moabot_register"]


def open_semantic(settings: Settings, store: Store, ask: Ask) -> AbstractAsyncContextManager[Cache]:
    """The cache on a store that is open."""
    from moabot_cache.semantic import opened

    return opened(settings, store, ask)


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer the cache `semantic`."""
    register.cache("semantic", open_semantic, Settings)
