"""`moabot chat` on a terminal and in a pipe."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.flow.conftest import Moabot

pytestmark = pytest.mark.timeout(60)  # each starts the program once or more

HALF = "The half that came."
PROMPT = "> "


def _conversation(body: str) -> list[tuple[str, str]]:
    return [
        (turn["role"], turn["content"])
        for turn in json.loads(body)["messages"]
        if turn["role"] != "system"
    ]


async def test_a_pipe_asks_line_by_line_and_remembers(moabot: Moabot) -> None:
    """A script can hold a conversation as a person does."""
    ended = await moabot(
        "chat", "--strategy", "single", stdin=b"My name is Ann.\n\nWhat is my name?\n"
    )

    assert ended.code == 0, ended.err
    assert ended.out == "Forty-two, says model-a.\n" * 2
    first, second = map(_conversation, moabot.upstream.bodies)
    assert len(first) == 1
    assert [role for role, _ in second] == ["user", "assistant", "user"]
    assert "My name is Ann." in second[0][1]


async def test_new_forgets_what_was_said(moabot: Moabot) -> None:
    """Old talk must not colour a new question once the person has said so."""
    await moabot("chat", "--strategy", "single", stdin=b"one\n/new\ntwo\n")

    assert len(_conversation(moabot.upstream.bodies[-1])) == 1


async def test_commands_choose_and_wrong_names_are_answered_with_the_nearest(
    moabot: Moabot,
) -> None:
    """A slip of the finger must neither be asked of models nor end the conversation."""
    lines = [
        "/strategy singel", "/strategy single", "/preset", "/preset fast", "/hlep",
        "/proposals", "/help", "/etc/passwd is what?", "/proposals", "/quit", "never asked",
    ]  # fmt: skip
    ended = await moabot("chat", stdin="\n".join(lines).encode())

    assert ended.code == 0, ended.err
    for told in [
        "There is no strategy 'singel' (did you mean 'single'?).",
        "From now on: strategy single.",
        "Choose one of fast, balanced, thorough, deep, max.",
        "From now on: preset fast.",
        "There is no command '/hlep' (did you mean '/help'?)",
        "There are no proposals yet",
        "/strategy NAME  think another way",
    ]:
        assert told in ended.err
    assert len(moabot.upstream.bodies) == 1
    assert "/etc/passwd is what?" in moabot.upstream.bodies[0]


async def test_proposals_are_shown_on_request(moabot: Moabot) -> None:
    """In a pipe and on a terminal, after the answer that was made of them."""
    ended = await moabot("chat", stdin=b"hi\n/proposals\n")
    async with moabot.terminal("chat") as terminal:
        await terminal.shows(PROMPT)
        terminal.type("hi\n")
        await terminal.shows("models agree")
        await terminal.shows(PROMPT)
        terminal.type("/proposals\n")
        await terminal.shows("1.1 a (analytical)")
        await terminal.shows(PROMPT)
        terminal.type("/quit\n")
        assert await terminal.ended() == 0

    assert ended.out.count("## Proposal 1.") == 3


async def test_ctrl_c_ends_a_chat_that_waits_for_a_pipe(moabot: Moabot) -> None:
    """Where nobody types there is nobody to hint to."""
    process = await moabot.start("chat", "--strategy", "single")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"hi\n")
    async with asyncio.timeout(30):
        await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()

    assert process.returncode == 130
    assert b"Traceback" not in err


async def test_a_question_without_an_answer_shows_in_the_exit_code(moabot: Moabot) -> None:
    """A script must not take silence for success; the other lines are still answered."""
    moabot.upstream.broken |= {"model-a": 401, "model-b": 401, "model-c": 401}

    ended = await moabot("chat", stdin=b"one\ntwo\n")

    assert ended.code == 1
    assert ended.err.count("No answer.") == 2


async def test_ctrl_c_stops_the_answer_and_the_memory_says_so(moabot: Moabot) -> None:
    """The conversation goes on from what came, and the model knows that it was cut short."""
    moabot.upstream.texts["model-a"] = HALF + "x" * len(HALF)
    moabot.upstream.held.add("model-a")

    async with moabot.terminal("chat", "--strategy", "single") as terminal:
        await terminal.shows(PROMPT)
        terminal.type("first\n")
        await terminal.shows(HALF)
        await terminal.interrupt()
        await terminal.shows("Stopped.")
        await terminal.shows(PROMPT)
        moabot.upstream.held.clear()
        terminal.type("second\n")
        await terminal.shows("1 call")
        await terminal.shows(PROMPT)
        terminal.type("\x04")
        assert await terminal.ended() == 0

    turns = _conversation(moabot.upstream.bodies[-1])
    assert turns[1] == ("assistant", f"{HALF} [stopped]")


async def test_ctrl_c_at_the_prompt_hints_and_ctrl_d_leaves(moabot: Moabot) -> None:
    """Habit presses Ctrl-C; a conversation must not be lost by it."""
    async with moabot.terminal("chat") as terminal:
        await terminal.shows(PROMPT)
        terminal.type("half a li")
        await terminal.shows("half a li")
        await terminal.interrupt()
        await terminal.shows("Leave with Ctrl-D or /quit.")
        await terminal.shows(PROMPT)
        terminal.type("/preset\n")
        await terminal.shows("Choose one of")
        await terminal.shows(PROMPT)
        terminal.type("\x04")
        assert await terminal.ended() == 0

    assert moabot.upstream.bodies == []


async def test_lines_come_back_in_the_next_session(moabot: Moabot) -> None:
    """The arrow key finds yesterday's question, and nobody else can read it."""
    async with moabot.terminal("chat") as terminal:
        await terminal.shows(PROMPT)
        terminal.type("/preset fast\n")
        await terminal.shows("From now on")
        await terminal.shows(PROMPT)
        terminal.type("\x04")
        await terminal.ended()
    history = moabot.home / "data" / "chat_history"

    async with moabot.terminal("chat") as terminal:
        await terminal.shows(PROMPT)
        terminal.type("\x1b[A\n")
        await terminal.shows("From now on: preset fast.")
        await terminal.shows(PROMPT)
        terminal.type("\x04")
        await terminal.ended()

    assert history.read_text().splitlines()[0] == "/preset fast"
    assert history.stat().st_mode & 0o077 == 0
