"""What is sealed opens for its workspace alone, with any key that is still there."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from moabot.errors import ConfigError
from moabot_platforms.slack.sealing import Seal, Unreadable, new_key, seal_of

VARIABLE = "MOABOT_SLACK_KEY"
NOW = 1_790_000_000.0


def seal(*keys: str, wall: float = NOW) -> Seal:
    """With these keys, at that time."""
    return Seal([Fernet(key) for key in keys], variable=VARIABLE, wall=lambda: wall)


def test_a_token_opens_for_its_workspace_only() -> None:
    """Who can write to the database could else let one workspace's bot speak in another."""
    ours = seal(new_key())
    sealed = ours.shut("T1", "xoxb-1")

    assert ours.open("T1", sealed) == "xoxb-1"
    assert b"xoxb" not in sealed
    with pytest.raises(Unreadable, match="T2"):
        ours.open("T2", sealed)


def test_a_key_can_be_changed_while_the_old_one_still_opens() -> None:
    """A key that leaked must be changed without everybody installing again."""
    old, new = new_key(), new_key()
    sealed = seal(old).shut("T1", "xoxb-1")
    both = seal(new, old)

    assert both.open("T1", sealed) == "xoxb-1"
    assert not both.is_current(sealed)
    assert seal(new).is_current(both.shut("T1", "xoxb-1"))
    with pytest.raises(Unreadable, match=VARIABLE):
        seal(new).open("T1", sealed)


def test_a_stamp_in_the_place_of_a_token_opens_nothing() -> None:
    """It is sealed with the same key; whoever wrote it there must not keep the bot from starting."""
    ours = seal(new_key())
    stamp = ours.stamp()

    with pytest.raises(Unreadable, match=VARIABLE):
        ours.open("T1", f"{stamp}{'=' * (-len(stamp) % 4)}".encode())


def test_a_stamp_holds_ten_minutes_and_cannot_be_made_by_others() -> None:
    """It is what ties an installation to the browser that began it."""
    key = new_key()
    stamp = seal(key).stamp()
    sealed = seal(key).shut("T1", "xoxb-1").decode()
    forged = ["", "é", "x" * 200, stamp[:-1], seal(new_key()).stamp(), sealed]

    assert seal(key, wall=NOW + 600).fresh(stamp, within_s=600)
    assert seal(key, wall=NOW + 601).fresh(stamp, within_s=600) is None
    assert [seal(key).fresh(each, within_s=600) for each in forged] == [None] * len(forged)


def test_two_texts_of_one_stamp_have_one_name() -> None:
    """Base64 has several spellings; each would else be good for one more use."""
    ours = seal(new_key())
    stamp = ours.stamp()

    spelled_otherwise = f"{stamp[:9]}!!!!{stamp[9:]}"

    name = ours.fresh(stamp, within_s=600)
    assert name is not None
    assert ours.fresh(spelled_otherwise, within_s=600) == name


@pytest.mark.parametrize(
    "value",
    ["", "short", "é" * 44, f"{'A' * 43}=,short"],
    ids=["none", "too short", "no ASCII", "the second"],
)
def test_a_key_that_is_none_is_told_with_the_command_that_makes_one(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And without the key, which may be all right but for a letter."""
    monkeypatch.setenv(VARIABLE, value)

    with pytest.raises(ConfigError) as raised:
        seal_of(VARIABLE)

    assert "moabot slack key" in raised.value.fix
    assert VARIABLE in raised.value.what
    assert not value or value not in str(raised.value)


def test_what_the_command_makes_is_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copied as it was printed, blanks and all."""
    monkeypatch.setenv(VARIABLE, f" {new_key()} , {new_key()} ")

    assert seal_of(VARIABLE).open("T1", seal_of(VARIABLE).shut("T1", "xoxb-1")) == "xoxb-1"
