"""A small real model in a child process of our own, for the first minutes without any key.

It shows that everything works; a model of 135 million parameters says nothing about quality. The
child speaks the OpenAI-compatible wire on the loopback, so the asking itself is that adapter's.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from moabot import hookimpl
from moabot.config import Settings
from moabot.errors import ConfigError, ProviderRejected, ProviderUnreachable
from moabot.plugins import Starter
from moabot_providers.faults import Faults
from moabot_providers.openai_compatible import OpenAICompatible
from moabot_providers.weights import ENGINE, GGUF_SHA256, MODEL, held

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from moabot.contract import Completion, Prompt, Wrote
    from moabot.plugins import Register

__all__ = ["LocalSettings", "moabot_register", "open_local"]

NAME = "local"
END_S = 1.0
"""Seconds that the child has to end by itself, or for its end to be noticed."""


class LocalSettings(Settings):
    """`[providers.X] plugin = "local"`. The limits on replies keep a tiny model quick and sane."""

    dir: Path = Field(
        default=Path("data/local"), description="where `moabot demo` put engine and model"
    )
    gguf: Path | None = Field(default=None, description="a model file of your own instead")
    sha256: str = Field(default="", description="of that file; checked at each start when given")
    name: str = Field(default="smollm2-135m", description="the name under which the model is asked")
    threads: int = Field(default=0, ge=0, description="processor threads; 0: one for each core")
    slots: int = Field(default=4, ge=1, description="replies written at once; more wait in line")
    context: int = Field(
        default=2048, ge=256, description="tokens that one prompt and its reply may have"
    )
    reply_tokens: int = Field(
        default=96, ge=1, description="the longest reply, whatever was asked for"
    )
    temperature: float = Field(
        default=0.2, ge=0, description="the highest; above it, SmolLM2 babbles"
    )


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer `local`, taken when no provider's key is set."""
    starter = Starter(key_env="", models=("smollm2-135m",))
    register.provider(NAME, open_local, LocalSettings, starter=starter)


@asynccontextmanager
async def open_local(settings: LocalSettings) -> AsyncGenerator[Local, None]:
    """Yield the provider; the child starts at the first question and ends here.

    Raises `ConfigError` when engine or model have not been fetched.
    """
    engine = held(ENGINE, settings.dir)
    gguf = settings.gguf or held(MODEL, settings.dir)
    if engine is None or gguf is None:
        raise ConfigError(
            f"The local model has not been fetched into {settings.dir}.",
            fix="Run `moabot demo`, which asks first and fetches 127 MB once; "
            "or set a provider's key, such as OPENAI_API_KEY, and run `moabot init --force`.",
        )
    import aiohttp

    child = Child(settings, engine=settings.dir / ENGINE.folder, gguf=gguf)
    async with aiohttp.ClientSession(  # without trust_env: no proxy stands on the loopback
        # The engine closes idle connections after 5 s, perhaps just as the next request is sent.
        connector=aiohttp.TCPConnector(force_close=True),
        headers={"Authorization": f"Bearer {child.key}", "Content-Type": "application/json"},
        timeout=aiohttp.ClientTimeout(total=None),
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        faults = Faults(NAME, secret=child.key, broken=(aiohttp.ClientError, OSError))
        try:
            yield Local(settings, child, session=session, faults=faults)
        finally:
            await child.close()


class Local:
    """Answers with the model in the child; prompts are fitted to what it can bear."""

    def __init__(
        self, settings: LocalSettings, child: Child, *, session: ClientSession, faults: Faults
    ) -> None:
        self._settings = settings
        self._child = child
        self._session = session
        self._faults = faults

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """As `Provider.complete`; a longer reply or a higher temperature is not granted."""
        settings = self._settings
        if model != settings.name:
            raise ProviderRejected(
                f"There is no local model {model!r}.",
                provider=NAME,
                model=model,
                fix=f"Ask for {settings.name!r}.",
            )
        fitting = replace(
            prompt,
            max_tokens=min(prompt.max_tokens, settings.reply_tokens),
            temperature=min(prompt.temperature, settings.temperature),
        )
        url = await self._child.url()
        wire = OpenAICompatible(self._session, f"{url}/v1/chat/completions", self._faults)
        try:
            completion = await wire.complete(fitting, model=model, wrote=wrote)
        except ProviderUnreachable:
            await self._child.ended()
            raise
        return replace(completion, usage=replace(completion.usage, cost_usd=Decimal(0)))


class Child:
    """The process that holds the model: started when first needed, and anew when it has died.

    One that is still loading when its first caller gives up goes on loading for the next.
    """

    def __init__(self, settings: LocalSettings, *, engine: Path, gguf: Path) -> None:
        self._settings = settings
        self._engine = engine
        self._gguf = gguf
        self.key = secrets.token_urlsafe()
        self._lock = asyncio.Lock()
        self._process: Process | None = None
        self._url = ""

    async def url(self) -> str:
        """Where the running child listens; raises `ProviderUnreachable` if none will run."""
        async with self._lock:
            if self._process is None or self._process.returncode is not None:
                await self.close()
                self._process = await self._start()
            if not self._url:
                self._url = await self._heard(self._process)
            return self._url

    async def ended(self) -> None:
        """Let a crash be noticed: a moment passes between its broken connections and its status."""
        if self._process is not None:
            await _ended(self._process)

    async def close(self) -> None:
        """End the child, and do not come back before it is gone."""
        self._url = ""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()  # upon which it ends by itself
        await _ended(process)
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def _start(self) -> Process:
        settings = self._settings
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "moabot_providers.local_child"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            # Waiting threads that spin cost a shared machine 3 to 9 times the processor time.
            env={**os.environ, "OMP_WAIT_POLICY": "passive"},
        )
        wanted = {
            "engine": str(self._engine.absolute()),
            "gguf": str(self._gguf.absolute()),
            "sha256": settings.sha256 if settings.gguf else GGUF_SHA256,
            "name": settings.name,
            "key": self.key,
            "threads": settings.threads,
            "slots": settings.slots,
            "context": settings.context,
        }
        if process.stdin is not None:
            process.stdin.write(json.dumps(wanted).encode() + b"\n")
        return process

    async def _heard(self, process: Process) -> str:
        """The address that the child says it listens on."""
        line = await process.stdout.readline() if process.stdout is not None else b""
        said: dict[str, str] = json.loads(line or b"{}")
        if "url" in said:
            return said["url"]
        await self.close()
        reason = said.get("error", f"it ended with status {process.returncode}")
        raise ProviderUnreachable(
            f"The local model did not start: {reason}.",
            provider=NAME,
            model=self._settings.name,
            fix=f"Remove {self._settings.dir} and run `moabot demo`, which fetches it anew.",
            retryable=False,
        )


async def _ended(process: Process) -> None:
    """Wait for the end of `process`, but not for ever."""
    with suppress(TimeoutError):
        async with asyncio.timeout(END_S):
            await process.wait()
