"""The plugin door: what comes in, what stays out, and that nobody spoils it for the others."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Never, cast

import pytest
from pydantic import BaseModel

from moabot import Answer, Message, PluginError, hookimpl
from moabot.cli.running import run
from moabot.config import Config, ModelSettings, PanelSettings, PluginSettings, ProposerSettings
from moabot.plugins import BUILT_IN, NoSettings, Plugins, Register
from moabot.testing import ScriptedProvider, ask, rehearsal

if TYPE_CHECKING:
    from tests.bot.conftest import Installed

MESSAGE = Message("test", "workspace", "channel", "someone", "Hello", event_id="1")
STRATEGIES = [name for name in BUILT_IN if name.startswith("moabot_strategies.")]


Opens = Callable[[object], AbstractAsyncContextManager[Never]]


def nothing(settings: object) -> AbstractAsyncContextManager[Never]:
    """A factory that is never called here."""
    raise NotImplementedError


def door(*plugins: object) -> Plugins:
    """The door with these let in, and no others."""
    found = Plugins(built_in=(), installed=())
    for place, plugin in enumerate(plugins):
        found.admit(f"p{place}", plugin)
    return found


def plugin(**hooks: Callable[..., object]) -> ModuleType:
    """A plugin with these hooks."""
    module = ModuleType("own")
    vars(module).update({name: hookimpl(hook) for name, hook in hooks.items()})
    return module


def offering(
    name: str, factory: Opens | None = None, settings: type[BaseModel] = NoSettings
) -> ModuleType:
    """A plugin that offers a strategy of that name."""

    def register(register: Register) -> None:
        register.strategy(name, factory or nothing, settings)

    return plugin(moabot_register=register)


def choosing(choice: object) -> ModuleType:
    """A plugin that always chooses this strategy."""

    def choose(message: Message, names: tuple[str, ...]) -> object:
        return choice

    return plugin(moabot_choose_strategy=choose)


OFFERS = """\
from contextlib import nullcontext
from moabot import hookimpl

@hookimpl
def moabot_register(register):
    register.strategy("NAME", lambda settings: nullcontext())
"""


def test_an_allowed_distribution_is_let_in(install: Installed) -> None:
    """The whole way of a third party: pip install, one line in the configuration."""
    install("acme-thinking", OFFERS)

    found = Plugins(allow=["Acme_Thinking"], built_in=())

    assert found.problems == []
    assert found.offers("strategy")["it"].owner == "acme-thinking"


def test_what_is_not_allowed_is_not_even_imported(install: Installed) -> None:
    """A dependency's dependency must not run in the bot because it is installed."""
    install("acme-silent", "raise SystemExit('I was imported')")

    found = Plugins(built_in=())

    assert (found.problems, found.offers("strategy")) == ([], {})
    assert "acme-silent" in found.blocked
    assert "acme_silent_it" not in sys.modules


def test_an_allowed_name_that_is_not_there_is_told(install: Installed) -> None:
    """A typo in the list would otherwise be a plugin that silently does nothing."""
    (problem,) = Plugins(allow=["acme-thinkin"], built_in=()).problems

    assert "'acme-thinkin'" in problem
    assert "Install it" in problem


def test_a_distribution_may_bring_several_plugins(install: Installed) -> None:
    """Each has an entry point, and each is let in."""
    install("acme-many", OFFERS, entries=("one", "two"))

    found = Plugins(allow=["acme-many"], built_in=())

    assert set(found.offers("strategy")) == {"one", "two"}
    assert (found.problems, found.blocked) == ([], [])


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise RuntimeError('broken')", "RuntimeError: broken"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("def f(:", "SyntaxError"),
        (OFFERS + "    raise KeyError('late')", "KeyError: 'late'"),
        (OFFERS + "    raise SystemExit(3)", "SystemExit: 3"),
        (OFFERS.replace("def moabot", "async def moabot"), "is 'async def'"),
        (OFFERS.replace("moabot_register", "moabot_regster"), "moabot_regster is no hook"),
        (OFFERS.replace("(register)", "(register, more)"), "Argument(s) {'more'}"),
    ],
    ids=[
        "raises when imported",
        "exits when imported",
        "lacks a module",
        "is no Python",
        "raises in its hook",
        "exits in its hook",
        "has an async hook",
        "misspells a hook",
        "wants what there is not",
    ],
)
def test_a_bad_plugin_costs_itself_and_one_line(install: Installed, source: str, told: str) -> None:
    """The bot starts with all others, and the line says whom to write to."""
    install("acme-bad", source)
    install("acme-good", OFFERS.replace("NAME", "good"))

    found = Plugins(allow=["acme-bad", "acme-good"], built_in=STRATEGIES)

    (problem,) = found.problems
    assert problem.startswith("Plugin acme-bad is left out. ")
    assert told in problem
    assert "\n" not in problem
    assert {"good", "mixture"} <= set(found.offers("strategy"))
    assert "it" not in found.offers("strategy")


