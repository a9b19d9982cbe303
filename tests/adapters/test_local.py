"""The local provider with the real engine and the real model, in a real child process.

The weights are fetched once into MOABOT_TEST_LOCAL_DIR (default: data/local); the replies asked
for are a few tokens long.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Self

import pytest

from moabot import ConfigError, Prompt, ProviderRejected, ProviderUnreachable, Turn
from moabot.plugins import Plugins
from moabot_providers.local import Local, LocalSettings, open_local
from moabot_providers.weights import fetch

pytestmark = pytest.mark.timeout(60)  # 3 s alone, more while other tests take the processor

MODEL = "smollm2-135m"
CAPITAL = Prompt(
    system="You are a helpful assistant.",
    turns=(Turn("user", "What is the capital of Australia?"),),
    max_tokens=12,
    temperature=0,
)
STORY = Prompt(
    system="You are a helpful assistant.",
    turns=(Turn("user", "Tell me a long story about a lighthouse."),),
    max_tokens=1500,
    temperature=0,
)


@pytest.fixture(scope="session")
def fetched() -> Path:
    """The folder with the real engine and model; fetches what is not there yet."""
    here = Path(__file__).parents[2]
    folder = Path(os.environ.get("MOABOT_TEST_LOCAL_DIR", here / "data" / "local"))
    fetch(folder, said=lambda _: None)
    return folder


@pytest.fixture
async def local(fetched: Path) -> AsyncGenerator[Local, None]:
    """The provider as an administrator who wants long replies gets it."""
    async with open_local(LocalSettings(dir=fetched, reply_tokens=1500)) as provider:
        yield provider


def children(parent: int) -> list[int]:
    """The process ids of the engines that `parent` runs; a zombie has ended and does not count."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, ppid = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            mine = b"moabot_providers.local_child" in (folder / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if mine and int(ppid) == parent and state != "Z":
            found.append(int(folder.name))
    return found


def child() -> int:
    """The process id of the one engine of this test."""
    (pid,) = children(os.getpid())
    return pid


def lives(pid: int) -> bool:
    """Whether a process of this id has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def ends(pid: int) -> bool:
    """Whether a process that is not ours to wait for ends within two seconds."""
    for _ in range(100):
        if not lives(pid):
            return True
        await asyncio.sleep(0.02)
    return False


def passive(pid: int) -> bool:
    """Whether a process runs with threads that sleep while they wait."""
    return b"OMP_WAIT_POLICY=passive" in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")


class Story:
    """A long answer in the making, and the moment when it speaks."""

    def __init__(self, local: Local) -> None:
        self._speaks = asyncio.Event()
        self.task = asyncio.create_task(
            local.complete(STORY, model=MODEL, wrote=lambda _: self._speaks.set())
        )

    async def begun(self) -> Self:
        """Return once the first piece was written."""
        await self._speaks.wait()
        return self


async def test_it_answers_with_text_usage_and_stop(local: Local) -> None:
    """The one thing a newcomer without any key sees; it costs nothing, which is known."""
    completion = await local.complete(CAPITAL, model=MODEL)

    assert "Canberra" in completion.text
    assert completion.stop == "end"
    assert completion.usage.calls == 1
    assert completion.usage.input_tokens > 20
    assert 0 < completion.usage.output_tokens <= 12
    assert completion.usage.cost_usd == 0
    assert not completion.usage.estimated


async def test_what_is_streamed_is_what_is_returned(local: Local) -> None:
    """The live view must not show another text than the record keeps."""
    pieces: list[str] = []

    completion = await local.complete(CAPITAL, model=MODEL, wrote=pieces.append)

    assert len(pieces) > 3
    assert "".join(pieces) == completion.text


async def test_one_child_serves_all_at_once(local: Local) -> None:
    """A second copy of the weights for each proposer would fill the memory."""
    await asyncio.gather(*(local.complete(CAPITAL, model=MODEL) for _ in range(3)))
    first = child()
    await local.complete(CAPITAL, model=MODEL)

    assert child() == first
    assert passive(first)


async def test_replies_are_bounded_by_the_settings(fetched: Path) -> None:
    """The core asks for 2048 tokens, for which a processor here would need a minute."""
    async with open_local(LocalSettings(dir=fetched, reply_tokens=5)) as local:
        completion = await local.complete(STORY, model=MODEL)

    assert completion.stop == "length"
    assert completion.usage.output_tokens == 5


async def test_a_prompt_beyond_the_context_is_rejected(local: Local) -> None:
    """Asking again would not help, so it must not look like a passing trouble."""
    long = Prompt("You are a helpful assistant.", (Turn("user", "word " * 3000),))

    with pytest.raises(ProviderRejected, match=r"exceeds .* Shorten the question") as caught:
        await local.complete(long, model=MODEL)

    assert not caught.value.retryable


async def test_another_models_name_is_rejected(local: Local) -> None:
    """The engine itself answers to every name, which would hide a typing error for ever."""
    with pytest.raises(ProviderRejected, match=r"no local model 'gpt-9'. Ask for 'smollm2-135m'"):
        await local.complete(CAPITAL, model="gpt-9")


async def test_a_cancelled_call_frees_its_slot(fetched: Path) -> None:
    """With one slot, the next answer would otherwise wait for a story nobody reads."""
    async with open_local(LocalSettings(dir=fetched, slots=1, reply_tokens=1500)) as local:
        story = await Story(local).begun()
        story.task.cancel()

        async with asyncio.timeout(10):  # the story takes four times as long
            completion = await local.complete(CAPITAL, model=MODEL)

    assert "Canberra" in completion.text


async def test_a_crash_is_unreachable_and_the_next_call_starts_a_new_child(local: Local) -> None:
    """Out of memory, say: one answer suffers, not the bot."""
    story = await Story(local).begun()
    os.kill(child(), signal.SIGKILL)
    with pytest.raises(ProviderUnreachable, match="connection"):
        await story.task

    completion = await local.complete(CAPITAL, model=MODEL)

    assert "Canberra" in completion.text


async def test_closing_ends_the_child_even_in_the_middle_of_an_answer(fetched: Path) -> None:
    """Ctrl-C must not leave 300 MB and a busy processor behind."""
    async with open_local(LocalSettings(dir=fetched, reply_tokens=1500)) as local:
        story = await Story(local).begun()
        pid = child()
        story.task.cancel()

    assert not lives(pid)


async def test_a_child_that_does_not_end_is_killed(fetched: Path) -> None:
    """An engine that hangs must not make the bot hang at its end."""
    async with open_local(LocalSettings(dir=fetched)) as local:
        await local.complete(CAPITAL, model=MODEL)
        pid = child()
        os.kill(pid, signal.SIGSTOP)

    assert not lives(pid)


PARENT = """
import asyncio, sys
from pathlib import Path
from moabot import Prompt, Turn
from moabot_providers.local import LocalSettings, open_local

