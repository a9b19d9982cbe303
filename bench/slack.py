"""The bot in Slack under load: how soon it acks, how soon people see a sign, what a flood does.

    python bench/slack.py [--panels 50] [--seconds 30] [--mentions 10000]   # 0 leaves a part out

`moabot run` in a process of its own, over Socket Mode, with its journal on disk; our fake Slack
(tests/fakes/slack) in this one; the models in a third (upstream.py). First questions come so that
about 50 panels (3 proposers, an aggregator, a synthesizer that streams) are under way all the time,
in 50 channels, with Slack's rate limits on. Then, with a fresh bot, 10,000 mentions come within
four seconds, from 500 people in 200 channels. An ack is timed from the envelope to its answer, a sign
from the mention to the first Web API call for its thread, so both include this process's own work.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import upstream
from tests.fakes.slack import Exchange, FakeSlack, Limits

CONFIG = """
data_dir = "{folder}"
[platforms.slack]
api_url = "{api}"
[providers.up]
plugin = "openai_compatible"
base_url = "{upstream}/v1"
[models]
a = {{provider = "up", name = "a", price = {{input = 0, output = 0}}}}
b = {{provider = "up", name = "b", price = {{input = 0, output = 0}}}}
c = {{provider = "up", name = "c", price = {{input = 0, output = 0}}}}
[panels.default]
proposers = [{{model = "a"}}, {{model = "b"}}, {{model = "c"}}]
aggregators = ["a", "b"]
synthesizer = "c"
[defaults]
strategy = "mixture"
preset = "balanced"
"""
SLOW: Mapping[str, Mapping[str, object]] = {
    name: {"ttft_s": {"median": 4, "p95": 9}, "tokens": 200, "tps": 40} for name in "abc"
}
QUICK: Mapping[str, Mapping[str, object]] = {name: {"ttft_s": 0.2, "tokens": 50} for name in "abc"}
GOALS = {"ack p99": 100.0, "first sign p99": 500.0}
FLOOD_MB = 150


@asynccontextmanager
async def living(slack: FakeSlack, folder: str, url: str) -> AsyncGenerator[int]:
    """The bot, as it is run; its process id. What it says goes to a file, shown if it fails."""
    config, log = Path(folder, "config.toml"), Path(folder, "log")
    config.write_text(CONFIG.format(folder=folder, api=slack.api_url, upstream=url))
    tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
    moabot = Path(sys.executable).with_name("moabot")
    out = os.open(log, os.O_WRONLY | os.O_CREAT)
    process = await asyncio.create_subprocess_exec(
        moabot, "--config", config, "run", env={**os.environ, **tokens}, stdout=out, stderr=out
    )
    os.close(out)
    try:
        async with asyncio.timeout(60):
            await slack.until(lambda: len(slack.sockets.open) == 2)
        yield process.pid
    except BaseException:
        print("".join(log.read_text().splitlines(keepends=True)[-20:]))
        raise
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def memory_mb(pid: int, name: str = "VmRSS") -> float:
    """What the process holds, or has held at most (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no {name}")


def signs_s(slack: FakeSlack) -> dict[str, float]:
    """When the first call for each thread came, by the thread's ts."""
    first: dict[str, float] = {}
    for call in slack.calls:
        about = call.args.get("thread_ts") or call.args.get("timestamp")
        if about and not call.error:
            first.setdefault(str(about), call.at)
    return first


def is_final(slack: FakeSlack, channel: str, ts: str) -> bool:
    """Whether a thread has an answer that ends: thumbs stand under it."""
    return any(
        block["type"] == "context_actions"
        for post in slack.thread(channel, ts)
        for block in post.blocks
    )


async def steadily(slack: FakeSlack, *, panels: int, seconds: float) -> dict[str, list[float]]:
    """Ask so that so many panels are under way; milliseconds of the acks and first signs then."""
    people = [slack.add_person(f"U{number}").id for number in range(1000, 1050)]
    channels = [slack.add_channel(f"C{number}").id for number in range(100, 100 + panels)]
    asked: list[tuple[str, Exchange, int]] = []
    waiting: set[tuple[str, str]] = set()
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        waiting = {each for each in waiting if not is_final(slack, *each)}
        missing = panels - len(waiting)
        for _ in range(min(missing, 5)):
            channel = channels[len(asked) % panels]
            person = people[len(asked) % len(people)]
            said = slack.mention(channel, person, f"Question {len(asked)}: why is the sky blue?")
            asked.append((channel, said, len(waiting)))
            waiting.add((channel, said.ts))
        await asyncio.sleep(0.1)
    while any(not is_final(slack, channel, said.ts) for channel, said, _ in asked[:panels]):
        await asyncio.sleep(0.1)
        if time.perf_counter() - began > seconds + 60:
            break
    signs, under_load = signs_s(slack), [one for one in asked if one[2] >= panels * 0.8]
    print(
        f"{len(asked)} asked, {len(under_load)} of them with at least {panels * 0.8:.0f} others under "
        f"way, {sum(is_final(slack, channel, said.ts) for channel, said, _ in asked)} answered"
    )
    silent = sum(said.ts not in signs for _, said, _ in under_load)
    if silent:
        print(f"{silent} of those got no sign at all")
    return {
        "ack": [
            each.tries[0].seconds * 1000
            for _, said, _ in under_load
            for each in (said, said.twin)
            if each is not None and each.tries
        ],
        "first sign": [
            (signs[said.ts] - float(said.ts)) * 1000
            for _, said, _ in under_load
            if said.ts in signs
        ],
    }


async def flooded(slack: FakeSlack, mentions: int, pid: int) -> bool:
    """Let that many come at once; print what became of them, and of the memory."""
    slack.room.subscribed &= {"app_mention"}  # no twins, and no echo of what the bot says
    people = [slack.add_person(f"U{number}").id for number in range(1000, 1500)]
    channels = [slack.add_channel(f"C{number}").id for number in range(1000, 1200)]
    before, began = memory_mb(pid), time.perf_counter()
    said: list[Exchange] = []
    for number in range(mentions):
        if number % 50 == 0:
            await asyncio.sleep(max(0.0, began + 4 * number / mentions - time.perf_counter()))
        channel, person = channels[number % len(channels)], people[number % len(people)]
        said.append(slack.mention(channel, person, f"Question {number}: why?"))
    took = time.perf_counter() - began
    await slack.post_office.quiet()
    acked = time.perf_counter() - began
    await settled(slack, said, until=began + 90)
    lost = sum(not each.was_acked for each in said)
    acks = [each.tries[-1].seconds * 1000 for each in said if each.was_acked]
    print(f"{mentions} mentions in {took:.1f} s; all acked or given up after {acked:.1f} s")
    print(
        f"acks: p50 {quantile(acks, 0.5):.0f} ms, p99 {quantile(acks, 0.99):.0f} ms; "
        f"{sum(len(each.tries) > 1 for each in said)} events redelivered, {lost} lost; to reach: 0 lost"
    )
    print(f"what stands in the threads: {dict(outcomes(slack, said).most_common(8))}")
    grown = memory_mb(pid, "VmHWM") - before
    print(f"memory: {before:.0f} MB before, {grown:+.0f} MB at most; to reach: < +{FLOOD_MB} MB")
    return not lost and grown < FLOOD_MB


async def settled(slack: FakeSlack, said: Sequence[Exchange], *, until: float) -> None:
    """Wait until the bot is silent for two seconds, or it takes too long."""
    seen = -1
    while seen != len(slack.calls) and time.perf_counter() < until:
        seen = len(slack.calls)
        await asyncio.sleep(2)


def outcomes(slack: FakeSlack, said: Sequence[Exchange]) -> Counter[str]:
    """How threads ended: answered, with which words refused, or silent."""
    bot, by_thread = slack.workspace.teams["T1"].bot, Counter[str]()
    threads: dict[str, list[str]] = {}
    for post in slack.workspace.posts.values():
        if post.user == bot and not post.deleted:
            final = any(block["type"] == "context_actions" for block in post.blocks)
            words = "answered" if final else post.shown.splitlines()[0][:60] if post.shown else "…"
            threads.setdefault(post.thread_ts, []).append(words)
    for each in said:
        shown = threads.get(each.ts, ["nothing"])
        by_thread["answered" if "answered" in shown else shown[-1]] += 1
    return by_thread


def quantile(values: Sequence[float], share: float) -> float:
    """A quantile, without interpolation."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def told(name: str, values_ms: Sequence[float]) -> bool:
    """Print one figure; whether its goal was reached."""
    p99, goal = quantile(values_ms, 0.99), GOALS[f"{name} p99"]
    print(
        f"  {name:<12} p50 {quantile(values_ms, 0.5):6.1f} ms   p99 {p99:6.1f} ms"
        f"   to reach: p99 < {goal:.0f} ms"
    )
    return p99 < goal


async def measure(panels: int, seconds: float, mentions: int, *, tiers: bool) -> bool:
    """Both parts; whether all goals were reached."""
    reached = True
    if panels:
        with upstream.running() as url, tempfile.TemporaryDirectory() as folder:
            upstream.program(url, SLOW)
            async with FakeSlack(limits=Limits(tiers=True)) as slack, living(slack, folder, url):
                seen = await steadily(slack, panels=panels, seconds=seconds)
        for name, values in seen.items():
            reached = told(name, values) and reached
    if mentions:
        with upstream.running() as url, tempfile.TemporaryDirectory() as folder:
            upstream.program(url, QUICK)
            # Who was not heard is heard again after 10 and 30 seconds; at Slack after 60 and 300.
            limits = Limits(tiers=tiers, retries_s=(0.0, 10.0, 30.0))
            async with FakeSlack(limits=limits) as slack, living(slack, folder, url) as pid:
                reached &= await flooded(slack, mentions, pid)
    print(f"load average {os.getloadavg()[0]:.1f}")
    return reached


def main() -> int:
    """Run and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--panels", type=int, default=50)
    options.add_argument("--seconds", type=float, default=30)
    options.add_argument("--mentions", type=int, default=10_000)
    options.add_argument("--tiers", action="store_true", help="rate limits in the flood too")
    chosen = options.parse_args()
    reached = measure(chosen.panels, chosen.seconds, chosen.mentions, tiers=chosen.tiers)
    return int(not asyncio.run(reached))


if __name__ == "__main__":
    sys.exit(main())
