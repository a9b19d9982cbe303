"""A configuration that changed while the bot runs: what can change does, the rest is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeGuard

from moabot.config import Config
from moabot.errors import ConfigError

if TYPE_CHECKING:
    from moabot.app import App

__all__ = ["reload"]

LIVE = ("defaults", "channels", "panels", "prompts", "admission")
"""The tables that are read for each message; the others were read to open something."""
STUCK = "[admission] at_once:"
"""What is not read again of these: answers under way hold places."""


def reload(app: App, new: Config) -> list[str]:
    """Let `app` go on with what can change of `new`; returns a line for each thing that differs.

    Answers under way end as they began. Raises `ConfigError` when `new` cannot be; nothing has
    changed then.
    """
    old = app.config
    missing = sorted(app.lacking(new))
    if missing:
        raise ConfigError(
            f"The panels of the new configuration use models that are not open: {missing}.",
            fix="Start the bot anew to use them.",
        )
    lines = ["No cache is open; one needs a restart."] if app.lacks_cache(new) else []
    live = old.model_copy(update={table: getattr(new, table) for table in LIVE})
    app.adopt(live)
    for table in Config.model_fields:
        differs = _differences(_plain(old, table), _plain(new, table), f"[{table}]")
        if table in LIVE:
            lines += (line + _but(line) for line in differs)
        elif list(differs):
            lines.append(f"[{table}] changed; that needs a restart.")
    return lines


def _but(line: str) -> str:
    return "; that needs a restart." if line.startswith(STUCK) else ""


def _plain(config: Config, table: str) -> object:
    return config.model_dump(mode="json", include={table})[table]


def _differences(old: object, new: object, path: str) -> Iterator[str]:
    """One line for each leaf: [defaults] strategy: 'router' → 'vote'."""
    if old == new:
        return
    if not (_is_table(old) and _is_table(new)):
        yield f"{path}: {old!r} → {new!r}"
        return
    for key in sorted({*old, *new}):
        yield from _differences(old.get(key), new.get(key), f"{path} {key}")


def _is_table(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)
