"""Kills the bot with SIGKILL, again and again, in the middle of several answers, and counts.

    python bench/crash.py [--kills 200] [--seed 7] [--json]

A real process with the real corridor, journal and store, a real upstream with real waits, and a
chat that delivers whatever was not acknowledged, some of it twice, and takes a post once for each
nonce. Every tenth process has another configuration (a proposer removed, another strategy).
Exits with 1 when a message was lost, a finished call paid twice or an answer posted twice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import re
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

from aiohttp import web

from moabot.app import opened
from moabot.config import parse
from moabot.contract import Answer, Message, Prompt, Scope, Turn
from moabot.desk import Desk
from moabot.errors import MoabotError
from moabot.journal import Entry
from moabot.memo import Memo
from moabot.plugins import Plugins
from moabot.serving import serve
from moabot.testing import RecordingReply

NEW_EVENTS = 4  # for each process
AT_ONCE = 8
MODELS = ("a", "b", "c")
PRICE = {"input": 1, "output": 10}


# ── the process that is killed ───────────────────────────────────────────────────────────────


class Post(RecordingReply):
    """A reply of the chat: a post is taken once for each nonce, as Discord does it."""

    def __init__(self, chat: Chat, event: str) -> None:
        super().__init__()
        self._chat = chat
        self._event = event

    async def finish(self, answer: Answer) -> None:
        """Post the answer."""
        await self._chat.post(self._event, answer.text, "answer")

    async def sorry(self, error: MoabotError, *, reference: str) -> None:
        """Post the apology."""
        await self._chat.post(self._event, str(error), "sorry")


class Chat:
    """The platform: files of events, acknowledgements and posts in a folder."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._chance = random.Random(seed)
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def run(self, desk: Desk) -> None:
        """Deliver what was not acknowledged, and one in five that was; then wait."""
        acknowledged = set(lines(self._folder / "acks"))
        events = lines(self._folder / "events")
        due = [e for e in events if e not in acknowledged or self._chance.random() < 0.2]
        async with asyncio.TaskGroup() as group:
            for event in due:
                for _ in range(self._chance.choice((1, 1, 1, 2))):
                    group.create_task(self._deliver(event, desk))
        await asyncio.Event().wait()

    async def _deliver(self, event: str, desk: Desk) -> None:
        async with self._slots:
            await asyncio.sleep(self._chance.uniform(0, 0.1))
            entry = await desk.accept(message(event))
            append(self._folder / "acks", event)
            if entry is not None:
                await desk.answer(entry, self.reply_to(entry))

    def reply_to(self, entry: Entry) -> Post:
        """A post that has the event's id as its nonce."""
        return Post(self, entry.message.event_id)

    async def post(self, event: str, text: str, kind: str) -> None:
        """Post, unless the nonce is known; before and after it there is time to be killed."""
        await asyncio.sleep(self._chance.uniform(0, 0.02))
        known = {json.loads(line)["event"] for line in lines(self._folder / "posts")}
        if event not in known:
            append(self._folder / "posts", json.dumps({"event": event, "kind": kind, "text": text}))
        await asyncio.sleep(self._chance.uniform(0, 0.02))


def message(event: str) -> Message:
    """An event as the bot hears it: one thread for each."""
    return Message("fake", "T1", "C1", "U1", f"Question {event}?", event, thread=event)


def child(folder: Path, url: str, seed: int, *, changed: bool) -> None:
    """One life of the bot."""
    os.environ["UP_KEY"] = "canary-key-7f3a"
    asyncio.run(_live(folder, url, seed, changed=changed))


async def _live(folder: Path, url: str, seed: int, *, changed: bool) -> None:
    config = parse(table(folder, url, changed=changed), source="crash")
    async with opened(config, Plugins(), keep="all") as app:
        chat = Chat(folder, seed)
        (folder / "ready").touch()
        desk = Desk(app.answering, app.memory)
        await serve({"fake": chat}, desk, drain_s=config.store.drain_s)


