"""`moabot check` names what is wrong and the way to mend it, and goes on to the next thing."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path

import pytest
from tests.flow.conftest import Moabot, Upstream

from moabot.checking import look
from moabot.config import parse
from moabot.contract import Completion, Prompt, Reply, Usage, Wrote
from moabot.desk import Desk
from moabot.findings import Finding
from moabot.hookspecs import hookimpl
from moabot.journal import Entry
from moabot.plugins import NoSettings, Plugins, Register
from moabot.testing import RecordingReply


async def test_all_is_well_and_each_model_was_asked_for_a_word(moabot: Moabot) -> None:
    """An administrator wants to see that the keys work before the first person asks."""
    ended = await moabot("check")

    assert ended.code == 0
    assert ended.out.splitlines()[-1] == "All is well."
    assert [f"model {name}: answered in" in ended.out for name in "abc"] == [True] * 3


async def test_a_model_that_fails_is_named_with_the_way_to_mend_it(
    moabot: Moabot, upstream: Upstream
) -> None:
    """The others are asked all the same."""
    upstream.broken["model-b"] = 401
    ended = await moabot("check", "--json")
    told = json.loads(ended.out)

    assert (ended.code, told["ok"]) == (1, False)
    wrong = [finding for finding in told["findings"] if finding["state"] != "ok"]
    assert [finding["what"] for finding in wrong] == ["model b"]
    assert wrong[0]["fix"]


async def test_nobody_is_asked_without_calls(moabot: Moabot, upstream: Upstream) -> None:
    """A script that runs every minute costs nothing."""
    ended = await moabot("check", "--no-calls")

    assert (ended.code, upstream.bodies) == (0, [])
    assert "model a: not asked (--no-calls)" in ended.out


async def test_a_key_that_the_configuration_does_not_use_is_pointed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set after `moabot init` had settled on the local model, it would be waited for in vain."""
    for variable in ("ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    tables: dict[str, object] = {"data_dir": str(tmp_path / "data")}
    local = {"providers": {"local": {"plugin": "local"}}}
    both = {"providers": {"local": {"plugin": "local"}, "openai": {"plugin": "openai"}}}
    told: list[list[Finding]] = []
    for providers in (local, both):
        findings: list[Finding] = []
        config = parse(tables | providers, source="test")
        await look(config, Plugins(), findings.append, calls=False)
        told.append([finding for finding in findings if finding.what == "keys"])

    [[unused], nothing] = told
    assert unused.said.startswith("OPENAI_API_KEY set, but config.toml names")
    assert unused.fix == "Run: moabot init --force, which replaces the file"
    assert nothing == []


async def test_a_configuration_that_cannot_be_read_is_a_finding_too(moabot: Moabot) -> None:
    """A script reads one shape, whatever is wrong."""
    (moabot.home / "config.toml").write_text("[defualts]\n")
    told = json.loads((await moabot("check", "--json")).out)

    assert told["ok"] is False
    assert "there is no such key" in told["findings"][0]["said"]


async def test_a_model_of_unknown_price_is_a_warning(moabot: Moabot) -> None:
    """Budgets refuse to count what has no price."""
    file = moabot.home / "config.toml"
    file.write_text(file.read_text().replace("price = {input = 1, output = 10}", "images = false"))
    ended = await moabot("check")

    assert ended.code == 0
    assert "! price of a: nobody knows what 'model-a' costs" in ended.out
    assert "All is well, with 3 warnings." in ended.out


async def test_a_data_dir_that_others_may_read_is_a_warning(moabot: Moabot) -> None:
    """It holds what people asked in private."""
    (moabot.home / "data").mkdir(mode=0o700)
    (moabot.home / "data").chmod(0o755)
    ended = await moabot("check", "--no-calls")

    assert "other users of this machine may look into" in ended.out
    assert "→ Run: chmod 700" in ended.out


async def test_dead_letters_are_pointed_out(moabot: Moabot) -> None:
    """Somebody asked three times and was told sorry."""
    await moabot("ask", "Why?")
    with sqlite3.connect(moabot.home / "data" / "moabot.db") as database:
        database.execute(
            "INSERT INTO inbox (event, platform, workspace, channel, thread, private, author, text,"
            " addressed, said_at, seed, at, plan, receipt, tries, error, state)"
            " VALUES ('x:1', 'x', 'w', 'c', '', 0, 'u', '?', 1, 0, x'00', 0, '', '', 3, '', 'dead')"
        )
    database.close()
    ended = await moabot("check", "--no-calls")

    assert "1 given up because they stopped the bot again and again" in ended.out


class Chat:
    """A platform that knows how it is; its factory lacks a token unless there is one."""

    async def run(self, desk: Desk) -> None:
        """It is never run."""

    def reply_to(self, entry: Entry) -> Reply:
        """Nor asked for one."""
        return RecordingReply()


class Talkative(Chat):
    """Tells what is wrong with it."""

    async def check(self) -> list[Finding]:
        """One thing."""
        return [
            Finding("platform talkative", "error", "the scope chat:write is missing", "Add it.")
        ]


class Failing(Chat):
    """Cannot even tell what is wrong."""

    async def check(self) -> list[Finding]:
        """Raise."""
        raise KeyError("scopes")


class Chats:
    """Offers platforms: one says how it is, one does not, one fails to, one cannot be opened."""

    @hookimpl
    def moabot_register(self, register: Register) -> None:
        """All four."""

        @asynccontextmanager
        async def talkative(settings: NoSettings) -> AsyncGenerator[Chat]:
            yield Talkative()

        @asynccontextmanager
        async def silent(settings: NoSettings) -> AsyncGenerator[Chat]:
            yield Chat()

        def broken(settings: NoSettings) -> AbstractAsyncContextManager[Chat]:
            raise RuntimeError("no token")

        @asynccontextmanager
        async def failing(settings: NoSettings) -> AsyncGenerator[Chat]:
            yield Failing()

        register.platform("broken", broken)
        register.platform("failing", failing)
        register.platform("silent", silent)
        register.platform("talkative", talkative)


async def test_each_platform_is_looked_at_by_itself(tmp_path: Path) -> None:
    """One without its token says nothing about the others."""
    names = ("broken", "failing", "silent", "talkative")
    platforms: dict[str, dict[str, str]] = {name: {} for name in names}
    config = parse({"data_dir": str(tmp_path), "platforms": platforms}, source="test")
    plugins = Plugins(built_in=(), installed=())
    plugins.admit("chats", Chats())
    findings: list[Finding] = []
    await look(config, plugins, findings.append, calls=False)

    told = {finding.what: finding for finding in findings if "platform" in finding.what}
    assert "no token" in told["platform broken"].said
    assert "raised KeyError: 'scopes'" in told["platform failing"].said
    assert told["platform silent"].state == "ok"
    assert told["platform talkative"].fix == "Add it."


class Distant:
    """Offers a chat whose opening waits for a network that never comes."""

    @hookimpl
    def moabot_register(self, register: Register) -> None:
        """That one."""

        @asynccontextmanager
        async def distant(settings: NoSettings) -> AsyncGenerator[Chat]:
            await asyncio.Event().wait()
            yield Chat()

        register.platform("distant", distant)


@pytest.mark.virtual_time
async def test_a_chat_that_cannot_be_reached_does_not_hold_it_up(tmp_path: Path) -> None:
    """The bot waits for the network when a machine starts; who checks wants to know."""
    chat: dict[str, str] = {}
    tables = {"data_dir": str(tmp_path), "platforms": {"distant": chat}}
    plugins = Plugins(built_in=(), installed=())
    plugins.admit("distant", Distant())
    findings: list[Finding] = []
    await look(parse(tables, source="test"), plugins, findings.append, calls=False)

    assert findings[-1].what == "platform distant"
    assert findings[-1].said == "it cannot be reached"


class Vendor:
    """A provider that does what each of its models is called for, and can tell how it is."""

    async def complete(
        self, prompt: Prompt, *, model: str, wrote: Wrote | None = None
    ) -> Completion:
        """Think until no token is left, or break."""
        if model == "thinks":
            return Completion("", Usage(calls=1), "length")
        raise RuntimeError("broken")

    async def check(self) -> list[Finding]:
        """One thing."""
        return [Finding("provider v", "warning", "half of the quota is used", "Buy more.")]

    @hookimpl
    def moabot_register(self, register: Register) -> None:
        """Offer itself."""
        register.provider("vendor", lambda _: nullcontext(self))


async def test_a_provider_that_breaks_is_told_from_a_model_that_thinks(tmp_path: Path) -> None:
    """Both give no text: one is well, with the other nobody will ever get an answer."""
    names = ("breaks", "thinks")
    tables = {
        "data_dir": str(tmp_path),
        "providers": {"v": {"plugin": "vendor"}},
        "models": {name: {"provider": "v", "name": name} for name in names},
        "panels": {"default": {"proposers": [{"model": name} for name in names]}},
    }
    plugins = Plugins(built_in=("moabot_strategies.router",), installed=())
    plugins.admit("vendor", Vendor())
    findings: list[Finding] = []
    await look(parse(tables, source="test"), plugins, findings.append)

    told = {finding.what: (finding.state, finding.said) for finding in findings}
    assert told["model breaks"] == ("error", "The plugin raised RuntimeError.")
    assert told["model thinks"] == ("ok", "reached; it said nothing in 16 tokens")
    assert told["provider v"] == ("warning", "half of the quota is used")


@pytest.mark.parametrize(
    ("free_mb", "state"), [(10**9, "error"), (0, "ok")], ids=["no room", "room"]
)
async def test_the_disk_is_measured_against_what_must_stay_free(
    tmp_path: Path, free_mb: int, state: str
) -> None:
    """Below that mark nobody gets an answer, so it is good to know before."""
    config = parse({"data_dir": str(tmp_path), "store": {"keep_free_mb": free_mb}}, source="test")
    findings: list[Finding] = []
    await look(config, Plugins(built_in=(), installed=()), findings.append, calls=False)

    assert [finding.state for finding in findings if finding.what == "disk"] == [state]


async def test_a_narrow_terminal_wraps_between_words_and_no_colour_is_kept_to(
    moabot: Moabot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of a variable that is torn in two cannot be copied."""
    monkeypatch.delenv("A_KEY_OF_MINE", raising=False)
    text = moabot.config.read_text()
    keyed = 'base_url = "http://127.0.0.1:9/v1"\napi_key_env = "A_KEY_OF_MINE"\n'
    moabot.config.write_text(re.sub("base_url.*\n", keyed, text))
    for columns in (60, 70, 80):
        async with moabot.terminal("check", columns=columns, NO_COLOR="1") as terminal:
            assert await terminal.ended() == 1

        assert max(map(len, terminal.seen.splitlines())) <= columns
        assert "[providers.up]" in terminal.seen
        assert terminal.seen.count("A_KEY_OF_MINE") == 3
        assert "\x1b[3" not in terminal.raw
