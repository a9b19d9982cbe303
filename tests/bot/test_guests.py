"""Other people's code is waited for only so long, and listened to only so often."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Generator

import pytest

from moabot.errors import PluginError
from moabot.guests import Line, blamed, within
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


def test_a_ctrl_c_inside_a_plugin_ends_the_program() -> None:
    """A person who wants to stop must not be told that a plugin broke, and wait on."""
    with pytest.raises(KeyboardInterrupt), blamed("It"):
        signal.raise_signal(signal.SIGINT)


def test_a_second_ctrl_c_inside_a_plugin_ends_the_loop() -> None:
    """The first one cancels; a plugin that does not heed that must not outlive the second."""

    async def heedless() -> None:
        with blamed("It"):
            for _ in range(2):
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), asyncio.Runner() as runner:
        runner.run(heedless())


@pytest.mark.parametrize("kind", [KeyboardInterrupt, GeneratorExit, SystemExit, BaseException])
def test_what_stops_programs_stops_none_when_a_plugin_raises_it(kind: type[BaseException]) -> None:
    """Let out of a task, it would end the event loop, and with it all chats."""

    async def act() -> None:
        with blamed("It"):
            raise kind

    with pytest.raises(PluginError, match=f"It raised {kind.__name__}"), asyncio.Runner() as runner:
        runner.run(act())


class Forever:
    """What is waited for in vain."""

    def __await__(self) -> Generator[None]:
        """Wait."""
        yield


def test_what_is_closed_when_no_loop_runs_is_no_plugin_s_fault() -> None:
    """Python closes what still waits at the end; there is nobody left to be told."""

    async def act() -> None:
        with blamed("It"):
            await Forever()

    acting = act()
    acting.send(None)

    acting.close()


def test_code_that_turns_in_a_circle_is_stopped_once_nobody_waits_for_it() -> None:
    """It would take half of all computing time, for as long as the bot lives."""

    def turns() -> None:
        while True:
            pass

    with pytest.raises(PluginError, match="did not return within"):
        within(0.1, "Turning", turns, key="load_s")

    for thread in threading.enumerate():
        if thread.name == "moabot: Turning":
            thread.join(10)
            assert not thread.is_alive()
