"""`moabot cache`: what it saved, what it would give, how well it tells questions apart."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moabot.cli.options import Json, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moabot.config import Config
    from moabot.store import Store
    from moabot_cache.explaining import Candidate
    from moabot_cache.settings import Settings
    from moabot_cache.tuning import Tuned

__all__ = ["cache"]

EXAMPLES = """\b
Examples:
  moabot cache stats
  moabot cache explain "How do I reset my password?"
  moabot cache tune --pairs pairs.jsonl --picture curve.svg
  moabot cache flush --channel slack:T1/C1"""

cache = typer.Typer(
    no_args_is_help=True,
    help="Look into remembered answers, or throw them away.",
    epilog=EXAMPLES,
    rich_markup_mode=None,
)

Channel = Annotated[
    str | None,
    typer.Option(
        "--channel",
        metavar="CHANNEL",
        help='Only answers asked for there, as "platform:workspace/channel".',
        show_default=False,
    ),
]
Since = Annotated[
    str, typer.Option("--since", metavar="WHEN", help="A day (2026-11-01), or how long: 7d, 12h.")
]
Words = Annotated[list[str], typer.Argument(metavar="QUESTION", help="What somebody may ask.")]
Pairs = Annotated[
    Path,
    typer.Option("--pairs", metavar="FILE", help='JSON lines: {"a", "b", "label", "cat"}.'),
]
Picture = Annotated[
    Path | None,
    typer.Option("--picture", metavar="FILE", help="Draw the curve as SVG.", show_default=False),
]


@dataclass(frozen=True)
class StatsOptions:
    """What `moabot cache stats` can be told."""

    since: Since = "30d"
    json: Json = False


@dataclass(frozen=True)
class FlushOptions:
    """What `moabot cache flush` can be told."""

    channel: Channel = None


@dataclass(frozen=True)
class ExplainOptions:
    """What `moabot cache explain` can be told."""

    words: Words
    json: Json = False


@dataclass(frozen=True)
class TuneOptions:
    """What `moabot cache tune` can be told."""

    pairs: Pairs
    picture: Picture = None
    json: Json = False


@cache.command("stats")
@spread(StatsOptions)
def stats(context: typer.Context, options: StatsOptions) -> None:
    """Show hits by tier, refusals by guard, money saved, and size."""
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot.cli.hits import Hits  # noqa: PLC0415 - as above
    from moabot.cli.storing import read_config, with_store  # noqa: PLC0415 - as above
    from moabot.cli.sums import since  # noqa: PLC0415 - as above
    from moabot_platforms.console.screen import print_json  # noqa: PLC0415 - as above

    with running.told():
        begin = since(options.since)

        async def look(store: "Store") -> Hits:
            tallies = await store.answers.tallies(since=begin)
            return Hits(tallies, *await store.answers.size())

        hits = with_store(read_config(context), look)
        if options.json:
            print_json(hits.record())
            return
        for line in hits.lines():
            typer.echo(line)


@cache.command("flush")
@spread(FlushOptions)
def flush(context: typer.Context, options: FlushOptions) -> None:
    """Throw remembered answers away.

    A running bot knows within a second.
    """
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot.cli.storing import read_config, with_store  # noqa: PLC0415 - as above

    with running.told():

        async def clear(store: "Store") -> int:
            return await store.answers.clear(options.channel)

        gone = with_store(read_config(context), clear)
        where = f" of {options.channel}" if options.channel else ""
        typer.echo(f"{gone:,} remembered answers{where} are gone.")


@cache.command("explain")
@spread(ExplainOptions)
def explain(context: typer.Context, options: ExplainOptions) -> None:
    """Show what a question would be given, and what forbids the rest."""
    import asyncio  # noqa: PLC0415 - `--help` must stay fast

    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot.cli.storing import read_config, with_store  # noqa: PLC0415 - as above
    from moabot_platforms.console.screen import print_json  # noqa: PLC0415 - as above

    with running.told():
        from moabot_cache.embedder import opened  # noqa: PLC0415 - as above
        from moabot_cache.explaining import explained  # noqa: PLC0415 - as above

        config = read_config(context)
        settings = _settings(config)
        question = " ".join(options.words)

        async def look(store: "Store") -> "tuple[str, Sequence[Candidate]]":
            encoder = await asyncio.to_thread(opened, settings.encoder)
            return await explained(question, store.answers, encoder, settings=settings)

        why, candidates = with_store(config, look)
        if options.json:
            print_json({"only_exact": why, "candidates": [asdict(each) for each in candidates]})
            return
        if why:
            typer.echo(f"Only an exact repeat can be given: {why}.")
        for each in candidates:
            _show(each)
        if not candidates:
            typer.echo("Nothing is remembered that could be compared.")


def _show(candidate: "Candidate") -> None:
    from moabot_platforms.words import printable  # noqa: PLC0415 - `--help` must stay fast

    verdict = "given" if candidate.hit else "not given"
    typer.echo(f"{verdict:<10} {candidate.cosine:.3f}  {printable(candidate.question)[:100]}")
    reasons = [f"guard {name}" for name in candidate.guards]
    if candidate.cosine < candidate.needed and not candidate.exact:
        reasons.append(f"it takes {candidate.needed:.3f}")
    if candidate.exact:
        reasons = ["the same question"]
    typer.echo(
        f"           {printable(candidate.room)}: {', '.join(reasons) or 'no guard objects'}"
    )


@cache.command("tune")
@spread(TuneOptions)
def tune(context: typer.Context, options: TuneOptions) -> None:
    """Measure hits and wrong hits on pairs of your own.

    Each b is looked up where only its a is kept.
    """
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot.cli.storing import read_config  # noqa: PLC0415 - as above
    from moabot_platforms.console.screen import print_json  # noqa: PLC0415 - as above

    with running.told():
        from moabot_cache.embedder import opened  # noqa: PLC0415 - as above
        from moabot_cache.picture import drawn, plotted  # noqa: PLC0415 - as above
        from moabot_cache.tuning import read_pairs, tuned, verdicts  # noqa: PLC0415 - as above

        settings = _settings(read_config(context))
        pairs = read_pairs(options.pairs)
        judged = verdicts(pairs, opened(settings.encoder))
        found = tuned(judged, nearest=settings.nearest, caution=settings.caution)
        if options.picture is not None:
            options.picture.write_text(drawn(found), encoding="utf-8")
        if options.json:
            print_json(found.record())
            return
        _table(found, settings)
        sys.stdout.write(plotted(found))


def _table(found: "Tuned", settings: "Settings") -> None:
    rows = {f"all, caution = {settings.caution}": found.default, **found.categories}
    typer.echo(f"{'':<44} {'pairs':>7} {'hit':>7} {'wrong':>7}")
    for name, share in rows.items():
        typer.echo(f"{name[:44]:<44} {share.pairs:>7,} {share.hit:>7.1%} {share.wrong:>7.1%}")
    typer.echo(
        f"\n{'caution':<10} {'hit':>7} {'wrong':>7}   cosine alone from 0.92 + caution: {'hit':>7} {'wrong':>7}"
    )
    for step, ours, plain in found.curve:
        typer.echo(
            f"{step:<10.2f} {ours.hit:>7.1%} {ours.wrong:>7.1%}"
            f"                                     {plain.hit:>7.1%} {plain.wrong:>7.1%}"
        )


def _settings(config: "Config") -> "Settings":
    from moabot.validation import validated  # noqa: PLC0415 - `--help` must stay fast
    from moabot_cache.settings import Settings  # noqa: PLC0415 - as above

    return validated(Settings, config.cache.own(), where="[cache]")
