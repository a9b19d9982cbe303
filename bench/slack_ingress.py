"""HTTP mode of Slack under attack: forged requests, and senders who hold sockets open.

    python bench/slack_ingress.py [--sockets 300] [--forged 10000]

The receiver runs in a process of its own, with slack-bolt's app behind it. First come 10,000 forged
requests of the kinds of tests/adapters/slack/test_http.py; then 300 sockets, which send a byte every
five seconds: a third before its headers, a third within them, a third within its body. Meanwhile
Slack sends a signed event every 50 ms on a connection of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import io
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import aiohttp
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from moabot_platforms.slack.http import Ingress, receiving

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from tests.fakes.slack.http_events import signed

SECRET = "a-signing-secret"
EVENT = json.dumps(
    {"type": "event_callback", "event": {"type": "message"}, "team_id": "T1"}
).encode()
HEAD = b"POST /slack/events HTTP/1.1\r\nHost: slack\r\n"
SLOW = (b"", HEAD + b"X-Slack-Signature: v0=", HEAD + b"Content-Length: 50000\r\n\r\n")
CLOSED_S, VALID_MS = 15.0, 100.0


async def serve() -> None:
    """The receiver; prints its address."""

    async def heard() -> None:
        """Ack."""

    app = AsyncApp(
        client=AsyncWebClient("xoxb-1", base_url="http://127.0.0.1:9/"),
        authorize=authorized,
        request_verification_enabled=False,
    )
    app.event("message")(heard)
    async with receiving(Ingress(SECRET, port=0), app.async_dispatch) as url:
        print(url, flush=True)
        await asyncio.Event().wait()


async def authorized() -> object:
    """Bolt's question whose token it is, answered without Slack."""
    return AuthorizeResult(
        enterprise_id=None, team_id="T1", bot_token="xoxb-1", bot_id="B1", bot_user_id="U1"
    )


async def valid(session: aiohttp.ClientSession, url: str) -> float:
    """One event from Slack; milliseconds until its ack."""
    headers = {"Content-Type": "application/json", **signed(EVENT, secret=SECRET, at=time.time())}
    began = time.perf_counter()
    async with session.post(url, data=EVENT, headers=headers) as reply:
        await reply.read()
        if reply.status != 200:
            raise RuntimeError(f"a signed event got {reply.status}")
    return (time.perf_counter() - began) * 1000


async def forged(url: str, count: int) -> Counter[int]:
    """What forged requests are answered with."""
    spec = importlib.util.spec_from_file_location(
        "cases", ROOT / "tests/adapters/slack/test_http.py"
    )
    if spec is None or spec.loader is None:
        raise RuntimeError("the cases are gone")
    cases = importlib.util.module_from_spec(spec)
    sys.modules["cases"] = cases
    spec.loader.exec_module(cases)
    chance, seen = random.Random(5), Counter[int]()
    connector = aiohttp.TCPConnector(limit=8)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:

        async def some(number: int) -> None:
            for _ in range(number):
                body, headers = cases.mutated(chance)
                if not all(value.isprintable() for value in headers.values()):
                    headers = {name: ascii(value) for name, value in headers.items()}
                async with session.post(url, data=io.BytesIO(body), headers=headers) as reply:
                    seen[reply.status] += 1

        for _ in range(8):
            group.create_task(some(count // 8))
    return seen


async def slow(url: str, sent: bytes) -> float:
    """Seconds until the server hangs up on somebody who sends a byte every five."""
    host, port = url.split("/")[2].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    began = time.perf_counter()
    writer.write(sent)
    ended = asyncio.create_task(reader.read())
    while not ended.done():
        await asyncio.wait({ended}, timeout=5)
        if not ended.done():
            writer.write(b"A")
    await asyncio.gather(ended, return_exceptions=True)
    writer.transport.abort()
    return time.perf_counter() - began


async def besieged(url: str, sockets: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds until each slow socket was closed; milliseconds of each event before, and meanwhile."""
    before: list[float] = []
    acks: list[float] = []
    async with aiohttp.ClientSession() as session:
        for _ in range(100):
            before.append(await valid(session, url))
            await asyncio.sleep(0.05)
        closing = [asyncio.create_task(slow(url, SLOW[number % 3])) for number in range(sockets)]
        while not all(task.done() for task in closing):
            acks.append(await valid(session, url))
            await asyncio.sleep(0.05)
    return [task.result() for task in closing], before, acks


def quantile(values: Sequence[float], share: float) -> float:
    """A quantile, without interpolation."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


async def attack(sockets: int, count: int) -> bool:
    """Attack, print; whether the goals were reached."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--serve", stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    try:
        url = (await server.stdout.readline()).decode().strip()
        began = time.perf_counter()
        seen = await forged(url, count)
        rate = count / (time.perf_counter() - began)
        closed, before, acks = await besieged(url, sockets)
    finally:
        server.terminate()
        await server.wait()
    print(
        f"{seen.total()} forged requests at {rate:.0f}/s: " + _counted(seen) + "; to reach: all 401"
    )
    print(
        f"{len(closed)} slow sockets closed after {quantile(closed, 0.5):.1f} s (median), "
        f"{max(closed):.1f} s (last); to reach: < {CLOSED_S:.0f} s"
    )
    for when, seen_ms in (("before", before), ("meanwhile", acks)):
        print(
            f"{len(seen_ms)} signed events {when}: {quantile(seen_ms, 0.5):.1f} ms (median), "
            f"{quantile(seen_ms, 0.99):.1f} ms (p99); to reach: < {VALID_MS:.0f} ms"
        )
    print(f"load average {os.getloadavg()[0]:.1f}")
    return set(seen) == {401} and max(closed) < CLOSED_S and quantile(acks, 0.99) < VALID_MS


def _counted(seen: Counter[int]) -> str:
    return ", ".join(f"{number} x {status}" for status, number in sorted(seen.items()))


def main() -> int:
    """Run and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--sockets", type=int, default=300)
    options.add_argument("--forged", type=int, default=10_000)
    options.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve:
        asyncio.run(serve())
    return int(not asyncio.run(attack(chosen.sockets, chosen.forged)))


if __name__ == "__main__":
    sys.exit(main())
