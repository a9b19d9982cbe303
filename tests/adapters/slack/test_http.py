"""HTTP mode: what is not signed by Slack, whole and in time never reaches bolt, and never a 500."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import logging
import random
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient
from tests.fakes.loops import LoopbackTimeLoop
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.http_events import signed

from moabot.errors import PlatformError
from moabot_platforms.slack import http
from moabot_platforms.slack.http import Ingress, receiving

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1_790_000_000.0
EVENT = json.dumps({"type": "event_callback", "event": {"type": "message"}}).encode()


@dataclass
class Heard:
    """A bolt that notes what reaches it."""

    requests: list[AsyncBoltRequest] = field(default_factory=list[AsyncBoltRequest])

    async def dispatch(self, request: AsyncBoltRequest) -> BoltResponse:
        """Ack it."""
        self.requests.append(request)
        return BoltResponse(status=200, body="heard")


@pytest.fixture
def heard() -> Heard:
    """What reached bolt."""
    return Heard()


INGRESS = Ingress(SECRET, port=0, wall=lambda: NOW)


@asynccontextmanager
async def calling(
    heard: Heard, ingress: Ingress = INGRESS
) -> AsyncGenerator[Callable[..., aiohttp.client._RequestContextManager]]:
    """Whoever knows the address; calls with a body and headers."""
    async with receiving(ingress, heard.dispatch) as url, aiohttp.ClientSession() as session:

        def call(
            body: bytes = EVENT, headers: Mapping[str, str] | None = None, *, path: str = ""
        ) -> aiohttp.client._RequestContextManager:
            sent = {"Content-Type": "application/json"}
            sent |= signed(body, secret=SECRET, at=NOW) if headers is None else headers
            return session.post(url + path, data=io.BytesIO(body), headers=sent)

        yield call


async def status(answering: aiohttp.client._RequestContextManager) -> int:
    """The answer's status."""
    async with answering as reply:
        return reply.status


async def test_what_slack_signed_reaches_bolt(heard: Heard) -> None:
    """Its body whole, its retry headers kept, its answer brought back."""
    headers = {**signed(EVENT, secret=SECRET, at=NOW), "X-Slack-Retry-Num": "1"}
    async with calling(heard) as call, call(EVENT, headers) as reply:
        assert (reply.status, await reply.text()) == (200, "heard")

    request = heard.requests[0]
    assert request.body["type"] == "event_callback"
    assert request.headers["x-slack-retry-num"] == ["1"]


async def test_what_no_signature_covers_does_not_reach_bolt(heard: Heard) -> None:
    """Who replays a signed request could otherwise choose which of bolt's functions runs."""
    headers = signed(EVENT, secret=SECRET, at=NOW)
    unsigned = {"X-Slack-Bolt-Lazy-Only": "1", "X-Slack-Bolt-Lazy-Function-Name": "ask"}
    async with calling(heard) as call:
        assert await status(call(EVENT, headers | unsigned, path="?code=stolen")) == 200

    request = heard.requests[0]
    assert (request.lazy_only, request.lazy_function_name, request.query) == (False, None, {})


@pytest.mark.parametrize("seconds", [-301, 301, -(10**9), 10**9])
async def test_an_old_request_is_refused_and_so_is_one_from_the_future(
    heard: Heard, seconds: int
) -> None:
    """A request that somebody recorded is worth nothing after five minutes."""
    async with calling(heard) as call:
        assert await status(call(EVENT, signed(EVENT, secret=SECRET, at=NOW + seconds))) == 401
    assert heard.requests == []


@pytest.mark.parametrize("seconds", [-299, 299])
async def test_clocks_may_differ_by_five_minutes(heard: Heard, seconds: int) -> None:
    """Slack's own rule; a stricter one would lose events on a machine whose clock is off."""
    async with calling(heard) as call:
        assert await status(call(EVENT, signed(EVENT, secret=SECRET, at=NOW + seconds))) == 200


MALFORMED = ["", "abc", "9" * 5000, "-1", "+1790000000", "1790000000.0", "1e9", "0x6a", "NaN"]
FOREIGN = ["".join(chr(zero + int(each)) for each in "1790000000") for zero in (0x660, 0xFF10)]
STAMPS = [*MALFORMED, *FOREIGN, "1_790_000_000", "1790000000\x00", "\n1790000000"]
SIGNATURES = (
    "",
    "v0=",
    "v0",
    "v1=",
    "v0=" + "0" * 64,
    "v0=é",
    "\udcff",
    "v0=" + "é" * 64,
    "=",
    "v0==",
)


