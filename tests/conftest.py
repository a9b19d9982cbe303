"""What every test stands on: no network but loopback, and no keys."""

from __future__ import annotations

import ipaddress
import logging
import os
import signal
import sys
from collections.abc import Generator

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


@pytest.fixture(autouse=True)
def quiet_log() -> Generator[None]:
    """What a command that runs in this process does to the log must not reach the next test."""
    log = logging.getLogger("moabot")
    level, handlers = log.level, set(log.handlers)
    yield
    log.setLevel(level)
    for handler in set(log.handlers) - handlers:
        log.removeHandler(handler)
        handler.close()
