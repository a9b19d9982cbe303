"""A fake upstream for benchmarks: three wire formats, behaviour programmed by the model's name.

It is a bare `asyncio.Protocol`, so that its CPU is small beside the client that is measured.

    with running() as url:                      # a process of its own; url is http://127.0.0.1:PORT
        program(url, {"a": {"ttft_s": 0.2, "tokens": 64}, "b": {"mode": "hang"}})
        …                                       # clients use url + "/v1"; the anthropic SDK url
        print(counters(url)["models"]["a"])

A model's profile (all keys optional; an unprogrammed model has the defaults):
    ttft_s   seconds to the first token: a number, or {"median": s, "p95": s} for lognormal (0)
    tokens   length of the answer in words (64)
    text     the answer itself, instead
    tps      tokens a second after the first; 0 sends all at once (0)
    mode     ok, hang (no headers), hang_mid, error (`status`, 500), ratelimit (429), garbage
             (nonsense for JSON), empty (no text), reset (connection aborted), trunc (ends early);
             or {mode: probability, …}, else ok
    p        probability of a single `mode`, else ok (1)
    error_s  seconds until an error is answered; unset takes `ttft_s`
    alike    0 to 1: how far the lognormal times of one question's calls go together. Calls that
             say the same "Question 17" are one question's (0)
    status, retry_after_s
Counters of a model: started, done, failed (a programmed fault was served), aborted (the client
left), aborted_at (seconds of `time.monotonic`, one clock for all processes of a machine), active,
peak, busy_s.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import re
import resource
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

import orjson

sys.path.insert(0, str(Path(__file__).parent))
from wire_formats import WIRES, Wire

WORDS = (
    "several models propose and one of them weighs what they said until a single careful answer "
    "stands that keeps every point on which the better half of the panel could agree"
).split()
P95 = 1.6448536269514722  # the standard normal's 95th percentile
QUESTION = re.compile(rb"Question \d+")


@dataclass(frozen=True, slots=True)
class Profile:
    """How a model behaves; the keys are explained at the top."""

    ttft_s: float | Mapping[str, float] = 0.0
    tokens: int = 64
    text: str | None = None
    tps: float = 0.0
    mode: str | Mapping[str, float] = "ok"
    p: float = 1.0
    error_s: float | None = None
    alike: float = 0.0
    status: int = 500
    retry_after_s: float | None = None

    def draw_mode(self, chance: random.Random) -> str:
        """How this call goes."""
        modes = self.mode if isinstance(self.mode, Mapping) else {self.mode: self.p}
        drawn = chance.random()
        for mode, share in modes.items():
            drawn -= share
            if drawn < 0:
                return mode
        return "ok"

    def wait_s(self, chance: random.Random, common: random.Random) -> float:
        """Seconds until the first token of one call; `common` is the same for a whole question."""
        if isinstance(self.ttft_s, Mapping):
            middle, high = math.log(self.ttft_s["median"]), math.log(self.ttft_s["p95"])
            own, shared = chance.gauss(0, 1), common.gauss(0, 1)
            drawn = math.sqrt(1 - self.alike) * own + math.sqrt(self.alike) * shared
            return math.exp(middle + drawn * (high - middle) / P95)
        return self.ttft_s

    def pieces(self) -> tuple[str, ...]:
        """The answer, token by token."""
        return words(self.tokens) if self.text is None else (self.text,)


@dataclass(slots=True)
class Counters:
    """What happened to one model."""

    started: int = 0
    done: int = 0
    failed: int = 0
    aborted: int = 0
    active: int = 0
    peak: int = 0
    busy_s: float = 0.0
    aborted_at: list[float] = field(default_factory=list)


class Behaviour:
    """What is programmed and what was counted, for all connections."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.profiles: dict[str, Profile] = {}
        self.counters: dict[str, Counters] = {}
        self.chances: dict[str, random.Random] = {}
        self.last: dict[str, str] = {}
        self.connections = 0

    def program(self, profiles: Mapping[str, dict[str, object]]) -> None:
        """Replace every profile; draws begin anew from the seed, for each model apart."""
        self.profiles = {name: Profile(**keys) for name, keys in profiles.items()}  # type: ignore[arg-type]
        self.chances.clear()

    def chance(self, model: str) -> random.Random:
        return self.chances.setdefault(model, random.Random(f"{self.seed}:{model}"))

    def common(self, body: bytes) -> random.Random:
        """What all calls of the question in `body` draw alike."""
        asked = QUESTION.search(body)
        return random.Random(f"{self.seed}:{asked[0].decode() if asked else ''}")

    def admin(self, path: str, body: bytes) -> bytes:
        """Serve /admin/program, /admin/reset, /admin/last (last request by model), /admin/counters."""
        if path == "/admin/program":
            self.program(orjson.loads(body))
        elif path == "/admin/reset":
            self.counters.clear()
        elif path == "/admin/last":
            return orjson.dumps(self.last)
        used = resource.getrusage(resource.RUSAGE_SELF)
        return orjson.dumps(
            {
                "models": {name: asdict(counted) for name, counted in self.counters.items()},
                "connections": self.connections,
                "cpu_s": used.ru_utime + used.ru_stime,
            }
        )


