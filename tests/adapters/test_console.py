"""What the terminal shows: words, plain lines, and the live view."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import logging
import os
import re
import signal
import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from decimal import Decimal

import pytest
from rich.console import Console

from moabot.cli.logs import JsonLines
from moabot.config import ChannelSettings
from moabot.contract import (
    NOTHING,
    Agreement,
    Answer,
    Cancelled,
    Failure,
    Message,
    Proposal,
    Reply,
    Usage,
)
from moabot.errors import ConfigError, MoabotError, Refused
from moabot_platforms.console.chat import Chat
from moabot_platforms.console.live import LiveReply
from moabot_platforms.console.plain import KeptReply, PlainReply
from moabot_platforms.console.screen import Screen, complain
from moabot_platforms.words import apology, cost, footer, printable, standing

USAGE = Usage(1, 100, 0, 10, Decimal("0.0021"))
PROPOSAL = Proposal("1.1", "model-a", "analytical", "It scatters.", USAGE, 1.24)
FAILURE = Failure("1.2", "model-b", "up/model-b: The key is wrong.", 0.51)
CANCELLED = Cancelled("1.3", "model-c", 2.0, replace(USAGE, estimated=True))
ANSWER = Answer(
    "Because it **scatters**.",
    "mixture",
    "thorough",
    proposals=(PROPOSAL, replace(PROPOSAL, slot="1.3", model="model-c")),
    failures=(FAILURE,),
    agreement=Agreement(2, 2),
    usage=Usage(4, 1200, 0, 34, Decimal("0.0042")),
    seconds=3.21,
)


class Full(io.StringIO):
    """A stream on a full disk."""

    def write(self, _: str) -> int:
        """Refuse."""
        raise OSError(errno.ENOSPC, "No space left on device")


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def _shown(console: Console) -> str:
    file = console.file
    assert isinstance(file, io.StringIO)
    return re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", file.getvalue())


def _terminal(columns: int = 80, lines: int = 24) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=True, width=columns, height=lines, markup=False
    )


def _view(reply: LiveReply, columns: int = 80, lines: int = 24) -> str:
    """What stands on the screen now."""
    page = _terminal(columns, lines)
    page.print(reply.view())
    return _shown(page)


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (Usage(cost_usd=None), "cost unknown"),
        (NOTHING, "no cost"),
        (Usage(cost_usd=Decimal("0.00001")), "less than $0.0001"),
        (Usage(cost_usd=Decimal("0.00421")), "$0.0042"),
        (Usage(cost_usd=Decimal("1.239")), "$1.24"),
        (Usage(cost_usd=Decimal("1.239"), estimated=True), "about $1.24"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_money_is_known_estimated_or_unknown_and_says_which(usage: Usage, told: str) -> None:
    """A wrong sense of what an answer costs is found on the invoice."""
    assert cost(usage) == told


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (ANSWER, "2 of 2 models agree"),
        (replace(ANSWER, degraded="Only one answered."), ""),
        (replace(ANSWER, from_cache=True), "from the cache"),
        (replace(ANSWER, agreement=Agreement(1, 1)), ""),
        (replace(ANSWER, agreement=None), ""),
    ],
    ids=["agree", "degraded", "remembered", "one voice", "not counted"],
)
def test_agreement_is_claimed_only_where_there_is_some(answer: Answer, told: str) -> None:
    """Agreement of one with itself, or beside a failure, would praise what deserves a doubt."""
    assert standing(answer) == told


def test_the_footer_tells_how_who_and_how_much() -> None:
    """One line answers what a person asks after the answer."""
    answer = replace(ANSWER, via="hard → mixture")

    assert " · ".join(footer(answer)) == (
        "mixture thorough · hard → mixture · 2 of 2 models agree · 3.2 s · 4 calls · "
        "1,234 tokens · $0.0042"
    )


def test_printable_keeps_words_and_drops_what_steers() -> None:
    """Every control and direction character of Unicode's first planes, and surrogates."""
    kept = "a\tb\nc é 漢 👩‍🚀"
    steering = "".join(map(chr, [*range(9), *range(11, 32), *range(127, 160)]))
    turning = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

    assert printable(kept + steering + turning) == kept
    assert printable("\ud800") == "\N{REPLACEMENT CHARACTER}"


