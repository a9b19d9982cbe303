"""Tests of the fake itself run in virtual time, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest
from tests.fakes.loops import LoopbackTimeLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Minutes pass in milliseconds."""
    return {"virtual": LoopbackTimeLoop}
