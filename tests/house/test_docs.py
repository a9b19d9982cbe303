"""What the pages say is true: plugins run, configurations load, commands and links exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from moabot.app import opened
from moabot.cli import app
from moabot.config import Config, parse
from moabot.contract import Message
from moabot.plugins import Plugins
from moabot.testing import RecordingReply

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
PLUGIN_LINES = 16
ROOMS = ("bot", "plugins", "adapters", "cache")
AS_ANOTHER = re.compile(r"^(runuser -u moabot -- |docker compose -f \S+ exec moabot )")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def _blocks(language: str) -> list[Block]:
    found: list[Block] = []
    for page in PAGES:
        text = page.read_text()
        for match in BLOCK.finditer(text):
            if match[1] == language:
                line = text.count("\n", 0, match.start()) + 1
                found.append(Block(str(page.relative_to(ROOT)), line, match[2]))
    return found


def _plugin(block: Block, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write the block as a module and import it; returns its name."""
    file = folder / "a_documented_plugin.py"
    file.write_text(block.text)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, file.stem, module)
    return file.stem


@pytest.mark.parametrize("block", _blocks("python"), ids=str)
def test_each_documented_plugin_is_let_in(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin author begins by copying one of these."""
    plugins = Plugins(built_in=[_plugin(block, tmp_path, monkeypatch)])

    assert plugins.problems == []
    assert plugins.offers("provider") or plugins.offers("strategy")


async def test_the_plugin_of_the_readme_answers_a_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The promise of the README: this is whole, and short."""
    block = next(block for block in _blocks("python") if block.page == "README.md")
    name = _plugin(block, tmp_path, monkeypatch)
    plugins = Plugins(built_in=["moabot_strategies.single", name])
    config = Config.model_validate(
        {
            "providers": {"e": {"plugin": "echo"}},
            "models": {"m": {"provider": "e", "name": "any"}},
            "panels": {"default": {"proposers": [{"model": "m"}]}},
            "defaults": {"strategy": "single"},
        }
    )
    reply = RecordingReply()

    async with opened(config, plugins) as running:
        message = Message("console", "local", "terminal", "me", "Is it so?", "1")
        await running.answering.handle(message, reply)

    assert reply.answer is not None, reply.error
    assert reply.answer.text == "Is it so?"
    assert len([line for line in block.text.splitlines() if line.strip()]) <= PLUGIN_LINES


@pytest.mark.parametrize("block", _blocks("toml"), ids=str)
def test_each_documented_configuration_loads(block: Block) -> None:
    """Whoever copies it must not be met by an error."""
    config = parse(tomllib.loads(block.text), source=str(block))

    assert config != Config()


@pytest.mark.parametrize("block", _blocks("console"), ids=str)
def test_each_documented_command_exists(block: Block) -> None:
    """A command or an option that was renamed must be renamed in the pages too."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in block.text.splitlines():
        for words in _programs(AS_ANOTHER.sub("", line)):
            if words[0] == "make":
                assert words[1] in targets, line
            elif words[0].endswith("moabot"):
                _parse(words[1:])


def test_every_event_that_is_logged_is_documented() -> None:
    """Who watches the log looks there; what adapters log was missing once."""
    page = (ROOT / "docs/reference/records.md").read_text()
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*.py")]
    logged = {
        event
        for file in files
        for event in re.findall(
            r'\blog\.(?:info|warning|error|exception)\(\s*"([^"]+)"', file.read_text()
        )
    }

    assert [event for event in sorted(logged) if f"| `{event}` |" not in page] == []


def test_the_page_for_administrators_does_things_in_an_order_that_works() -> None:
    """It was followed word by word once, and ended in a bot that could not start."""
    page = (ROOT / "docs/how-to/run-as-a-service.md").read_text()
    steps = (
        "install -d -m 755 /etc/moabot\n",
        "install -m 600 /dev/null /etc/moabot/keys.env\n",
        "set -a; . /etc/moabot/keys.env; set +a\n",
        "cd /var/lib/moabot\n",
        "/opt/moabot/bin/moabot --config /etc/moabot/config.toml init --yes",
        "systemctl enable --now moabot\n",
    )
    unit = (ROOT / "deploy/moabot.service").read_text()

    places = [page.index(step) for step in steps]
    assert places == sorted(places)
    assert "useradd --system --home-dir /var/lib/moabot" in page
    assert "\nUser=moabot\n" in unit


def _programs(line: str) -> Iterator[list[str]]:
    """The words of each program in a pipe."""
    words: list[str] = []
    for word in [*shlex.split(line, comments=True), "|"]:
        if word != "|":
            words.append(word)
        elif words:
            yield words
            words = []


def _parse(words: list[str]) -> None:
    """Parse as the program would, and run nothing; raises a usage error."""
    program = get_command(app)
    assert isinstance(program, TyperGroup)
    with program.make_context("moabot", list(words), resilient_parsing=True) as context:
        _, command, rest = program.resolve_command(context, context._protected_args)
        assert command is not None
        command.make_context(command.name, [*rest, *context.args]).close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """A dead link is where a newcomer gives up."""
    dead = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]

    assert dead == []
