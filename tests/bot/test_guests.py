"""Other people's code is waited for only so long, and listened to only so often."""

from __future__ import annotations

import asyncio
import threading

from moabot.guests import Line
from moabot.plugins import MOST_COMPLAINTS, Plugins


def test_one_plugin_s_complaints_leave_room_for_another_s() -> None:
    """One that says something new each time would hide what an administrator must know."""
    plugins = Plugins(built_in=(), installed=())
    for number in range(MOST_COMPLAINTS + 9):
        plugins.complain("noisy", f"raised KeyError: {number}.")
    plugins.complain("other", "broke.")

    assert plugins.problems[-2:] == [
        "Plugin noisy: Further complaints about it are not shown.",
        "Plugin other: broke.",
    ]
    assert len(plugins.problems) == MOST_COMPLAINTS + 2


async def test_nobody_waits_for_all_calls_of_a_slow_hook_that_came_before() -> None:
    """Messages may come faster than it returns; each would wait longer than the one before."""
    line, called = Line(0.3), list[int]()

    def slow() -> None:
        called.append(1)
        threading.Event().wait(0.05)

    ended = await asyncio.gather(
        *(line.call("It", slow) for _ in range(30)), return_exceptions=True
    )

    assert len(called) < 10
    assert "It is called more often than it can return" in str(ended[-1])
