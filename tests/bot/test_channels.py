"""What holds in a channel: defaults below, the channel's own above, one message's wish on top."""

from __future__ import annotations

import pytest

from moabot.channels import Channels, channel_key
from moabot.config import ChannelSettings, Config, parse
from moabot.contract import Message
from moabot.errors import ConfigError

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


def test_a_channel_s_settings_lie_over_the_defaults() -> None:
    """What it does not say stays as it is."""
    here = Channels(config(strategy="vote"), strategies=STRATEGIES).settings(MESSAGE)

    assert (here.strategy, here.preset) == ("vote", "thorough")


def test_a_message_s_wish_lies_over_the_channel() -> None:
    """For this one message."""
    channels = Channels(config(strategy="vote", stream=False), strategies=STRATEGIES)

    wished = channels.settings(MESSAGE, ChannelSettings(strategy="single", preset="max"))

    assert (wished.strategy, wished.preset, wished.stream) == ("single", "max", False)
    assert channels.settings(MESSAGE).strategy == "vote"


def test_other_channels_have_the_defaults() -> None:
    """A name alone is not enough: channels are told apart by platform and workspace."""
    channels = Channels(config(strategy="vote"), strategies=STRATEGIES)
    other = Message("discord", "T1", "C1", "someone", "Hello", event_id="1")

    assert channels.settings(other).strategy == "mixture"
    assert channel_key(other) == "discord:T1/C1"


def test_a_wish_for_what_is_not_there_is_named_with_the_nearest() -> None:
    """A person in the chat reads this."""
    channels = Channels(config(), strategies=STRATEGIES)

    with pytest.raises(ConfigError, match=r"no strategy 'vot'; there are.*did you mean 'vote'"):
        channels.settings(MESSAGE, ChannelSettings(strategy="vot"))
    with pytest.raises(ConfigError, match=r"no panel 'defalt'.*did you mean 'default'"):
        channels.settings(MESSAGE, ChannelSettings(panel="defalt"))


def test_a_channel_with_a_wrong_strategy_is_found_at_the_start() -> None:
    """Not by the first person who asks there."""
    with pytest.raises(ConfigError, match=r"\[channels\.'slack:T1/C1'\] .*'mixtur'"):
        Channels(config(strategy="mixtur"), strategies=STRATEGIES)
