"""What `[plugins] allow` says: a distribution, maybe one version of it, down to the last byte."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64decode
from binascii import Error as NoBase64
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackagePath
from pathlib import Path, PurePosixPath

__all__ = ["Pin", "altered", "normal", "pin_of"]

SHAPE = re.compile(
    r"(?P<name>[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?)"
    r"(==(?P<version>[\w.!+-]+) sha256:(?P<sha256>[0-9a-f]{64}))?"
)
OWN_METADATA = {"METADATA", "entry_points.txt"}
"""The wheel's own; installers add files of theirs beside them, which differ by machine."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One entry of `[plugins] allow`.

    `version` and `sha256` are empty for an entry that is a plain name: then any version may run.
    """

    name: str
    version: str = ""
    sha256: str = ""

    @classmethod
    def read(cls, text: str) -> Pin:
        """The entry that was written as `text`; raises `ValueError` that says how to write it."""
        match = SHAPE.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"{text!r} is neither a distribution's name nor 'NAME==VERSION sha256:…' "
                f"with 64 digits, as `moabot plugins install` writes it"
            )
        return cls(match["name"], match["version"] or "", match["sha256"] or "")

    def __str__(self) -> str:
        return f"{self.name}=={self.version} sha256:{self.sha256}" if self.sha256 else self.name

    def broken_by(self, installed: Distribution) -> str:
        """How what is installed differs from what was allowed, in a sentence; empty if it does not."""
        if not self.sha256:
            return ""
        if installed.version != self.version:
            return f"Version {installed.version} is installed, {self.version} is allowed."
        found = pin_of(installed)
        if found is None:
            return "It has no RECORD of its files, so nobody can tell whether they are the same."
        if found.sha256 != self.sha256:
            return f"Its files are not those that were allowed (sha256 {found.sha256[:12]}…)."
        if changed := altered(installed):
            return f"{changed[0]} was changed after it was installed."
        return ""


def pin_of(installed: Distribution) -> Pin | None:
    """The entry that allows exactly what is installed; None if its files are not recorded.

    The hash is that of the RECORD's lines for what the wheel brought: the same wheel has the same
    hash on every machine, whichever program installs it.
    """
    lines = sorted(f"{file} {_recorded(file)}\n" for file in _brought(installed))
    if not lines:
        return None
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    return Pin(installed.name, installed.version, digest)


def altered(installed: Distribution) -> list[str]:
    """The files that are not, or no longer, as the RECORD says."""
    return [str(file) for file in _brought(installed) if _hash_on_disk(file) != _recorded(file)]


def normal(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _brought(installed: Distribution) -> Iterator[PackagePath]:
    """The files of the wheel itself, without what installers write and compile."""
    for file in installed.files or ():
        inside = PurePosixPath(file).parts
        if file.hash is None or ".." in inside or file.suffix == ".pyc":
            continue
        if not inside[0].endswith(".dist-info") or inside[-1] in OWN_METADATA:
            yield file


def _recorded(file: PackagePath) -> str:
    return f"{file.hash.mode}={file.hash.value}" if file.hash is not None else ""


def _hash_on_disk(file: PackagePath) -> str:
    mode = file.hash.mode if file.hash is not None else ""
    if mode not in hashlib.algorithms_guaranteed:
        return "unknown"
    try:
        found = hashlib.new(mode, Path(file.locate()).read_bytes()).digest()
        recorded = urlsafe_b64decode(f"{file.hash.value}==" if file.hash is not None else "")
    except (OSError, NoBase64):
        return "missing"
    return _recorded(file) if found == recorded else "changed"