def table(folder: Path, url: str, *, changed: bool) -> dict[str, object]:
    """The configuration, or the one that somebody changed while the bot was down."""
    proposers = MODELS[:2] if changed else MODELS
    return {
        "data_dir": str(folder / "data"),
        "providers": {
            "up": {"plugin": "openai_compatible", "base_url": url, "api_key_env": "UP_KEY"}
        },
        "models": {m: {"provider": "up", "name": m, "price": PRICE} for m in (*MODELS, "agg")},
        "panels": {
            "default": {
                "proposers": [{"model": m} for m in proposers],
                "synthesizer": "agg",
                "fallback": list(MODELS),
                "quorum": 2,
                "grace_s": 0.05,
            }
        },
        # What was not acknowledged comes again all at once, and all of it is one person's.
        "admission": {f"{who}_per_minute": 100_000 for who in ("user", "channel", "workspace")},
        "defaults": {
            "strategy": "single" if changed else "mixture",
            "preset": "thorough",
            "stream": False,
        },
    }


# ── the world around it ──────────────────────────────────────────────────────────────────────


@dataclass
class Upstream:
    """Answers each call after a real wait, never twice with the same words; notes every call."""

    chance: random.Random
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    finished: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    async def answer(self, request: web.Request) -> web.Response:
        """One call."""
        body = await request.json()
        name = name_of(body)
        self.asked.append(name)
        await asyncio.sleep(self.chance.uniform(0.02, 0.25))
        text = f"{body['model']} says {len(self.asked)}."
        self.finished[name] += 1
        return web.json_response(
            {
                "choices": [{"message": {"content": text}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 10},
            }
        )


def name_of(body: dict[str, object]) -> tuple[str, str, str]:
    """Event, model and prompt hash of a call: what the journal should know it by."""
    messages = body["messages"]
    assert isinstance(messages, list)
    system, *turns = messages
    prompt = Prompt(
        system["content"],
        tuple(Turn(turn["role"], turn["content"]) for turn in turns),
        int(str(body["max_tokens"])),
        float(str(body["temperature"])),
    )
    found = re.search(r"Question (\w+)\?", turns[-1]["content"])
    assert found is not None
    return found.group(1), str(body["model"]), hashing(prompt)


def hashing(prompt: Prompt) -> str:
    """The memo's own hash."""

    def write(*_: object) -> asyncio.Future[None]:
        raise AssertionError

    memo = Memo("", scope=Scope("", "", ""), author="", write=write, durable=True)
    return memo._hash(prompt)  # the same name, or nothing would be counted


@dataclass
class Counts:
    """What happened in all lives together."""

    kills: int = 0
    accepted: int = 0
    answered: int = 0
    given_up_after_three_lives: int = 0
    other_apologies: int = 0
    lost: int = 0
    posted_twice: int = 0
    calls: int = 0
    in_flight_at_kills: int = 0
    paid_again: int = 0
    finished_paid_twice: int = 0
    ledger_rows_missing: int = 0
    secrets_found: int = 0
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        broken = (
            self.lost
            + self.posted_twice
            + self.finished_paid_twice
            + self.ledger_rows_missing
            + self.secrets_found
            + self.other_apologies
        )
        return not broken and self.paid_again <= self.in_flight_at_kills


class World:
    """Folder, upstream and the lives of the bot."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.upstream = Upstream(random.Random(seed + 1))
        self.counts = Counts()
        self.url = ""
        self.known: set[tuple[str, str, str]] = set()
        self._events = 0
        # Forked from a server that has loaded everything: a life costs no second of imports.
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(["crash", "moabot_providers.openai_compatible"])

    async def run(self, kills: int) -> Counts:
        """All lives, then one that is left alone until everything is answered."""
        began = time.monotonic()
        for name in ("events", "acks", "posts"):
            (self.folder / name).touch()
        for life in range(kills):
            await self._life(life)
        await self._last_life(kills)
        self._count()
        self.counts.seconds = round(time.monotonic() - began, 1)
        return self.counts

    async def _life(self, life: int) -> None:
        for _ in range(NEW_EVENTS):
            self._events += 1
            append(self.folder / "events", f"E{self._events}")
        before = len(self.upstream.asked)
        process = await self._start(life)
        await asyncio.sleep(self.chance.uniform(0.0, 0.9))
        os.kill(process.pid or 0, signal.SIGKILL)
        await asyncio.to_thread(process.join)
        self.counts.kills += 1
        self._compare(before)

    def _compare(self, before: int) -> None:
        """What the journal knows now must never be asked again."""
        now = memoised(self.folder)
        self.counts.finished_paid_twice += sum(
            name in self.known for name in self.upstream.asked[before:]
        )
        self.known |= {name for name, outcome in now if outcome == "ok"}
        ended = {name for name, _ in now}
        self.counts.in_flight_at_kills += sum(
            name not in ended for name in set(self.upstream.asked[before:])
        )

    async def _last_life(self, life: int) -> None:
        before = len(self.upstream.asked)
        process = await self._start(life + 1 if life % 10 == 9 else life)
        until = time.monotonic() + 60
        while time.monotonic() < until and not self._all_posted():  # noqa: ASYNC110 - a file tells
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)  # late doubles
        os.kill(process.pid or 0, signal.SIGTERM)
        await asyncio.to_thread(process.join)
        self._compare(before)

    async def _start(self, life: int) -> multiprocessing.process.BaseProcess:
        (self.folder / "ready").unlink(missing_ok=True)
        process = self._processes.Process(
            target=child,
            args=(self.folder, self.url, self.chance.randrange(2**32)),
            kwargs={"changed": life % 10 == 9},
        )
        process.start()
        while not (self.folder / "ready").exists():
            if not process.is_alive():
                raise RuntimeError(f"the bot ended with {process.exitcode}")
            await asyncio.sleep(0.01)
        return process

    def _all_posted(self) -> bool:
        return len(self._posts()) >= self._events

    def _posts(self) -> Counter[str]:
        return Counter(json.loads(line)["event"] for line in lines(self.folder / "posts"))

    def _count(self) -> None:
        counts, posts = self.counts, self._posts()
        told = [json.loads(line) for line in lines(self.folder / "posts")]
        apologies = [post["text"] for post in told if post["kind"] == "sorry"]
        acknowledged = set(lines(self.folder / "acks"))
        counts.accepted = len(acknowledged)
        counts.answered = len(told) - len(apologies)
        counts.given_up_after_three_lives = sum("given up" in text for text in apologies)
        counts.other_apologies = len(apologies) - counts.given_up_after_three_lives
        counts.lost = sum(event not in posts for event in acknowledged)
        counts.posted_twice = sum(many > 1 for many in posts.values())
        asked = Counter(self.upstream.asked)
        counts.calls = len(self.upstream.asked)
        counts.paid_again = sum(many - 1 for many in asked.values())
        with closing(sqlite3.connect(self.folder / "data" / "moabot.db")) as c:
            memo = c.execute("SELECT COUNT(*) FROM memo WHERE outcome = 'ok'").fetchone()[0]
            ledger = c.execute("SELECT COUNT(*) FROM ledger WHERE outcome = 'ok'").fetchone()[0]
        counts.ledger_rows_missing = abs(memo - ledger)
        counts.secrets_found = sum(
            b"canary-key-7f3a" in file.read_bytes() for file in (self.folder / "data").iterdir()
        )


def memoised(folder: Path) -> list[tuple[tuple[str, str, str], str]]:
    """Every step that is durable now, and how it ended."""
    path = folder / "data" / "moabot.db"
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection:
        try:
            rows = connection.execute("SELECT event, model, prompt, outcome FROM memo").fetchall()
        except sqlite3.OperationalError:  # killed before the first tables
            return []
    return [((row[0].removeprefix("fake:"), row[1], row[2]), row[3]) for row in rows]


def lines(path: Path) -> list[str]:
    """The whole lines of a file."""
    return path.read_text().splitlines() if path.exists() else []


def append(path: Path, line: str) -> None:
    """Add a line in one write."""
    with path.open("a") as file:
        file.write(f"{line}\n")


async def main(kills: int, seed: int) -> Counts:
    """Build the world, run it, count."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), seed)
        site = web.Application()
        site.router.add_post("/v1/chat/completions", world.upstream.answer)
        runner = web.AppRunner(site, shutdown_timeout=0.1)
        await runner.setup()
        tcp = web.TCPSite(runner, "127.0.0.1", 0)
        await tcp.start()
        host, port = runner.addresses[0][:2]
        world.url = f"http://{host}:{port}/v1"
        try:
            return await world.run(kills)
        finally:
            await runner.cleanup()


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    counts = asyncio.run(main(chosen.kills, chosen.seed))
    if chosen.json:
        print(json.dumps({**asdict(counts), "good": counts.good}))
    else:
        for name, value in asdict(counts).items():
            print(f"{name.replace('_', ' '):>22}  {value}")
    sys.exit(not counts.good)
