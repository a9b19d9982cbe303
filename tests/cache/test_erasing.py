"""What somebody asked is forgotten on demand: rows, vectors in memory, and after a restart."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest
from tests.cache.conftest import answer, arrived, asking

from moabot.contract import Question, Scope
from moabot.store import sqlite
from moabot_cache.semantic import SemanticCache, opened
from moabot_cache.settings import Settings
from moabot_cache.verifier import Near

ANN, BOB = "How do I change a flat tire?", "How do I sharpen a kitchen knife?"
NEAR = ("How to change a flat tire", "How to sharpen a kitchen knife")
ROOMS = {"ann": Scope("slack", "T1", "C1"), "bob": Scope("slack", "T1", "C2")}

Command = Callable[..., Awaitable[str]]
LATER = 4e9
MOABOT = str(Path(sys.executable).with_name("moabot"))


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs a command on the database, as an administrator does beside the bot."""
    config = tmp_path / "config.toml"
    config.write_text(f'data_dir = "{tmp_path}"\n')

    async def run(*words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            MOABOT, "--config", str(config), *words, stdout=asyncio.subprocess.PIPE
        )
        told, _ = await process.communicate()
        assert process.returncode == 0
        return told.decode()

    return run


async def _open(stack: AsyncExitStack, path: Path) -> SemanticCache:
    store = await stack.enter_async_context(sqlite.opened(path, alone=True))
    cache = await stack.enter_async_context(opened(Settings(), store))
    for question in (_by("ann", ANN, "slack:1"), _by("bob", BOB, "slack:2")):
        await store.accept(arrived(question))
    await cache.loaded()
    return cache


def _by(author: str, text: str, event: str = "") -> Question:
    return asking(text, scope=ROOMS[author], author=author, event=event)


async def _vectors(cache: SemanticCache) -> int:
    cache.look_again()
    await cache.find(_by("bob", "Anything else?"), key="k", share="channel")
    return await cache._worker.run(
        lambda: sum(len(index) for index in cache._worker._indexes.values())
    )


@pytest.mark.parametrize("whom", [("--user", "slack:T1/ann"), ("--channel", "slack:T1/C1")])
async def test_erasing_leaves_no_row_and_no_vector(
    whom: tuple[str, str], tmp_path: Path, command: Command
) -> None:
    """Beside the bot that runs, and in the one that is started next."""
    async with AsyncExitStack() as stack:
        cache = await _open(stack, tmp_path)
        await cache.keep(_by("ann", ANN, "slack:1"), answer(), key="k", share="channel")
        await cache.keep(_by("bob", BOB, "slack:2"), answer(), key="k", share="channel")
        before = await _vectors(cache)
        told = await command("erase", *whom, "--yes")
        after = await _vectors(cache)
        erased = await cache.find(_by("ann", NEAR[0]), key="k", share="channel")
        other = await cache.find(_by("bob", NEAR[1]), key="k", share="channel")
    async with AsyncExitStack() as stack:
        restarted = await _vectors(await _open(stack, tmp_path))

    assert told.startswith(f"Erased {whom[1]}: 0 rows and 0 vectors left.\n")
    assert (before, after, restarted) == (2, 1, 1)
    assert erased is None
    assert other is not None
    with closing(sqlite3.connect(tmp_path / "moabot.db")) as rows:
        assert rows.execute("SELECT author FROM answers").fetchall() == [("bob",)]


@pytest.mark.parametrize("whom", [("--user", "slack:T1/ann"), ("--channel", "slack:T1/C1")])
async def test_an_answer_that_is_under_way_is_erased_too(
    whom: tuple[str, str], tmp_path: Path, command: Command
) -> None:
    """It was asked before, and is kept after: by then nobody would look for it again."""
    asked = _by("ann", ANN, "slack:1")
    async with AsyncExitStack() as stack:
        cache = await _open(stack, tmp_path)
        await cache.keep(_by("bob", BOB, "slack:2"), answer(), key="k", share="channel")
        await cache.find(asked, key="k", share="channel")
        told = await command("erase", *whom, "--yes")
        await cache.keep(asked, answer(), key="k", share="channel")
        await cache.joined(asked, key="k", share="channel")
        vectors = await _vectors(cache)
        found = await cache.find(asked, key="k", share="channel")

    assert told.startswith(f"Erased {whom[1]}: 0 rows and 0 vectors left.\n")
    assert (vectors, found) == (1, None)
    with closing(sqlite3.connect(tmp_path / "moabot.db")) as rows:
        assert rows.execute("SELECT author FROM answers").fetchall() == [("bob",)]
        given = rows.execute("SELECT 1 FROM answers_given WHERE event = 'slack:1'")
        assert given.fetchall() == []


async def test_a_backup_holds_the_answers(tmp_path: Path, command: Command) -> None:
    """They were paid for."""
    async with AsyncExitStack() as stack:
        cache = await _open(stack, tmp_path)
        await cache.keep(_by("ann", ANN), answer(), key="k", share="channel")
    copy = tmp_path / "copy"
    copy.mkdir()

    await command("backup", str(copy / "moabot.db"))

    async with AsyncExitStack() as stack:
        restored = await _open(stack, copy)
        assert await restored.find(_by("ann", NEAR[0]), key="k", share="channel") is not None


async def test_who_deletes_the_question_takes_the_answer_along(tmp_path: Path) -> None:
    """A message that is deleted in the chat is not to come back from the cache."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(sqlite.opened(tmp_path, alone=True))
        cache = await stack.enter_async_context(opened(Settings(semantic=False), store))
        await cache.loaded()
        await store.accept(arrived(_by("ann", ANN, "slack:1")))
        await cache.keep(_by("ann", ANN, "slack:1"), answer(), key="k", share="channel")
        await store.amend("slack:1", None)
        cache.look_again()

        assert await cache.find(_by("ann", ANN), key="k", share="channel") is None


async def test_an_erased_answer_stays_away_when_the_news_of_it_has_expired(tmp_path: Path) -> None:
    """The first message after a quiet day expires the news before the cache has heard it."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(sqlite.opened(tmp_path, alone=True))
        cache = await stack.enter_async_context(opened(Settings(semantic=False), store))
        await cache.loaded()
        await cache.keep(_by("ann", ANN), answer(), key="k", share="channel")
        await cache.keep(_by("bob", BOB), answer(), key="k", share="channel")
        await store.answers.clear("slack:T1/C1")
        await store.expire({"answers_gone": LATER})
        cache.look_again()

        assert await cache.find(_by("ann", ANN), key="k", share="channel") is None
        assert await cache.find(_by("bob", BOB), key="k", share="channel") is not None
        assert len(cache._names) == 1


async def test_who_deletes_the_question_meanwhile_is_not_remembered_either(tmp_path: Path) -> None:
    """Answer or verdict come after the deletion, and would be given to whoever asks next."""
    asked = _by("ann", ANN, "slack:1")
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(sqlite.opened(tmp_path, alone=True))
        cache = await stack.enter_async_context(opened(Settings(semantic=False), store))
        await cache.loaded()
        await store.accept(arrived(asked))
        await store.amend(asked.event, None)
        await cache.keep(asked, answer(), key="k", share="channel")
        assert await cache.find(asked, key="k", share="channel") is None

        await cache.keep(_by("bob", BOB), answer(), key="k", share="channel")
        (place,) = cache._names
        near = Near(asked, "its name", BOB, place, 0.9, "nearness")
        await cache.promote(near, same=True)
        assert (await store.answers.size())[0] == len(cache._names) == 1
