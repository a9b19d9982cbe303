"""What holds in a channel: the defaults, the channel's own settings, the wish of one message."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from pydantic import ValidationError

from moabot.access import MONEY, OF_A_WORKSPACE, channel_key, user_key, workspace_key
from moabot.config import ChannelSettings, Config, Defaults
from moabot.contract import Asker, Message, Scope
from moabot.errors import ConfigError, Refused, StoreError
from moabot.plugins import nearest
from moabot.store import Store
from moabot.store.rows import Change
from moabot.validation import validated

__all__ = ["NO_WISH", "Channels", "channel_key", "workspace_key"]

log = logging.getLogger("moabot")

NO_WISH = ChannelSettings()
UNWISHED = MONEY | {"changes"}
"""What a message cannot wish for itself."""


class Channels:
    """Settings by channel, over the defaults. `strategies` are the names that exist.

    With None for them nobody is to be answered, so that names of what is not opened may stand.

    From weak to strong: `[defaults]`; the workspace ("slack:T1") in config.toml, then as it was
    set by command; the channel ("slack:T1/C1") likewise; the wish of one message. What is set by
    command stands in `store` and is read for each message, so the next one sees it.
    """

    def __init__(
        self, config: Config, *, strategies: tuple[str, ...] | None, store: Store | None = None
    ) -> None:
        self._config = config
        self._strategies = strategies
        self._store = store
        self._defaults = self._checked(config.defaults, where="[defaults] ")
        for key, channel in config.channels.items():
            _check_place(key, channel.model_fields_set, where="[channels] ")
            self._checked(_over(config.defaults, channel), where=f"[channels.{key!r}] ")
        self._merged: dict[str, Defaults] = {}

    async def settings(self, place: Message | Scope, wish: ChannelSettings = NO_WISH) -> Defaults:
        """What holds in `place`; raises `ConfigError` when the wish names what is not there."""
        keys = (workspace_key(place), channel_key(place))
        stored = await self._store.settings(keys) if self._store is not None else None
        here = self._configured(keys) if not stored else self._with_stored(keys, stored)
        if wish is NO_WISH:
            return self._checked(here, where="")
        return self._checked(_over(here, wish, but=UNWISHED), where="")

    async def change(self, key: str, name: str, value: object, *, asker: Asker) -> None:
        """Set `name` of a channel or workspace, or with None unset it, and note who did.

        Raises `Refused` when this person may not, `ConfigError` when there is no such setting
        or value, `StoreError` when it cannot be kept.
        """
        await self.permit(asker, key, name)
        if self._store is None:
            raise StoreError("There is no database to keep settings in.", fix="Run the bot.")
        wanted = validated(ChannelSettings, {name: value}, where=f"{key}: {name}")
        self._checked(_over(self._defaults, wanted), where=f"{key}: ")
        _check_place(key, {name}, where="")
        after = "" if value is None else wanted.model_dump_json(include={name})
        who = user_key(asker.scope, asker.author)
        await self._store.change(Change(key, name, "", after, who, time.time()))

    async def permit(self, asker: Asker, key: str, name: str) -> None:
        """Raise `Refused` unless this person may change this setting of this channel or workspace.

        An admin of the bot may all of it. Others only what they see: the asker's channel, or with
        an empty channel the workspace.
        """
        own, place = self._config.admission, asker.scope
        ask = f"Please ask {own.contact}."
        if who := own.shuts_out(place, asker.author):
            raise Refused(f"{who} may not use this bot.", fix=ask)
        if own.is_admin(asker):
            return
        if name in MONEY:
            raise Refused("What may be spent is not decided here.", fix=ask)
        if key != (channel_key(place) if place.channel else workspace_key(place)):
            raise Refused("You can change only the place that you are in.", fix=ask)
        may = (await self.settings(place)).changes or "managers"
        # What a channel was given before its workspace was locked does not open it.
        if (await self.settings(replace(place, channel=""))).changes == "admins":
            may = "admins"
        if may == "admins":
            raise Refused("The settings here are fixed.", fix=ask)
        if not asker.manages and (may == "managers" or name == "changes"):
            raise Refused(
                "Only those who manage this place may change that.", fix="Please ask one of them."
            )

    def _configured(self, keys: Sequence[str]) -> Defaults:
        merged = self._merged.get(keys[-1])
        if merged is None:
            merged = self._defaults
            for key in keys:
                if (channel := self._config.channels.get(key)) is not None:
                    merged = _over(merged, channel)
            if merged is self._defaults:
                return merged  # most channels: nothing to remember for each of them
            self._merged[keys[-1]] = merged
        return merged

    def _with_stored(
        self, keys: Sequence[str], stored: Mapping[str, Mapping[str, str]]
    ) -> Defaults:
        settings = self._defaults
        for key in keys:
            settings = _over(settings, self._config.channels.get(key, NO_WISH))
            for name, value in stored.get(key, {}).items():
                settings = self._with_one(settings, key, name, value)
        return settings

    def _with_one(self, settings: Defaults, key: str, name: str, value: str) -> Defaults:
        """One stored setting; what config.toml no longer has must not silence the channel."""
        try:
            changed = _over(settings, ChannelSettings.model_validate_json(value))
            return self._checked(changed, where=f"{key}: ")
        except (ValidationError, ConfigError) as error:
            log.warning("setting ignored", extra={"key": key, "setting": name, "error": str(error)})
            return settings

    def _checked(self, settings: Defaults, *, where: str) -> Defaults:
        if self._strategies is None:
            return settings
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


def _check_place(key: str, names: AbstractSet[str], *, where: str) -> None:
    """A channel that could widen its workspace's purse would have no limit at all."""
    wrong = sorted(names & OF_A_WORKSPACE)
    workspace, is_channel, _ = key.partition("/")
    if wrong and is_channel:
        raise ConfigError(
            f"{where}{key}: {wrong[0]} holds for a whole workspace.",
            fix=f"Set it for {workspace!r}.",
        )


def _over(
    below: Defaults, above: ChannelSettings, *, but: AbstractSet[str] = frozenset()
) -> Defaults:
    return below.model_copy(update=above.model_dump(exclude_none=True, exclude=set(but)))
