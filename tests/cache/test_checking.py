"""`moabot check` tells how the cache is, and changes nothing by looking."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.cache.conftest import Open, answer, asking

from moabot.checking import look
from moabot.config import parse
from moabot.contract import Answer, Ask, Cache, Question, Share
from moabot.findings import Finding
from moabot.hookspecs import hookimpl
from moabot.plugins import NoSettings, Plugins, Register
from moabot.store import Store, sqlite


async def _check(path: Path, *, guest: object = None, **cache: object) -> list[Finding]:
    """What is found of the cache."""
    config = parse({"data_dir": str(path), "cache": cache}, source="test")
    plugins = Plugins(built_in=("moabot_cache.plugin",), installed=())
    if guest is not None:
        plugins.admit("guest", guest)
    findings: list[Finding] = []
    await look(config, plugins, findings.append, calls=False)
    return [each for each in findings if each.what.startswith("cache")]


async def _fill(open_cache: Open, count: int, **settings: object) -> None:
    async with open_cache(**settings) as cache:
        for number in range(count):
            question = asking(f"How do I fix part number {number} of a bicycle?")
            await cache.keep(question, answer("x" * 1_000), key="k", share="channel")


async def test_size_and_encoder_are_told(open_cache: Open, tmp_path: Path) -> None:
    """Whether other words are found is otherwise seen by nobody."""
    await _fill(open_cache, 3)
    size, encoder = await _check(tmp_path)

    assert (size.state, size.said) == ("ok", "3 answers, 0.0 of 400 MB")
    assert encoder.state == "ok"
    assert encoder.said.startswith("'minilm' is loaded as onnx")


async def test_an_encoder_that_is_not_there_is_an_error_with_its_fix(
    open_cache: Open, tmp_path: Path
) -> None:
    """The bot goes on with repeats alone, and says so in a log that nobody reads."""
    await _fill(open_cache, 1, semantic=False)
    _, encoder = await _check(tmp_path, encoder=str(tmp_path / "nothing"))

    assert encoder.state == "error"
    assert "nothing" in encoder.said
    assert encoder.said.endswith("So only repeats are found.")
    assert encoder.fix


async def test_without_the_semantic_tier_no_encoder_is_missed(
    open_cache: Open, tmp_path: Path
) -> None:
    """It was wanted so."""
    await _fill(open_cache, 1, semantic=False)
    _, encoder = await _check(tmp_path, semantic=False)

    assert (encoder.state, encoder.said) == (
        "ok",
        "not wanted (semantic = false): only repeats are found",
    )


async def test_vectors_of_another_encoder_are_a_warning(open_cache: Open, tmp_path: Path) -> None:
    """They lie there, and are never compared."""
    await _fill(open_cache, 2)
    async with sqlite.opened(tmp_path, alone=True) as store:
        kept = await store.answers.at(1)
        assert kept is not None
        await store.answers.keep(replace(kept, encoder="another"))
    _, _, strange = await _check(tmp_path)

    assert strange.state == "warning"
    assert strange.said.startswith("1 answers have vectors of another encoder")
    assert "flush" in strange.fix


async def test_looking_with_less_room_throws_nothing_away(open_cache: Open, tmp_path: Path) -> None:
    """Only the bot itself knows which of them are asked for."""
    await _fill(open_cache, 25, semantic=False)
    size, _ = await _check(tmp_path, semantic=False, most_mb=0.012)
    async with sqlite.opened(tmp_path, alone=True) as store:
        left, _ = await store.answers.size()

    assert left == 25
    assert size.said.startswith("25 answers")


async def test_what_has_no_room_is_thrown_away_with_the_next_answer(
    open_cache: Open, tmp_path: Path
) -> None:
    """The bot keeps to its bound on disk, too."""
    await _fill(open_cache, 25, semantic=False)
    async with open_cache(semantic=False, most_mb=0.012, scope_share=1) as cache:
        await cache.keep(asking("How do I bake bread?"), answer(), key="k", share="channel")
    async with sqlite.opened(tmp_path, alone=True) as store:
        _, size = await store.answers.size()

    assert size <= 12_000


async def test_a_wrong_setting_of_the_cache_is_named(open_cache: Open, tmp_path: Path) -> None:
    """Before the bot is started with it."""
    await _fill(open_cache, 1, semantic=False)
    (wrong,) = await _check(tmp_path, nearest=7)

    assert wrong.state == "error"
    assert "nearest" in wrong.said


class Mute:
    """A cache that cannot tell how it is."""

    async def find(self, question: Question, *, key: str, share: Share) -> Answer | None:
        """Nothing."""

    async def keep(self, question: Question, answer: Answer, *, key: str, share: Share) -> None:
        """Nothing."""

    async def joined(self, question: Question, *, key: str, share: Share) -> None:
        """Nothing."""

    async def forget(self, event: str) -> None:
        """Nothing."""


class Broken(Mute):
    """One that breaks when it is looked at."""

    async def check(self) -> list[Finding]:
        """Break."""
        raise OSError("nobody knows why")


@dataclass(frozen=True)
class Offering:
    """A plugin with a cache named "guest"."""

    cache: Cache

    @hookimpl
    def moabot_register(self, register: Register) -> None:
        """Offer it."""
        register.cache("guest", self._open)

    def _open(self, settings: NoSettings, store: Store, ask: Ask) -> nullcontext[Cache]:
        return nullcontext(self.cache)


@pytest.mark.parametrize(
    ("cache", "state", "told"),
    [
        (Mute(), "ok", "cannot be looked at more closely"),
        (Broken(), "error", "raised OSError: nobody knows why"),
    ],
    ids=["mute", "broken"],
)
async def test_a_plugin_s_cache_is_looked_at_as_far_as_it_lets(
    tmp_path: Path, cache: Cache, state: str, told: str
) -> None:
    """One that breaks must not hide what else is wrong."""
    async with sqlite.opened(tmp_path, alone=True):
        pass
    (found,) = await _check(tmp_path, guest=Offering(cache), plugin="guest")

    assert found.state == state
    assert told in found.said


@pytest.mark.parametrize(
    ("tables", "told"),
    [({}, True), ({"defaults": {"cache": "off"}}, False)],
    ids=["wanted", "off"],
)
async def test_a_cache_is_looked_at_where_there_is_one(
    tmp_path: Path, tables: Mapping[str, object], *, told: bool
) -> None:
    """Who switched it off does not wait for its encoder; without a database there is none."""
    async with sqlite.opened(tmp_path, alone=True):
        pass
    table = {"data_dir": str(tmp_path), "cache": {"semantic": False}, **tables}
    plugins = Plugins(built_in=("moabot_cache.plugin",), installed=())
    findings: list[Finding] = []
    await look(parse(table, source="test"), plugins, findings.append, calls=False)

    assert any(each.what == "cache" for each in findings) == told
