"""`moabot cache` as an administrator runs it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.cache.conftest import answer, asking
from typer.testing import CliRunner

from moabot.cli import app
from moabot.cli.hits import Hits
from moabot.store import sqlite
from moabot.store.rows import Tally
from moabot_cache.counts import LOOKUPS
from moabot_cache.semantic import opened
from moabot_cache.settings import Settings

PAIRS = [
    {"a": "How do I change a flat tire?", "b": "How to change a flat tire", "label": 1, "cat": "p"},
    {"a": "How do I enable logging?", "b": "How do I disable logging?", "label": 0, "cat": "trap"},
]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A bot's configuration, with one answer remembered and found twice."""
    data = tmp_path / "data"

    async def fill() -> None:
        async with sqlite.opened(data, alone=True) as store, opened(Settings(), store) as cache:
            await cache.loaded()
            kept = asking("How do I change a flat tire?")
            await cache.keep(kept, answer(), key="k", share="channel")
            for text in ("how do i change a flat tire", "How do I change a round tire?"):
                await cache.find(asking(text), key="k", share="channel")

    asyncio.run(fill())
    path = tmp_path / "config.toml"
    path.write_text(f'data_dir = "{data}"\n')
    return path


def _run(config: Path, *words: str) -> str:
    result = CliRunner().invoke(app, ["--config", str(config), "cache", *words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_stats_tell_hits_refusals_and_size(config: Path) -> None:
    """What the cache is worth is a figure, not a feeling."""
    found = json.loads(_run(config, "stats", "--json"))

    assert found["entries"] == 1
    assert found["hits"] == {"exact": 1, "semantic": 0, "joined": 0, "miss": 1}
    assert found["near_misses"] == 1
    assert sum(found["refusals"].values()) == 1
    assert sum(found["lookups"].values()) == 2


def test_stats_are_drawn_for_people(config: Path) -> None:
    """Tiers, guards, times and days, each with bars."""
    shown = _run(config, "stats")

    assert "1 answer, " in shown
    for title in ("answered from", "refused by guard", "how long it took", "by day"):
        assert title in shown
    assert "█" in shown
    assert "50% of 2" in shown


def test_times_of_lookups_stand_in_their_order() -> None:
    """A histogram whose bars are mixed up shows nothing."""
    names = [name for _, name in reversed(LOOKUPS)]
    hits = Hits([Tally(1, name, 1) for name in names], 0, 0)

    shown = json.loads(json.dumps(hits.record()))
    assert [f"lookup {name}" for name in shown["lookups"]] == [name for _, name in LOOKUPS]


def test_the_share_of_wrong_hits_is_told_as_far_as_it_is_known() -> None:
    """A sample without a new answer says nothing, and nothing is no zero."""
    drawn = [Tally(1, "sampled", 5)]
    compared = [*drawn, Tally(1, "agreed", 3), Tally(1, "disagreed", 1)]
    shown = "\n".join(Hits(compared, 0, 0).lines())

    assert "25.0% of 4 compared differ" in shown
    assert "compared" not in "\n".join(Hits(drawn, 0, 0).lines())
    assert Hits(compared, 0, 0).record()["shadow"] == {"sampled": 5, "agreed": 3, "disagreed": 1}
    assert "sampled" not in "\n".join(Hits([], 0, 0).lines())


def test_explain_names_what_forbids_each_candidate(config: Path) -> None:
    """Why did it not answer from the cache? is asked daily."""
    found = json.loads(_run(config, "explain", "--json", "How do I not change a flat tire?"))

    (candidate,) = found["candidates"]
    assert candidate["question"] == "How do I change a flat tire?"
    assert "negation" in candidate["guards"]
    assert candidate["needed"] == 0.80, "what it would take without the guard is told too"
    assert not candidate["hit"]
    assert "given" in _run(config, "explain", "How to change a flat tire?")


def test_flush_takes_a_channel_s_answers_away(config: Path) -> None:
    """And only those."""
    assert _run(config, "flush", "--channel", "slack:T1/C9").startswith("0 ")
    assert _run(config, "flush", "--channel", "slack:T1/C1").startswith("1 ")


def test_tune_measures_an_administrator_s_own_pairs(config: Path, tmp_path: Path) -> None:
    """The record's shape is a promise to scripts."""
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text("\n".join(map(json.dumps, PAIRS)))
    picture = tmp_path / "curve.svg"

    found = json.loads(_run(config, "tune", "--pairs", str(pairs), "--json"))
    shown = _run(config, "tune", "--pairs", str(pairs), "--picture", str(picture))

    assert found["default"] == {"hit": 1.0, "wrong": 0.0}
    assert found["categories"] == {
        "p": {"hit": 1.0, "wrong": 0.0},
        "trap": {"hit": 0.0, "wrong": 0.0},
    }
    assert {"caution", "hit", "wrong", "plain"} == set(found["curve"][0])
    assert "as configured" in shown
    assert picture.read_text().startswith("<svg")


def test_a_broken_line_of_pairs_is_named(config: Path, tmp_path: Path) -> None:
    """Ten thousand lines, and one of them is wrong: which?"""
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text(json.dumps(PAIRS[0]) + "\n{}\n")

    result = CliRunner().invoke(
        app, ["--config", str(config), "cache", "tune", "--pairs", str(pairs)]
    )
    assert result.exit_code == 2
    assert "line 2" in result.stderr


@pytest.mark.parametrize(("content", "told"), [(None, "cannot be read"), ("\n\n", "has no pairs")])
def test_pairs_that_are_not_there_are_named(
    content: str | None, told: str, config: Path, tmp_path: Path
) -> None:
    """The message names the file and what a line looks like."""
    pairs = tmp_path / "pairs.jsonl"
    if content is not None:
        pairs.write_text(content)

    result = CliRunner().invoke(
        app, ["--config", str(config), "cache", "tune", "--pairs", str(pairs)]
    )
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())


def test_one_answer_is_counted_as_one() -> None:
    """It is what the first look shows."""
    assert next(Hits((), entries=1, size=0).lines()) == "1 answer, 0.0 MB; saved $0.00"
