"""What outlives a run of `moabot`: spending, threads, and a chat that was killed."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.conftest import Moabot

pytestmark = pytest.mark.timeout(60)  # each starts the program once or more


async def _asked(moabot: Moabot) -> None:
    ended = await moabot("ask", "--json", "Why is the sky blue?")
    assert (ended.code, ended.err) == (0, "")


async def test_usage_shows_what_was_asked_and_what_it_cost(moabot: Moabot) -> None:
    """Four calls of 100 tokens read and 10 written, at 1 and 10 dollars a million."""
    await _asked(moabot)
    await _asked(moabot)

    shown = await moabot("usage", "--by", "strategy")
    assert shown.code == 0, shown.err
    name, answers, calls, tokens, cost, _ = shown.out.splitlines()[1].split()
    assert (name, answers, calls, tokens, cost) == ("mixture", "2", "8", "880", "$0.0016")
    listed = json.loads((await moabot("usage", "--json", "--by", "user")).out)
    assert listed["rows"][0]["key"] == "console:local/you"
    assert listed["rows"][0]["cost_usd"] == pytest.approx(0.0016)
    lines = (await moabot("usage", "--csv", "--by", "model")).out.splitlines()
    assert lines[0].startswith("model,answers,calls,input_tokens,")
    assert sorted(line.split(",")[0] for line in lines[1:]) == ["a", "b", "c"]


async def test_usage_shows_what_is_left_of_budgets(moabot: Moabot) -> None:
    """Of people, workspaces and channels, whichever the table is about."""
    config = moabot.home / "config.toml"
    config.write_text(
        config.read_text()
        + "\n[admission]\nuser_day_usd = 1\n"
        + "\n[channels.'console:local']\nworkspace_month_usd = 2\nbudget_day_usd = 0.5\n"
        + "\n[channels.'console:local/terminal']\nbudget_month_usd = 3\n"
    )
    await _asked(moabot)

    by = {
        name: (await moabot("usage", "--by", name)).out for name in ("user", "workspace", "model")
    }
    shown = (await moabot("usage")).out.splitlines()[-2:]
    listed = json.loads((await moabot("usage", "--json")).out)["budgets"]
    assert "console:local/you: $0.9992 of $1 left today" in by["user"]
    assert "console:local: $1.9992 of $2 left this month" in by["workspace"]
    assert "left" not in by["model"]
    assert shown == [
        "console:local/terminal: $0.4992 of $0.5 left today",
        "console:local/terminal: $2.9992 of $3 left this month",
    ]
    assert [budget["left_usd"] for budget in listed] == [0.4992, 2.9992]


async def test_asking_keeps_no_word_on_disk(moabot: Moabot) -> None:
    """The README says so."""
    await _asked(moabot)

    kept = _bytes_in(moabot.home / "data")
    assert b"mixture" in kept
    assert b"sky" not in kept
    assert b"Forty-two" not in kept


def _bytes_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["usage"], "There is no database in"),
        (["usage", "--by", "modle"], "did you mean 'model'"),
        (["usage", "--since", "yesterday"], "'yesterday' is no time"),
        (["erase"], "Say whose memory"),
        (
            ["erase", "--user", "U1", "--yes"],
            "--user: 'U1' is not a key. Write platform:workspace/id",
        ),
        (["backup", "copy.db"], "There is no database in"),
        (["dead-letters"], "There is no database in"),
        (["dead-letters", "burn"], "nothing to do for 'burn'"),
    ],
    ids=str,
)
async def test_a_wrong_command_is_told_what_would_be_right(
    moabot: Moabot, arguments: list[str], what: str
) -> None:
    """One sentence, no traceback, and nothing made on the way."""
    ended = await moabot(*arguments)

    assert ended.code in {1, 2}
    assert what in ended.err
    assert "Traceback" not in ended.err
    assert not (moabot.home / "data").exists()


async def test_a_backup_is_made_and_checked(moabot: Moabot) -> None:
    """What a restore needs; an existing file is somebody else's."""
    await _asked(moabot)

    first, second = await moabot("backup", "copy.db"), await moabot("backup", "copy.db")
    assert (first.code, "checked" in first.out) == (0, True)
    assert (second.code, "Name a new one" in second.err) == (1, True)
    with closing(sqlite3.connect(moabot.home / "copy.db")) as copy:
        assert copy.execute("SELECT COUNT(*) FROM ledger").fetchone() == (4,)


async def test_erasing_makes_spending_nobody_s_and_forgets_what_was_typed(moabot: Moabot) -> None:
    """The sums stay true; the name goes, and so does the file for the arrow keys."""
    await _asked(moabot)

    history = moabot.home / "data" / "chat_history"
    history.write_text("Why is the sky blue?\n")

    asked = await moabot("erase", "--user", "console:local/you", stdin=b"n\n")
    still_there = history.exists()
    erased = await moabot("erase", "--user", "console:local/you", "--yes")
    assert (asked.code, still_there) == (1, True)
    told = "Erased console:local/you: 0 rows and 0 vectors left.\nNothing of it is left.\n"
    assert (erased.code, erased.out, history.exists()) == (0, told, False)
    rows = json.loads((await moabot("usage", "--json", "--by", "user")).out)["rows"]
    assert [(row["key"], row["calls"]) for row in rows] == [("console:local/", 4)]


