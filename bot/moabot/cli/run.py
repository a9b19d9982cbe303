"""`moabot run`: the bot in its chats, until it is told to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from moabot.config import Config

__all__ = ["EXAMPLES", "run"]

EXAMPLES = """\b
Examples:
  moabot run
  moabot --config team.toml --log moabot.log run

\b
SIGTERM or Ctrl-C: no new question is taken, answers under way are finished
(at most [store] drain_s seconds), the rest is answered after the next start.
A second Ctrl-C ends it at once. SIGHUP: config.toml is read again, and what
can change while it runs does ([defaults], [channels], [panels], [prompts],
[admission]).

\b
Exit codes:
  0    told to stop
  1    it failed, and may work when it is started again
  2    the configuration is wrong, or a key or token is not set
  3    every chat that ended was lost for good (a revoked token, say)"""


def run(context: typer.Context) -> None:
    """Live in the chats of [platforms] until SIGTERM or Ctrl-C."""
    import asyncio  # noqa: PLC0415 - `--help` must stay fast
    import signal  # noqa: PLC0415 - as above
    from pathlib import Path  # noqa: PLC0415 - as above

    from moabot import config as configuration  # noqa: PLC0415 - as above
    from moabot.app import with_panel  # noqa: PLC0415 - as above
    from moabot.cli import running  # noqa: PLC0415 - as above
    from moabot.cli.logs import log_to_stderr  # noqa: PLC0415 - as above
    from moabot.cli.serving import served  # noqa: PLC0415 - as above

    # It would end the process; it waits until `served` can heed it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    with running.told():
        config, plugins = running.setup(context)
        log_to_stderr()
        path = context.obj if isinstance(context.obj, Path) else None

        def reread() -> Config:
            return with_panel(configuration.load(path), plugins)

        raise typer.Exit(asyncio.run(served(config, plugins, reread=reread)))
