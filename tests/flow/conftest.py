"""A small upstream that speaks Chat Completions, and the program `moabot` run against it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import struct
import sys
import termios
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from typer.testing import CliRunner

from moabot.cli import app

MOABOT = Path(sys.executable).with_name("moabot")


@dataclass
class Upstream:
    """Answers each model with its text, in pieces; counts what it was asked.

    `held` models send their first piece and then wait until the test is over; `broken` ones
    answer with that HTTP status. `gone` is set when a client hangs up early.
    """

    url: str = ""
    texts: dict[str, str] = field(default_factory=dict[str, str])
    held: set[str] = field(default_factory=set[str])
    broken: dict[str, int] = field(default_factory=dict[str, int])
    bodies: list[str] = field(default_factory=list[str])
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    spoke: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One call of one model."""
        raw = await request.text()
        body = json.loads(raw)
        self.bodies.append(raw)
        self.asked.set()
        model = body["model"]
        if model in self.broken:
            return web.json_response({"error": {"message": "no"}}, status=self.broken[model])
        text = self.texts.get(model, f"Forty-two, says {model}.")
        if not body.get("stream"):
            if model in self.held:
                await self.over.wait()
            return web.json_response(_whole(text))
        return await self._stream(request, model, text)

    async def _stream(self, request: web.Request, model: str, text: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        half = len(text) // 2
        await response.write(_piece(text[:half]))
        self.spoke.set()
        if model in self.held:
            await self.over.wait()
            return response
        await response.write(_piece(text[half:]))
        await response.write(_event({"choices": [{"delta": {}, "finish_reason": "stop"}]}))
        await response.write(_event({"choices": [], "usage": USAGE}))
        await response.write(b"data: [DONE]\n\n")
        return response


USAGE = {"prompt_tokens": 100, "completion_tokens": 10}


def _whole(text: str) -> dict[str, object]:
    return {
        "choices": [{"message": {"content": text}, "finish_reason": "stop"}],
        "usage": USAGE,
    }


def _piece(text: str) -> bytes:
    return _event({"choices": [{"delta": {"content": text}}]})


def _event(value: dict[str, object]) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


@pytest.fixture
async def upstream() -> AsyncGenerator[Upstream]:
    """An upstream on loopback."""
    served = Upstream()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", served.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield served
    served.over.set()
    await runner.cleanup()


CONFIG = """\
data_dir = "{home}/data"
[providers.up]
plugin = "openai_compatible"
base_url = "{url}"
[models]
a = {{provider = "up", name = "model-a", price = {{input = 1, output = 10}}}}
b = {{provider = "up", name = "model-b", price = {{input = 1, output = 10}}}}
c = {{provider = "up", name = "model-c", price = {{input = 1, output = 10}}}}
[panels.default]
proposers = [{{model = "a", role = "analytical"}}, {{model = "b"}}, {{model = "c"}}]
synthesizer = ["c"]
fallback = ["a", "b"]
tries = 1
grace_s = 0.05
[defaults]
strategy = "mixture"
preset = "thorough"
"""


@dataclass(frozen=True)
class Ended:
    """How a run of `moabot` ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Moabot:
    """The program, as a person runs it, in a folder of its own."""

    home: Path
    upstream: Upstream

    @property
    def config(self) -> Path:
        """Its configuration."""
        return self.home / "config.toml"

    async def start(
        self, *arguments: str, stdout: int = asyncio.subprocess.PIPE
    ) -> asyncio.subprocess.Process:
        """Begin a run with pipes."""
        return await asyncio.create_subprocess_exec(
            MOABOT,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=stdout,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.home,
            env=environment(),
        )

    async def __call__(self, *arguments: str, stdin: bytes = b"") -> Ended:
        """Run it to its end."""
        process = await self.start(*arguments)
        out, err = await process.communicate(stdin)
        return Ended(process.returncode or 0, out.decode(), err.decode())

    @asynccontextmanager
    async def terminal(
        self, *arguments: str, columns: int = 80, **variables: str
    ) -> AsyncGenerator[Terminal]:
        """Run it on a terminal of its own, 24 lines high."""
        here, there = os.openpty()
        fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        # A session's first process that opens a terminal is who Ctrl-C reaches.
        process = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            'tty=$1; shift; exec "$@" <"$tty" >"$tty" 2>&1',
            "sh",
            os.ttyname(there),
            MOABOT,
            *arguments,
            cwd=self.home,
            env={**environment(), **variables},
            start_new_session=True,
        )
        terminal = Terminal(here, process)
        try:
            yield terminal
        finally:
            if process.returncode is None:
                process.kill()
            await terminal.ended()
            os.close(there)
            os.close(here)


class Terminal:
    """The side of a terminal where a person sits."""

    def __init__(self, fd: int, process: asyncio.subprocess.Process) -> None:
        self._fd = fd
        self._process = process
        self._came = asyncio.Event()
        self._at = 0
        self.raw = ""
        os.set_blocking(fd, False)
        asyncio.get_running_loop().add_reader(fd, self._read)

    @property
    def seen(self) -> str:
        """All that was shown, without colours; what was drawn over begins a new line."""
        return (
            re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", self.raw)
            .replace("\r\n", "\n")
            .replace("\r", "\n")
        )

    def type(self, text: str) -> None:
        r"""Type; Enter is a newline, Ctrl-D is \x04."""
        os.write(self._fd, text.encode())

    async def interrupt(self) -> None:
        """Press Ctrl-C once the program waits, as a person does.

        A signal in the instant between the last key's echo and readline's wait for the next one
        is noticed by Python at the next key only.
        """
        stat = Path(f"/proc/{self._process.pid}/stat")
        async with asyncio.timeout(30):
            while stat.read_text().rpartition(")")[2].split()[0] != "S":  # noqa: ASYNC110 - no event tells it
                await asyncio.sleep(0)
        self.type("\x03")

    def kill(self) -> None:
        """End the program as a power cut does."""
        self._process.kill()

    async def shows(self, text: str) -> None:
        """Wait until `text` is shown, after what was last waited for."""
        async with asyncio.timeout(30):
            while text not in self.seen[self._at :]:
                self._came.clear()
                await self._came.wait()
        self._at = self.seen.index(text, self._at) + len(text)

    async def ended(self) -> int:
        """Wait for the end; returns the exit code."""
        async with asyncio.timeout(30):
            code = await self._process.wait()
        self._read()
        asyncio.get_running_loop().remove_reader(self._fd)
        return code

    def _read(self) -> None:
        with suppress(OSError):
            while True:
                self.raw += os.read(self._fd, 65536).decode(errors="replace")
                self._came.set()


UNWANTED = {"NO_COLOR", "COLUMNS", "LINES"}


def environment() -> dict[str, str]:
    """What the program is given; read late, since coverage of subprocesses is switched on in it."""
    return {
        **{name: value for name, value in os.environ.items() if name not in UNWANTED},
        "TERM": "xterm-256color",
        "PYTHONIOENCODING": "utf-8",
    }


@pytest.fixture
def mistaken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """The program without a process of its own, for what ends before anybody is asked."""
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text(CONFIG.format(url="http://127.0.0.1:9/v1", home=tmp_path))

    def run(*arguments: str, stdin: bytes = b"") -> Ended:
        done = CliRunner().invoke(app, arguments, input=stdin, prog_name="moabot")
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Ended(done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def moabot(tmp_path: Path, upstream: Upstream) -> Moabot:
    """`moabot` with a panel of three models on the upstream."""
    program = Moabot(tmp_path, upstream)
    program.config.write_text(CONFIG.format(url=upstream.url, home=tmp_path))
    return program