async def test_check_finds_a_damaged_database(moabot: Moabot) -> None:
    """An administrator looks before it is too late."""
    await _asked(moabot)
    whole = await moabot("check")
    file = moabot.home / "data" / "moabot.db"
    file.write_bytes(b"No database." + file.read_bytes()[12:])
    damaged = await moabot("check")

    assert (whole.code, "database: whole" in whole.out) == (0, True)
    assert damaged.code == 1
    assert "is damaged" in damaged.out


async def test_a_question_is_answered_though_nothing_can_be_counted(moabot: Moabot) -> None:
    """A full or read-only disk is said once, and is no reason to be silent."""
    (moabot.home / "data").write_text("a file, where a directory should be")
    ended = await moabot("ask", "--json", "Why is the sky blue?")

    assert ended.code == 0
    assert ended.err.count("Going on without memory.") == 1
    assert json.loads(ended.out)["usage"]["calls"] == 4


async def test_a_killed_chat_goes_on_and_pays_no_finished_call_again(moabot: Moabot) -> None:
    """The lid was closed, the power failed: the proposals are there, the answer comes."""
    upstream = moabot.upstream
    upstream.held.add("model-c")  # the synthesizer, and a proposer that the quorum leaves behind
    async with moabot.terminal("chat") as terminal:
        await terminal.shows("> ")
        terminal.type("Why is the sky blue?\n")
        while sum('"model-c"' in body for body in upstream.bodies) < 2:
            upstream.asked.clear()
            await upstream.asked.wait()
        await _remembered(moabot.home / "data" / "moabot.db", calls=3)
        terminal.kill()
    before = len(upstream.bodies)
    upstream.held.clear()
    async with moabot.terminal("chat") as terminal:
        await terminal.shows("Still unanswered from the last time: 'Why is the sky blue?'")
        await terminal.shows("Forty-two, says model-c.")
        await terminal.shows("> ")
        terminal.type("\x04")
        assert await terminal.ended() == 0

    again = [json.loads(body)["model"] for body in upstream.bodies[before:]]
    assert again == ["model-c"]


async def _remembered(database: Path, *, calls: int) -> None:
    """What is on its way to the disk counts as under way, and would be asked again."""
    for _ in range(500):
        with closing(sqlite3.connect(database)) as connection:
            if connection.execute("SELECT COUNT(*) FROM memo").fetchone() == (calls,):
                return
        await asyncio.sleep(0.01)
    pytest.fail("The calls were not remembered.")


async def test_a_dead_letter_is_listed_and_can_be_retried(moabot: Moabot) -> None:
    """Somebody mends the cause; the question is still there."""
    await _asked(moabot)
    with closing(sqlite3.connect(moabot.home / "data" / "moabot.db")) as connection:
        connection.execute(
            "INSERT INTO inbox VALUES ('slack:E1', 'slack', 'T1', 'C1', '', 0, 'U1', 'Why?', 1,"
            " 0, x'00', 0, '', NULL, '', 4, 'it crashed', 'dead', 0, NULL, NULL)"
        )
        connection.commit()

    assert "'Why?'  (it crashed)" in (await moabot("dead-letters")).out
    assert (await moabot("dead-letters", "retry", "slack:E1")).code == 0
    assert (await moabot("dead-letters")).out == "There are none.\n"
    assert "no dead letter" in (await moabot("dead-letters", "retry", "slack:E1")).err


async def test_a_chat_gives_up_what_ended_three_chats(moabot: Moabot) -> None:
    """And says so; the fourth must not end as well."""
    await _asked(moabot)
    with closing(sqlite3.connect(moabot.home / "data" / "moabot.db")) as connection:
        connection.execute(
            "INSERT INTO inbox VALUES ('console:E1', 'console', 'local', 'terminal', 'E1', 0,"
            " 'you', 'Why me?', 1, 0, x'00', 0, '', NULL, '', 3, '', 'open', NULL, NULL, NULL)"
        )
        connection.commit()
    async with moabot.terminal("chat") as terminal:
        await terminal.shows("Given up, since it ended three chats: 'Why me?'")
        await terminal.shows("> ")
        terminal.type("\x04")
        assert await terminal.ended() == 0

    assert "'Why me?'" in (await moabot("dead-letters")).out


async def test_ctrl_c_leaves_what_the_last_chat_had_left(moabot: Moabot) -> None:
    """Who no longer wants the answer must not get it at each start."""
    moabot.upstream.held.add("model-a")
    async with moabot.terminal("chat", "--strategy", "single") as terminal:
        await terminal.shows("> ")
        terminal.type("Why?\n")
        await moabot.upstream.spoke.wait()
        terminal.kill()
    moabot.upstream.spoke.clear()
    async with moabot.terminal("chat", "--strategy", "single") as terminal:
        await terminal.shows("Still unanswered from the last time: 'Why?'")
        await moabot.upstream.spoke.wait()
        await terminal.interrupt()
        await terminal.shows("> ")
        terminal.type("\x04")
        assert await terminal.ended() == 0
    async with moabot.terminal("chat") as terminal:
        await terminal.shows("> ")
        terminal.type("\x04")
        assert await terminal.ended() == 0
        assert "Still unanswered" not in terminal.seen
