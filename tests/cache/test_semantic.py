"""The cache as the corridor uses it: what it gives, what it never gives, what outlives what."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.cache.conftest import Open, answer, asking

from moabot.contract import Scope

RESET = "How do I reset my password?"


async def test_a_repeat_is_given_without_its_politeness_and_case(open_cache: Open) -> None:
    """People do not type a question twice the same way."""
    async with open_cache() as cache:
        await cache.keep(asking(RESET), answer(), key="k", share="channel")

        again = asking("Hi, how do I  RESET my password please??")
        found = await cache.find(again, key="k", share="channel")

    assert found is not None
    assert (found.text, found.from_cache, found.usage.calls) == ("Like this.", True, 0)
    assert found.asked_at is not None


async def test_other_words_find_the_same_answer(open_cache: Open) -> None:
    """This is what the vectors are for."""
    async with open_cache() as cache:
        await cache.keep(asking("How do I change a flat tire?"), answer(), key="k", share="channel")

        steps = asking("What are the steps to change a flat tire?")
        assert await cache.find(steps, key="k", share="channel") is not None


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        ("How do I enable two-factor login?", "How do I disable two-factor login?"),
        ("How do I install Python 3.11?", "How do I install Python 3.12?"),
        ("How do I convert miles to kilometers?", "How do I convert kilometers to miles?"),
        ("Can I take ibuprofen with coffee?", "Can I not take ibuprofen with coffee?"),
        ("How far is Rome from Paris?", "How far is Rome from Madrid?"),
        ("How do I delete files on Linux?", "How do I delete files on Windows?"),
    ],
)
async def test_a_trap_is_not_given(kept: str, asked: str, open_cache: Open) -> None:
    """A wrong answer costs more than all that a cache saves."""
    async with open_cache() as cache:
        await cache.keep(asking(kept), answer(), key="k", share="channel")

        assert await cache.find(asking(asked), key="k", share="channel") is None


async def test_in_a_thread_only_the_same_history_finds_an_answer(open_cache: Open) -> None:
    """The last message alone means something else in every thread."""
    async with open_cache() as cache:
        question = asking("And how long does it take?", "How do I fly to Rome?", "By plane.")
        await cache.keep(question, answer(), key="k", share="channel")

        other = asking("And how long does it take?", "How do I fly to Oslo?", "By plane.")
        alone = asking("And how long does it take?")
        assert await cache.find(question, key="k", share="channel") is not None
        assert await cache.find(other, key="k", share="channel") is None
        assert await cache.find(alone, key="k", share="channel") is None


async def test_private_rooms_share_with_nobody(open_cache: Open) -> None:
    """Whoever writes to the bot alone trusts that it stays there."""
    direct = Scope("slack", "T1", "D1", private=True)
    async with open_cache() as cache:
        await cache.keep(asking(RESET, scope=direct), answer(), key="k", share="workspace")

        assert await cache.find(asking(RESET), key="k", share="workspace") is None
        assert await cache.find(asking(RESET, scope=direct), key="k", share="workspace") is not None


async def test_a_workspace_shares_when_it_is_told_to(open_cache: Open) -> None:
    """The same question in another channel of one workspace."""
    elsewhere = Scope("slack", "T1", "C2")
    async with open_cache() as cache:
        await cache.keep(asking(RESET), answer(), key="k", share="workspace")

        shared = await cache.find(asking(RESET, scope=elsewhere), key="k", share="workspace")
        apart = await cache.find(asking(RESET, scope=elsewhere), key="k", share="channel")
    assert shared is not None
    assert apart is None


async def test_what_will_not_stay_true_is_not_kept(open_cache: Open) -> None:
    """Tomorrow, today's weather is wrong; and my balance is not yours."""
    async with open_cache() as cache:
        for text in ("What is the weather today?", "What is my balance?"):
            await cache.keep(asking(text), answer(), key="k", share="channel")

            assert await cache.find(asking(text), key="k", share="channel") is None


async def test_answers_outlive_the_process_in_both_tiers(open_cache: Open) -> None:
    """A restart must not cost what was paid for."""
    async with open_cache() as cache:
        await cache.keep(asking("How do I change a flat tire?"), answer(), key="k", share="channel")
    async with open_cache() as cache:
        for text in ("how do I change a flat tire", "How to change a flat tire?"):
            assert await cache.find(asking(text), key="k", share="channel") is not None


async def test_rows_that_another_process_removed_are_not_given(
    open_cache: Open, tmp_path: Path
) -> None:
    """`moabot erase` runs beside the bot; what it deleted must not come out of memory."""
    async with open_cache() as cache:
        await cache.keep(asking(RESET), answer(), key="k", share="channel")
        with sqlite3.connect(tmp_path / "moabot.db") as other:
            other.execute("DELETE FROM answers")
        cache.look_again()

        assert await cache.find(asking(RESET), key="k", share="channel") is None
        assert (
            await cache.find(asking("How can I reset my password"), key="k", share="channel")
            is None
        )