def test_printable_takes_a_megabyte_at_once() -> None:
    """A model that never stops must not stop the terminal."""
    assert len(printable("\x1b[31m" * 200_000)) == 800_000


async def _all_events(reply: LiveReply | PlainReply | KeptReply) -> None:
    reply.asked("1.1", "model-a", "analytical")
    reply.asked("1.2", "model-b", "proposer")
    reply.asked("1.3", "model-c", "proposer")
    reply.drafted("It sc")
    reply.drafted("atters.")
    reply.proposed(PROPOSAL)
    reply.failed(FAILURE)
    reply.cancelled(CANCELLED)
    reply.asked("synthesizer", "model-a", "synthesizer")
    reply.wrote("Because ")


async def test_plain_lines_are_one_for_each_event_and_stdout_has_the_text() -> None:
    """A log reader greps these lines."""
    out, err = io.StringIO(), io.StringIO()
    reply = PlainReply(out, err)

    await _all_events(reply)
    await reply.finish(replace(ANSWER, degraded="Only two answered."))

    assert out.getvalue() == "Because it **scatters**.\n"
    assert err.getvalue().splitlines() == [
        "1.1 model-a: asked as analytical",
        "1.2 model-b: asked as proposer",
        "1.3 model-c: asked as proposer",
        "1.1 model-a: answered in 1.2 s, 10 tokens",
        "1.2 model-b: failed after 0.5 s: up/model-b: The key is wrong.",
        "1.3 model-c: stopped after 2.0 s",
        "synthesizer model-a: asked",
        "Only two answered.",
        "mixture thorough · 3.2 s · 4 calls · 1,234 tokens · $0.0042",
    ]


@pytest.mark.parametrize("kind", ["plain", "live"])
async def test_an_apology_has_the_sentence_and_its_reference(kind: str) -> None:
    """The admin finds in the log what the person complains about."""
    console = _terminal()
    err = io.StringIO()
    live = LiveReply(console)
    reply = live if kind == "live" else PlainReply(io.StringIO(), err)
    with live if kind == "live" else nullcontext():
        await reply.sorry(MoabotError("No\x1b[31m luck.", fix="Try again."), reference="ab12")

    told = _shown(console) if kind == "live" else err.getvalue()
    assert "No answer. No[31m luck. Try again. (reference ab12)" in told
    assert isinstance(reply.error, MoabotError)


def test_what_a_person_can_mend_needs_no_reference() -> None:
    """An id beside a slip of the finger sends people to a log that says nothing more."""
    error = ConfigError("There is no strategy 'x'.", fix="Correct it.")

    assert apology(error, reference="ab12") == "There is no strategy 'x'. Correct it."
    assert apology(Refused("Busy.", fix="Ask later."), reference="ab12") == "Busy. Ask later."


async def test_a_text_that_begins_again_forgets_what_was_shown() -> None:
    """A synthesizer that breaks must not leave its half sentence before another's."""
    reply = KeptReply()
    await _all_events(reply)

    assert (reply.text, reply.is_draft) == ("Because ", False)
    reply.restarted()
    assert reply.text == ""
    reply.wrote("Anew.")
    assert reply.text == "Anew."


async def test_the_live_view_shows_each_model_s_state_and_time() -> None:
    """Who waits sees whom they wait for."""
    clock = Clock()
    reply = LiveReply(_terminal(), clock=clock)
    await _all_events(reply)
    clock.now = 7.5

    rows = [line.split() for line in _view(reply).splitlines()]
    assert rows[0] == ["1.1", "model-a", "analytical", "done", "1.2", "s", "10", "tokens"]
    assert rows[1] == ["1.2", "model-b", "proposer", "failed", "0.5", "s"]
    assert rows[2] == ["1.3", "model-c", "proposer", "cancelled", "2.0", "s"]
    assert rows[3] == ["model-a", "synthesizer", "writing", "7.5", "s"]
    assert rows[-1] == ["Because"]


