"""The public fakes: what a plugin author relies on when testing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from moabot import Answer, MoabotError, PluginError, hookimpl
from moabot.testing import RecordingReply, ScriptedProvider, VirtualTimeLoop, rehearsal


@pytest.mark.virtual_time
async def test_a_reply_ends_once() -> None:
    """A second ending is a bug of whoever ends it, and must not pass."""
    reply = RecordingReply()
    await reply.finish(Answer("Paris.", "single"))

    with pytest.raises(AssertionError, match="exactly once"):
        await reply.sorry(MoabotError("Too late.", fix=""), reference="x")


@pytest.mark.virtual_time
async def test_a_rehearsal_with_a_bad_plugin_says_what_is_wrong_with_it() -> None:
    """In a running bot it is one line of many; its author wants to see it at once."""

    class Bad:
        @hookimpl
        async def moabot_register(self, register: object) -> None:
            """Async, which no hook may be."""

    with pytest.raises(PluginError, match="is 'async def'"):
        async with rehearsal(ScriptedProvider(), plugins=[Bad()]):
            pass


def test_a_deadlock_is_an_error_and_no_hang() -> None:
    """A test that waits for nothing ends at once, and says so."""

    async def wait() -> None:
        await asyncio.Event().wait()

    loop = VirtualTimeLoop()
    with pytest.raises(RuntimeError, match="Deadlock"):
        loop.run_until_complete(wait())
    (task,) = asyncio.all_tasks(loop)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()


JUMPS = """
import asyncio, pytest

@pytest.mark.virtual_time
async def test_a_day_passes_at_once():
    await asyncio.sleep(86_400)

async def test_another_runs_on_the_usual_loop():
    assert "VirtualTime" not in type(asyncio.get_running_loop()).__name__
"""


def _pytest(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    ini = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
    (folder / "pytest.ini").write_text(ini + "".join(f"{flag}\n" for flag in flags))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", "-v"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_other_people_s_tests_do_not_notice_that_moabot_is_installed(tmp_path: Path) -> None:
    """Pytest loads each installed plugin everywhere: ours must cost nothing and change nothing."""
    (tmp_path / "test_theirs.py").write_text(
        "import sys\n\ndef test_it():\n    assert 'moabot' not in sys.modules\n\n"
        "async def test_their_loop():\n    pass\n"
    )
    done = _pytest(tmp_path)

    assert done.returncode == 0, done.stdout
    assert "test_their_loop PASSED" in done.stdout  # and not test_their_loop[real]


def test_who_asks_for_it_gets_a_clock_that_jumps(tmp_path: Path) -> None:
    """One line of the ini file, and a marker."""
    (tmp_path / "test_ours.py").write_text(JUMPS)
    done = _pytest(tmp_path, "moabot_virtual_time = true", "addopts = --strict-markers")

    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
