"""A plugin of a third party costs the bot that plugin and one line, whatever it does."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from moabot import Message
from moabot.app import opened
from moabot.config import ChannelSettings, parse
from moabot.contract import Reply
from moabot.desk import Desk
from moabot.errors import ConfigError, PluginError
from moabot.guests import Bounds
from moabot.hookspecs import hookimpl
from moabot.journal import Entry
from moabot.plugins import BUILT_IN, Plugins, Register
from moabot.serving import opened_platforms, serve
from moabot.testing import RecordingReply, ask

if TYPE_CHECKING:
    from tests.bot.conftest import Installed

OURS = [name for name in BUILT_IN if name.startswith("moabot_strategies.")]
SHORT = Bounds(load_s=1, hook_s=0.4)
PATIENT = Bounds(load_s=20, hook_s=20)

GOOD = """\
from contextlib import nullcontext
from moabot import Completion, Usage, hookimpl

class Good:
    async def complete(self, prompt, *, model, wrote=None):
        if wrote is not None:
            wrote("It is so.")
        return Completion("It is so.", Usage(calls=1), "end")

@hookimpl
def moabot_register(register):
    register.provider("good", lambda settings: nullcontext(Good()))
"""
BEGIN = """\
import asyncio, threading
from contextlib import asynccontextmanager, nullcontext
from types import SimpleNamespace
from pydantic import BaseModel, Field, model_validator
from moabot import hookimpl
from moabot.testing import RecordingReply

class Keys(BaseModel):
    KEYS

class Bad:
    async def complete(self, prompt, *, model, wrote=None):
        ACT
    async def answer(self, question, panel):
        ACT
    async def run(self, desk):
        RUN
    def reply_to(self, entry):
        REPLY
    async def find(self, question, *, key, share):
        FIND
    async def keep(self, question, answer, *, key, share):
        KEEP
    async def joined(self, question, *, key, share):
        pass
    async def forget(self, event):
        pass

@asynccontextmanager
async def opening(settings, *needs):
    OPEN
    yield Bad()

@hookimpl
def moabot_register(register):
    REGISTER
    for offer in (register.provider, register.strategy, register.platform, register.cache):
        offer("bad", opening, Keys)

@hookimpl
def moabot_choose_strategy(message, names):
    CHOOSE

@hookimpl
def moabot_answered(message, answer):
    HEAR
