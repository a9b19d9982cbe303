"""`moabot ask` as a person and a script use it, against an upstream on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.flow.conftest import Ended, Moabot, Upstream

pytestmark = pytest.mark.timeout(60)  # each starts the program once or more

HALF = "The half that came."
LAST = "Because of the air, says the synthesizer."


@pytest.fixture(autouse=True)
def _synthesis(upstream: Upstream) -> None:
    upstream.texts["model-c"] = LAST


async def test_a_pipe_gets_the_text_alone_and_stderr_one_line_an_event(moabot: Moabot) -> None:
    """Whoever writes `moabot ask … > file` wants the answer in the file, not its making."""
    ended = await moabot("ask", "Why is the sky blue?")

    assert (ended.code, ended.out) == (0, LAST + "\n")
    lines = ended.err.splitlines()
    assert [line for line in lines if "asked" in line][:1] == ["1.1 a: asked as analytical"]
    assert sum("answered in" in line for line in lines) == 3
    assert lines[-1].startswith("mixture thorough · ")
    assert "4 calls" in lines[-1]
    assert "440 tokens" in lines[-1]


async def test_json_prints_the_documented_object_and_nothing_else(moabot: Moabot) -> None:
    """Scripts rely on these keys; a stray line would break every parser."""
    ended = await moabot("ask", "--json", "Why is the sky blue?")

    record = json.loads(ended.out)
    assert (ended.code, ended.err) == (0, "")
    assert record["text"] == LAST
    assert record["agreement"]["of"] == 3
    assert {proposal["model"] for proposal in record["proposals"]} == {"a", "b", "c"}
    assert record["usage"]["calls"] == 4
    assert record["usage"]["cost_usd"] == pytest.approx(4 * (100 * 1e-6 + 10 * 10e-6))


@pytest.mark.parametrize("arguments", [["ask"], ["ask", "-"]], ids=["nothing", "dash"])
async def test_the_question_may_come_through_a_pipe(moabot: Moabot, arguments: list[str]) -> None:
    """`git diff | moabot ask` is how a tool joins other tools."""
    ended = await moabot(*arguments, "--strategy", "single", stdin="Why “blue”?\n".encode())

    assert ended.code == 0
    assert "Why “blue”?" in json.loads(moabot.upstream.bodies[0])["messages"][-1]["content"]


async def test_words_without_quotes_are_one_question(moabot: Moabot) -> None:
    """Nobody should have to fight the shell for a first question."""
    await moabot("ask", "--strategy", "single", "why", "is", "it", "blue")

    assert "why is it blue" in moabot.upstream.bodies[0]


async def test_files_go_with_the_question_by_name(moabot: Moabot, tmp_path: Path) -> None:
    """The model must know where a text begins, and what it is; pictures are shown as pictures."""
    (tmp_path / "app.log").write_text("```\nboom\n```")
    (tmp_path / "dot.png").write_bytes(b"\x89PNG\r\n\x1a\n rest")

    ended = await moabot(
        "ask", "--strategy", "single", "Why?", "--file", "app.log", "-f", "dot.png"
    )

    assert ended.code == 0, ended.err
    parts = json.loads(moabot.upstream.bodies[0])["messages"][-1]["content"]
    texts = " ".join(part.get("text", "") for part in parts)
    assert "```` app.log\n```\nboom\n```\n````" in texts
    assert any("image/png" in json.dumps(part) for part in parts)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ask", ""], "question is empty"),
        (["ask", "x" * 100_001], "at most 100,000"),
        (["ask", "--strategy", "singel", "hi"], "did you mean 'single'"),
        (["ask", "--preset", "balancd", "hi"], "did you mean 'balanced'"),
        (["ask", "--panel", "defalt", "hi"], "did you mean 'default'"),
        (["ask", "--file", "gone.txt", "hi"], "'gone.txt' cannot be read: No such file"),
        (["ask", "--file", "binary.bin", "hi"], "binary.bin is neither text"),
        (["ask", "--file", "long.txt", "hi"], "long.txt"),
        (["ask", "--file", "/dev/zero", "hi"], "more than 20 MB"),
        (["ask", "--strem", "hi"], "No such option: --strem"),
        (["--log", "no/such/log", "ask", "hi"], "The log 'no/such/log' cannot be written"),
        (["aks", "hi"], "Did you mean 'ask'"),
        (["--config", "gone.toml", "ask", "hi"], "gone.toml"),
        (["--config", "broken.toml", "ask", "hi"], "strategi"),
        (["--config", "keyless.toml", "ask", "hi"], "export UP_KEY="),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_a_person_can_mend_is_named_and_ends_with_2(
    mistaken: Callable[..., Ended], tmp_path: Path, arguments: list[str], told: str
) -> None:
    """A wrong name costs one sentence that holds the right one, no call, and no traceback."""
    (tmp_path / "binary.bin").write_bytes(b"\x00\xff\xfe" * 100)
    (tmp_path / "long.txt").write_text("word " * 30_000)
    (tmp_path / "broken.toml").write_text('[defaults]\nstrategi = "single"\n')
    config = (tmp_path / "config.toml").read_text()
    keyless = config.replace("[models]", 'api_key_env = "UP_KEY"\n[models]')
    (tmp_path / "keyless.toml").write_text(keyless)

    ended = mistaken(*arguments)

    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


@pytest.mark.parametrize(
    ("stdin", "told"),
    [
        (b"x" * 1_000_000, "at most 100,000"),
        ("漢".encode() * 300_000, "at most 100,000"),
        (b"\xff\x00", "stdin is neither text"),
        (b"", "question is empty"),
    ],
    ids=["a megabyte", "a megabyte of signs", "binary", "nothing"],
)
def test_what_a_pipe_may_bring_is_bounded(
    mistaken: Callable[..., Ended], stdin: bytes, told: str
) -> None:
    """`cat core | moabot ask` must neither hang nor be sent to a model."""
    ended = mistaken("ask", stdin=stdin)

    assert ended.code == 2
    assert told in ended.err


async def test_no_network_is_one_sentence_and_ends_with_1(moabot: Moabot) -> None:
    """The commonest trouble of all must not look like a broken program."""
    moabot.config.write_text(
        moabot.config.read_text().replace(moabot.upstream.url, "http://127.0.0.1:9/v1")
    )

    plain = await moabot("ask", "hi")
    as_json = await moabot("ask", "--json", "hi")

    assert (plain.code, plain.out) == (1, "")
    assert "No answer." in plain.err
    assert "base_url" in plain.err
    assert (as_json.code, as_json.out) == (1, "")
    assert "Traceback" not in plain.err + as_json.err


async def test_the_reference_of_an_apology_is_found_in_the_log(moabot: Moabot) -> None:
    """What a person reports, an admin must find; and no model's text may forge a line."""
    moabot.upstream.broken |= {"model-a": 401, "model-b": 401, "model-c": 401}

    ended = await moabot("--log", "log.jsonl", "ask", "hi")

    lines = [json.loads(line) for line in (moabot.home / "log.jsonl").read_text().splitlines()]
    (line,) = (line for line in lines if line["message"] == "no answer")
    assert f"(reference {line['reference']})" in ended.err
    assert line["level"] == "warning"


