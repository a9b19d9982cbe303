"""What every test stands on: no network but loopback, no keys, virtual time for those that ask."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import signal
import sys
from collections.abc import Callable, Mapping

import pytest


def _is_loopback(host: str) -> bool:
    if host in {"", "localhost", "None"}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _only_loopback(
    event: str, arguments: tuple[tuple[object, ...] | str | bytes | int | None, ...]
) -> None:
    """An audit hook, since no library can connect or look up a name past it."""
    match event, arguments:
        case "socket.connect", (_, tuple() as address):
            called = str(address[0])
        case "socket.getaddrinfo", (bytes() as host, *_):
            called = host.decode()
        case "socket.getaddrinfo", (host, *_):
            called = str(host)
        case _:
            return
    if not _is_loopback(called):
        raise PermissionError(f"A test calls {called!r}; only loopback is allowed.")


sys.addaudithook(_only_loopback)
# A job in a shell's background ignores Ctrl-C, and so would every program that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


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
