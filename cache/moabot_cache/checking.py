"""What `moabot check` is told of the cache: its size, and whether other words are found."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from moabot.errors import MoabotError
from moabot.findings import Finding
from moabot_cache.settings import Settings

__all__ = ["encoder", "room"]

ONLY_REPEATS = "only repeats are found"


def room(kept: int, size: int, *, most_mb: float) -> Finding:
    """`size` is in bytes. A full cache is none that is ill."""
    return Finding("cache", "ok", f"{kept:,} answers, {size / 1e6:.1f} of {most_mb:,g} MB")


def encoder(
    settings: Settings, fingerprint: str, loading: asyncio.Future[int] | None
) -> Iterator[Finding]:
    """`loading` is over; it gave how many answers have vectors of another encoder."""
    what = "cache encoder"
    if not settings.semantic:
        yield Finding(what, "ok", f"not wanted (semantic = false): {ONLY_REPEATS}")
        return
    error = None if loading is None or loading.cancelled() else loading.exception()
    if isinstance(error, MoabotError):
        yield Finding(what, "error", f"{error.what} So {ONLY_REPEATS}.", error.fix)
    elif error is not None:
        yield Finding(what, "error", f"broken, so {ONLY_REPEATS}: {error!r}", "See the log.")
    elif loading is not None and not loading.cancelled():
        yield Finding(what, "ok", f"{settings.encoder!r} is loaded as {fingerprint}")
        if strange := loading.result():
            said = f"{strange:,} answers have vectors of another encoder: {ONLY_REPEATS} of them"
            fix = "Wait until they have expired, or run `moabot cache flush`."
            yield Finding(what, "warning", said, fix)
