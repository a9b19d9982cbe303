"""What an administrator copies from deploy/ is valid, whole, and gives answers time to end."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from moabot.cli.running import LOST, USAGE
from moabot.config import Config

HERE = Path(__file__).parents[2]
DEPLOY = HERE / "deploy"
BIN = Path(sys.executable).parent


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_containerfile_follows_the_rules_of_its_linter() -> None:
    """Hadolint knows what makes images big, slow to build or unsafe."""
    _run(BIN / "hadolint", DEPLOY / "Containerfile")


def test_the_containerfile_copies_every_source_root() -> None:
    """A room that is missing in the image is found out on somebody's server."""
    packages = tomllib.loads((HERE / "pyproject.toml").read_text())["tool"]["hatch"]["build"][
        "targets"
    ]["wheel"]["packages"]
    copied = (DEPLOY / "Containerfile").read_text()
    let_in = (DEPLOY / "Containerfile.dockerignore").read_text()

    for root in {package.partition("/")[0] for package in packages}:
        assert f"COPY {root} {root}\n" in copied
        assert f"!{root}\n" in let_in


def test_the_compose_file_is_one() -> None:
    """Against the published schema of compose files."""
    _run(
        BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"
    )


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_the_unit_is_one(tmp_path: Path) -> None:
    """Systemd ignores a line with a typing error, and with it what it was to protect."""
    unit = (DEPLOY / "moabot.service").read_text()
    known = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit, flags=re.MULTILINE)
    (tmp_path / "moabot.service").write_text(known)

    said = _run("systemd-analyze", "verify", tmp_path / "moabot.service")
    assert "moabot.service" not in said


def test_what_no_new_start_can_mend_is_not_started_again() -> None:
    """A chat bans a bot that comes back with a revoked token for ever."""
    unit = (DEPLOY / "moabot.service").read_text()
    about, _, service = unit.partition("[Service]")

    assert "StartLimitIntervalSec=1h\nStartLimitBurst=10\n" in about
    assert f"\nRestartPreventExitStatus={USAGE} {LOST}\n" in service
    assert "restart: on-failure:10\n" in (DEPLOY / "compose.yaml").read_text()


@pytest.mark.parametrize(
    ("file", "pattern"),
    [("moabot.service", r"TimeoutStopSec=(\d+)"), ("compose.yaml", r"stop_grace_period: (\d+)s")],
)
def test_a_stop_waits_for_the_answers_under_way(file: str, pattern: str) -> None:
    """Killed before they are drained, they would be paid for and not read until the next start."""
    found = re.search(pattern, (DEPLOY / file).read_text())

    assert found is not None
    assert int(found.group(1)) > Config().store.drain_s
