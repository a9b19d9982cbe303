"""Answers as blocks: Slack takes all of them, nobody is rung, nothing is fetched, nothing is lost."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.slack import Post
from tests.fakes.slack.blocks import problems, text_length

from moabot.contract import Answer, Proposal, Usage
from moabot.errors import MoabotError
from moabot_platforms.markdown import JOINER, harmless
from moabot_platforms.slack import blocks
from moabot_platforms.slack.web import Content
from moabot_platforms.words import printable

NAUGHTY: list[str] = json.loads(
    (Path(__file__).parents[1] / "corpora" / "blns.json").read_text(encoding="utf-8")
)
MENTIONS = ["<!channel>", "<!here>", "<@U1>", "<!subteam^S1|x>", "@everyone", "@here", "@channel"]
PICTURES = ["![a](https://evil.example/a.png)", "![a [b]](https://evil.example/b.png)"]
CORPUS = [*NAUGHTY, *MENTIONS, *PICTURES]
USAGE = Usage(4, 1200, 0, 300, Decimal("0.0123"))
EVENT = "slack:T1:C1:1790000000.000001"


def _refused(content: Content) -> list[str]:
    found = problems(json.loads(json.dumps(content.blocks)), most=50)
    found += ["too long"] if text_length([dict(block) for block in content.blocks]) > 13_200 else []
    return [*found, *(["update"] if len(content.text) > 4000 else [])]


def _post(content: Content) -> Post:
    shown = [dict(block) for block in content.blocks]
    return Post(ts="1", channel="C1", user="UBOT", text=content.text, blocks=shown)


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_whatever_a_model_says_is_taken_by_slack_and_rings_nobody(text: str) -> None:
    """As an answer, a proposal, a model's name, an error, a degraded sentence."""
    given_ = Answer(
        text=text,
        strategy="mixture",
        degraded=text,
        via=text,
        proposals=(Proposal("1.1", text, text, text, USAGE, 1.0),) * 2,
        usage=USAGE,
    )
    tail = blocks.ending(given_, event=EVENT, money=True)
    contents = [
        *blocks.answer(harmless(text), tail),
        *blocks.proposals(given_.proposals),
        blocks.sorry(MoabotError(text, fix=text), reference="ab12", event=EVENT),
    ]

    for content in contents:
        assert _refused(content) == []
        assert _post(content).pings == []
        assert _post(content).pictures == []
        assert content.text


@given(st.text(st.sampled_from("ab .\n`*_|#->1![]()<@U!&"), max_size=300).map(lambda t: t * 60))
@settings(max_examples=60, deadline=None)
def test_stripping_what_rendering_added_gives_the_text_back(text: str) -> None:
    """Closed and opened fences, and signs nobody sees: nothing else comes or goes."""
    contents = blocks.answer(harmless(text))
    shown = "".join(str(block["text"]) for content in contents for block in content.blocks)

    assert all(_refused(content) == [] for content in contents)
    if harmless(text).strip() and "![" not in text and "`" not in text and "|" not in text:
        assert _bare(shown) == _bare(printable(text))


def test_the_footer_tells_how_it_came_about() -> None:
    """And of money only where the channel shows it."""
    answer = Answer(text="Yes.", strategy="vote", preset="deep", usage=USAGE, seconds=4.2)
    shown = json.dumps(blocks.ending(answer, event=EVENT, money=True))
    silent = json.dumps(blocks.ending(answer, event=EVENT, money=False))

    assert "vote deep" in shown
    assert "$0.0123" in shown
    assert "$" not in silent


def _bare(text: str) -> str:
    return re.sub(r"\s", "", text.replace(JOINER, ""))
