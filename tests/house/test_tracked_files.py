"""Nothing that is kept names the machine it was written on."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

# Each with one letter in brackets, so that this file does not name them either.
FORBIDDEN = re.compile(
    r"/wor[k]/|/roo[t]/|/hom[e]/\w|/opt/pyp[i]|pyp[i]\.org|pythonhoste[d]|npmj[s]\."
)


def _tracked(root: Path) -> list[Path]:
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        pytest.skip("This is no git checkout.")
    listed = subprocess.run(
        [git, "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True
    )
    return [root / name for name in listed.stdout.split("\0") if name]


def test_no_tracked_file_names_a_machine_s_path_or_a_registry_s_host(root: Path) -> None:
    """Such a name works here only; elsewhere it is a failure, or a secret told."""
    found = [
        f"{file.relative_to(root)}: {match.group()}"
        for file in _tracked(root)
        if file.is_file() and (match := FORBIDDEN.search(file.read_text(errors="replace")))
    ]

    assert found == []
