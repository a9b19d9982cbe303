"""What a 64-token stream costs in CPU: our adapters beside iterating the SDKs' own events (G9)."""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import anthropic
import openai
import orjson

from moabot.contract import Prompt, Turn
from moabot_providers.anthropic import AnthropicSettings, open_anthropic
from moabot_providers.openai import OpenAISettings, open_openai
from moabot_providers.openai_compatible import OpenAICompatibleSettings, open_compatible

sys.path.insert(0, str(Path(__file__).parent))
from upstream import program, running

ROUNDS = 6
STREAMS = 120
TOGETHER = 8
GOAL = 0.30
KEY = "not-a-key"
QUESTION = "What is the capital of Australia, and how did it come to be chosen? " * 8
PROMPT = Prompt("Be brief.", (Turn("user", QUESTION),))

Stream = Callable[[], Awaitable[object]]


def cpu_s() -> float:
    """CPU seconds of this process, the upstream not included."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def cost_ms(stream: Stream) -> float:
    """CPU milliseconds of one stream, with several under way."""
    left = iter(range(STREAMS))

    async def work() -> None:
        for _ in left:
            await stream()

    before = cpu_s()
    async with asyncio.TaskGroup() as group:
        for _ in range(TOGETHER):
            group.create_task(work())
    return (cpu_s() - before) / STREAMS * 1000


async def iterate_openai(client: openai.AsyncOpenAI) -> str:
    """The SDK's usual way: an object for each event."""
    text = ""
    async with await client.responses.create(
        model="m",
        instructions=PROMPT.system,
        input=[{"role": "user", "content": QUESTION}],
        max_output_tokens=100,
        stream=True,
    ) as events:
        async for event in events:
            if event.type == "response.output_text.delta":
                text += event.delta
    return text


async def iterate_anthropic(client: anthropic.AsyncAnthropic) -> str:
    """The SDK's usual way: an object for each event."""
    text = ""
    async with await client.messages.create(
        model="m",
        system=PROMPT.system,
        messages=[{"role": "user", "content": QUESTION}],
        max_tokens=100,
        stream=True,
    ) as events:
        async for event in events:
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                text += event.delta.text
    return text


async def bare(session: aiohttp.ClientSession, url: str) -> str:
    """The hand-written floor: aiohttp, a line at a time, orjson."""
    body = {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 100,
        "messages": [
            {"role": "system", "content": PROMPT.system},
            {"role": "user", "content": QUESTION},
        ],
    }
    pieces: list[str] = []
    async with session.post(url + "/v1/chat/completions", json=body) as reply:
        async for line in reply.content:
            if line.startswith(b"data: {"):
                choices = orjson.loads(line[6:])["choices"]
                pieces.append(choices[0]["delta"].get("content") or "" if choices else "")
    return "".join(pieces)


def hear(_: str) -> None:
    """Listens, so that the adapters stream."""


async def measure(url: str) -> dict[str, list[float]]:
    """Costs of every way, round by round, in turn within each round."""
    os.environ["BENCH_KEY"] = KEY
    keyed = {"api_key_env": "BENCH_KEY"}
    async with (
        open_openai(OpenAISettings.model_validate({**keyed, "base_url": url + "/v1"})) as ours_o,
        open_anthropic(AnthropicSettings.model_validate({**keyed, "base_url": url})) as ours_a,
        open_compatible(OpenAICompatibleSettings(base_url=url + "/v1")) as ours_c,
        openai.AsyncOpenAI(base_url=url + "/v1", api_key=KEY) as sdk_o,
        openai.AsyncOpenAI(
            base_url=url + "/v1", api_key=KEY, http_client=openai.DefaultAioHttpClient()
        ) as sdk_oa,
        anthropic.AsyncAnthropic(base_url=url, api_key=KEY) as sdk_a,
        anthropic.AsyncAnthropic(
            base_url=url, api_key=KEY, http_client=anthropic.DefaultAioHttpClient()
        ) as sdk_aa,
        aiohttp.ClientSession() as session,
    ):
        ways: dict[str, Stream] = {
            "openai: our adapter": lambda: ours_o.complete(PROMPT, model="m", wrote=hear),
            "openai: SDK's events": lambda: iterate_openai(sdk_o),
            "openai: SDK's events, aiohttp": lambda: iterate_openai(sdk_oa),
            "anthropic: our adapter": lambda: ours_a.complete(PROMPT, model="m", wrote=hear),
            "anthropic: SDK's events": lambda: iterate_anthropic(sdk_a),
            "anthropic: SDK's events, aiohttp": lambda: iterate_anthropic(sdk_aa),
            "compatible: our adapter": lambda: ours_c.complete(PROMPT, model="m", wrote=hear),
            "compatible: bare aiohttp + orjson": lambda: bare(session, url),
        }
        costs: dict[str, list[float]] = {name: [] for name in ways}
        for stream in ways.values():
            for _ in range(TOGETHER):
                await stream()
        for turn in range(ROUNDS):
            order = list(ways) if turn % 2 else list(ways)[::-1]
            for name in order:
                costs[name].append(await cost_ms(ways[name]))
    return costs


def main() -> int:
    """Print the table; 1 if a goal is missed."""
    with running() as url:
        program(url, {"m": {"tokens": 64}})
        costs = asyncio.run(measure(url))
    middle = {name: statistics.median(rounds) for name, rounds in costs.items()}
    print(
        f"CPU ms per 64-token stream, {TOGETHER} under way, medians of {ROUNDS} rounds; "
        f"load average {os.getloadavg()[0]:.1f}"
    )
    for name, rounds in costs.items():
        print(f"  {name:34} {middle[name]:6.2f}   (min {min(rounds):.2f}, max {max(rounds):.2f})")
    missed = False
    for vendor in ("openai", "anthropic"):
        ours = middle[f"{vendor}: our adapter"]
        ratio = ours / middle[f"{vendor}: SDK's events"]
        alike = ours / middle[f"{vendor}: SDK's events, aiohttp"]
        missed = missed or ratio > GOAL
        print(
            f"G9 {vendor}: {ratio:.2f}x the SDK's events ({alike:.2f}x with its aiohttp "
            f"transport); goal <= {GOAL:.2f}x: {'missed' if ratio > GOAL else 'reached'}"
        )
    floor = middle["compatible: our adapter"] / middle["compatible: bare aiohttp + orjson"]
    print(f"compatible: {floor:.2f}x a hand-written loop over lines")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