"""
SLEEP = "threading.Event().wait()"
SPIN = "while True: pass"
PANIC = "class Panic(BaseException): pass"
CANCEL = "raise asyncio.CancelledError"
SECRET = "token: str = Field(default_factory=lambda: {}['TOKEN'])"


def bad(**places: str) -> str:
    """A plugin that is well made, but for what it does in these places."""
    usual = dict.fromkeys(
        ("REGISTER", "OPEN", "CHOOSE", "HEAR", "KEYS", "RUN", "FIND", "KEEP"), "pass"
    )
    source = BEGIN
    for place, what in {
        **usual,
        "ACT": "return",
        "REPLY": "return RecordingReply()",
        **places,
    }.items():
        source = source.replace(place, what)
    return source


# what it does: its source, and what the line about it says
HOSTILE: Mapping[str, tuple[str, str]] = {
    "raises at import": ("raise RuntimeError('broken')", "left out. Its import raised RuntimeErr"),
    "exits at import": ("raise SystemExit(3)", "left out. Its import raised SystemExit: 3"),
    "panics at import": (f"{PANIC}\nraise Panic", "left out. Its import raised Panic"),
    "hangs at import": (f"import threading\n{SLEEP}", "left out. Its import did not return within"),
    "spins at import": (SPIN, "left out. Its import did not return within 1 s. Update or remove"),
    "has no hook": ("x = 1", "left out. It has no hook"),
    "has an async hook": (bad().replace("def moabot_answ", "async def moabot_answ"), "'async def'"),
    "raises when it registers": (bad(REGISTER="1 / 0"), "moabot_register raised ZeroDivision"),
    "exits when it registers": (bad(REGISTER="exit()"), "moabot_register raised SystemExit"),
    "hangs when it registers": (bad(REGISTER=SLEEP), "moabot_register did not return within"),
    "takes a taken name": (
        bad(REGISTER="register.strategy('mixture', opening)"),
        "'mixture' is offered by moabot_strategies.mixture and by acme-bad",
    ),
    "offers a number": (bad(REGISTER="register.strategy(7, opening)"), "with the name 7."),
    "offers no factory": (bad(REGISTER="register.cache('x', 7)"), "7, which cannot be called"),
    "offers no settings": (
        bad(REGISTER="register.strategy('x', opening, dict)"),
        "which are no pydantic model",
    ),
    "has settings that raise": (
        bad(KEYS=SECRET),
        "[providers.bad]: the settings of acme-bad-14 raised KeyError: 'TOKEN'",
    ),
    "raises when opened": (bad(OPEN="1 / 0"), "could not open the provider 'bad'; it raised Zero"),
    "exits when opened": (bad(OPEN="raise SystemExit(3)"), "provider 'bad'; it raised SystemE"),
    "hangs when opened": (
        bad(OPEN="await asyncio.Event().wait()"),
        "provider 'bad'; it took longer than 1 s. Update or remove it, or raise [plugins] load_s.",
    ),
    "cancels when opened": (
        bad(OPEN="raise asyncio.CancelledError"),
        "provider 'bad'; it raised CancelledError. Correct its settings, or update it.",
    ),
    "hands over nonsense": (
        bad().replace("yield Bad()", "yield 7"),
        "hands over int as the provider 'bad', which has no method 'complete'",
    ),
    "raises when it acts": (bad(ACT="1 / 0"), "The strategy 'bad' raised ZeroDivisionError"),
    "exits when it acts": (bad(ACT="raise SystemExit(3)"), "The strategy 'bad' raised SystemExit"),
    "cancels when it acts": (
        bad(ACT="raise asyncio.CancelledError"),
        "The strategy 'bad' raised CancelledError",
    ),
    "panics when it acts": (
        bad(ACT="raise BaseException('panic')"),
        "The strategy 'bad' raised BaseException: panic",
    ),
    "interrupts when it acts": (
        bad(ACT="raise KeyboardInterrupt"),
        "The strategy 'bad' raised KeyboardInterrupt",
    ),
    "closes when it acts": (
        bad(ACT="raise GeneratorExit"),
        "The strategy 'bad' raised GeneratorExit",
    ),
    "returns no usage": (
        bad(ACT="from moabot import Answer; return Answer('Yes.', 'bad', usage=None)"),
        "The strategy 'bad' returned an Answer with a wrong usage",
    ),
    "returns no text": (
        bad(ACT="from moabot import Answer; return Answer(None, 'bad')"),
        "The strategy 'bad' returned an Answer with a wrong text",
    ),
    "returns the wrong type": (bad(), "The strategy 'bad' returned NoneType. Return a moabot.Answ"),
    "raises when it chooses": (bad(CHOOSE="1 / 0"), "hook moabot_choose_strategy raised ZeroDiv"),
    "exits when it chooses": (bad(CHOOSE="exit()"), "hook moabot_choose_strategy raised SystemEx"),
    "closes when it chooses": (
        bad(CHOOSE="raise GeneratorExit"),
        "hook moabot_choose_strategy raised GeneratorExit",
    ),
    "hangs when it chooses": (bad(CHOOSE=SLEEP), "hook moabot_choose_strategy did not return with"),
    "spins when it chooses": (bad(CHOOSE=SPIN), "hook moabot_choose_strategy did not return with"),
    "chooses nonsense": (bad(CHOOSE="return 7"), "moabot_choose_strategy returned 7, which is no"),
    "raises when it hears": (bad(HEAR="1 / 0"), "hook moabot_answered raised ZeroDivisionError"),
    "hangs when it hears": (bad(HEAR=SLEEP), "hook moabot_answered did not return within 0.4 s"),
}


def tables(**more: object) -> dict[str, object]:
    """A panel of three, of whom one is the bad plugin's, and its strategy for every channel."""
    return {
        "providers": {"good": {"plugin": "good"}, "bad": {"plugin": "bad"}},
        "models": {
            "a": {"provider": "good", "name": "a"},
            "b": {"provider": "good", "name": "b"},
            "c": {"provider": "bad", "name": "c"},
        },
        "panels": {
            "default": {"proposers": [{"model": name} for name in "abc"], "synthesizer": ["c", "a"]}
        },
        "defaults": {"strategy": "bad", "preset": "thorough"},
        **more,
    }