async def main():
    async with open_local(LocalSettings(dir=Path(sys.argv[1]), reply_tokens=1500)) as local:
        prompt = Prompt("You are a helpful assistant.", (Turn("user", "Tell me a long story."),))
        wrote = lambda _: print("speaks", flush=True)
        await local.complete(prompt, model="smollm2-135m", wrote=wrote)

asyncio.run(main())
"""


async def test_no_child_outlives_a_parent_that_is_killed(fetched: Path) -> None:
    """No clean-up of ours runs after kill -9; the child must notice by itself, while it writes."""
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(fetched)), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    await parent.stdout.readline()
    (orphan,) = children(parent.pid)

    parent.kill()

    await parent.wait()
    assert await ends(orphan)


async def test_giving_up_while_it_loads_keeps_the_child_for_the_next_call(fetched: Path) -> None:
    """A large model that loads longer than one call may take would otherwise never load."""
    async with open_local(LocalSettings(dir=fetched)) as local:
        asking = asyncio.create_task(local.complete(CAPITAL, model=MODEL))
        while local._child._process is None:  # noqa: ASYNC110 - it tells nobody that it began
            await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait([asking])
        loading = child()

        completion = await local.complete(CAPITAL, model=MODEL)

        assert "Canberra" in completion.text
        assert child() == loading


@pytest.mark.parametrize(
    ("content", "sha256", "said"),
    [
        pytest.param(b"GGUF", "0" * 64, "has another sha256 than 0000", id="wrong hash"),
        pytest.param(b"GGUF", "", "check the input params", id="no model"),
        pytest.param(None, "", "No such file", id="no file"),
    ],
)
async def test_a_model_file_that_is_not_right_is_refused(
    fetched: Path, tmp_path: Path, content: bytes | None, sha256: str, said: str
) -> None:
    """Damaged weights answer with noise, or crash in native code, if they are loaded."""
    gguf = tmp_path / "own.gguf"
    if content is not None:
        gguf.write_bytes(content)
    settings = LocalSettings(dir=fetched, gguf=gguf, sha256=sha256, threads=1)

    async with open_local(settings) as local:
        with pytest.raises(ProviderUnreachable, match=said) as caught:
            await local.complete(CAPITAL, model=MODEL)

    assert not caught.value.retryable


async def test_without_the_weights_the_message_says_what_to_run(tmp_path: Path) -> None:
    """The first thing that somebody without a key may meet."""
    with pytest.raises(ConfigError, match=r"not been fetched into .* Run `moabot demo`"):
        async with open_local(LocalSettings(dir=tmp_path)):
            pass


def test_it_is_taken_when_no_key_is_set() -> None:
    """One provider key is enough for a working panel; with none, this is the panel."""
    plugins = Plugins(built_in=("moabot_providers.local",))

    offer = plugins.offer("provider", "local", where="test")

    assert offer.starter is not None
    assert (offer.starter.key_env, offer.starter.models) == ("", (MODEL,))
