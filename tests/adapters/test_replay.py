"""Stored answers come back as they were kept, at the pace and with the faults asked for."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path
from statistics import median

import pytest

from moabot.contract import Prompt, Turn
from moabot.errors import ConfigError, ProviderBusy, ProviderRejected
from moabot_providers.replay import ReplaySettings, open_replay

QUESTION = "What is the capital of Australia?"
TEXT = "Canberra is the capital — since 1913."


def _prompt(text: str) -> Prompt:
    return Prompt("", (Turn("user", "earlier"), Turn("assistant", "yes"), Turn("user", text)))


def _now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("text", [QUESTION, f"Be bold.\n\n{QUESTION}\n\nThink.", f"Q: {QUESTION}"])
async def test_a_question_is_found_in_whatever_a_strategy_wrote_around_it(
    answers: Path, text: str
) -> None:
    """Roles, fences and instructions differ by strategy; the stored file need not know them."""
    async with open_replay(ReplaySettings(answers=answers)) as provider:
        done = await provider.complete(_prompt(text), model="a")

    assert (done.text, done.stop) == (TEXT, "end")
    assert done.usage.estimated


async def test_billed_tokens_are_used_and_further_answers_given_in_turn(answers: Path) -> None:
    """A vote asks one model several times and must not hear the same sample each time."""
    async with open_replay(ReplaySettings(answers=answers)) as provider:
        done = [await provider.complete(_prompt("2 + 2\nis what?"), model="b") for _ in range(3)]

    assert [one.text for one in done] == ["4", "four", "4"]
    assert (done[0].usage.input_tokens, done[0].usage.output_tokens) == (9, 1)
    assert [one.usage.estimated for one in done] == [False, True, False]


async def test_a_question_without_an_answer_says_which_file_lacks_it(answers: Path) -> None:
    """An evaluation must not count a hole in its data as a model's failure."""
    async with open_replay(ReplaySettings(answers=answers)) as provider:
        with pytest.raises(ProviderRejected, match=r"answers\.jsonl"):
            await provider.complete(_prompt("Who knows?"), model="a")


@pytest.mark.virtual_time
async def test_latency_follows_the_median_and_the_tail_that_were_asked_for(answers: Path) -> None:
    """The stragglers of an evaluation are what its deadlines and hedges are judged by."""
    settings = ReplaySettings(answers=answers, seconds=3, p95_s=12)
    taken: list[float] = []
    async with open_replay(settings) as provider:
        for _ in range(400):
            begun = _now()
            await provider.complete(_prompt(QUESTION), model="a")
            taken.append(_now() - begun)

    assert median(taken) == pytest.approx(3, rel=0.15)
    assert sorted(taken)[380] == pytest.approx(12, rel=0.3)


@pytest.mark.virtual_time
async def test_a_listener_hears_the_text_grow_over_the_latency(answers: Path) -> None:
    """A demonstration that shows everything at its end shows no streaming."""
    heard: list[tuple[float, str]] = []
    begun = _now()
    async with open_replay(ReplaySettings(answers=answers, seconds=8)) as provider:
        await provider.complete(
            _prompt(QUESTION), model="a", wrote=lambda piece: heard.append((_now(), piece))
        )

    assert "".join(piece for _, piece in heard) == TEXT
    assert len(heard) == 8
    assert heard[0][0] - begun == pytest.approx(1, abs=0.1)
    assert heard[-1][0] - begun == pytest.approx(8)


@pytest.mark.virtual_time
async def test_faults_come_as_often_as_asked_and_the_same_way_again(answers: Path) -> None:
    """Two policies are compared on the same course of events, or not at all."""

    async def fates(seed: int) -> str:
        settings = ReplaySettings(answers=answers, fail=0.3, hang=0.2, seed=seed)
        async with open_replay(settings) as provider:
            return "".join(
                [await _fate(provider.complete(_prompt(QUESTION), model="a")) for _ in range(300)]
            )

    first, again, other = await fates(1), await fates(1), await fates(2)

    assert first == again != other
    assert first.count("f") / 300 == pytest.approx(0.3, abs=0.08)
    assert first.count("h") / 300 == pytest.approx(0.2, abs=0.08)


async def _fate(call: object) -> str:
    assert asyncio.iscoroutine(call)
    try:
        async with asyncio.timeout(60):
            await call
    except ProviderBusy:
        return "f"
    except TimeoutError:
        return "h"
    return "."


@pytest.fixture
def packed(answers: Path) -> Path:
    """The same file, packed."""
    file = answers.with_suffix(".jsonl.gz")
    file.write_bytes(gzip.compress(answers.read_bytes()))
    return file


async def test_a_packed_file_is_read_too(packed: Path) -> None:
    """Ten thousand answers are shipped packed."""
    async with open_replay(ReplaySettings(answers=packed)) as provider:
        assert (await provider.complete(_prompt(QUESTION), model="a")).text == TEXT


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"model": "a", "prompt": "q"}', "line 5: text: Field required"),
        ("{", "line 5: row: Invalid JSON"),
    ],
)
async def test_a_wrong_line_is_named(answers: Path, line: str, words: str) -> None:
    """In a file of ten thousand lines, "invalid" helps nobody."""
    with answers.open("a", encoding="utf-8") as file:
        file.write(line + "\n")

    with pytest.raises(ConfigError, match=words):
        async with open_replay(ReplaySettings(answers=answers)):
            pass


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The path is the usual mistake."""
    with pytest.raises(ConfigError, match="nowhere"):
        async with open_replay(ReplaySettings(answers=tmp_path / "nowhere.jsonl")):
            pass


def test_a_tail_must_lie_beyond_the_median(tmp_path: Path) -> None:
    """A lognormal with its 95th percentile below its median does not exist."""
    with pytest.raises(ValueError, match="p95_s is 1"):
        ReplaySettings(answers=tmp_path, seconds=2, p95_s=1)
