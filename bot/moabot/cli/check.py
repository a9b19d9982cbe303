"""`moabot check`: whether everything is as it should be, and how to mend what is not."""

import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from moabot.cli.options import Json, spread

if TYPE_CHECKING:
    from moabot.findings import Finding

__all__ = ["EXAMPLES", "CheckOptions", "check"]

EXAMPLES = """\b
Examples:
  moabot check
  moabot check --no-calls
  moabot check --json | jq '.findings[] | select(.state == "error")'

\b
Exit codes:
  0    all is well, or could be better (warnings)
  1    something is wrong"""

SIGNS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "error": ("✗", "red")}

NoCalls = Annotated[
    bool, typer.Option("--no-calls", help="Ask no model for a word, which would cost a little.")
]


@dataclass(frozen=True)
class CheckOptions:
    """What `moabot check` can be told."""

    no_calls: NoCalls = False
    json: Json = False


@spread(CheckOptions)
def check(context: typer.Context, options: CheckOptions) -> None:
    """Check configuration, models, chats, plugins, database, cache, disk and clock.

    Each model is asked for one word.
    """
    import asyncio  # noqa: PLC0415 - `--help` must stay fast

    from moabot.cli import running  # noqa: PLC0415 - as above
    from moabot_platforms.console.screen import print_json  # noqa: PLC0415 - as above

    findings: list[Finding] = []
    with running.told():
        asyncio.run(_look(context, options, findings))
        wrong = any(finding.state == "error" for finding in findings)
        if options.json:
            print_json({"ok": not wrong, "findings": [asdict(each) for each in findings]})
        elif not wrong:
            typer.echo(_verdict(findings))
        raise typer.Exit(running.NO_ANSWER if wrong else running.OK)


async def _look(context: typer.Context, options: CheckOptions, findings: "list[Finding]") -> None:
    from pathlib import Path  # noqa: PLC0415 - `--help` must stay fast

    from moabot.app import load  # noqa: PLC0415 - as above
    from moabot.checking import look  # noqa: PLC0415 - as above
    from moabot.errors import MoabotError  # noqa: PLC0415 - as above
    from moabot.findings import Finding  # noqa: PLC0415 - as above

    def note(finding: Finding) -> None:
        findings.append(finding)
        if not options.json:
            _show(finding)

    try:
        config, plugins = load(context.obj if isinstance(context.obj, Path) else None)
    except MoabotError as error:
        note(Finding("configuration", "error", error.what, error.fix))
        return
    await look(config, plugins, note, calls=not options.no_calls)


def _show(finding: "Finding") -> None:
    from moabot_platforms.words import printable  # noqa: PLC0415 - `--help` must stay fast

    sign, colour = SIGNS[finding.state]
    if not (sys.stdout.encoding or "").lower().startswith("utf"):
        sign = finding.state
    head = typer.style(sign, fg=colour) if sys.stdout.isatty() else sign
    typer.echo(f"{head} {printable(finding.what)}: {printable(finding.said)}")
    if finding.fix:
        typer.echo(f"  → {printable(finding.fix)}")


def _verdict(findings: "list[Finding]") -> str:
    from moabot_platforms.words import counted  # noqa: PLC0415 - `--help` must stay fast

    warnings = sum(finding.state == "warning" for finding in findings)
    return f"All is well, with {counted(warnings, 'warning')}." if warnings else "All is well."
