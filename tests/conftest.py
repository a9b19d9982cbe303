"""What every test stands on: no network but loopback, no keys, virtual time for those that ask."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import sys
from collections.abc import Callable, Mapping

import pytest

LOCAL_NAMES = {"localhost", "", None}


def _only_loopback(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook, since no library can connect or look up a name past it."""
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and not ipaddress.ip_address(address[0]).is_loopback:
            raise PermissionError(f"A test connects to {address[0]!r}; only loopback is allowed.")
    if event == "socket.getaddrinfo":
        host = arguments[0]
        name = host.decode() if isinstance(host, bytes) else host
        if name not in LOCAL_NAMES and not _is_loopback(str(name)):
            raise PermissionError(f"A test looks up {name!r}; only loopback is allowed.")


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


sys.addaudithook(_only_loopback)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own keys must neither be spent nor change what a test sees."""
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_API_KEY_FILE")):
            monkeypatch.delenv(name)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The clock of tests marked `virtual_time` jumps; all others run on the usual loop."""
    if item.get_closest_marker("virtual_time") is None:
        return {"real": asyncio.new_event_loop}
    from moabot.testing import VirtualTimeLoop  # noqa: PLC0415 - only those that need it pay

    return {"virtual": VirtualTimeLoop}