async def test_the_draft_is_marked_and_gives_way() -> None:
    """Nobody may take one model's first words for the panel's answer."""
    reply = LiveReply(_terminal())
    reply.asked("1.1", "model-a", "analytical")
    reply.drafted("It may be")

    assert "Draft, until the synthesis comes:\nIt may be" in _view(reply)
    reply.wrote("It is")
    assert "Draft" not in _view(reply)
    assert "It may be" not in _view(reply)


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (40, 12), (20, 5)])
async def test_the_live_view_never_outgrows_the_screen(columns: int, lines: int) -> None:
    """What is higher than the screen cannot be redrawn, and floods the scrollback."""
    reply = LiveReply(_terminal(columns, lines))
    for place in range(1, 40):
        reply.asked(f"1.{place}", "a-model-with-a-very-long-name-indeed", "analytical")
    reply.wrote("word " * 5_000 + "\n" * 100 + "the end")

    shown = _view(reply, columns, lines).splitlines()
    assert max(map(len, shown)) <= columns
    assert len(shown) <= lines


@pytest.mark.parametrize("columns", [40, 60, 80])
async def test_a_long_name_leaves_room_for_what_changes(columns: int) -> None:
    """The vendor's name of a model may have sixty letters; its state matters more."""
    reply = LiveReply(_terminal(columns))
    reply.asked("1.12", "a-model-with-a-very-long-name-" * 3, "a-role-with-a-long-name")
    reply.cancelled(Cancelled("1.12", "a-model-with-a-very-long-name-" * 3, 12.3, USAGE))

    assert re.search(r"^1\.12 a-mode.*… +(a-role.*… )?cancelled 12\.3 s", _view(reply, columns))


async def test_without_streaming_the_live_view_has_rows_only() -> None:
    """`--no-stream` is for those whom moving text disturbs."""
    reply = LiveReply(_terminal(), stream=False)
    await _all_events(reply)

    assert "Because" not in _view(reply)


async def test_the_answer_replaces_the_live_view() -> None:
    """Scrolled back tomorrow, the screen holds the answer and its terms, not its making."""
    console = _terminal()
    with LiveReply(console, proposals=True) as reply:
        await _all_events(reply)
        await reply.finish(replace(ANSWER, degraded="Only two answered."))

    shown = _shown(console)
    assert "Because it scatters." in shown
    assert "1.1 model-a (analytical), 1.2 s ──" in shown
    assert "1.2 model-b: failed after 0.5 s: up/model-b: The key is wrong." in shown
    assert "Only two answered.\nmixture thorough · 3.2 s" in shown


async def test_what_models_write_is_neither_markup_nor_a_hidden_link() -> None:
    """The brackets of rich and terminal hyperlinks would let a model style, or lead astray."""
    console = _terminal()
    with LiveReply(console) as reply:
        reply.asked("1.1", "[red]model", "[bold]")
        reply.wrote("[bold]")
        assert "[red]model" in _view(reply)
        await reply.finish(replace(ANSWER, text="[red]x[/red] [bank](https://evil.example)"))

    assert "[red]x[/red] bank (https://evil.example)" in _shown(console)
    file = console.file
    assert isinstance(file, io.StringIO)
    assert "\x1b]8" not in file.getvalue()


async def test_an_endless_answer_is_shown_without_being_rendered() -> None:
    """A megabyte of brackets would keep rich busy for a minute."""
    console = _terminal()
    with LiveReply(console) as reply:
        began = time.monotonic()
        await reply.finish(replace(ANSWER, text="**[" * 300_000))

    assert time.monotonic() - began < 10
    assert "**[**[" in _shown(console)


async def test_proposals_can_be_shown_later() -> None:
    """`/proposals` in a pipe writes Markdown sections."""
    out = io.StringIO()

    Screen(out, io.StringIO()).show_proposals(ANSWER)

    assert out.getvalue().startswith(
        "## Proposal 1.1 model-a (analytical), 1.2 s\n\nIt scatters.\n"
    )


async def test_a_stream_that_cannot_be_written_is_remembered_and_raises_nothing() -> None:
    """A report never raises: the corridor has an answer to keep and to count."""
    reply = PlainReply(Full(), Full())
    reply.asked("1.1", "model-a", "analytical")
    await reply.finish(ANSWER)

    assert reply.answer == ANSWER
    assert reply.broken is not None
    assert reply.broken.errno == errno.ENOSPC


