"""The text as it flows, and what happens when Slack does not let it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.adapters.slack.conftest import Bot, is_final, running
from tests.fakes.slack import FakeSlack, Faults, Limits, Post

from moabot.testing import ScriptedProvider, says
from moabot_platforms.markdown import JOINER
from moabot_platforms.slack.stream import settled

ALONE = {"proposers": [{"model": "a"}], "synthesizer": ["a"]}
FAST = {"defaults": {"strategy": "single", "preset": "fast"}}


def _read(posts: list[Post]) -> str:
    """What people read of the answer, without what stands under it."""
    parts: list[str] = []
    for post in posts:
        texts = [str(b["text"]) for b in post.blocks if b["type"] == "markdown"]
        parts += [post.markdown, *texts]
    return "\n".join(part for part in parts if part)


def _words(text: str) -> list[str]:
    return re.sub(r"```\w*|" + JOINER, " ", text).split()


async def _asked(bot: Bot) -> list[Post]:
    asked = bot.slack.mention("C1", "U1", "Tell.")
    return await bot.answered(asked.ts)


async def test_the_models_are_seen_at_work_as_cards(tmp_path: Path) -> None:
    """One for each, with its name, what became of it and its seconds."""
    provider = ScriptedProvider({name: says(f"I am {name}.") for name in "abc"})
    async with FakeSlack() as slack, running(slack, provider, tmp_path) as bot:
        (post,) = await _asked(bot)

    cards = post.tasks.values()
    assert {card["title"] for card in cards} >= {"a", "b", "c", "a · synthesizer"}
    assert {card["status"] for card in cards} == {"complete"}
    assert post.stream is not None
    assert post.stream.plan


@pytest.mark.parametrize("length", [5_000, 30_000, 100_000])
async def test_any_length_arrives_whole_in_order_with_its_code_in_fences(
    tmp_path: Path, length: int
) -> None:
    """Streamed or not, over one message or twelve."""
    code = "```python\n" + "".join(f"line_{n} = {n}\n" for n in range(length // 40)) + "```\n"
    prose = "".join(f"Sentence number {n} is here. \n" for n in range(length // 60))
    text = f"{prose}\n{code}\n{prose}"
    provider = ScriptedProvider({"a": says(text)})
    async with (
        FakeSlack() as slack,
        running(slack, provider, tmp_path, panel=ALONE, tables=FAST) as bot,
    ):
        posts = await _asked(bot)

    assert _words(_read(posts)) == _words(text)
    assert all(_read([post]).count("```") % 2 == 0 for post in posts)
    assert sum(is_final(post) for post in posts) == 1
    assert slack.refused == []


async def test_a_stream_that_expires_goes_on_in_another_message(tmp_path: Path) -> None:
    """Slack ends a stream after five minutes, whatever is in it."""
    text = "".join(f"Word {n} " for n in range(300))
    provider = ScriptedProvider({"a": says(text, word_s=0.01)})
    async with (
        FakeSlack(limits=Limits(stream_life_s=1.5)) as slack,
        running(slack, provider, tmp_path, panel=ALONE, tables=FAST) as bot,
    ):
        posts = await _asked(bot)

    assert len(posts) > 1
    assert _words(_read(posts)) == _words(text)


@pytest.mark.parametrize("kind", ["busy", "broken", "lost", "cut"])
@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream"])
async def test_what_cannot_be_streamed_is_posted_in_one_piece(
    tmp_path: Path, method: str, kind: str
) -> None:
    """Too many streams this minute, no leave to stream, a line that breaks: one whole answer."""
    faults = Faults(next=[(method, kind)], busy_s=20)
    text = "".join(f"Word {n} " for n in range(200))
    provider = ScriptedProvider({"a": says(text, word_s=0.006)})
    async with (
        FakeSlack(faults=faults) as slack,
        running(slack, provider, tmp_path, panel=ALONE, tables=FAST) as bot,
    ):
        posts = await _asked(bot)

    assert _words(_read(posts)) == _words(text)
    assert len(posts) == 1


@pytest.mark.parametrize("fault", [[], [("chat.appendStream", "lost")]], ids=["whole", "broken"])
async def test_what_may_not_be_deleted_neither_doubles_nor_loses_an_answer(
    tmp_path: Path, fault: list[tuple[str, str]]
) -> None:
    """Some workspaces keep every message; the answer has arrived all the same, once."""
    faults = Faults(next=fault, refusing={"chat.delete": "compliance_exports_prevent_deletion"})
    text = "".join(f"Word {n} " for n in range(200))
    provider = ScriptedProvider({"a": says(text, word_s=0.006)})
    async with (
        FakeSlack(faults=faults) as slack,
        running(slack, provider, tmp_path, panel=ALONE, tables=FAST) as bot,
    ):
        asked = slack.mention("C1", "U1", "Tell.")
        await slack.until(lambda: slack.session("C1", asked.ts) == "active")
        posts = bot.answers(asked.ts)

    (left,) = [post for post in posts if not is_final(post)]
    assert left.shown == "The answer is in another message here."
    assert _words(_read(posts)) == _words(text)


async def test_what_may_not_be_edited_any_more_is_posted_anew(tmp_path: Path) -> None:
    """A workspace may close edits after a minute; models may take longer."""
    faults = Faults(
        next=[("chat.startStream", "broken")], refusing={"chat.update": "edit_window_closed"}
    )
    provider = ScriptedProvider({"a": says("Here it is.")})
    async with (
        FakeSlack(faults=faults) as slack,
        running(slack, provider, tmp_path, panel=ALONE, tables=FAST) as bot,
    ):
        asked = slack.mention("C1", "U1", "Tell.")
        await slack.until(lambda: slack.session("C1", asked.ts) == "active")
        (post,) = bot.answers(asked.ts)

    assert _words(_read([post])) == ["Here", "it", "is."]


async def test_a_mention_in_the_answer_rings_nobody(tmp_path: Path) -> None:
    """Streamed word by word, and in the notification too."""
    text = "<!channel> <@U1> <!subteam^S1|team> @everyone ![x](https://evil.example/a.png) end. "
    provider = ScriptedProvider({"a": says(text * 30, word_s=0.001)})
    async with (
        FakeSlack() as slack,
        running(slack, provider, tmp_path, panel=ALONE, tables=FAST) as bot,
    ):
        posts = await _asked(bot)

    assert _words(_read(posts)) != []
    assert [ping for post in posts for ping in post.pings] == []
    assert [picture for post in posts for picture in post.pictures] == []


async def test_who_writes_is_seen_while_the_text_flows(tmp_path: Path) -> None:
    """A card that changes while Slack takes the one before must not be forgotten."""
    provider = ScriptedProvider(
        {
            "a": [says("One.", seconds=2), says("word " * 100, seconds=1, word_s=0.05)],
            "b": says("Two.", seconds=3),
            "c": says("Three.", seconds=5),
        }
    )
    async with (
        FakeSlack() as slack,
        running(slack, provider, tmp_path, panel={"synthesizer": ["a"], "quorum": 3}) as bot,
    ):
        asked = slack.mention("C1", "U1", "Tell.")
        await slack.until(lambda: any("word word" in post.shown for post in bot.answers(asked.ts)))
        (streamed,) = [post for post in bot.answers(asked.ts) if post.stream]
        writing = streamed.tasks["synthesizer-a"]["status"]
        (post,) = await bot.answered(asked.ts)

    assert writing == "in_progress"
    assert post.stream is not None
    assert post.stream.plan == "3 of 3 models answered"


@pytest.mark.parametrize(
    ("written", "ready"),
    [
        ("half a wor", "half a "),
        ("a ![pict](http", "a "),
        ("a ![pict](x) b", "a ![pict](x) "),
        ("| a | b |\n| 1 | ", "| a | b |\n"),
        ("line\nnext", "line\n"),
        ("", ""),
    ],
)
def test_only_what_stays_is_streamed(written: str, ready: str) -> None:
    """A stream takes nothing back."""
    assert settled(written) == ready
