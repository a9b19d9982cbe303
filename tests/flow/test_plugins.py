"""`moabot plugins`: from nothing to a plugin that runs, and back."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import model_validator

from moabot.cli import verifying
from moabot.config import parse
from moabot.hookspecs import hookimpl
from moabot.plugins import NoSettings, Plugins, Register
from moabot.standins import AbsentProvider

if TYPE_CHECKING:
    from tests.flow.conftest import Ended

pytestmark = pytest.mark.timeout(240)  # each run of the program takes seconds on a busy machine

KINDS = ("provider", "strategy", "platform", "cache")
RUN = "import sys; sys.argv[0] = 'moabot'; from moabot.cli import main; main()"
OWN = """\
from contextlib import nullcontext
from moabot import Completion, Usage, hookimpl

class Own:
    async def complete(self, prompt, *, model, wrote=None):
        return Completion("Forty-two.", Usage(calls=1), "end")
    async def answer(self, question, panel):
        return await panel.synthesize()

@hookimpl
def moabot_register(register):
    register.provider("own", lambda settings: nullcontext(Own()))
    register.strategy("own", lambda settings: nullcontext(Own()))
"""
CONFIG = """\
# What we were told in May.
[providers.o]
plugin = "own"      # theirs
[models.m]
provider = "o"
name = "m"
[plugins]
load_s = 3
allow = []          # nobody yet
"""


@dataclass
class Environment:
    """An environment of its own, which sees moabot but has nothing installed yet."""

    home: Path
    python: Path
    path: str

    def __call__(self, *arguments: str, stdin: str = "") -> Ran:
        """Run `moabot` in it."""
        environment = {**os.environ, "PATH": self.path, "UV_NO_INDEX": "1", "PIP_NO_INDEX": "1"}
        done = subprocess.run(
            [self.python, "-c", RUN, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=self.home,
            env=environment,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    @property
    def config(self) -> Path:
        """Its configuration."""
        return self.home / "config.toml"

    @property
    def site(self) -> Path:
        """Where distributions are installed."""
        return next(self.python.parents[1].glob("lib/python*/site-packages"))


@dataclass(frozen=True)
class Ran:
    """How a run ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """A fresh environment."""
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "venv", "--quiet", "--offline", "--python", sys.executable, tmp_path / "env"],
        check=True,
    )
    here = Environment(tmp_path, tmp_path / "env/bin/python", f"{uv.parent}:{os.environ['PATH']}")
    ours = sysconfig.get_path("purelib")
    (here.site / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    here.config.write_text(CONFIG)
    return here


def wheel(
    folder: Path,
    source: str = OWN,
    *,
    name: str = "moabot-own",
    version: str = "1.0",
    group: str = "moabot",
    summary: str = "Knows the answer.",
) -> str:
    """Write a wheel with one module, as a builder would; returns its path."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = {
        f"{module}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        f"Summary: {summary}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[{group}]\nown = {module}\n",
    }
    record = "".join(f"{file},sha256={_hashed(text)},{len(text)}\n" for file, text in files.items())
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(file, text)
    return str(path)


def pin(wheel: str) -> str:
    """What must allow exactly this wheel, on any machine and by any installer."""
    with zipfile.ZipFile(wheel) as archive:
        (record,) = [name for name in archive.namelist() if name.endswith("/RECORD")]
        rows = [line.split(",") for line in archive.read(record).decode().splitlines()]
    own = (".py", "/METADATA", "/entry_points.txt")
    lines = sorted(f"{file} {digest}\n" for file, digest, _ in rows if file.endswith(own))
    return f'"moabot-own==1.0 sha256:{hashlib.sha256("".join(lines).encode()).hexdigest()}"'


def _hashed(text: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def test_two_steps_lead_to_an_answer_and_one_leads_back(environment: Environment) -> None:
    """Install it, name a model: that is all that is asked of whoever uses a plugin."""
    path = wheel(environment.home)
    installed = environment("plugins", "install", path, stdin="y\n")
    config = environment.config.read_text()
    asked = environment("ask", "--strategy", "own", "What is it?")
    schema = environment("schema")
    removed = environment("plugins", "remove", "moabot-own")

    assert installed.code == 0, installed.err
    assert "moabot-own 1.0: Knows the answer." in installed.out
    assert "Let it run in this bot" in installed.out
    assert 'provider own: use it with [providers.NAME] plugin = "own"' in installed.out
    assert pin(path) in config
    assert "# What we were told in May." in config
    assert asked.out == "Forty-two.\n", asked.err
    assert '"const": "own"' in schema.out
    assert "still has [providers.o], which no plugin offers now" in removed.out
    assert environment.config.read_text() == CONFIG
    assert not (environment.site / "moabot_own.py").exists()


def test_a_plugin_that_is_refused_is_never_loaded(environment: Environment) -> None:
    """The question would be no question if the plugin ran while it is asked.

    Nor does an entry stay that allowed an earlier version of it.
    """
    environment.config.write_text(CONFIG.replace("[]", '["moabot-own"]'))
    source = f"open({str(environment.home / 'ran')!r}, 'w')\n{OWN}"
    path = wheel(environment.home, source, summary="Knows.\x07\x08\x08It is harmless.")
    installed = environment("plugins", "install", path, stdin="n\n")
    listed = environment("plugins", "list")

    assert installed.code == 1
    assert "1.0: Knows.It is harmless." in installed.out
    assert "To be rid of it: moabot plugins remove moabot-own" in installed.out
    assert environment.config.read_text() == CONFIG
    assert listed.out.splitlines()[-1].split() == "moabot-own 1.0 no as installed (own)".split()
    assert not (environment.home / "ran").exists()


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import os; os._exit(3)", "ended its process with code 3"),
        ("import os; os._exit(0)", "ended its process with code 0"),
        (OWN.replace('"own"', '"mixture"'), "'mixture' is offered by moabot_strategies.mixture"),
    ],
    ids=["ends the process", "ends it well", "takes a taken name"],
)
def test_a_plugin_that_breaks_when_it_is_tried_is_not_allowed(
    environment: Environment, source: str, told: str
) -> None:
    """Here it costs a sentence; in the bot it could cost the bot."""
    installed = environment("plugins", "install", wheel(environment.home, source), "--yes")

    assert installed.code == 2
    assert told in installed.err
    assert "It was not allowed." in installed.err
    assert environment.config.read_text() == CONFIG


def test_what_is_no_plugin_is_taken_out_again(environment: Environment) -> None:
    """A misspelt name must not leave somebody else's package beside the bot."""
    path = wheel(environment.home, name="other", group="somebody.else")
    installed = environment("plugins", "install", path, "--yes")
    removed = environment("plugins", "remove", "pydantic")

    assert "other 1.0 is no plugin of moabot" in installed.err
    assert not list(environment.site.glob("other*"))
    assert (removed.code, "There is no plugin 'pydantic'" in removed.err) == (2, True)


def test_a_changed_plugin_is_left_out_until_it_is_allowed_again(environment: Environment) -> None:
    """The line tells the command that mends it, and the command does."""
    environment("plugins", "install", wheel(environment.home), "--yes")
    module = environment.site / "moabot_own.py"
    module.write_text(OWN.replace("Forty-two", "Nonsense"))
    verified = environment("plugins", "verify")
    anew = environment("plugins", "install", wheel(environment.home, version="1.1"), "--yes")
    asked = environment("ask", "--strategy", "own", "What is it?")

    assert verified.code == 1
    assert "moabot_own.py was changed after it was installed." in verified.err
    assert "moabot plugins install moabot-own" in verified.err
    assert "files changed" in verified.out
    assert (anew.code, asked.out) == (0, "Forty-two.\n")
    assert environment.config.read_text().count("moabot-own") == 1


def test_a_plugin_that_breaks_its_contract_is_told_how(environment: Environment) -> None:
    """Its author, or whoever thinks of using it, reads one sentence for each promise broken."""
    broken = OWN.replace('"Forty-two."', '""').replace("return await panel.synth", "return panel")
    environment("plugins", "install", wheel(environment.home, broken), "--yes")
    verified = environment("plugins", "verify", "--ask", "moabot-own")

    assert verified.code == 1
    assert "The text is empty: raise ProviderSilent instead." in verified.out


def test_pip_does_as_well_where_there_is_no_uv(environment: Environment) -> None:
    """Not everybody has it; the pin is the same, whichever program installs.

    Nor does it matter what a plugin has to say when it is tried.
    """
    path = wheel(environment.home, f"import atexit; atexit.register(print, 'Bye.')\n{OWN}")
    environment.path = os.defpath
    installed = environment("plugins", "install", path, "--yes")
    config = environment.config.read_text()
    removed = environment("plugins", "remove", "moabot-own")

    assert (installed.code, removed.code) == (0, 0), installed.err
    assert pin(path) in config
    assert not (environment.site / "moabot_own.py").exists()


def test_an_installation_that_fails_says_what_the_installer_said(environment: Environment) -> None:
    """The index is down, or has no such name: only the installer knows."""
    failed = environment("plugins", "install", "moabot-nowhere", "--yes")

    assert failed.code == 2
    assert "moabot-nowhere could not be installed: " in failed.err
    assert "Traceback" not in failed.err


def test_a_plugin_that_would_break_moabot_is_not_installed(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older pluggy in place of moabot's would end the bot, not only the plugin."""
    monkeypatch.setenv("UV_FIND_LINKS", str(environment.home))
    wheel(environment.home, "", name="pluggy", version="0.9")
    path = wheel(environment.home, summary="Knows.\nRequires-Dist: pluggy<1")
    failed = environment("plugins", "install", path, "--yes")

    assert failed.code == 2
    assert "could not be installed: " in failed.err
    assert "moabot-own==1.0 depends on pluggy<1" in failed.err
    assert "what moabot itself needs stays" in failed.err
    assert not list(environment.site.glob("pluggy*"))


def test_a_new_plugin_of_each_kind_passes_its_tests_as_it_is(
    tmp_path: Path, mistaken: Callable[..., Ended]
) -> None:
    """An author begins with something that works, and changes one thing at a time."""
    began = [mistaken("plugins", "new", kind, f"My_{kind}") for kind in KINDS]
    folders = [str(tmp_path / f"moabot-my-{kind}") for kind in KINDS]
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *folders],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": ":".join(folders)},
    )
    again = mistaken("plugins", "new", "cache", "my-cache")

    assert [each.code for each in began] == [0] * 4
    assert "-m pip install pytest\n" in began[0].out
    assert tested.returncode == 0, tested.stdout
    assert "30 passed" in tested.stdout
    assert (again.code, "There is already a moabot-my-cache" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("new", "provider2", "acme"),
            "There is no kind of plugin 'provider2' (did you mean 'prov",
        ),
        (("new", "provider", "7up"), "Begin with a letter"),
        (("new", "provider", "OpenAI"), "The provider name 'openai' is offered by moabot_prov"),
        (("new", "provider", "../x"), "'../x' cannot be a plugin's name."),
        (("install", "./nowhere"), "neither a folder with a pyproject.toml, nor a wheel, nor"),
        (("install", "nowhere.whl"), "'nowhere.whl' is neither a folder"),
        (("install", "."), "does not tell the name of a distribution"),
        (("install", "--upgrade"), "No such option"),
        (("remove", "moabot-acm"), "There is no plugin 'moabot-acm'"),
        (("verify", "moabot-acme"), "Install and allow it: moabot plugins install moabot-acme"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_told_with_its_fix(
    mistaken: Callable[..., Ended], arguments: tuple[str, ...], told: str
) -> None:
    """Nothing is installed, removed or written then."""
    ended = mistaken("plugins", *arguments)

    assert ended.code == 2
    assert told in ended.err


def test_the_list_shows_every_built_in_plugin(mistaken: Callable[..., Ended]) -> None:
    """What can be configured must be found without a search."""
    listed = mistaken("plugins", "list")
    names = {name for kind in ("provider", "strategy") for name in Plugins().offers(kind)}

    assert listed.code == 0
    assert {line.split()[-1] for line in listed.out.splitlines()[1:]} >= names
    assert '"allowed": "built in"' in mistaken("plugins", "list", "--json").out


def test_nothing_is_removed_while_the_configuration_is_wrong(
    mistaken: Callable[..., Ended],
) -> None:
    """What could not be read could not be written back either."""
    file = Path("config.toml")
    file.write_text(f"{file.read_text()}\n[plugins]\nallow = ['a b']\n")
    ended = mistaken("plugins", "remove", "moabot-own")

    assert ended.code == 2
    assert "plugins.allow" in ended.err


CHAT = """\
import os, signal, sys
from contextlib import nullcontext
from moabot import hookimpl

if "run" in sys.argv:
    os.kill(os.getpid(), signal.SIGHUP)

class Chat:
    async def run(self, desk):
        pass
    def reply_to(self, entry):
        pass

@hookimpl
def moabot_register(register):
    register.platform("own", lambda settings: nullcontext(Chat()))
    register.provider("own", lambda settings: nullcontext(None))
"""


def test_a_reload_while_the_bot_starts_waits_until_it_has_started(
    environment: Environment,
) -> None:
    """Somebody starts the bot and mends its configuration at once: the signal must not end it."""
    environment("plugins", "install", wheel(environment.home, CHAT), "--yes")
    environment.config.write_text(f"{environment.config.read_text()}[platforms.own]\n")
    ran = environment("run")

    assert ran.code == 0, ran.err
    assert "The configuration has not changed." in ran.err


def test_a_promise_that_hangs_is_given_up_by_the_limit_that_is_told() -> None:
    """Who is told to raise a limit must find that raising it helps."""

    class Keys(NoSettings):
        """Settings that think long about what is wrong."""

        @model_validator(mode="before")
        @classmethod
        def slow(cls, table: object) -> object:
            """Block the thread, with no event loop in it."""
            if table:
                threading.Event().wait(3)
            return table

    class Slow:
        """A provider with such settings."""

        @hookimpl
        def moabot_register(self, register: Register) -> None:
            """Offer it."""
            register.provider("slow", lambda _: nullcontext(AbsentProvider()), Keys)

    plugins = Plugins(built_in=(), installed=())
    plugins.admit("acme", Slow())
    config = parse({"plugins": {"load_s": 1}}, source="here")
    (kept,) = verifying.kept(config, plugins, "acme", ask=False)

    told = "an unknown setting is refused did not return within 2 s. Update or remove it, or "
    assert kept.broken == [f"{told}raise [plugins] load_s."]


def test_uv_is_there_for_these_tests() -> None:
    """Without it they would test pip twice."""
    assert shutil.which("uv", path=str(Path(sys.executable).parent))