async def test_degraded_answers_say_so_in_the_footer(moabot: Moabot) -> None:
    """Less than was asked for is never passed off as all of it."""
    moabot.upstream.broken |= {"model-a": 401, "model-b": 401}

    ended = await moabot("ask", "hi")

    assert ended.code == 0
    assert "failed after" in ended.err
    degraded, footer = ended.err.splitlines()[-2:]
    assert degraded.startswith("Too few models answered (1)")
    assert "agree" not in footer


async def test_hostile_text_does_not_steer_the_terminal(moabot: Moabot) -> None:
    """A model that was fed escape sequences must not recolour, retitle or reverse a screen."""
    moabot.upstream.texts["model-c"] = "\x1b]0;owned\x07\x1b[2Jred\x9b31m \u202egnp.exe [bold]x[/]"

    ended = await moabot("ask", "hi")
    async with moabot.terminal("ask", "hi") as terminal:
        assert await terminal.ended() == 0

    assert ended.out == "]0;owned[2Jred31m gnp.exe [bold]x[/]\n"
    assert "[bold]x[/]" in terminal.seen
    assert not {"\x1b]", "\x1b[2J", "\x07", "\x9b", "\u202e"} & set(terminal.raw)
    assert "\x1b]0" not in terminal.raw
    assert "\x1b[2J" not in terminal.raw