ALONE: Mapping[str, object] = {
    "providers": {"good": {"plugin": "good"}},
    "models": {"a": {"provider": "good", "name": "a"}},
    "panels": {"default": {"proposers": [{"model": "a"}]}},
    "defaults": {"strategy": "single"},
}


async def answers(plugins: Plugins, *, strategies: tuple[str | None, ...]) -> list[RecordingReply]:
    """A question for each strategy; with None, for the one of the channel."""
    async with opened(parse(tables(), source="here"), plugins) as app:
        return [
            await ask(app, "Is it so?", wish=ChannelSettings(strategy=name)) for name in strategies
        ]


@pytest.mark.parametrize("what", HOSTILE)
async def test_the_bot_answers_every_question_with_the_rest(install: Installed, what: str) -> None:
    """A third party's mistake must not take the bot from people who never heard of it."""
    source, told = HOSTILE[what]
    name = f"acme-bad-{list(HOSTILE).index(what)}"  # a module whose import hangs keeps its lock
    install(name, source)
    install("acme-good", GOOD)
    bounds = SHORT if what.startswith(("hangs", "spins")) else PATIENT

    plugins = Plugins(allow=[name, "acme-good"], built_in=OURS, bounds=bounds)
    replies = await answers(plugins, strategies=(None, None, "mixture", "single", "router", "vote"))

    assert [reply.error for reply in replies] == [None] * 6
    assert {reply.answer.text for reply in replies if reply.answer} == {"It is so."}
    lines = [line for line in plugins.problems if told in line]
    assert len(lines) == 1, plugins.problems
    assert name in lines[0]
    assert "\n" not in lines[0]


class GoodChat:
    """A chat in which one person asks twice, and that then ends."""

    def __init__(self) -> None:
        self.replies = [RecordingReply(), RecordingReply()]

    @hookimpl
    def moabot_register(self, register: Register) -> None:
        """Offer itself."""
        register.platform("good", lambda _: nullcontext(self))

    async def run(self, desk: Desk) -> None:
        """Ask the same in two threads."""
        for thread, reply in zip("12", self.replies, strict=True):
            await desk(Message("good", "w", "c", "Ann", "Is it so?", thread, thread=thread), reply)

    def reply_to(self, entry: Entry) -> Reply:
        """Nothing was left from before."""
        raise NotImplementedError


