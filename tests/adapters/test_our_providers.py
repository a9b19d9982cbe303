"""Our own providers keep what is asked of a third party's, on vendors that fail in every way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.adapters.conftest import KEY, KEY_ENV, FakeVendor, serving

from moabot.contract import Completion, Prompt, Provider, Wrote
from moabot.errors import (
    ProviderBusy,
    ProviderError,
    ProviderGarbled,
    ProviderRefused,
    ProviderRejected,
    ProviderSilent,
    ProviderUnreachable,
)
from moabot.testing import ProviderContract

FAULTS: dict[str, type[ProviderError]] = {
    "abort": ProviderUnreachable,
    "abort-mid": ProviderUnreachable,
    "400": ProviderRejected,
    "401": ProviderRejected,
    "403": ProviderRejected,
    "404": ProviderRejected,
    "too-long": ProviderRejected,
    "408": ProviderBusy,
    "429": ProviderBusy,
    "500": ProviderBusy,
    "503": ProviderBusy,
    "529": ProviderBusy,
    "html": ProviderGarbled,
    "plain": ProviderGarbled,
    "garbled": ProviderGarbled,
    "wrong-shape": ProviderGarbled,
    "empty": ProviderSilent,
    "blank": ProviderSilent,
    "refusal": ProviderRefused,
}
STREAM_FAULTS: dict[str, type[ProviderError]] = {
    "early-eof": ProviderGarbled,
    "broken": ProviderBusy,
}


class Counting:
    """A provider that counts what it was asked: each call must reach the vendor once."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.calls = 0

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Count, and pass on."""
        self.calls += 1
        return await self._provider.complete(prompt, model=model, wrote=wrote)


class OnAVendor(ProviderContract):
    """The suite, each time on a vendor of its own; no SDK may try again by itself."""

    model = "ok"
    faults = FAULTS
    stream_faults = STREAM_FAULTS
    silent = ("hang", "hang-mid")
    secret = KEY

    @pytest.fixture(autouse=True)
    def key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A key that no error may tell."""
        monkeypatch.setenv(KEY_ENV, KEY)

    async def opened(self, stack: AsyncExitStack) -> object:
        """The provider, on a vendor that speaks its wire format."""
        name = self.offer().name
        vendor = await stack.enter_async_context(serving(name))
        self.settings = {"base_url": vendor.url + vendor.wire.base, "api_key_env": KEY_ENV}
        provider = await super().opened(stack)
        counting = Counting(provider)  # type: ignore[arg-type]  # the suite looks at what it is
        stack.callback(_check_once, vendor, counting)
        return counting


def _check_once(vendor: FakeVendor, counting: Counting) -> None:
    assert len(vendor.asked) <= counting.calls


class TestOpenAI(OnAVendor):
    """The Responses API."""

    plugin = "moabot_providers.openai"


class TestAnthropic(OnAVendor):
    """The Messages API."""

    plugin = "moabot_providers.anthropic"


class TestGemini(OnAVendor):
    """generateContent."""

    plugin = "moabot_providers.gemini"


class TestOpenAICompatible(OnAVendor):
    """Chat Completions."""

    plugin = "moabot_providers.openai_compatible"


STORED: dict[str, type[ProviderError]] = {"unknown": ProviderRejected}


class TestReplay(ProviderContract):
    """Stored answers."""

    plugin = "moabot_providers.replay"
    model = "a"
    faults = STORED

    @pytest.fixture(autouse=True)
    def stored(self, answers: Path) -> Iterator[None]:
        """A file of answers."""
        type(self).settings = {"answers": str(answers)}
        yield
        type(self).settings = {}