def test_complaints_lose_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    """An error quotes what a provider said, and that is as hostile as any text."""
    complain("It said \x1b]0;x\x07.")

    assert capsys.readouterr().err == "moabot: It said ]0;x.\n"


SECOND_PRESS = """
import asyncio
from moabot_platforms.console.ctrlc import ctrl_c

async def stubborn():
    with ctrl_c():
        print("ready", flush=True)
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                print("cancelled", flush=True)

asyncio.run(stubborn())
"""


async def test_the_second_ctrl_c_ends_at_once() -> None:
    """Whatever hangs while it is being closed, a person gets their prompt back."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SECOND_PRESS, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(10):
        for told in (b"ready\n", b"cancelled\n"):
            assert await process.stdout.readline() == told
            process.send_signal(signal.SIGINT)
        assert await process.wait() == 130


async def test_a_stopped_answer_leaves_no_cancellation_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A task that still counts as cancelled breaks the next question's first failing group."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("first\nsecond\n"))
    pending: list[int] = []

    async def handle(message: Message, reply: Reply) -> None:
        task = asyncio.current_task()
        assert task is not None
        pending.append(task.cancelling())
        if message.text == "first":
            reply.wrote("The half that came.")
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(5)

    out, err = io.StringIO(), io.StringIO()
    chat = Chat(Screen(out, err), wish=ChannelSettings(), strategies=("single",))
    await chat.run(handle)

    assert pending == [0, 0]
    assert (out.getvalue(), err.getvalue()) == ("The half that came.\n", "Stopped.\n")
    assert chat.unanswered == 2


class Typed(io.StringIO):
    """Where a person sits, or says so."""

    def isatty(self) -> bool:
        """As of a terminal."""
        return True


@pytest.mark.parametrize("kind", [Typed, io.StringIO])
async def test_a_ctrl_c_after_the_last_word_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, kind: type[io.StringIO]
) -> None:
    """It came when there was nothing to stop: a pipe ends, a conversation goes on."""
    monkeypatch.setattr(sys, "stdin", kind("first\nsecond\n"))
    heard: list[str] = []

    async def handle(message: Message, reply: Reply) -> None:
        heard.append(message.text)
        if message.text == "first":
            os.kill(os.getpid(), signal.SIGINT)

    chat = Chat(Screen(kind(), kind()), wish=ChannelSettings(), strategies=("single",))
    goes_on = kind is Typed
    with nullcontext() if goes_on else pytest.raises(KeyboardInterrupt):
        await chat.run(handle)

    assert heard == (["first", "second"] if goes_on else ["first"])


def test_a_log_line_holds_the_traceback_and_stays_one_line() -> None:
    """What broke is found there, and no text of a model can forge a line of it."""
    error = ValueError("boom\n{}")
    record = logging.LogRecord(
        "moabot", logging.ERROR, "", 0, "broken\n", None, exc_info=(ValueError, error, None)
    )
    record.reference = "ab12"

    line = JsonLines().format(record)

    assert "\n" not in line
    assert json.loads(line).items() >= {"level": "error", "reference": "ab12"}.items()
    assert "ValueError: boom" in json.loads(line)["traceback"]


async def test_a_chat_ends_when_its_output_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking on, and paying, for answers that nobody can read helps nobody."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("first\nsecond\n"))
    asked: list[str] = []

    async def handle(message: Message, reply: Reply) -> None:
        asked.append(message.text)
        await reply.finish(ANSWER)

    chat = Chat(Screen(Full(), Full()), wish=ChannelSettings(), strategies=())
    with pytest.raises(OSError, match="No space left"):
        await chat.run(handle)

    assert asked == ["first"]


async def test_a_chat_that_is_cancelled_from_outside_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a person's Ctrl-C means the answer alone; a shutdown means the chat."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("first\nsecond\n"))

    async def handle(message: Message, reply: Reply) -> None:
        raise asyncio.CancelledError

    chat = Chat(Screen(io.StringIO(), io.StringIO()), wish=ChannelSettings(), strategies=())
    with pytest.raises(asyncio.CancelledError):
        await chat.run(handle)