# what its platform, cache or settings do: its source, and what is said of it
IN_A_CHAT: Mapping[str, tuple[str, str]] = {
    "a platform that raises": (bad(RUN="1 / 0"), "The platform 'bad' raised ZeroDivisionError"),
    "a platform that exits": (bad(RUN="exit()"), "The platform 'bad' raised SystemExit"),
    "a platform that panics": (
        bad(RUN="raise BaseException"),
        "The platform 'bad' raised BaseException",
    ),
    "a platform that cancels": (bad(RUN=CANCEL), "The platform 'bad' raised CancelledError"),
    "a platform without replies": (bad(REPLY="1 / 0"), "The platform 'bad' raised ZeroDivis"),
    "a platform that exits instead": (bad(REPLY="exit()"), "The platform 'bad' raised SystemExit"),
    "settings of a platform": (bad(KEYS=SECRET), "[platforms.bad]: the settings of acme-bad-ch"),
    "settings of a cache": (bad(KEYS=SECRET), "[cache]: the settings of acme-bad-chat-7 raised K"),
    "a cache that raises": (bad(FIND="1 / 0"), "The cache 'bad' raised ZeroDivisionError"),
    "a cache that cannot keep": (bad(KEEP="exit()"), "The cache 'bad' raised SystemExit"),
    "a cache that cancels": (bad(FIND=CANCEL), "The cache 'bad' raised CancelledError"),
    "a cache that finds a text": (bad(FIND="return 'Yes.'"), "The cache 'bad' returned str."),
    "a cache that finds half": (
        bad(FIND="from moabot import Answer; return Answer('Yes.', 'x', proposals=None)"),
        "The cache 'bad' returned an Answer with a wrong proposals",
    ),
}


@pytest.mark.parametrize("what", IN_A_CHAT)
async def test_another_chat_gets_its_answers(
    install: Installed, what: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A third party's platform, or its cache, must not end the chats that people already use."""
    source, told = IN_A_CHAT[what]
    name = f"acme-bad-chat-{list(IN_A_CHAT).index(what)}"
    install(name, source)
    install("acme-good", GOOD)
    plugins = Plugins(allow=[name, "acme-good"], built_in=OURS, bounds=PATIENT)
    plugins.admit("good chat", chat := GoodChat())
    chats: dict[str, dict[str, str]] = {"good": {}, "bad": {}}
    more = {"data_dir": str(tmp_path), "platforms": chats}
    config = parse({**ALONE, **more, "cache": {"plugin": "bad"}}, source="here")
    async with (
        opened(config, plugins, keep="all") as app,
        opened_platforms(config, plugins) as platforms,
        asyncio.timeout(20),
    ):
        desk = Desk(app.answering, app.memory)
        await desk.accept(Message("bad", "w", "c", "Ann", "Left?", "0"))
        await serve(platforms, desk, drain_s=5)

    assert [reply.answer and reply.answer.text for reply in chat.replies] == ["It is so."] * 2
    said = [*plugins.problems, *(str(vars(each).get("error")) for each in caplog.records)]
    assert any(told in line for line in said), said


async def test_a_strategy_that_needs_keys_costs_a_line(install: Installed) -> None:
    """What its fields do not tell is known only when it is opened, which nobody asked for."""
    check = "\n    @model_validator(mode='after')\n    def it(self): raise ValueError('Set a or b')"
    only = "for offer in (register.provider, register.strategy, register.platform, register.cache):"
    install("acme-bad", bad(KEYS=check).replace(only, "for offer in (register.strategy,):"))
    install("acme-good", GOOD)
    plugins = Plugins(allow=["acme-bad", "acme-good"], built_in=OURS, bounds=PATIENT)
    config = parse({**tables(), **ALONE}, source="here")
    async with opened(config, plugins) as app:
        reply = await ask(app, "Is it so?")

    assert reply.answer is not None
    line = "Plugin acme-bad: The strategy 'bad' needs settings. [plugins]: Set a or b."
    assert plugins.problems == [line]


async def test_a_hook_that_hung_is_never_called_again(install: Installed) -> None:
    """Each call would cost a message its second, and leave one more thread behind."""
    called = "import sys; sys.modules[__name__].calls = globals().get('calls', 0) + 1; "
    install("acme-stuck", bad(CHOOSE=called + SLEEP))
    plugins = Plugins(allow=["acme-stuck"], built_in=(), bounds=Bounds(20, 0.02))
    message = Message("test", "w", "c", "someone", "Hello", event_id="1")

    chosen = [await plugins.choose_strategy(message, ("bad",)) for _ in range(3)]

    assert chosen == [None] * 3
    assert vars(sys.modules["acme_stuck_it"])["calls"] == 1
    assert len(plugins.problems) == 1


async def test_a_stand_in_s_answer_says_so(install: Installed) -> None:
    """Who chose a strategy must know that another one answered."""
    install("acme-bad", bad(ACT="1 / 0"))
    install("acme-good", GOOD)
    plugins = Plugins(allow=["acme-bad", "acme-good"], built_in=OURS, bounds=PATIENT)

    (reply,) = await answers(plugins, strategies=(None,))

    assert reply.answer is not None
    assert "The strategy 'bad' did not work, so another one answered." in reply.answer.degraded
    assert reply.answer.via == "mixture"


async def test_a_name_that_no_plugin_could_have_offered_is_still_an_error() -> None:
    """A typo of the administrator must not pass for somebody else's mistake."""
    plugins = Plugins(built_in=OURS, installed=())

    with pytest.raises(PluginError, match=r"\[providers\.good\] plugin: no plugin offers"):
        await answers(plugins, strategies=(None,))


def test_what_was_allowed_is_loaded_as_long_as_it_is_the_same(install: Installed) -> None:
    """A pin that refuses what it was made for would be switched off."""
    pin = install("acme-good", GOOD)

    assert Plugins(allow=[pin], built_in=()).problems == []


def rebuilt(install: Installed) -> None:
    """Another build under the same version."""
    install("acme-good", GOOD + "\nx = 1\n")


def edited(install: Installed) -> None:
    """A file was edited in place."""
    (install.folder / "acme_good_it.py").write_text("raise SystemExit")


def gone(install: Installed) -> None:
    """A file is gone."""
    (install.folder / "acme_good_it.py").unlink()


def unrecorded(install: Installed) -> None:
    """The list of files is gone."""
    (install.folder / "acme_good-1.0.dist-info/RECORD").unlink()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (rebuilt, "not those that were allowed"),
        (edited, "acme_good_it.py was changed after it was installed"),
        (gone, "acme_good_it.py was changed after it was installed"),
        (unrecorded, "no RECORD"),
    ],
)
def test_a_changed_plugin_is_not_even_imported(
    install: Installed, change: Callable[[Installed], None], told: str
) -> None:
    """Who allowed version 1.0 did not allow what somebody put in its place."""
    pin = install("acme-good", GOOD)
    change(install)

    (problem,) = Plugins(allow=[pin], built_in=()).problems

    assert problem.startswith("Plugin acme-good is left out. ")
    assert told in problem
    assert problem.endswith("allow it again: moabot plugins install acme-good")


