"""A double that nobody of this project wrote grades providers and engine together.

llmock breaks calls over real sockets, watches what the client does next, and gives a verdict:
a Retry-After that is ignored, a 400 that is asked again, half a stream that is taken for whole.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass

import pytest
from llmock.scenarios import Behavior, Delay, Fail, Match, SlowFirstToken, StreamFault
from llmock.testing import LLMockServer
from llmock.verdict import judge

from moabot.budget import Budget
from moabot.calls import Calls, Model, Order, Patience
from moabot.contract import Prompt, Turn
from moabot.errors import ProviderError, ProviderRejected, ProviderTimeout
from moabot.plugins import Plugins
from moabot.recorder import Recorder
from moabot.testing import RecordingReply
from moabot.voice import Voice

PATHS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "gemini",
    "openai_compatible": "openai",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to a model's calls, how it ends, and how often the model was then asked."""

    breaks: Callable[[Match], Behavior]
    ends: type[ProviderError] | None = None
    tries: int = 1
    streams_only: bool = False
    call_timeout_s: float = 10.0


FAULTS = {
    "none": Fault(lambda match: Delay(0.0, match=match)),
    "busy": Fault(lambda match: Fail(429, retry_after=0.2, match=match), tries=2),
    "error-500": Fault(lambda match: Fail(500, match=match), tries=2),
    "down-503": Fault(lambda match: Fail(503, match=match), tries=2),
    "overloaded": Fault(lambda match: Fail(529, match=match), tries=2),
    "bad-request": Fault(lambda match: Fail(400, times=None, match=match), ProviderRejected),
    "bad-key": Fault(lambda match: Fail(401, times=None, match=match), ProviderRejected),
    "no-such-model": Fault(lambda match: Fail(404, times=None, match=match), ProviderRejected),
    "too-long": Fault(
        lambda match: Fail(400, code="context_length_exceeded", times=None, match=match),
        ProviderRejected,
    ),
    "slow": Fault(lambda match: Delay(0.1, match=match)),
    "slow-first-token": Fault(lambda match: SlowFirstToken(0.1, match=match), streams_only=True),
    "disconnect": Fault(
        lambda match: StreamFault("disconnect", match=match), tries=2, streams_only=True
    ),
    "truncate": Fault(
        lambda match: StreamFault("truncate", match=match), tries=2, streams_only=True
    ),
    "corrupt": Fault(
        lambda match: StreamFault("malformed", match=match), tries=2, streams_only=True
    ),
    "stall": Fault(
        lambda match: StreamFault("stall", stall_seconds=1.5, match=match),
        ProviderTimeout,
        streams_only=True,
        call_timeout_s=1.0,
    ),
}


@pytest.fixture(scope="module")
def server() -> Generator[LLMockServer]:
    """One server for this file; the models' names keep the faults apart."""
    with LLMockServer() as running:
        yield running


@pytest.fixture
async def calls(
    name: str, server: LLMockServer, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Calls]:
    """The engine with one model for each fault, all of the provider under test."""
    monkeypatch.setenv("LLMOCK_KEY", "anything")
    server.state.reset()
    offer = plugins.offers("provider")[name]
    url = server.base_url(PATHS[name])
    given = {"base_url": url, "api_key_env": "LLMOCK_KEY"}
    if name == "gemini":
        given["api_version"] = "v1beta"  # the only one that llmock serves
    settings = offer.settings.model_validate(given)
    async with offer.factory(settings) as provider:
        models = {
            fault: Model(
                name=fault,
                vendor_name=fault,
                provider_name=name,
                provider=provider,
                price=None,
                gate=asyncio.Semaphore(100),
            )
            for fault in FAULTS
        }
        yield Calls(models, at_once=100)


async def _ask(calls: Calls, fault: str, *, streamed: bool) -> tuple[str, type[Exception] | None]:
    """One question through the engine; its text, or the kind of its error."""
    reply = RecordingReply()
    loop = asyncio.get_running_loop()
    voice = Voice(reply.wrote, restart=reply.restarted, clock=loop.time)
    order = Order(
        slot="1.1",
        role="proposer",
        chain=(fault,),
        prompt=Prompt("Be brief.", (Turn("user", f"What does {fault} do?"),)),
        until=loop.time() + 15,
        patience=Patience(call_timeout_s=FAULTS[fault].call_timeout_s, tries=3),
        voice=voice if streamed else None,
    )
    try:
        proposal = await calls.ask(order, Recorder(reply), Budget(None))
    except ProviderError as error:
        return "", type(error)
    return proposal.text, None


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("name", PATHS)
async def test_an_independent_judge_finds_no_fault(
    server: LLMockServer,
    calls: Calls,
    streamed: bool,  # noqa: FBT001
) -> None:
    """All faults at once, each on a model of its own, so that waiting happens side by side."""
    chosen = {name: fault for name, fault in FAULTS.items() if streamed or not fault.streams_only}
    for name, fault in chosen.items():
        server.state.scenarios.add(fault.breaks(Match(model=name)))

    async with asyncio.TaskGroup() as group:
        asked = {name: group.create_task(_ask(calls, name, streamed=streamed)) for name in chosen}

    records = await asyncio.to_thread(server.state.journal.records, wait=3)
    verdict = judge(records)
    ends = {name: task.result()[1] for name, task in asked.items()}
    assert verdict.errors == (), verdict.render()
    assert ends == {name: fault.ends for name, fault in chosen.items()}
    assert all(task.result()[0] for name, task in asked.items() if ends[name] is None)
    tries = Counter(str(record.model) for record in records)
    del tries["stall"]  # its client leaves, and llmock may have no record of that call
    assert tries == {name: f.tries for name, f in chosen.items() if name != "stall"}