async def test_show_proposals_puts_them_under_the_answer(moabot: Moabot) -> None:
    """Who wants to judge the synthesis reads what it was made of."""
    ended = await moabot("ask", "--show-proposals", "hi")

    assert ended.out.startswith(LAST)
    assert ended.out.count("## Proposal 1.") == 3
    assert "## Proposal 1.1 a (analytical), " in ended.out
    assert "Forty-two, says model-a." in ended.out


async def test_a_terminal_shows_the_models_then_the_answer_and_a_footer(moabot: Moabot) -> None:
    """The waiting is filled with what happens; in the end only what matters stands there."""
    moabot.upstream.texts["model-c"] = "# Title\n\nSome **bold** words."

    async with moabot.terminal("ask", "hi") as terminal:
        assert await terminal.ended() == 0

    assert "analytical" in terminal.seen
    assert "Some bold words." in terminal.seen
    assert "models agree" in terminal.seen
    assert "\x1b[?25h" in terminal.raw[terminal.raw.rindex("\x1b[?25l") :]


@pytest.mark.parametrize(
    "environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"]
)
async def test_colours_stay_off_where_they_are_not_wanted(
    moabot: Moabot, environment: dict[str, str]
) -> None:
    """NO_COLOR is a promise, and a dumb terminal would print the codes."""
    async with moabot.terminal("ask", "hi", columns=40, **environment) as terminal:
        assert await terminal.ended() == 0

    assert "\x1b[3" not in terminal.raw
    assert "models agree" in terminal.seen
    assert ("\x1b" in terminal.raw) == ("NO_COLOR" in environment)
    assert ("1.1 a: asked as analytical" in terminal.seen) == ("TERM" in environment)


async def test_forty_columns_are_enough(moabot: Moabot) -> None:
    """A split pane or a phone must not break lines in the middle of a number."""
    moabot.upstream.texts["model-c"] = "A sentence that is longer than forty columns are wide."

    async with moabot.terminal("ask", "hi", columns=40) as terminal:
        assert await terminal.ended() == 0

    assert max(map(len, terminal.seen.splitlines())) <= 40


@pytest.mark.parametrize("command", ["ask", "chat", "explain", "batch"])
async def test_help_fits_forty_columns(moabot: Moabot, command: str) -> None:
    """Help is most needed where things are cramped; examples may be longer, words not."""
    async with moabot.terminal(command, "--help", columns=40) as terminal:
        assert await terminal.ended() == 0

    told, _, examples = terminal.seen.partition("Examples:")
    assert max(map(len, told.splitlines())) <= 40
    assert f"moabot {command}" in examples


async def test_a_draft_is_shown_until_the_synthesis_comes(moabot: Moabot) -> None:
    """The first words come from the first proposer, not from the end of a long wait."""
    moabot.upstream.held |= {"model-a", "model-b", "model-c"}

    async with moabot.terminal("ask", "hi") as terminal:
        await terminal.shows("Draft, until the synthesis comes:")
        await terminal.interrupt()
        assert await terminal.ended() == 130

    async with moabot.terminal("ask", "--no-draft", "hi") as terminal:
        await terminal.shows("asked")
        async with asyncio.timeout(5):
            await moabot.upstream.spoke.wait()
        await terminal.interrupt()
        assert await terminal.ended() == 130
    assert "Draft" not in terminal.seen


