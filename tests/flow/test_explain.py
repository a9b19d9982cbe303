"""`moabot explain`: what a question would cost, before it costs anything."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.flow.conftest import Moabot

PROMPT = "> "
pytestmark = pytest.mark.timeout(60)  # each starts the program once or more


async def test_the_calls_are_drawn_and_nobody_is_asked(moabot: Moabot) -> None:
    """Who looks at the price first must not have paid already."""
    ended = await moabot("explain", "--preset", "deep", "Why is the sky blue?")

    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[0] == "mixture · deep"
    assert lines[1:3] == ["├── stage 1", lines[2]]
    assert lines[2].startswith("│   ├── 1.1 a (analytical) ")
    assert "6 calls" in lines[-1]
    assert "$0.0" in lines[-1]
    assert moabot.upstream.bodies == []


async def test_no_key_is_needed(moabot: Moabot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who weighs a vendor's price has no key of it yet."""
    monkeypatch.delenv("NO_SUCH", raising=False)
    text = moabot.config.read_text()
    moabot.config.write_text(text.replace("base_url", 'api_key_env = "NO_SUCH"\nbase_url'))
    ended = await moabot("explain", "Why is the sky blue?")

    assert ended.code == 0, ended.err
    assert "4 calls" in ended.out


async def test_json_has_each_call_and_the_sums(moabot: Moabot) -> None:
    """A budget check in a script needs numbers, not a drawing."""
    ended = await moabot("explain", "--json", "--strategy", "single", "hi")

    plan = json.loads(ended.out)
    assert (plan["strategy"], plan["usage"]["calls"]) == ("single", 1)
    assert plan["calls"][0]["model"] == "a"
    assert plan["usage"]["cost_usd"] > 0


async def test_a_narrow_terminal_wraps_inside_the_branches(moabot: Moabot) -> None:
    """The tree stays a tree on forty columns."""
    async with moabot.terminal("explain", "hi", columns=40) as terminal:
        assert await terminal.ended() == 0

    assert max(map(len, terminal.seen.splitlines())) <= 40
    assert "│" in terminal.seen


async def test_an_unknown_strategy_is_named_with_the_nearest(moabot: Moabot) -> None:
    """The dry run refuses what the real one would refuse, in the same words."""
    ended = await moabot("explain", "--strategy", "singel", "hi")

    assert ended.code == 2
    assert "did you mean 'single'" in ended.err


async def test_the_time_is_told_from_what_was_asked_in_chats(moabot: Moabot) -> None:
    """A process that asks nobody cannot have measured it; the bot has."""
    before = await moabot("explain", "--strategy", "single", "hi")
    made = (moabot.home / "data").exists()
    async with moabot.terminal("chat", "--strategy", "single") as terminal:
        await terminal.shows(PROMPT)
        terminal.type("Why?\n")
        await terminal.shows("1 call")
        await terminal.shows(PROMPT)
        terminal.type("\x04")
        assert await terminal.ended() == 0
    after = await moabot("explain", "--strategy", "single", "hi")

    assert before.out.endswith("time unknown\n")
    assert not made
    assert re.search(r"about \d+\.\d s\n$", after.out)
