"""What holds in a channel: the defaults, the channel's own settings, the wish of one message."""

from __future__ import annotations

from moabot.config import ChannelSettings, Config, Defaults
from moabot.contract import Message
from moabot.errors import ConfigError
from moabot.plugins import nearest

__all__ = ["Channels", "channel_key"]

NO_WISH = ChannelSettings()


class Channels:
    """Settings by channel, over the defaults. `strategies` are the names that exist."""

    def __init__(self, config: Config, *, strategies: tuple[str, ...]) -> None:
        self._config = config
        self._strategies = strategies
        self._defaults = self._checked(config.defaults, where="[defaults] ")
        self._channels = {
            key: self._checked(_over(config.defaults, channel), where=f"[channels.{key!r}] ")
            for key, channel in config.channels.items()
        }

    def settings(self, message: Message, wish: ChannelSettings = NO_WISH) -> Defaults:
        """What holds for `message`; raises `ConfigError` when the wish names what is not there."""
        here = self._channels.get(channel_key(message), self._defaults)
        return self._checked(_over(here, wish) if wish is not NO_WISH else here, where="")

    def _checked(self, settings: Defaults, *, where: str) -> Defaults:
        for kind, name, names in (
            ("strategy", settings.strategy, self._strategies),
            ("panel", settings.panel, tuple(self._config.panels)),
        ):
            if name not in names:
                raise ConfigError(
                    f"{where}There is no {kind} {name!r}; there are: {', '.join(sorted(names))}.",
                    fix=f"Correct the name{nearest(name, names)}.",
                )
        return settings


def channel_key(message: Message) -> str:
    """The channel's name in config.toml: "platform:workspace/channel"."""
    return f"{message.platform}:{message.workspace}/{message.channel}"


def _over(below: Defaults, above: ChannelSettings) -> Defaults:
    return below.model_copy(update=above.model_dump(exclude_none=True))
