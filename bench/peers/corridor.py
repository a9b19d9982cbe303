"""moabot, the whole corridor: message in, strategy `mixture` at preset `thorough`, answer out."""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from peer import AGGREGATOR, MAX_TOKENS, PROPOSERS, SYSTEM, Ask, Watch, serve

from moabot.app import load
from moabot.app import opened as app_opened
from moabot.contract import Answer, Cancelled, Failure, Message, Proposal
from moabot.errors import MoabotError

CONFIG = """
data_dir = "{folder}"

[providers.up]
plugin = "openai_compatible"
base_url = "{url}/v1"
connections = 4096

[limits]
calls = 4096
calls_per_provider = 4096

[panels.default]
proposers = {proposers}
synthesizer = ["{aggregator}"]
max_tokens = {max_tokens}
{panel}

[defaults]
strategy = "mixture"
preset = "thorough"
draft = false
stream = false
cache = "off"

[channels."bench:here/streamed"]
stream = true

[channels."bench:here/drafted"]
stream = true
draft = true

[prompts]
system = "{system}"
"""
MODEL = """
[models.{name}]
provider = "up"
name = "{name}"
price = {{ input = 1, output = 2 }}
"""


class Counting:
    """A platform's reply that only looks at the clock."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.answer: Answer | None = None
        self.error: MoabotError | None = None

    def asked(self, slot: str, model: str, role: str) -> None:
        """Not shown."""

    def proposed(self, proposal: Proposal) -> None:
        """Not shown."""

    def failed(self, failure: Failure) -> None:
        """Not shown."""

    def cancelled(self, cancelled: Cancelled) -> None:
        """Not shown."""

    def drafted(self, piece: str) -> None:
        """A draft is visible."""
        del piece
        self._watch.drafted()

    def wrote(self, piece: str) -> None:
        """The final text is visible."""
        del piece
        self._watch.wrote()

    def restarted(self) -> None:
        """Not shown."""

    async def finish(self, answer: Answer) -> None:
        """The end."""
        self.answer = answer

    async def sorry(self, error: MoabotError, *, reference: str) -> None:
        """The other end."""
        del reference
        self.error = error


def configured(url: str, folder: Path, *, panel: str = "") -> Path:
    """A config.toml for this upstream; `panel` are further lines of the panel."""
    text = CONFIG.format(
        folder=folder,
        url=url,
        proposers="[" + ", ".join(f'{{model = "{name}"}}' for name in PROPOSERS) + "]",
        aggregator=AGGREGATOR,
        max_tokens=MAX_TOKENS,
        system=SYSTEM,
        panel=panel,
    ) + "".join(MODEL.format(name=name) for name in (*PROPOSERS, AGGREGATOR))
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Ask]:
    """The app, as a platform gets it; every query is a thread of its own."""
    with tempfile.TemporaryDirectory() as folder:
        panel = sys.argv[2] if len(sys.argv) > 2 else ""
        config, plugins = load(configured(url, Path(folder), panel=panel))
    numbers = itertools.count()
    async with app_opened(config, plugins) as app:

        async def ask(question: str, watch: Watch) -> str:
            reply = Counting(watch)
            event = f"e{next(numbers)}"
            channel = "drafted" if watch.draft else "streamed" if watch.stream else "plain"
            message = Message("bench", "here", channel, "me", question, event, thread=event)
            await app.answering.handle(message, reply)
            if reply.answer is None:
                raise RuntimeError(str(reply.error))
            return reply.answer.text

        yield ask


if __name__ == "__main__":
    serve(opened, packages=["moabot", "aiohttp", "pydantic"])
