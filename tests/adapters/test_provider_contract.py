"""What our providers keep beyond the suite that is published: what stands on the wire."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from moabot.contract import Attachment, Prompt, Provider, Turn, Usage
from moabot.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRejected,
    ProviderUnreachable,
)

if TYPE_CHECKING:
    from tests.adapters.conftest import FakeVendor, Opening

NAMES = ("openai", "anthropic", "gemini", "openai_compatible")
TEXT = "Canberra is the capital — since 1913."
PROMPT = Prompt("Be brief.", (Turn("user", "What is the capital of Australia?"),))
OLDER = {"anthropic": "claude-sonnet-4-6"}
"""Models that take a temperature, where "ok" counts as one that does not."""

pytestmark = pytest.mark.parametrize("name", NAMES)
both = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])


async def _ask(provider: Provider, model: str, *, streamed: bool) -> tuple[str, Usage, str]:
    """Text, usage and stop of one call; a streamed text must equal the returned one."""
    pieces: list[str] = []
    wrote = pieces.append if streamed else None
    done = await provider.complete(PROMPT, model=model, wrote=wrote)
    if streamed:
        assert "".join(pieces) == done.text
        assert len(pieces) == 3
    return done.text, done.usage, done.stop


@both
async def test_an_answer_comes_whole_with_what_it_used(provider: Provider, streamed: bool) -> None:  # noqa: FBT001
    """Cost and cache savings are wrong as soon as one vendor's counts are read differently."""
    text, usage, stop = await _ask(provider, "ok", streamed=streamed)

    assert (text, stop) == (TEXT, "end")
    assert usage == Usage(1, 120, 100, 30, cost_usd=None, estimated=False)


@both
async def test_an_answer_that_was_cut_says_so(provider: Provider, streamed: bool) -> None:  # noqa: FBT001
    """Half an answer that passes for a whole one misleads the aggregator."""
    text, _, stop = await _ask(provider, "length", streamed=streamed)

    assert (text, stop) == (TEXT, "length")


@both
async def test_usage_that_nobody_reported_is_marked_as_an_estimate(
    provider: Provider,
    streamed: bool,  # noqa: FBT001
) -> None:
    """Unknown is not zero: a free answer would never meet its budget."""
    _, usage, _ = await _ask(provider, "no-usage", streamed=streamed)

    assert usage.estimated
    assert (usage.input_tokens, usage.output_tokens) == (11, 10)


@both
async def test_the_vendor_hears_everything_that_was_asked(
    vendor: FakeVendor,
    opening: Opening,
    name: str,
    streamed: bool,  # noqa: FBT001
) -> None:
    """A system prompt, a turn or a picture that is lost on the way costs an answer silently."""
    picture = Attachment("map.png", "image/png", b"\x89PNG map")
    turns = (
        Turn("user", "Look at this.", (picture,)),
        Turn("assistant", "I see Australia."),
        Turn("user", "What is its capital?"),
    )
    room = {} if name == "openai_compatible" else {"thinking_tokens": 0}
    async with opening(**room) as provider:
        await provider.complete(
            Prompt("Be brief.", turns, max_tokens=77, temperature=0.25),
            model=OLDER.get(name, "ok"),
            wrote=(lambda _: None) if streamed else None,
        )

    assert vendor.asked[0].heard == {
        "system": "Be brief.",
        "turns": [
            ("user", "Look at this.", [b64encode(picture.data).decode()]),
            ("assistant", "I see Australia.", []),
            ("user", "What is its capital?", []),
        ],
        "max_tokens": 77,
        "temperature": 0.25,
    }
    assert any("sk-very-secret" in value for value in vendor.asked[0].headers.values())


@pytest.mark.parametrize(
    ("fault", "words"), [("early-eof", "ended without"), ("broken", "verload")]
)
async def test_a_stream_that_fails_on_the_way_says_how(
    provider: Provider, fault: str, words: str
) -> None:
    """All three SDKs take a stream that ends early for a whole answer."""
    pieces: list[str] = []
    with pytest.raises(ProviderError) as raised:
        await provider.complete(PROMPT, model=fault, wrote=pieces.append)

    assert words in raised.value.what
    assert pieces


@both
async def test_the_vendor_s_wish_to_wait_is_handed_on(provider: Provider, streamed: bool) -> None:  # noqa: FBT001
    """Asking again earlier lands in the same window and fails again."""
    with pytest.raises(ProviderBusy) as raised:
        await provider.complete(PROMPT, model="429", wrote=_hear if streamed else None)

    assert raised.value.retry_after_s == 7


@pytest.mark.parametrize(
    ("fault", "words"),
    [("401", "FAKE_VENDOR_KEY"), ("404", "'404'"), ("too-long", "Shorten")],
)
async def test_an_error_says_what_to_do(provider: Provider, fault: str, words: str) -> None:
    """A wrong key, a misspelt model and a long question are the reader's own to mend."""
    with pytest.raises(ProviderRejected) as raised:
        await provider.complete(PROMPT, model=fault)

    assert words in raised.value.fix


@both
@pytest.mark.parametrize("fault", ["hang", "hang-mid"])
async def test_a_deadline_ends_a_silent_call_and_closes_its_connection(
    vendor: FakeVendor,
    provider: Provider,
    fault: str,
    streamed: bool,  # noqa: FBT001
) -> None:
    """A vendor goes on writing, and billing, for whoever stays connected."""
    await _ask(provider, "ok", streamed=False)  # the first call of an SDK loads half of it
    loop = asyncio.get_running_loop()
    deadline = loop.time() + 0.2
    with pytest.raises(TimeoutError):
        async with asyncio.timeout_at(deadline):
            await provider.complete(PROMPT, model=fault, wrote=_hear if streamed else None)
    ended = loop.time()
    async with asyncio.timeout(1):
        left_at = await vendor.left_at.get()

    assert ended <= deadline + 0.1
    assert left_at - deadline <= 0.5


async def test_hundreds_of_calls_are_in_flight_at_once(
    vendor: FakeVendor, provider: Provider
) -> None:
    """Default pools of 20 to 100 connections make the rest wait while their time runs out."""
    vendor.together = asyncio.Barrier(150)
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(provider.complete(PROMPT, model="ok")) for _ in range(150)]

    assert {call.result().text for call in calls} == {TEXT}


async def test_a_server_that_is_not_there_is_unreachable(opening: Opening) -> None:
    """The most usual fault of a local model is that nobody started it."""
    async with opening(base_url="http://127.0.0.1:9/v1") as provider:
        with pytest.raises(ProviderUnreachable) as raised:
            await provider.complete(PROMPT, model="ok")

    assert raised.value.retryable


def _hear(_: str) -> None:
    """Listens, so that the call streams."""