def test_two_that_take_one_name_are_both_named() -> None:
    """Never let the later one win in silence: one of them would answer for the other."""
    found = door(offering("think"), offering("think"))

    assert found.offers("strategy")["think"].owner == "p0"
    assert "offered by p0 and by p1" in found.problems[0]


def test_one_that_takes_a_name_twice_is_refused() -> None:
    """Which of the two did its author mean?"""

    def register(register: Register) -> None:
        register.strategy("think", nothing)
        register.strategy("think", nothing)

    assert "offered by p0 and by p0" in door(plugin(moabot_register=register)).problems[0]


def test_moabot_register_takes_every_kind() -> None:
    """One name may be a provider and a strategy: they are asked for in different places."""

    def register(register: Register) -> None:
        register.provider("it", nothing)
        register.strategy("it", nothing)
        register.platform("it", nothing)
        register.cache("it", lambda settings, _store, _ask: nothing(settings))

    found = door(plugin(moabot_register=register))

    assert found.problems == []
    assert found.offers("provider").keys() == found.offers("strategy").keys() == {"it"}
    assert found.offers("platform").keys() == found.offers("cache").keys() == {"it"}


def test_an_offer_that_is_not_there_is_named_with_the_nearest() -> None:
    """The message is all that a person has who edits config.toml."""
    with pytest.raises(PluginError, match=r"\[x\]: no plugin offers the strategy 'thnk'.*'think'"):
        door(offering("think")).offer("strategy", "thnk", where="[x]")
    with pytest.raises(PluginError, match="on offer: none"):
        door().offer("strategy", "think", where="[x]")


async def test_moabot_choose_strategy_may_choose_a_name_that_exists() -> None:
    """The first plugin with a wish has it."""
    silent = choosing(None)
    chooser = choosing("b")

    assert await door(silent, chooser).choose_strategy(MESSAGE, ("a", "b")) == "b"
    assert await door(silent).choose_strategy(MESSAGE, ("a", "b")) is None


@pytest.mark.parametrize("choice", ["c", 7, ["a"], True], ids=repr)
async def test_moabot_choose_strategy_with_nonsense_is_passed_over_and_told(choice: object) -> None:
    """The next one is asked, and the channel's own setting stands."""
    bad = choosing(choice)
    good = choosing("a")
    found = door(good, bad)

    assert await found.choose_strategy(MESSAGE, ("a", "b")) == "a"
    assert f"returned {choice!r}, which is no strategy" in found.problems[0]


@pytest.mark.parametrize("error", [KeyError("x"), SystemExit(3)], ids=["raises", "exits"])
async def test_moabot_choose_strategy_that_raises_is_passed_over(error: BaseException) -> None:
    """And told once, however many messages come: a list of complaints must not fill the memory."""

    def choose(message: Message, names: tuple[str, ...]) -> str:
        raise error

    found = door(plugin(moabot_choose_strategy=choose))
    for _ in range(100):
        assert await found.choose_strategy(MESSAGE, ("a",)) is None

    assert len(found.problems) == 1
    assert type(error).__name__ in found.problems[0]


