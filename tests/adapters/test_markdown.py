"""Markdown from models: nothing in it acts on readers, and no cut loses a letter."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from moabot_platforms.markdown import JOINER, cut, harmless, pieces
from moabot_platforms.words import printable

NAUGHTY: list[str] = json.loads(
    (Path(__file__).parent / "corpora" / "blns.json").read_text(encoding="utf-8")
)
LIVE = re.compile(
    r"(<|&lt;)(!(channel|here|everyone|subteam)|@[!&]?[UW0-9]|#[C0-9])|@(everyone|here)\b",
    re.IGNORECASE,
)
MENTIONS = [
    "<!channel>",
    "<!here|here>",
    "<!everyone>",
    "<!subteam^S0123ABC>",
    "<!date^1392734382^{date}|x>",
    "<@U0123ABC>",
    "<@W0123ABC|ann>",
    "<#C0123ABC|general>",
    "@everyone",
    "@here",
    "<@123456789>",
    "<@!123456789>",
    "<@&123456789>",
    "<#123456789>",
    "</ask:123456789>",
    "<id:customize>",
    "&lt;!channel&gt;",
    "<\x00!channel>",
    f"<{JOINER}!channel>",
    "<\u202e!channel>",
    "`<!channel>`",
    "```\n<@U0123ABC>\n```",
    "[<!channel>](https://example.org)",
    "@@everyone",
]
WORDS = st.sampled_from(
    ["word ", "End. ", "\n", "\n\n", "é̂", "👩‍👩‍👧", "x" * 40, "日本語。", " ", "**"]
)
CODE = st.sampled_from(["x = 1\n", "\n", "    deep()\n", "# no heading\n"])


@st.composite
def _fenced(draw: st.DrawFn) -> str:
    ticks = draw(st.sampled_from(["```", "~~~", "`````"]))
    language = draw(st.sampled_from(["", "python", "c++ numbered"]))
    return f"\n{ticks}{language}\n{''.join(draw(st.lists(CODE, max_size=60)))}{ticks}\n"


@st.composite
def _table(draw: st.DrawFn) -> str:
    rows = draw(st.lists(st.integers(0, 10**6), max_size=40))
    return "\n| a | b |\n|---|:-:|\n" + "".join(f"| {row} | {row} |\n" for row in rows) + "\n"


BLOCKS = st.one_of(
    st.lists(WORDS, min_size=1, max_size=30).map("".join),
    _fenced(),
    _table(),
    st.lists(st.sampled_from(["- one\n", "  - two\n", "1. three\n", "> four\n", "# five\n"])).map(
        "".join
    ),
)
MARKDOWN = st.lists(BLOCKS, max_size=8).map("".join)


@given(MARKDOWN, st.integers(100, 700))
@settings(max_examples=300, deadline=None)
def test_no_cut_loses_a_letter_or_passes_the_limit(text: str, limit: int) -> None:
    """A chat takes no longer message, and half an answer is worse than none."""
    parts = cut(text, limit=limit)

    assert "".join(part.text for part in parts) == text
    assert all(len(str(part)) <= limit for part in parts)


@given(
    st.lists(st.sampled_from(["x = 1", "", "    deep()", "# no heading"]), max_size=80),
    st.sampled_from(["```", "~~~", "`````"]),
    st.integers(100, 300),
)
@settings(max_examples=200, deadline=None)
def test_code_that_is_cut_stays_code_in_its_language(
    lines: list[str], ticks: str, limit: int
) -> None:
    """Python that goes on as prose after a cut cannot be read or copied."""
    code = "".join(f"{line}\n" for line in lines)
    text = f"Before.\n\n{ticks}python\n{code}{ticks}\n\nAfter."

    found = [_fences(piece) for piece in pieces(text, limit=limit)]

    assert "".join(content for fences in found for _, content in fences) == code
    assert {info for fences in found for info, _ in fences} == {"python"}


def test_a_table_that_is_cut_gets_its_header_again() -> None:
    """Rows without a header are no table for any chat."""
    rows = "".join(f"| {row} | {row * row} |\n" for row in range(60))
    text = f"| n | square |\n|---|---|\n{rows}"

    parts = pieces(text, limit=300)

    assert len(parts) > 2
    assert all(part.startswith("| n | square |\n|---|---|\n|") for part in parts)


def test_a_cut_comes_between_blocks_before_it_comes_between_words() -> None:
    """A reader wants whole paragraphs, and a heading with what it is the heading of."""
    text = f"{'One. ' * 15}\n\n## Two\n\n{'Three. ' * 15}"

    assert pieces(text, limit=130) == [f"{'One. ' * 15}\n\n", f"## Two\n\n{'Three. ' * 15}"]


def test_code_in_a_list_is_opened_again_where_it_is_no_indented_code() -> None:
    """Four spaces at the beginning of a message would make the fence itself code."""
    text = "- a\n  - b\n\n    ```py\n" + "    x = 1\n" * 40 + "    ```\n"

    assert all(part.startswith("   ```py\n") for part in pieces(text, limit=150)[1:])


def test_letters_of_several_signs_stay_whole() -> None:
    """A family cut in two becomes three strangers."""
    family = "👩‍👩‍👧"
    parts = pieces(family * 60, limit=101)

    assert all(part.startswith("👩") and part.endswith(family) for part in parts)


@pytest.mark.parametrize("mention", MENTIONS, ids=repr)
def test_no_mention_stays_live(mention: str) -> None:
    """A model, or who speaks through it, must not call a whole company."""
    for text in (mention, f"a {mention} b", f"x{mention}", f"\\{mention}", mention.upper()):
        assert LIVE.search(harmless(text)) is None


@pytest.mark.parametrize("naughty", NAUGHTY, ids=range(len(NAUGHTY)))
def test_naughty_strings_come_through_whole_and_harmless(naughty: str) -> None:
    """The Big List of Naughty Strings: what has broken other programs."""
    shown = harmless(naughty)

    assert LIVE.search(shown) is None
    assert printable(shown) == shown
    if "![" not in naughty:
        lines = naughty.replace("\r\n", "\n").replace("\r", "\n")
        assert shown.replace(JOINER, "") == printable(lines).replace(JOINER, "")


PICTURES = st.sampled_from(
    [
        "![]()",
        "!",
        "[a](https://b.example/c.png)",
        "![a](b)",
        "![r][r]",
        "`",
        "|",
        " ",
        "\n",
        "a",
        "\\",
    ]
)
ROWS = st.lists(st.lists(PICTURES, max_size=6).map("".join), min_size=1, max_size=4)
HOSTILE = st.one_of(
    st.text(st.sampled_from("![]() `\n<>@#*a:/&;\\"), max_size=80),
    st.lists(PICTURES, max_size=12).map("".join),
    ROWS.map(lambda cells: "| a | b | c |\n|---|---|---|\n| " + " | ".join(cells) + " |"),
)


@given(HOSTILE)
@example("!![]()[a](https://b.example/c.png)")
@example("`\\`![]()`")
@example("| a | b | c |\n|---|---|---|\n| ` | ![a](https://b.example/c.png) | ` |")
@settings(max_examples=1000, deadline=None)
def test_no_picture_is_left_for_a_chat_to_fetch(text: str) -> None:
    """An address with a secret in it is fetched by whoever shows the picture."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")

    for made in (harmless(text), harmless(harmless(text))):
        assert "<img" not in parser.render(made)


