"""Seals what must not be read in the database or forged by a browser: tokens and stamps (Fernet)."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from moabot.config import read_key
from moabot.errors import ConfigError, PlatformError
from moabot_platforms.slack.payload import text

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

__all__ = ["Seal", "Unreadable", "new_key", "seal_of"]

STAMP = b"a browser that began to install"
"""What is in a stamp, so that nothing else that is sealed passes for one."""
FIX = "Make one with `moabot slack key`, then export {variable}=…, the same wherever this bot runs."


class Unreadable(PlatformError):
    """What was kept for a workspace cannot be opened with the keys at hand."""

    def __init__(self, team: str, variable: str) -> None:
        super().__init__(
            f"What is kept for the workspace {team!r} was not sealed with a key in {variable}.",
            fix=f"Put the key that it was sealed with into {variable} again, after the new one and "
            "a comma, or have moabot installed there again.",
        )


class Seal:
    """Seals with the first key, opens with all. `wall` tells seconds since 1970."""

    def __init__(
        self, keys: list[Fernet], *, variable: str, wall: Callable[[], float] = time.time
    ) -> None:
        from cryptography.fernet import MultiFernet

        self._keys = MultiFernet(keys)
        self._first = keys[0]
        self._variable = variable
        self._wall = wall

    def shut(self, team: str, token: str) -> bytes:
        """A token, so that it opens for this workspace only."""
        words = json.dumps({"team": team, "token": token}).encode()
        return self._keys.encrypt_at_time(words, int(self._wall()))

    def open(self, team: str, sealed: bytes) -> str:
        """The token of a workspace; raises `Unreadable`."""
        from cryptography.fernet import InvalidToken

        try:
            found: object = json.loads(self._keys.decrypt(sealed))
        except (InvalidToken, ValueError):  # sealed by another key, or no token: a stamp
            raise Unreadable(team, self._variable) from None
        if text(found, "team") != team:  # a row that was copied from another workspace
            raise Unreadable(team, self._variable)
        return text(found, "token")

    def is_current(self, sealed: bytes) -> bool:
        """Whether the first key sealed it, so that the others are not needed for it."""
        from cryptography.fernet import InvalidToken

        try:
            self._first.decrypt(sealed)
        except InvalidToken:
            return False
        return True

    def stamp(self) -> str:
        """A text that nobody else can make, which no other equals."""
        return self._keys.encrypt_at_time(STAMP, int(self._wall())).decode().rstrip("=")

    def fresh(self, stamp: str, *, within_s: int) -> bytes | None:
        """What names a stamp of ours that is at most so old; None for any other text.

        Two texts can spell one stamp, so the name is to be remembered, not the text.
        """
        from cryptography.fernet import InvalidToken

        try:
            whole = f"{stamp}{'=' * (-len(stamp) % 4)}".encode()
            said = self._keys.decrypt_at_time(whole, within_s, int(self._wall()))
        except (InvalidToken, UnicodeEncodeError):
            return None
        return base64.urlsafe_b64decode(whole) if said == STAMP else None


def seal_of(variable: str) -> Seal:
    """The seal whose keys stand in an environment variable, the current one first, then a comma.

    Raises `ConfigError` that says how a key is made.
    """
    from cryptography.fernet import Fernet

    fix = FIX.format(variable=variable)
    try:
        words = read_key(variable, where="[platforms.slack] secret_key_env")
    except ConfigError as error:
        raise ConfigError(error.what, fix=fix) from error
    try:
        keys = [Fernet(word.strip()) for word in words.split(",")]
    except ValueError:  # what stands there is not shown
        told = f"[platforms.slack] secret_key_env: what stands in {variable} is no key."
        raise ConfigError(told, fix=fix) from None
    return Seal(keys, variable=variable)


def new_key() -> str:
    """A new key, as `seal_of` reads it."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()