def mutated(chance: random.Random) -> tuple[bytes, dict[str, str]]:
    """A signed request with one to three changes, which leave no valid one."""
    body, headers = EVENT, signed(EVENT, secret=SECRET, at=NOW)
    stamp, signature = headers["X-Slack-Request-Timestamp"], headers["X-Slack-Signature"]
    kind = chance.randrange(7)
    if kind == 0:
        place = chance.randrange(3, len(signature))
        other = chance.choice("0123456789abcdef".replace(signature[place], ""))
        signature = signature[:place] + other + signature[place + 1 :]
    elif kind == 1:
        signature = chance.choice(SIGNATURES)
    elif kind == 2:
        stamp = chance.choice(STAMPS)
    elif kind == 3:
        stamp = str(int(NOW) + chance.choice([-1, 1]) * chance.randrange(1, 300))
    elif kind == 4:
        place = chance.randrange(len(body))
        body = body[:place] + bytes([body[place] ^ 1 << chance.randrange(8)]) + body[place + 1 :]
    elif kind == 5:
        signature = chance.choice(
            [signature.upper(), signature[:-1], signature + "0", signature[3:]]
        )
    else:
        signature = "".join(chr(chance.randrange(1, 0x2FF)) for _ in range(chance.randrange(80)))
    return body, {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}


def test_ten_thousand_changed_requests_are_all_refused() -> None:
    """slack-bolt 1.30.0 answers 500 to three kinds of them, without knowing who asks."""
    chance = random.Random(5)  # noqa: S311 - no secret
    cases = [mutated(chance) for _ in range(10_000)]

    accepted = [case for case in cases if http.is_signed(*case, secret=SECRET, now=NOW)]

    assert accepted == []


async def test_forged_requests_get_401_over_the_wire(heard: Heard) -> None:
    """Each kind once more as a request, since headers are read by aiohttp before us."""
    good = signed(EVENT, secret=SECRET, at=NOW)
    printable = [each for each in STAMPS if each.isprintable()]
    forged = [good | {"X-Slack-Request-Timestamp": stamp} for stamp in printable]
    forged += [good | {"X-Slack-Signature": each} for each in SIGNATURES if each.isprintable()]
    forged += [{name: value} for name, value in good.items()] + [{}]
    async with calling(heard) as call:
        seen = {await status(call(EVENT, headers)) for headers in forged}

    assert (seen, heard.requests) == ({401}, [])


