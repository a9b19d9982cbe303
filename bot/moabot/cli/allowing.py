"""Writes `[plugins] allow` into config.toml, and leaves everything else as it stands."""

from __future__ import annotations

import os
import tempfile
import tomllib
from pathlib import Path

import tomlkit
from tomlkit.exceptions import ParseError
from tomlkit.items import Array, Table

from moabot import config as configuration
from moabot.errors import ConfigError
from moabot.pins import Pin, normal

__all__ = ["allow", "forbid"]


def allow(path: Path, pin: Pin) -> None:
    """Let `pin` be the entry of its distribution; raises `ConfigError`."""
    document, entries = _read(path)
    place = _place(entries, pin.name)
    if place is None:
        entries.insert(len(entries), str(pin))
    else:
        entries[place] = str(pin)
    entries.multiline(multiline=True)
    _write(path, document)


def forbid(path: Path, name: str) -> bool:
    """Take a distribution out of the list; whether it stood there."""
    if not path.exists():
        return False
    document, entries = _read(path)
    place = _place(entries, name)
    if place is None:
        return False
    del entries[place]
    if not entries:  # tomlkit would leave an empty line between the brackets
        empty = tomlkit.array()
        empty.trivia.comment_ws, empty.trivia.comment = (
            entries.trivia.comment_ws,
            entries.trivia.comment,
        )
        document["plugins"]["allow"] = empty
    _write(path, document)
    return True


def _place(entries: Array, name: str) -> int | None:
    names = [normal(Pin.read(str(entry)).name) for entry in entries.unwrap()]
    return names.index(normal(name)) if normal(name) in names else None


def _read(path: Path) -> tuple[tomlkit.TOMLDocument, Array]:
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        document = tomlkit.parse(text)
    except (OSError, UnicodeDecodeError, ParseError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.", fix="Mend the file.") from error
    plugins = document.setdefault("plugins", tomlkit.table())
    entries = plugins.setdefault("allow", tomlkit.array()) if isinstance(plugins, Table) else None
    if not isinstance(entries, Array):
        raise ConfigError(
            f"{path}: [plugins] allow is no list in a table of its own.",
            fix="Write it as:\n[plugins]\nallow = []",
        )
    return document, entries


def _write(path: Path, document: tomlkit.TOMLDocument) -> None:
    """Put the new file in the place of the old one at once, with its permissions."""
    text = tomlkit.dumps(document)
    configuration.parse(tomllib.loads(text), source=str(path))
    real = path.resolve()
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=real.parent, prefix=f".{real.name}", delete=False
        ) as file:
            file.write(text)
        written = Path(file.name)
        written.chmod(real.stat().st_mode & 0o777 if real.exists() else 0o666 & ~_umask())
        written.replace(real)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}.", fix="Correct its permissions."
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