async def test_ctrl_c_keeps_what_came_and_gives_the_cursor_back(moabot: Moabot) -> None:
    """Half an answer may be all that somebody needed."""
    moabot.upstream.texts["model-a"] = HALF + "x" * len(HALF)
    moabot.upstream.held.add("model-a")

    async with moabot.terminal("ask", "--strategy", "single", "hi") as terminal:
        await terminal.shows(HALF)
        await terminal.interrupt()
        code = await terminal.ended()

    assert code == 130
    assert HALF in terminal.seen[terminal.seen.index("^C") :]
    assert terminal.seen.rstrip().endswith("Stopped.")
    assert "\x1b[?25h" in terminal.raw[terminal.raw.rindex("\x1b[?25l") :]


async def test_ctrl_c_in_a_pipe_writes_what_came(moabot: Moabot) -> None:
    """A script that is stopped leaves its text where it was sent, and a code that says so."""
    moabot.upstream.texts["model-a"] = HALF + "x" * len(HALF)
    moabot.upstream.held.add("model-a")

    process = await moabot.start("ask", "--strategy", "single", "hi")
    async with asyncio.timeout(30):
        await moabot.upstream.spoke.wait()
        await asyncio.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()

    assert process.returncode == 130
    assert out.decode() == HALF + "\n"
    assert err.decode().splitlines()[-1] == "Stopped."


async def test_ctrl_c_before_anything_happened_is_quiet(moabot: Moabot) -> None:
    """Nobody wants a traceback for having changed their mind."""
    config = moabot.home / "late.toml"
    os.mkfifo(config)
    process = await moabot.start("--config", str(config), "ask", "hi")
    async with asyncio.timeout(30):
        writer = await asyncio.to_thread(os.open, config, os.O_WRONLY)  # returns when it is read
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    os.close(writer)

    assert (process.returncode, out, err) == (130, b"", b"")


async def test_a_full_disk_is_named(moabot: Moabot) -> None:
    """An answer that was paid for must not vanish without a word."""
    full = os.open("/dev/full", os.O_WRONLY)
    process = await moabot.start("ask", "--strategy", "single", "hi", stdout=full)
    os.close(full)
    _, err = await process.communicate()

    assert process.returncode == 1
    assert "cannot be written: No space left on device" in err.decode()
    assert "Traceback" not in err.decode()


async def test_closed_streams_are_as_good_as_none(moabot: Moabot) -> None:
    """Daemons and cron jobs are started so; it was a traceback about NoneType."""
    process = await asyncio.create_subprocess_exec(
        "sh",
        "-c",
        'exec "$0" ask --strategy single hi <&- >&-',
        Path(sys.executable).with_name("moabot"),
        cwd=moabot.home,
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()

    assert process.returncode == 0
    assert "single thorough" in err.decode()


async def test_a_reader_that_went_away_is_no_error(moabot: Moabot) -> None:
    """`moabot ask … | head -1` ends without a word."""
    reader, writer = os.pipe()
    os.close(reader)
    process = await moabot.start("ask", "--strategy", "single", "hi", stdout=writer)
    os.close(writer)
    _, err = await process.communicate()

    assert process.returncode == 1
    assert "cannot be written" not in err.decode()
    assert "Traceback" not in err.decode()


async def test_a_terminal_without_a_question_is_told_how_to_ask(moabot: Moabot) -> None:
    """Waiting in silence for a pipe that is none looks like a hang."""
    async with moabot.terminal("ask", columns=40) as terminal:
        assert await terminal.ended() == 2

    assert "There is no question." in terminal.seen


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("moabot a", "ask"),
        ("moabot ask --strategy si", "single"),
        ("moabot ask --preset b", "balanced"),
        ("moabot chat --panel d", "default"),
    ],
)
def test_a_shell_completes_names(
    mistaken: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, line: str, offered: str
) -> None:
    """The names that exist are one key away."""
    monkeypatch.setenv("_MOABOT_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(line.count(" ")))

    assert mistaken().out.split() == [offered]


def test_the_version_is_told(mistaken: Callable[..., Ended]) -> None:
    """The first thing that a report of a bug needs."""
    first, *others = mistaken("--version").out.splitlines()

    assert re.fullmatch(r"moabot \d+\.\d+\.\d+\S* \(Python 3\.\d+\.\d+\)", first)
    assert any(line.startswith("openai ") for line in others)
