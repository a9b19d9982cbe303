"""The workspaces that the bot is in: the one of a token in the environment, or many, by OAuth."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from moabot.errors import ConfigError, PlatformError, StoreError
from moabot.installations import Installations
from moabot_platforms.attached import Fetched
from moabot_platforms.edits import TryLater
from moabot_platforms.slack.files import Files
from moabot_platforms.slack.payload import Json, text
from moabot_platforms.slack.sealing import Seal, Unreadable
from moabot_platforms.slack.web import SlackRefused, SlackSilent, Web, persistently

__all__ = ["Absent", "Enter", "Gone", "Many", "One", "Workspace", "Workspaces"]

GREETING_S = 5.0
"""For the first try, while other platforms wait to be opened."""
FRESH_S = 30.0
"""How long it is not looked up again whether, and with which token, we are in a workspace."""
EVENT_S = 1.0
"""Slack cuts the time of an event to whole seconds."""
log = logging.getLogger("moabot.slack")


class Gone(PlatformError):
    """There is no Slack any more."""


class Absent(PlatformError):
    """The app is not installed there."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One workspace: its Web API, its files, and our user id there, which `bot` tells."""

    web: Web
    fetch: Callable[[Sequence[Json]], Awaitable[Fetched]]
    bot: Callable[[], Awaitable[str]]


class Workspaces(Protocol):
    """Those that the bot is in, by team id (T…)."""

    async def open(self, kept: Installations) -> None:
        """Be ready to hear of them. Raises `PlatformError` when there is no hope of that."""
        ...

    def at(self, team: str) -> Workspace:
        """A workspace that the bot is in, or was; then its calls raise `PlatformError`."""
        ...

    async def find(self, team: str) -> Workspace | None:
        """A workspace; None when the bot is not there. Raises `StoreError`."""
        ...

    async def leave(self, team: str, *, at: float) -> None:
        """The app was removed from there, at that time (seconds since 1970).

        Raises `Gone` when none is left that it could be in.
        """
        ...


class One:
    """The workspace of the token in `token_env`; Slack tells which it is."""

    def __init__(self, web: Web, files: Files, *, token_env: str) -> None:
        self._here = Workspace(web, files.fetch, self._bot)
        self._token_env = token_env
        self._known = asyncio.Event()
        self._me: Json = {}

    async def greet(self) -> None:
        """Ask once who we are; whether Slack is there at all shows later. Raises `ConfigError`."""
        try:
            async with asyncio.timeout(GREETING_S):
                await self._ask()
        except (SlackSilent, TryLater, TimeoutError) as error:
            log.warning("slack not reached", extra={"error": str(error) or type(error).__name__})

    async def open(self, kept: Installations) -> None:
        """Go on until Slack says who we are."""
        if not self._known.is_set():
            await persistently(self._ask, what="auth.test")

    def at(self, team: str) -> Workspace:
        """The one."""
        return self._here

    async def find(self, team: str) -> Workspace | None:
        """The one; another may have the app too, but this token is of no use there."""
        await self._known.wait()
        return self._here if text(self._me, "team_id") == team else None

    async def leave(self, team: str, *, at: float) -> None:
        """It was the only one."""
        raise Gone("The app was removed from Slack.", fix="Install it again.")

    async def _ask(self) -> None:
        try:
            self._me = await self._here.web.call("auth.test", {})
        except SlackRefused as refused:
            raise ConfigError(
                f"Slack does not take the token in {self._token_env}: {refused.error}.",
                fix="Copy the Bot User OAuth Token (xoxb-…) from the app's page OAuth & Permissions.",
            ) from refused
        self._known.set()

    async def _bot(self) -> str:
        await self._known.wait()
        return text(self._me, "user_id")


Enter = Callable[[str], tuple[Web, Files]]
"""Makes what a token opens."""


@dataclass(frozen=True, slots=True)
class _Inside:
    """What an installation opens, to be looked up again at a time of the loop's clock."""

    bot: str
    web: Web
    files: Files
    until: float


class Many:
    """Those that people have installed the app in. Tokens are sealed everywhere but in memory."""

    def __init__(self, enter: Enter, seal: Seal) -> None:
        self._enter = enter
        self._seal = seal
        self._kept: Installations | None = None
        self._inside: dict[str, _Inside] = {}
        self._changes = 0

    def know(self, kept: Installations) -> None:
        """Where installations are found from now on."""
        self._kept = kept

    async def open(self, kept: Installations) -> None:
        """Look whether the keys are right, and seal anew what an older one has sealed."""
        self.know(kept)
        found = await kept.all()
        unreadable: list[Unreadable] = []
        for each in found:
            try:
                token = self._seal.open(each.workspace, each.sealed)
            except Unreadable as error:
                log.warning("workspace left out", extra={"error": str(error)})
                unreadable.append(error)
                continue
            if not self._seal.is_current(each.sealed):
                sealed = self._seal.shut(each.workspace, token)
                await kept.keep(each.workspace, bot=each.bot, sealed=sealed, at=each.at)
        if found and len(unreadable) == len(found):
            raise unreadable[0]

    def at(self, team: str) -> Workspace:
        """What is done there looks its token up first."""

        async def call(method: str, args: Json) -> Json:
            try:
                inside = await self._enter_at(team)
            except StoreError as error:  # as with a Slack that does not answer, it may next time
                raise SlackSilent(method, error.what) from error
            return await inside.web.call(method, args)

        async def fetch(files: Sequence[Json]) -> Fetched:
            return await (await self._enter_at(team)).files.fetch(files)

        async def bot() -> str:
            return (await self._enter_at(team)).bot

        return Workspace(Web(call), fetch, bot)

    async def find(self, team: str) -> Workspace | None:
        """Where it is installed, and its token can be read."""
        try:
            await self._enter_at(team)
        except (Absent, Unreadable) as error:
            log.warning("not heard", extra={"workspace": team, "error": str(error)})
            return None
        return self.at(team)

    async def keep(self, team: str, *, bot: str, token: str) -> None:
        """It was installed there, or anew, which an older token gives way to."""
        await self._installed.keep(team, bot=bot, sealed=self._seal.shut(team, token))
        self._forget(team)
        log.info("installed", extra={"workspace": team})

    async def leave(self, team: str, *, at: float) -> None:
        """Forget it, unless it was installed again meanwhile: Slack may tell late, and twice."""
        if await self._installed.forget(team, before=at + EVENT_S):
            self._forget(team)
            log.info("removed", extra={"workspace": team})

    @property
    def _installed(self) -> Installations:
        if self._kept is None:
            raise PlatformError("Slack is not running.", fix="Run the bot.")
        return self._kept

    def _forget(self, team: str) -> None:
        self._changes += 1
        self._inside.pop(team, None)

    async def _enter_at(self, team: str) -> _Inside:
        """What opens a workspace; raises `Unreadable`, and `Absent` where it is not installed."""
        now, changes = asyncio.get_running_loop().time(), self._changes
        if (known := self._inside.get(team)) is not None and now < known.until:
            return known
        self._inside.pop(team, None)
        if (found := await self._installed.find(team)) is None:
            raise Absent(
                f"moabot is not installed in the workspace {team!r}.", fix="Install it there again."
            )
        token = self._seal.open(team, found.sealed)
        inside = _Inside(found.bot, *self._enter(token), now + FRESH_S)
        if changes == self._changes:  # else it was installed anew while we looked
            self._inside[team] = inside
        return inside
