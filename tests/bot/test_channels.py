"""What holds in a channel: defaults below, the channel's own above, one message's wish on top."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from moabot.channels import Channels, channel_key
from moabot.config import ChannelSettings, Config, parse
from moabot.contract import Message
from moabot.errors import ConfigError, StoreError
from moabot.store import Store
from moabot.store.sqlite import opened

STRATEGIES = ("mixture", "single", "vote")
MESSAGE = Message("slack", "T1", "C1", "someone", "Hello", event_id="1")


def config(**channel: object) -> Config:
    """One model, one panel, and one channel with settings of its own."""
    return parse(
        {
            "providers": {"p": {"plugin": "p"}},
            "models": {"m": {"provider": "p", "name": "m"}},
            "panels": {"default": {"proposers": [{"model": "m"}]}},
            "defaults": {"strategy": "mixture", "preset": "thorough"},
            "channels": {"slack:T1/C1": channel},
        },
        source="test",
    )


async def test_a_channel_s_settings_lie_over_the_defaults() -> None:
    """What it does not say stays as it is."""
    here = await Channels(config(strategy="vote"), strategies=STRATEGIES).settings(MESSAGE)

    assert (here.strategy, here.preset) == ("vote", "thorough")


async def test_a_message_s_wish_lies_over_the_channel() -> None:
    """For this one message."""
    channels = Channels(config(strategy="vote", stream=False), strategies=STRATEGIES)

    wished = await channels.settings(MESSAGE, ChannelSettings(strategy="single", preset="max"))

    assert (wished.strategy, wished.preset, wished.stream) == ("single", "max", False)
    assert (await channels.settings(MESSAGE)).strategy == "vote"


async def test_other_channels_have_the_defaults() -> None:
    """A name alone is not enough: channels are told apart by platform and workspace."""
    channels = Channels(config(strategy="vote"), strategies=STRATEGIES)
    other = Message("discord", "T1", "C1", "someone", "Hello", event_id="1")

    assert (await channels.settings(other)).strategy == "mixture"
    assert channel_key(other) == "discord:T1/C1"


async def test_a_wish_for_what_is_not_there_is_named_with_the_nearest() -> None:
    """A person in the chat reads this."""
    channels = Channels(config(), strategies=STRATEGIES)

    with pytest.raises(ConfigError, match=r"no strategy 'vot'; there are.*did you mean 'vote'"):
        await channels.settings(MESSAGE, ChannelSettings(strategy="vot"))
    with pytest.raises(ConfigError, match=r"no panel 'defalt'.*did you mean 'default'"):
        await channels.settings(MESSAGE, ChannelSettings(panel="defalt"))


def test_a_channel_with_a_wrong_strategy_is_found_at_the_start() -> None:
    """Not by the first person who asks there."""
    with pytest.raises(ConfigError, match=r"\[channels\.'slack:T1/C1'\] .*'mixtur'"):
        Channels(config(strategy="mixtur"), strategies=STRATEGIES)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store]:
    """A database."""
    async with opened(tmp_path, alone=True) as made:
        yield made


async def test_what_a_command_changed_holds_for_the_next_message(store: Store) -> None:
    """Over config.toml; the workspace below the channel; and taken back it is as before."""
    channels = Channels(config(preset="fast"), strategies=STRATEGIES, store=store)
    await channels.change("slack:T1", "strategy", "vote", who="slack:T1/U1")
    await channels.change("slack:T1", "preset", "max", who="slack:T1/U1")
    await channels.change("slack:T1/C1", "cache", "off", who="slack:T1/U2")

    here = await channels.settings(MESSAGE)
    assert (here.strategy, here.preset, here.cache) == ("vote", "fast", "off")

    await channels.change("slack:T1/C1", "preset", "deep", who="slack:T1/U1")
    await channels.change("slack:T1", "strategy", None, who="slack:T1/U1")
    here = await channels.settings(MESSAGE)
    assert (here.strategy, here.preset) == ("mixture", "deep")


async def test_each_change_leaves_a_trace(store: Store) -> None:
    """Who, what, from and to."""
    channels = Channels(config(), strategies=STRATEGIES, store=store)
    await channels.change("slack:T1/C1", "strategy", "vote", who="slack:T1/U1")
    await channels.change("slack:T1/C1", "strategy", None, who="slack:T1/U2")

    assert [(c.name, c.before, c.after, c.who) for c in await store.changes("slack:T1/C1")] == [
        ("strategy", '{"strategy":"vote"}', "", "slack:T1/U2"),
        ("strategy", "", '{"strategy":"vote"}', "slack:T1/U1"),
    ]


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("strategy", "vot", "did you mean 'vote'"),
        ("preset", "huge", "fast"),
        ("colour", "red", "colour: there is no such key"),
    ],
)
async def test_a_change_to_what_is_not_there_is_refused(
    store: Store, name: str, value: str, what: str
) -> None:
    """The person who types it can mend it; whoever asks next could not."""
    channels = Channels(config(), strategies=STRATEGIES, store=store)

    with pytest.raises(ConfigError, match=what):
        await channels.change("slack:T1/C1", name, value, who="slack:T1/U1")
    assert await store.settings(["slack:T1/C1"]) == {}


async def test_a_setting_whose_strategy_is_gone_is_passed_over(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """A plugin that was removed must not silence the channels that liked it."""
    before = Channels(config(), strategies=(*STRATEGIES, "gone"), store=store)
    await before.change("slack:T1/C1", "strategy", "gone", who="slack:T1/U1")

    here = await Channels(config(), strategies=STRATEGIES, store=store).settings(MESSAGE)
    assert here.strategy == "mixture"
    assert "setting ignored" in caplog.text


async def test_without_a_database_nothing_can_be_changed() -> None:
    """A setting that lasts until the process ends would be a trap."""
    with pytest.raises(StoreError, match="no database"):
        await Channels(config(), strategies=STRATEGIES).change("slack:T1", "preset", "max", who="x")