async def test_vectors_of_another_encoder_are_never_compared(
    open_cache: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A cosine between two models' vectors means nothing; an exact repeat still means the same."""
    kept = asking("How do I change a flat tire?")
    async with open_cache() as cache:
        await cache.keep(kept, answer(), key="k", share="channel")
    with sqlite3.connect(tmp_path / "moabot.db") as other:
        other.execute("UPDATE answers SET encoder = 'another'")
    async with open_cache() as cache:
        assert await cache.find(kept, key="k", share="channel") is not None
        near = asking("How to change a flat tire?")
        assert await cache.find(near, key="k", share="channel") is None
    assert "cache has vectors of another encoder" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "x" * 100_000,
        "\x00\x07\u202e",
        "Wie setze ich mein Passwort zurück?",
        "パスワードをリセットするには",
        "\ud800",
        "!!! ... ???",
    ],
    ids=["empty", "mark", "100 kB", "control", "German", "Japanese", "surrogate", "points"],
)
async def test_strange_questions_are_found_exactly_or_not_at_all(
    text: str, open_cache: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """Bad input is a miss, never a wrong answer or a crash; nor is it one when it was kept."""
    async with open_cache() as cache:
        await cache.keep(asking(RESET), answer(), key="k", share="channel")
        assert await cache.find(asking(text), key="k", share="channel") is None

        await cache.keep(asking(text), answer("Strange."), key="k", share="channel")
        again = await cache.find(asking(text), key="k", share="channel")
        other = await cache.find(asking(RESET), key="k", share="channel")
    assert (again.text if again is not None else "Strange.") == "Strange."
    assert "cache fails" not in caplog.messages
    assert other is not None
    assert other.text == "Like this."


async def test_an_index_whose_rows_are_gone_gives_nothing(
    open_cache: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody mended the database by hand; the log says what was found, and it is found once."""
    near = asking("How to change a flat tire?")
    async with open_cache() as cache:
        await cache.keep(asking("How do I change a flat tire?"), answer(), key="k", share="channel")
        with closing(sqlite3.connect(tmp_path / "moabot.db")) as other:
            other.execute("DROP TRIGGER answers_leave")
            other.execute("DELETE FROM answers")
            other.commit()

        assert await cache.find(near, key="k", share="channel") is None
        assert await cache.find(near, key="k", share="channel") is None
    assert caplog.text.count("cache had a question without its row") == 1


async def test_no_more_is_kept_than_may_be(open_cache: Open) -> None:
    """What grows without bound fills the disk one day."""
    async with open_cache(most_mb=0.012, scope_share=1) as cache:  # 10 rows of 1.2 kB
        for number in range(25):
            question = asking(f"How do I fix part number {number} of a bicycle?")
            await cache.keep(question, answer(), key="k", share="channel")

        found = [
            await cache.find(
                asking(f"How do I fix part number {number} of a bicycle?"), key="k", share="channel"
            )
            for number in range(25)
        ]
    assert sum(each is not None for each in found) == 10


async def test_less_room_after_a_restart_is_kept_to(open_cache: Open) -> None:
    """An administrator lowers the bound because the disk is full."""
    async with open_cache() as cache:
        for number in range(25):
            question = asking(f"How do I fix part number {number} of a bicycle?")
            await cache.keep(question, answer(), key="k", share="channel")
    async with open_cache(most_mb=0.012, scope_share=1) as cache:
        found = [
            await cache.find(
                asking(f"How do I fix part number {number} of a bicycle?"), key="k", share="channel"
            )
            for number in range(25)
        ]
    assert sum(each is not None for each in found) == 10


async def test_one_person_cannot_fill_it_all(open_cache: Open) -> None:
    """Neither by mistake nor to push wrong answers to others."""
    async with open_cache(author_a_day=2) as cache:
        texts = [f"How do I fix part number {number} of a bicycle?" for number in range(4)]
        for text in texts:
            await cache.keep(asking(text), answer(), key="k", share="channel")
        await cache.keep(asking(RESET, author="bob"), answer(), key="k", share="channel")

        found = [
            await cache.find(asking(text), key="k", share="channel") for text in [*texts, RESET]
        ]
    assert [each is not None for each in found] == [True, True, False, False, True]


async def test_an_encoder_that_is_missing_leaves_the_exact_tier(
    open_cache: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong path in the configuration must not cost the repeats too."""
    async with open_cache(encoder=str(tmp_path / "nowhere")) as cache:
        await cache.keep(asking(RESET), answer(), key="k", share="channel")

        assert await cache.find(asking(RESET), key="k", share="channel") is not None
    assert "without semantic tier" in caplog.text


async def test_a_damaged_row_is_a_miss(open_cache: Open, tmp_path: Path) -> None:
    """Neither a crash nor half an answer."""
    async with open_cache() as cache:
        await cache.keep(asking(RESET), answer(), key="k", share="channel")
    with sqlite3.connect(tmp_path / "moabot.db") as other:
        other.execute("UPDATE answers SET answer = '{'")
    async with open_cache() as cache:
        assert await cache.find(asking(RESET), key="k", share="channel") is None


async def test_few_in_memory_are_enough(open_cache: Open) -> None:
    """What memory does not hold is read from the store."""
    async with open_cache(hot=1) as cache:
        for text in (RESET, "How do I change a flat tire?"):
            await cache.keep(asking(text), answer(text), key="k", share="channel")

        found = await cache.find(asking(RESET), key="k", share="channel")
    assert found is not None
    assert found.text == RESET


async def test_a_store_that_fails_makes_misses(open_cache: Open, tmp_path: Path) -> None:
    """The cache may fail; the person is answered all the same."""
    async with open_cache() as cache:
        with sqlite3.connect(tmp_path / "moabot.db") as other:
            other.execute("ALTER TABLE answers RENAME TO elsewhere")
        await cache.keep(asking(RESET), answer(), key="k", share="channel")
        await cache.forget("slack:1")

        assert await cache.find(asking(RESET), key="k", share="channel") is None


async def test_a_cache_that_is_closed_finds_and_keeps_nothing(
    open_cache: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """Answers that end while the bot stops are given all the same."""
    async with open_cache() as cache:
        await cache.keep(asking(RESET), answer(), key="k", share="channel")
    cache.look_again()

    assert await cache.find(asking(RESET), key="k", share="channel") is None
    await cache.keep(asking("How do I change a flat tire?"), answer(), key="k", share="channel")
    await cache.forget("slack:1")
    assert caplog.messages.count("cache fails") == 3