@lru_cache(maxsize=64)
def words(count: int) -> tuple[str, ...]:
    """A text of `count` words, each with its blank."""
    return tuple(WORDS[i % len(WORDS)] + " " for i in range(count))


@lru_cache(maxsize=256)
def frames(wire: Wire, model: str, pieces: tuple[str, ...], read: int) -> tuple[bytes, ...]:
    """A whole stream: opening, pieces, closing."""
    text = "".join(pieces)
    middle = [wire.piece(model, piece) for piece in pieces]
    closing = wire.closing(model, text, read, len(pieces))
    return wire.opening(model, read), *middle, closing


class Connection(asyncio.Protocol):
    """One client's connection: takes requests in turn, one task each, cancelled when it closes."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.unread = b""
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.behaviour.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.behaviour.connections -= 1
        if self.task is not None:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        self.unread += data
        self.next_request()

    def next_request(self) -> None:
        if self.task is not None or self.transport.is_closing():
            return
        head, blank, rest = self.unread.partition(b"\r\n\r\n")
        if not blank:
            return
        framed = body_of(head.lower(), rest)
        if framed is None:
            return
        body, self.unread = framed
        path = head.split(b" ", 2)[1].decode().partition("?")[0]
        self.task = asyncio.get_running_loop().create_task(self.serve(path, body))
        self.task.add_done_callback(self.served)

    def served(self, task: asyncio.Task[None]) -> None:
        self.task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            print("upstream:", repr(error), file=sys.stderr)
            self.transport.abort()
        self.next_request()

    async def serve(self, path: str, body: bytes) -> None:
        wire = next((WIRES[end] for end in WIRES if path.endswith(end)), None)
        if path.startswith("/admin/"):
            self.send_whole(self.behaviour.admin(path, body))
        elif wire is None:
            self.send_whole(b'{"error": {"message": "no such path"}}', status=404)
        else:
            await self.count(wire, body)

    async def count(self, wire: Wire, body: bytes) -> None:
        request = orjson.loads(body)
        model = request["model"]
        here = self.behaviour
        here.last[model] = body.decode()
        counted = here.counters.setdefault(model, Counters())
        counted.started += 1
        counted.active += 1
        counted.peak = max(counted.peak, counted.active)
        begun = time.monotonic()
        try:
            mode = await self.behave(wire, model, body, streamed=bool(request.get("stream")))
        except asyncio.CancelledError:
            counted.aborted += 1
            counted.aborted_at.append(time.monotonic())
            raise
        else:
            counted.done += mode == "ok"
            counted.failed += mode != "ok"
        finally:
            counted.active -= 1
            counted.busy_s += time.monotonic() - begun

    async def behave(self, wire: Wire, model: str, body: bytes, *, streamed: bool) -> str:
        """Do what is programmed; return the mode that was drawn."""
        profile = self.behaviour.profiles.get(model, Profile())
        chance, read = self.behaviour.chance(model), len(body) // 4
        mode = profile.draw_mode(chance)
        wait_s = profile.wait_s(chance, self.behaviour.common(body) if profile.alike else chance)
        if mode == "hang":
            await asyncio.Event().wait()
        if mode in {"error", "ratelimit"}:
            await pause(wait_s if profile.error_s is None else profile.error_s)
            status = 429 if mode == "ratelimit" else profile.status
            self.send_whole(
                wire.failure(status), status=status, retry_after_s=profile.retry_after_s
            )
            return mode
        pieces = () if mode == "empty" else profile.pieces()
        if streamed:
            await self.stream(frames(wire, model, pieces, read), profile, mode, wait_s=wait_s)
        else:
            gaps_s = max(len(pieces) - 1, 0) / profile.tps if profile.tps else 0.0
            await pause(wait_s + gaps_s)
            await self.answer(wire.whole(model, "".join(pieces), read, len(pieces)), mode)
        return mode

    async def answer(self, body: bytes, mode: str) -> None:
        """A plain call's answer, whole or spoilt."""
        if mode == "reset":
            self.transport.abort()
        elif mode == "garbage":
            self.send_whole(body[: len(body) // 2] + b"<html>bad gateway")
        elif mode in {"hang_mid", "trunc"}:
            self.transport.write(
                head_of(200, f"content-length: {len(body)}") + body[: len(body) // 2]
            )
            if mode == "hang_mid":
                await asyncio.Event().wait()
            self.transport.close()
        else:
            self.send_whole(body)

    async def stream(
        self, parts: tuple[bytes, ...], profile: Profile, mode: str, *, wait_s: float
    ) -> None:
        """A stream, at the model's speed, whole or spoilt half way."""
        await pause(wait_s)
        self.transport.write(head_of(200, "transfer-encoding: chunked", "text/event-stream"))
        if mode == "garbage":
            parts = (b"data: {half a tok\n\n",)
        if mode in {"hang_mid", "reset", "trunc"}:
            parts = parts[: len(parts) // 2]
        if profile.tps:
            loop = asyncio.get_running_loop()
            begun = loop.time()
            for i, part in enumerate(parts):
                await pause(begun + max(i - 1, 0) / profile.tps - loop.time())
                self.send_chunk(part)
        else:
            self.send_chunk(b"".join(parts))
        if mode == "hang_mid":
            await asyncio.Event().wait()
        if mode == "reset":
            self.transport.abort()
        else:
            self.transport.write(b"0\r\n\r\n")

    def send_chunk(self, part: bytes) -> None:
        self.transport.write(b"%x\r\n%b\r\n" % (len(part), part))

    def send_whole(
        self, body: bytes, *, status: int = 200, retry_after_s: float | None = None
    ) -> None:
        length = f"content-length: {len(body)}"
        if retry_after_s is not None:
            length += f"\r\nretry-after: {retry_after_s:g}"
        self.transport.write(head_of(status, length) + body)


async def pause(seconds: float) -> None:
    if seconds > 0:
        await asyncio.sleep(seconds)


@lru_cache(maxsize=256)
def head_of(status: int, more: str, kind: str = "application/json") -> bytes:
    """The head of a reply."""
    return f"HTTP/1.1 {status} Said\r\ncontent-type: {kind}\r\n{more}\r\n\r\n".encode()


def body_of(head: bytes, rest: bytes) -> tuple[bytes, bytes] | None:
    """A request's body and what follows it, or None while it is not whole. `head` in lower case."""
    if b"transfer-encoding: chunked" in head:
        return unchunked(rest)
    _, found, after = head.partition(b"\r\ncontent-length:")
    length = int(after.partition(b"\r\n")[0]) if found else 0
    return (rest[:length], rest[length:]) if len(rest) >= length else None


def unchunked(rest: bytes) -> tuple[bytes, bytes] | None:
    parts: list[bytes] = []
    while True:
        size, line, rest = rest.partition(b"\r\n")
        length = int(size, 16) if line else 0
        if not line or len(rest) < length + 2:
            return None
        if length == 0:
            return b"".join(parts), rest[2:]
        parts.append(rest[:length])
        rest = rest[length + 2 :]


@contextmanager
def running(*, seed: int = 7) -> Iterator[str]:
    """Run an upstream in a process of its own; gives its URL, stops it at the end."""
    command = [sys.executable, __file__, "--seed", str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def ask(url: str, body: object = None) -> dict[str, dict[str, dict[str, float]]]:
    """POST `body` to an admin page; returns its JSON."""
    request = urllib.request.Request(url, data=orjson.dumps(body), method="POST")  # noqa: S310
    with urllib.request.urlopen(request) as reply:  # noqa: S310
        told: dict[str, dict[str, dict[str, float]]] = orjson.loads(reply.read())
        return told


def program(url: str, profiles: Mapping[str, Mapping[str, object]]) -> None:
    """Set every model's behaviour and clear the counters."""
    ask(url + "/admin/program", profiles)
    ask(url + "/admin/reset")


def counters(url: str) -> dict[str, dict[str, dict[str, float]]]:
    """Counters by model under "models", beside "connections" and the upstream's own "cpu_s"."""
    return ask(url + "/admin/counters")


async def main(port: int, seed: int) -> None:
    """Serve until killed; the first line printed is the port."""
    behaviour = Behaviour(seed)
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(behaviour), "127.0.0.1", port, backlog=4096
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    asyncio.run(main(chosen.port, chosen.seed))