def test_a_picture_becomes_its_description_and_its_address_as_code() -> None:
    """The reader learns that there was one, and may look at the address."""
    assert harmless("See ![the\nplan](https://a.example/p(1).png 'now').") == (
        "See the plan (`https://a.example/p(1).png`)."
    )
    assert harmless("![](data:image/png;base64,AAAA)") == "`data:image/png;base64,AAAA`"
    assert harmless("![a [b]](c) ![r][1]") == f"!{JOINER}[a [b]](c) !{JOINER}[r][1]"


def test_code_keeps_its_pictures() -> None:
    """Whoever asks how pictures are written wants to copy the answer."""
    for code in ("`![a](b)`", "``x ` ![a](b)``", "```\n![a](b)\n```", "    ![a](b)\n"):
        assert harmless(code) == code


@pytest.mark.parametrize(
    "seed", ["![", "![a](", "`", "``` \n", "> ", "- ", "<", "![a](b" * 3, "|\n"]
)
def test_a_hostile_text_takes_no_longer_than_another(seed: str) -> None:
    """Model text of 100,000 characters must not stop the bot; the test's time limit watches."""
    text = seed * (100_000 // len(seed))

    assert pieces(harmless(text), limit=2000)


def _fences(text: str) -> list[tuple[str, str]]:
    tokens = MarkdownIt("commonmark").parse(text)
    return [(token.info, token.content) for token in tokens if token.type == "fence"]
