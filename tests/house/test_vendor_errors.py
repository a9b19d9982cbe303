"""Every exception that a vendor's SDK makes public becomes one of ours."""

from __future__ import annotations

import importlib
import inspect

import pytest

from moabot.errors import ProviderError
from moabot.plugins import Plugins
from moabot_providers.faults import Faults

SDKS = {
    "openai": ("openai", "OPENAI_API_KEY"),
    "anthropic": ("anthropic", "ANTHROPIC_API_KEY"),
    "gemini": ("google.genai.errors", "GEMINI_API_KEY"),
}


def _public_exceptions(module: str) -> list[type[Exception]]:
    return [
        value
        for name, value in dict(vars(importlib.import_module(module))).items()
        if inspect.isclass(value)
        and issubclass(value, Exception)
        and not issubclass(value, Warning)
        and not name.startswith("_")
    ]


@pytest.mark.parametrize("provider", SDKS)
async def test_no_exception_of_a_vendor_escapes(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that escapes is neither retried nor told in words that a person can act on.

    Errors that bear an HTTP status have a way of their own, by that status; all others must be
    caught by the block that every call of a vendor stands in. A new major version of an SDK that
    brings a new kind fails here first.
    """
    module, key = SDKS[provider]
    monkeypatch.setenv(key, "not-a-key")
    offer = Plugins().offers("provider")[provider]

    async with offer.factory(offer.settings()) as opened:
        faults: Faults = opened._faults
        by_status: type[Exception] = opened._refusing
        escaping = [
            kind.__name__
            for kind in _public_exceptions(module)
            if not issubclass(kind, by_status) and not _is_told(faults, kind)
        ]

    assert escaping == []


def _is_told(faults: Faults, kind: type[Exception]) -> bool:
    try:
        with faults.told("model"):
            raise kind.__new__(kind) from OSError("a cause, as the SDKs give one")
    except ProviderError:
        return True
    except kind:
        return False
