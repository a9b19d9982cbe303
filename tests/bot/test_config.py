"""config.toml: read whole, or refused with the key, the value and the nearest right one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from moabot.config import Config, load, parse, read_key
from moabot.errors import ConfigError

BASE = """\
[providers.p]
plugin = "openai"
[models.big]
provider = "p"
name = "big-1"
[panels.default]
proposers = [{model = "big"}]
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a config.toml."""

    def write(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_an_empty_file_is_the_defaults(write: Write) -> None:
    """Every key has a default."""
    assert load(write("")) == Config()


def test_without_a_file_here_the_defaults_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newcomer has none."""
    monkeypatch.chdir(tmp_path)

    assert load(None) == Config()


def test_a_config_in_the_working_directory_is_read(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without being named."""
    monkeypatch.chdir(write(BASE).parent)

    assert load(None).panels["default"].proposers[0].model == ("big",)


def test_one_model_may_stand_without_brackets(write: Write) -> None:
    """A chain of one is the usual case."""
    panel = load(write(BASE + 'synthesizer = "big"\nfallback = ["big", "big"]')).panels["default"]

    assert (panel.synthesizer, panel.fallback) == (("big",), ("big", "big"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[defaults]\nstratgy = 'vote'", r"defaults\.stratgy: .*did you mean 'strategy'"),
        ("zzz = 1", r"zzz: there is no such key \(known: admission, cache, channels, data_dir"),
        ("[models.x]\nname = 'n'", r"models\.x\.provider: this key is missing"),
        (
            "[defaults]\npreset = 'deeep'",
            r"preset: 'deeep' should be 'fast', .*did you mean 'deep'",
        ),
        ("[limits]\ncalls = 0", r"limits\.calls: .*greater than or equal to 1"),
        ("[limits]\ncalls = 'many'", r"limits\.calls: 'many' should be a valid integer\.$"),
        ("[limits]\ncalls = [1]", r"limits\.calls: Input should be a valid integer"),
        (BASE.replace('"p"', '"q"'), r"no provider 'q'; there are: p"),
        (BASE.replace('model = "big"', 'model = "bigg"'), r"'bigg' \(did you mean 'big'\?\)"),
        (BASE + "quorum = 2", r"quorum is 2, but there are 1 proposers"),
        (BASE + "quorm = 1", r"panels\.default\.quorm: .*did you mean 'quorum'"),
        (BASE + "deadline_s = nan", r"deadline_s: .*greater than 0"),
        (BASE + "proposer = 1\n[defaults]\npanl = 'x'", r"did you mean 'proposers'.*'panel'"),
        (BASE + "[defaults]\npanel = 'defalt'", r"'defalt' \(did you mean 'default'\?\)"),
        (BASE + "[channels.'a:b/c']\npanel = 'x'", r"channels\.'a:b/c'\.panel: .*'x'"),
        ("[channels.'T1/C1']\nnote = 'x'", r"channels\.T1/C1: 'T1/C1' would .*\"slack:T1/C1\""),
        ("[channels.'slack:T1/']\nnote = 'x'", r"'slack:T1/' would match nothing"),
        ("[channels.C1]\nnote = 'x'", r"channels\.C1: .*\"platform:workspace/channel\" or"),
        ("[admission]\nadmins = ['U1']", r"admission\.admins\[0\]: 'U1' .*\"slack:T1/U1\""),
        ("[admission.deny]\nusers = ['slack:T1/U1', '@mallory']", r"deny\.users\[1\]: '@mallory'"),
        ("[admission.deny]\nchannels = ['#general']", r"channels\[0\]: '#general' .*/C1"),
        ("[admission.allow]\nusers = ['slack:T1']", r"users\[0\]: 'slack:T1' .*workspace/user"),
        ("[admission.allow]\nworkspaces = ['slack:T1/C1']", r"'slack:T1/C1' .*:workspace\", such"),
        (BASE.replace("[{model", "[{modle"), r"proposers\[0\]\.modle: .*did you mean 'model'"),
        (BASE.replace("[{model", "[{modle"), r"modle: [^.]*\.$"),
        ("[panels.p]\nproposers = 'big'", r"panels\.p\.proposers: must be a list"),
        ("[panels.p]\nproposers = []", r"panels\.p\.proposers: The list should have at least 1"),
        ("[prompts]\nfence = 'Below:'", r"fence.*\{tag\}"),
        ("[defaults\n", r"is not TOML: .*line 1"),
        ("a = 1\na = 2", r"is not TOML"),
    ],
)
def test_a_wrong_key_is_named_with_what_would_be_right(write: Write, text: str, told: str) -> None:
    """The message is all that a person has to mend the file with."""
    path = write(text)

    with pytest.raises(ConfigError, match=f"(?s){told}") as raised:
        load(path)
    assert str(path) in str(raised.value)


def test_every_key_that_a_platform_can_make_may_be_written(write: Write) -> None:
    """Ids are the platform's own: of a channel by name, of a server in the id, of no workspace."""
    inside = ["discord:dm/12", "zulip:org/general chat", "matrix:a.org/@u:a.org", "irc:/#moabot"]
    workspaces = ["console:local", "irc:", "matrix:a.org:8448"]
    lists = f"users = {inside}\nchannels = {inside}\nworkspaces = {workspaces}"
    places = "".join(f"[channels.'{key}']\nnote = 'x'\n" for key in (*inside, *workspaces))

    config = load(write(f"[admission]\nadmins = {inside}\n[admission.deny]\n{lists}\n{places}"))

    assert list(config.channels) == [*inside, *workspaces]
    assert config.admission.deny.users == config.admission.admins == tuple(inside)


def test_a_fence_of_one_s_own_is_kept_when_it_names_the_tag(write: Write) -> None:
    """Its words are the administrator's, its tag is ours."""
    config = load(write("[prompts]\nfence = 'Between {tag} and {tag}:'"))

    assert config.prompts.fence == "Between {tag} and {tag}:"


def test_every_wrong_key_is_named_at_once(write: Write) -> None:
    """Mending one after the other is tiresome."""
    with pytest.raises(ConfigError) as raised:
        load(write("[defaults]\nstratgy = 'vote'\n[limits]\ncals = 3"))

    assert "stratgy" in str(raised.value)
    assert "cals" in str(raised.value)


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Whoever names one means it."""
    with pytest.raises(ConfigError, match=r"no file .*none\.toml"):
        load(tmp_path / "none.toml")


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """A folder, or another encoding."""
    (tmp_path / "latin.toml").write_bytes(b"a = '\xe9'")

    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory\. Correct --config"):
        load(tmp_path)
    with pytest.raises(ConfigError, match=r"latin\.toml' is not text in UTF-8: see byte 5"):
        load(tmp_path / "latin.toml")


def test_settings_cannot_be_changed_once_read() -> None:
    """Whoever holds them may rely on them."""
    with pytest.raises(ValueError, match="frozen"):
        parse({}, source="x").data_dir = Path("elsewhere")


def test_a_key_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spaces and newlines around it come from copying."""
    monkeypatch.setenv("UP_KEY", " secret\n")

    assert read_key("UP_KEY", where="[providers.up]") == "secret"


def test_a_key_is_read_from_the_file_that_a_variable_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As containers hand over secrets; and a file that is not there is named."""
    monkeypatch.setenv("UP_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(ConfigError, match=r"UP_KEY_FILE names .*key.*cannot be read"):
        read_key("UP_KEY", where="[providers.up]")
    (tmp_path / "key").write_text("secret\n")

    assert read_key("UP_KEY", where="[providers.up]") == "secret"


def test_a_key_that_is_missing_is_named_with_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first thing that goes wrong for a newcomer."""
    monkeypatch.delenv("UP_KEY", raising=False)

    with pytest.raises(ConfigError, match=r"\[providers\.up\]: .*UP_KEY is not set.*UP_KEY_FILE"):
        read_key("UP_KEY", where="[providers.up]")