def test_another_version_than_the_allowed_one_is_left_out(install: Installed) -> None:
    """An upgrade in passing, by another package's wish, is no permission."""
    pin = install("acme-good", GOOD).replace("1.0", "0.9")

    (problem,) = Plugins(allow=[pin], built_in=()).problems

    assert "Version 1.0 is installed, 0.9 is allowed." in problem


@pytest.mark.parametrize("entry", ["", "a b", "acme==1.0", "acme sha256:00", "acme==1 sha256:xyz"])
def test_an_entry_that_cannot_be_read_is_refused_with_its_shape(entry: str) -> None:
    """Half a pin would look like protection."""
    with pytest.raises(ConfigError, match=r"plugins\.allow.*NAME==VERSION sha256:"):
        parse({"plugins": {"allow": [entry]}}, source="here")


def test_only_what_the_wheel_brought_counts(install: Installed, tmp_path: Path) -> None:
    """Two installers write different files of their own; the pin must hold on both machines."""
    pin = install("acme-good", GOOD)
    record = install.folder / "acme_good-1.0.dist-info/RECORD"
    extra = "acme_good-1.0.dist-info/INSTALLER,sha256=abc,3\n../bin/x,sha256=abc,3\nx.pyc,,\n"
    record.write_text(extra + record.read_text())

    assert Plugins(allow=[pin], built_in=()).problems == []
