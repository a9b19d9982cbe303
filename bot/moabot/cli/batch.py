"""`moabot batch`: a file of questions to a file of answers."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moabot.cli.options import Panel, Preset, Strategy, spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moabot.app import App
    from moabot.cli.progress import Progress
    from moabot.cli.rows import Kept, Row
    from moabot.config import ChannelSettings

__all__ = ["EXAMPLES", "BatchOptions", "batch"]

EXAMPLES = """\b
Examples:
  moabot batch questions.jsonl answers.jsonl
  moabot batch --preset fast --concurrency 32 in.jsonl out.jsonl

\b
A line of IN:  {"id": "q1", "question": "Why is the sky blue?"}
A line of OUT: the same, with what `moabot ask --json` prints, or with
               "error" when no answer could be given.
Without an id, the line's number is used. Other keys are kept."""


@dataclass(frozen=True)
class BatchOptions:
    """What `moabot batch` can be told."""

    questions: Annotated[
        Path, typer.Argument(metavar="IN.jsonl", help="Questions, one JSON object a line.")
    ]
    answers: Annotated[
        Path, typer.Argument(metavar="OUT.jsonl", help="Answers, in the order they are ready.")
    ]
    concurrency: Annotated[
        int, typer.Option(min=1, max=1024, metavar="N", help="Questions under way at once.")
    ] = 8
    strategy: Strategy = None
    preset: Preset = "max"
    panel: Panel = None


@spread(BatchOptions)
def batch(context: typer.Context, options: BatchOptions) -> None:
    """Answer every question of a file; resumable.

    Given again, the same command asks only what was not answered before. The preset is max
    unless you choose another. The exit code is 0 when every row is answered, else 1.
    """
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot.cli.progress import Progress  # noqa: PLC0415 - as above
    from moabot.cli.rows import Kept, checked, survey  # noqa: PLC0415 - as above

    with running.told():
        config, plugins = running.setup(context)
        wish = running.wished(options.strategy, options.preset, options.panel, quiet=True)
        checked(options.questions, options.answers)
        with Kept(options.answers) as kept:
            found = survey(options.questions, kept.done)
            with Progress(found, questions=options.questions) as progress:
                running.run(
                    config, plugins, Work(options, kept, progress, wish).run, keep="spending"
                )
        raise typer.Exit(running.OK if progress.complete else running.NO_ANSWER)


class Work:
    """The questions that are left, answered by several workers at once."""

    def __init__(
        self, options: BatchOptions, kept: "Kept", progress: "Progress", wish: "ChannelSettings"
    ) -> None:
        self._options = options
        self._kept = kept
        self._progress = progress
        self._wish = wish

    async def run(self, app: "App") -> None:
        """Answer them all; raises what stops the whole batch (a full disk, a wrong setting)."""
        import asyncio  # noqa: PLC0415 - `--help` must stay fast

        from moabot.cli.rows import left  # noqa: PLC0415 - as above
        from moabot.errors import MoabotError  # noqa: PLC0415 - as above

        rows = left(self._options.questions, self._kept.done)
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(self._options.concurrency):
                    workers.create_task(self._drain(app, rows))
        except ExceptionGroup as several:
            foreseen, others = several.split(MoabotError)
            if foreseen is None or others is not None:
                raise
            raise foreseen.exceptions[0] from None

    async def _drain(self, app: "App", rows: "Iterator[Row]") -> None:
        for row in rows:
            await self._answer(app, row)

    async def _answer(self, app: "App", row: "Row") -> None:
        from moabot.errors import ConfigError, PluginError  # noqa: PLC0415 - as above
        from moabot.record import record  # noqa: PLC0415 - as above
        from moabot_platforms.console.chat import terminal_message  # noqa: PLC0415 - as above
        from moabot_platforms.console.plain import KeptReply  # noqa: PLC0415 - as above

        reply = KeptReply()
        await app.answering.handle(terminal_message(row.question), reply, wish=self._wish)
        if isinstance(reply.error, ConfigError | PluginError):
            raise reply.error  # no row's fault: every other row would fail the same way
        if reply.answer is not None:
            self._kept.keep(row, record(reply.answer))
            self._progress.answered(reply.answer.usage)
        else:
            self._kept.keep(row, {"error": str(reply.error)})
            self._progress.failed(row.line, str(reply.error))