@pytest.mark.virtual_time
async def test_moabot_answered_hears_of_every_answer_and_may_raise() -> None:
    """The person has the answer by then; a statistic that breaks is no reason to apologise."""
    heard: list[Answer] = []

    def answered(message: Message, answer: Answer) -> None:
        heard.append(answer)
        raise ValueError("full")

    async with rehearsal(ScriptedProvider(), plugins=[plugin(moabot_answered=answered)]) as app:
        reply = await ask(app, "What now?")

    assert heard == [reply.answer]
    assert reply.error is None
    assert "ValueError: full" in app.plugins.problems[0]


def test_what_a_plugin_did_wrong_while_it_ran_is_said_in_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is wrong at the start was said then; the rest was kept from everybody."""
    found = Plugins(built_in=STRATEGIES, installed=())
    found.admit("own", choosing("nonsense"))
    panel = PanelSettings(proposers=(ProposerSettings(model=("m",)),))
    model = ModelSettings(provider="p", name="m")
    config = Config(
        providers={"p": PluginSettings(plugin="fake")},
        models={"m": model},
        panels={"default": panel},
    )

    def register(register: Register) -> None:
        register.provider("fake", lambda _: nullcontext(ScriptedProvider()))

    found.admit("fake", plugin(moabot_register=register))
    run(config, found, lambda app: ask(app, "What now?"))

    assert (
        "Plugin own: The hook moabot_choose_strategy returned 'nonsense'" in capsys.readouterr().err
    )


@pytest.mark.virtual_time
async def test_a_plugin_s_choice_of_strategy_holds_unless_the_message_wishes_otherwise() -> None:
    """Over the channel's setting, under a person's own wish."""
    chooser = choosing("single")
    async with rehearsal(ScriptedProvider(), plugins=[chooser]) as app:
        chosen = await ask(app, "What now?")

    assert chosen.answer is not None
    assert chosen.answer.strategy == "single"


class Needy(BaseModel):
    """Settings without which it cannot be."""

    path: str


def _broken(settings: object) -> AbstractAsyncContextManager[Never]:
    raise OSError("no disk")


def _nonsense(settings: object) -> AbstractAsyncContextManager[Never]:
    return SimpleNamespace()  # pyright: ignore[reportReturnType]


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("factory", "settings", "problems"),
    [(nothing, Needy, 0), (_broken, NoSettings, 1), (_nonsense, NoSettings, 1)],
    ids=["needs settings", "raises when opened", "hands over nonsense"],
)
async def test_a_strategy_that_cannot_be_opened_does_not_stop_the_bot(
    factory: Opens,
    settings: type[BaseModel],
    problems: int,
) -> None:
    """Nobody asked for it; everybody else's answers must come."""
    bad = offering("bad", factory, settings)
    async with rehearsal(ScriptedProvider(), plugins=[bad]) as app:
        reply = await ask(app, "What now?")

    assert reply.answer is not None
    assert "bad" not in app.strategies
    assert len(app.plugins.problems) == problems


@pytest.mark.virtual_time
@pytest.mark.parametrize("error", [RuntimeError("gone"), SystemExit(3)], ids=["raises", "exits"])
async def test_a_plugin_that_breaks_while_it_closes_is_logged(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer was there; a traceback after it, and exit code 1, told a person otherwise."""

    @asynccontextmanager
    async def factory(settings: object) -> AsyncGenerator[Never]:
        yield cast("Never", SimpleNamespace())
        raise error

    async with rehearsal(ScriptedProvider(), plugins=[offering("rude", factory)]) as app:
        reply = await ask(app, "What now?")

    assert reply.answer is not None
    assert [record.exc_info for record in caplog.records if record.exc_info]


@pytest.mark.virtual_time
async def test_a_configured_strategy_that_cannot_be_opened_is_an_error_with_its_key() -> None:
    """Here somebody asked for it, and must know."""
    bad = offering("bad", _broken)
    tables = {"strategies": {"mine": {"plugin": "bad"}}}

    with pytest.raises(PluginError, match=r"\[strategies\.mine\]: rehearsed-1 .*OSError: no disk"):
        async with rehearsal(ScriptedProvider(), tables, plugins=[bad]):
            pass
