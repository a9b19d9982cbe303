"""`moabot usage`: what was asked and what it cost, by channel, user, model or strategy."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from moabot.cli.options import Json, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from moabot.cli.sums import Sum

__all__ = ["EXAMPLES", "UsageOptions", "usage"]

EXAMPLES = """\b
Examples:
  moabot usage
  moabot usage --by model --since 7d
  moabot usage --by user --since 2026-11-01 --csv > november.csv
  moabot usage --json | jq '.rows[] | select(.cost_usd > 1)'

\b
"~" marks costs of which a part is estimated (calls that were stopped early),
"+ ?" sums that lack calls of unknown price."""
PIPE_COLUMNS = 1000

By = Annotated[str, typer.Option("--by", metavar="WHAT", help="channel, user, model or strategy.")]
Since = Annotated[
    str, typer.Option("--since", metavar="WHEN", help="A day (2026-11-01), or how long: 7d, 12h.")
]
Csv = Annotated[bool, typer.Option("--csv", help="Print comma-separated values and nothing else.")]


@dataclass(frozen=True)
class UsageOptions:
    """What `moabot usage` can be told."""

    by: By = "channel"
    since: Since = "30d"
    csv: Csv = False
    json: Json = False


@spread(UsageOptions)
def usage(context: typer.Context, options: UsageOptions) -> None:
    """Show what was asked and what it cost, and when."""
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot.cli.storing import read_config, with_store  # noqa: PLC0415 - as above
    from moabot.cli.sums import known_by, since, summed, written_csv  # noqa: PLC0415 - as above
    from moabot_platforms.console.screen import print_json  # noqa: PLC0415 - as above

    with running.told():
        by, begin = known_by(options.by), since(options.since)
        rows = with_store(read_config(context), lambda store: store.spending(by, since=begin))
        sums = summed(rows)
        if options.json:
            print_json({"by": by, "since": begin, "rows": [each.record() for each in sums]})
        elif options.csv:
            sys.stdout.write(written_csv(by, sums))
        else:
            _draw(by, sums)


def _draw(by: str, sums: "Sequence[Sum]") -> None:
    from rich.console import Console  # noqa: PLC0415 - `--help` must stay fast

    if not sums:
        typer.echo("Nothing was asked in this time.")
        return
    Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS).print(_table(by, sums))


def _table(by: str, sums: "Sequence[Sum]") -> "Table":
    from rich.table import Table  # noqa: PLC0415 - `--help` must stay fast
    from rich.text import Text  # noqa: PLC0415 - as above

    from moabot.cli.sums import total  # noqa: PLC0415 - as above
    from moabot_platforms.words import printable  # noqa: PLC0415 - as above

    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column(by, overflow="fold")
    for name in ("answers", "calls", "tokens", "cost"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("over the days", no_wrap=True)
    for each in sums:
        cells = (f"{each.answers:,}", f"{each.calls:,}", f"{each.tokens:,}", each.money())
        table.add_row(Text(printable(each.key or "(erased)")), *cells, Text(each.spark(), "cyan"))
    if len(sums) > 1:
        whole = total(sums)
        # Of one answer several models have a row, so its sum would count it several times.
        answers = "" if by == "model" else f"{whole.answers:,}"
        cells = (answers, f"{whole.calls:,}", f"{whole.tokens:,}", whole.money())
        table.add_row("all", *cells, Text(whole.spark(), "cyan"), style="bold")
    return table
