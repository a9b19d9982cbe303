"""Distributions of third parties in a folder of their own, as an installer would leave them."""

from __future__ import annotations

import hashlib
import importlib
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from moabot.pins import pin_of


class Installed:
    """Distributions in a folder, each with a RECORD of its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str, source: str, *, entries: tuple[str, ...] = ("it",)) -> str:
        """One distribution with one module for each entry point; returns what allows exactly it."""
        module = name.replace("-", "_")
        info = f"{module}-1.0.dist-info"
        lines = [f"{entry} = {module}_{entry}" for entry in entries]
        files = {
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
            f"{info}/entry_points.txt": "[moabot]\n" + "\n".join(lines) + "\n",
            **{f"{module}_{entry}.py": source.replace("NAME", entry) for entry in entries},
        }
        (self.folder / info).mkdir(exist_ok=True)
        for file, text in files.items():
            (self.folder / file).write_text(text)
        record = [f"{file},sha256={_hashed(text)},{len(text)}" for file, text in files.items()]
        (self.folder / info / "RECORD").write_text("\n".join([*record, f"{info}/RECORD,,"]) + "\n")
        pin = pin_of(PathDistribution(self.folder / info))
        assert pin is not None
        return str(pin)


def _hashed(text: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installed]:
    """Install distributions for one test."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    importlib.invalidate_caches()
    yield Installed(folder)
    for name in [name for name in sys.modules if name.startswith("acme_")]:
        del sys.modules[name]
