"""What pytest gets from moabot: a clock that jumps, for the tests that ask for it.

pytest loads this module wherever moabot is installed, so it imports nothing of moabot before a
test needs it, and changes nothing unless `moabot_virtual_time = true` stands in the ini file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

__all__ = ["pytest_addoption", "pytest_configure"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the key of the ini file."""
    told = "let asyncio tests marked virtual_time wait for no real time (with pytest-asyncio)"
    parser.addini("moabot_virtual_time", told, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and answer for the event loops if that is wanted."""
    if config.getini("moabot_virtual_time"):
        told = "virtual_time: the loop's clock jumps to the next timer, and a deadlock is an error"
        config.addinivalue_line("markers", told)
        config.pluginmanager.register(_Loops(), "moabot loops")


class _Loops:
    """Which event loop a test of pytest-asyncio runs on."""

    @pytest.hookimpl(optionalhook=True, trylast=True)  # a project may have loops of its own
    def pytest_asyncio_loop_factories(
        self, config: pytest.Config, item: pytest.Item
    ) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
        """The clock of tests marked `virtual_time` jumps; all others run on the usual loop."""
        if item.get_closest_marker("virtual_time") is None:
            return {"real": asyncio.new_event_loop}
        from moabot.testing.clock import VirtualTimeLoop  # noqa: PLC0415 - only who needs it pays

        return {"virtual": VirtualTimeLoop}
