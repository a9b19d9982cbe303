"""The workspaces that people let one platform into, for platforms that are installed by many."""

from __future__ import annotations

import time
from collections.abc import Sequence

from moabot.store import Store
from moabot.store.rows import Installation

__all__ = ["Installations"]


class Installations:
    """Those of one platform; it sees no other's. Every verb raises `StoreError`.

    What opens a workspace comes `sealed`: the platform alone has the key, so that neither the
    database nor its backups let anybody in.
    """

    def __init__(self, store: Store, platform: str) -> None:
        self._store = store
        self._platform = platform

    async def find(self, workspace: str) -> Installation | None:
        """That of one workspace; None where it is not installed."""
        found = await self._store.installations(self._platform, workspace)
        return found[0] if found else None

    async def all(self) -> Sequence[Installation]:
        """All of them, by workspace."""
        return await self._store.installations(self._platform)

    async def keep(
        self, workspace: str, *, bot: str, sealed: bytes, at: float | None = None
    ) -> None:
        """Keep one, in the place of an older one. `at` is in seconds since 1970, or now."""
        now = time.time() if at is None else at
        await self._store.install(Installation(self._platform, workspace, bot, sealed, now))

    async def forget(self, workspace: str, *, before: float) -> bool:
        """Forget one; False when there is none, or it was installed after that time."""
        return await self._store.uninstall(self._platform, workspace, before=before)
