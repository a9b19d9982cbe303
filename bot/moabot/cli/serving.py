"""What `moabot run` does: the app and its platforms, opened, served and closed."""

from __future__ import annotations

from moabot.app import opened
from moabot.cli.running import NO_ANSWER, OK
from moabot.config import Config
from moabot.desk import Desk
from moabot.errors import StoreError
from moabot.plugins import Plugins
from moabot.serving import opened_platforms, serve
from moabot_platforms.console.screen import complain

__all__ = ["served"]


async def served(config: Config, plugins: Plugins) -> int:
    """Serve until told to stop; the exit code."""
    before = len(plugins.problems)
    async with (
        opened(config, plugins, keep="all") as app,
        opened_platforms(config, plugins) as platforms,
    ):
        for problem in plugins.problems[before:]:
            complain(problem)
        if app.memory.durable is None:  # keep="all" raises instead
            raise StoreError("The database is not open.", fix="")
        complain(f"Listening on {' and '.join(platforms)}; Ctrl-C stops.")
        lost = await serve(
            platforms,
            Desk(app.answering, app.memory),
            journal=app.memory.durable,
            drain_s=config.store.drain_s,
        )
    for name, error in lost.items():
        complain(f"{name}: {error}")
    return NO_ANSWER if lost else OK