DEEP = 100_000
UNREADABLE = {
    "no UTF-8": b"\xff\xfe{}",
    "no JSON": b'{"type": ',
    "a list": b"[1, 2]",
    "a number": b"7",
    "deep": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "half a surrogate": b'{"a": "\xed\xa0\x80"}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
async def test_what_is_signed_but_no_json_gets_400(heard: Heard, body: bytes) -> None:
    """A 500 would be sent again three times, and counts as our failure."""
    async with calling(heard) as call:
        assert await status(call(body)) == 400
    assert heard.requests == []


@pytest.mark.parametrize("body", [b"payload=%7B", b"payload=[1]", b"payload=%FF", b"a=%FF\xff"])
async def test_a_form_without_a_readable_payload_gets_400(heard: Heard, body: bytes) -> None:
    """Clicks come as forms, whose payload is JSON."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with calling(heard) as call:
        assert await status(call(body, signed(body, secret=SECRET, at=NOW) | form)) == 400


async def test_only_the_one_address_and_only_post(heard: Heard) -> None:
    """Nothing else is served, not even to Slack."""
    async with receiving(INGRESS, heard.dispatch) as url, aiohttp.ClientSession() as session:
        base = url.removesuffix(http.PATH)
        assert await status(session.get(url)) == 405
        assert await status(session.post(f"{base}/elsewhere", data=EVENT)) == 404


async def test_a_browser_gets_the_pages_that_there_are(heard: Heard) -> None:
    """Installing in a workspace is done in a browser."""

    async def install(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="Install")

    ingress = replace(INGRESS, pages={"/slack/install": install})
    async with receiving(ingress, heard.dispatch) as url, aiohttp.ClientSession() as session:
        page = url.removesuffix(http.PATH) + "/slack/install"
        async with session.get(page) as reply:
            assert await reply.text() == "Install"


async def test_a_body_over_a_mebibyte_gets_413(heard: Heard) -> None:
    """Nobody may fill our memory before we know who it is."""
    async with calling(heard) as call:
        assert await status(call(b"a" * (1024**2 + 1))) == 413


async def test_nothing_is_unpacked_for_strangers(heard: Heard) -> None:
    """Ten kilobytes may unpack to ten megabytes, and Slack packs nothing."""
    bomb = gzip.compress(bytes(10 * 1024**2))
    async with calling(heard) as call:
        assert await status(call(bomb, {"Content-Encoding": "gzip"})) == 401


async def test_a_taken_port_names_the_key_to_change(heard: Heard) -> None:
    """Two bots on one machine are a usual mistake."""
    async with receiving(INGRESS, heard.dispatch) as url:
        taken = replace(INGRESS, port=int(url.split(":")[2].split("/")[0]))

        with pytest.raises(PlatformError, match=r"\[platforms.slack\]"):
            async with receiving(taken, heard.dispatch):
                pass


# ── who sends slowly ─────────────────────────────────────────────────────────────────────────


async def slow(url: str, sent: bytes, *, every_s: float = 1.0) -> float:
    """Send a byte now and then after `sent`; after how many seconds the server hangs up."""
    host, port = url.split("/")[2].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    loop = asyncio.get_running_loop()
    began = loop.time()
    writer.write(sent)
    ended = asyncio.create_task(reader.read())
    try:
        while not ended.done():
            writer.write(b"A")
            await asyncio.wait({ended}, timeout=every_s)
        await asyncio.gather(ended, return_exceptions=True)
        return loop.time() - began
    finally:
        writer.transport.abort()


HEAD = b"POST /slack/events HTTP/1.1\r\nHost: h\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
SLOW = {
    "nothing": b"",
    "half its headers": HEAD + b"X-Slack-Signature: ",
    "its body": HEAD + b"Content-Length: 5000\r\n\r\n",
    "its chunks": HEAD + CHUNKED + b"1388\r\n",
}


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_who_sends_slowly_is_cut_off_within_ten_seconds(heard: Heard, sent: bytes) -> None:
    """By itself aiohttp lets 300 of 300 such connections stand for an hour."""

    async def try_it() -> float:
        async with receiving(INGRESS, heard.dispatch) as url:
            return await slow(url, sent)

    with asyncio.Runner(loop_factory=LoopbackTimeLoop) as runner:
        assert runner.run(try_it()) <= 10


def test_a_sender_who_breaks_off_is_no_error(
    heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    """Anybody could otherwise fill the log with tracebacks."""

    async def try_it() -> None:
        async with receiving(INGRESS, heard.dispatch) as url:
            host, port = url.split("/")[2].split(":")
            for sent in (SLOW["its body"], b"what?\r\n\r\n", HEAD + CHUNKED + b"zz\r\n"):
                _, writer = await asyncio.open_connection(host, int(port))
                writer.write(sent)
                await asyncio.sleep(0.1)
                writer.transport.abort()
            await asyncio.sleep(1)

    with asyncio.Runner(loop_factory=LoopbackTimeLoop) as runner:
        runner.run(try_it())
    assert [line for line in caplog.records if line.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    ("ingress", "kept"),
    [(replace(INGRESS, per_address=5), 5), (replace(INGRESS, in_all=4), 4)],
    ids=["of one address", "in all"],
)
def test_who_only_holds_connections_gives_way_to_who_comes(
    heard: Heard, ingress: Ingress, kept: int
) -> None:
    """Else silent connections keep Slack out until they are too old."""

    async def try_it() -> tuple[list[float], int]:
        async with receiving(ingress, heard.dispatch) as url, aiohttp.ClientSession() as session:
            silent = [asyncio.create_task(slow(url, HEAD)) for _ in range(12)]
            await asyncio.sleep(1)
            headers = {"Content-Type": "application/json"}
            headers |= signed(EVENT, secret=SECRET, at=NOW)
            answered = await status(session.post(url, data=EVENT, headers=headers))
            return [await each for each in silent], answered

    with asyncio.Runner(loop_factory=LoopbackTimeLoop) as runner:
        stood, answered = runner.run(try_it())

    assert answered == 200
    assert sum(seconds < 1 for seconds in stood) == 12 - kept


async def test_who_brought_a_signed_request_never_gives_way() -> None:
    """A burst of real events must not push each other out, nor an attack those of before."""
    arrived, together = [asyncio.Event() for _ in range(20)], asyncio.Barrier(20)

    async def dispatch(_: AsyncBoltRequest) -> BoltResponse:
        next(each for each in arrived if not each.is_set()).set()
        await together.wait()
        return BoltResponse(status=200)

    ingress = replace(INGRESS, per_address=2)
    headers = {"Content-Type": "application/json", **signed(EVENT, secret=SECRET, at=NOW)}
    async with receiving(ingress, dispatch) as url, aiohttp.ClientSession() as session:
        answers: list[asyncio.Task[int]] = []
        for number in range(20):
            answers.append(
                asyncio.create_task(status(session.post(url, data=EVENT, headers=headers)))
            )
            await arrived[number].wait()

        assert await asyncio.gather(*answers) == [200] * 20


# ── with the real bolt ───────────────────────────────────────────────────────────────────────


async def test_bolt_answers_slack_s_handshake_events_commands_and_clicks() -> None:
    """The whole way: signed by the fake, checked here, answered by the real framework."""
    async with FakeSlack(request_url="later", signing_secret=SECRET) as slack:
        client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
        app = AsyncApp(client=client, request_verification_enabled=False)

        async def hello(ack: AsyncAck) -> None:
            await ack("Hello")

        async def nothing() -> None:
            pass

        app.command("/moa")(hello)  # pyright: ignore[reportUnknownMemberType] - half typed
        app.event("app_mention")(nothing)  # pyright: ignore[reportUnknownMemberType] - half typed
        app.event("message")(nothing)  # pyright: ignore[reportUnknownMemberType] - half typed
        ingress = Ingress(SECRET, port=0, wall=time.time)
        async with receiving(ingress, app.async_dispatch) as slack.requests.url:
            assert await slack.requests.verify()
            await slack.mention("C1", "U1", "Why?").acked()
            await slack.slash("C1", "U1", "help").acked()

        assert [post.shown for post in slack.private("U1")] == ["Hello"]
