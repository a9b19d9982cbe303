"""Puts distributions into the environment that the bot runs in, and takes them out again."""

from __future__ import annotations

import importlib
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path

from moabot.errors import PluginError
from moabot.pins import altered

__all__ = ["Source", "found", "install", "is_plugin", "uninstall"]

REQUIREMENT = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(\[[\w\s,.-]*\])?\s*([=<>!~].*)?")

HELD = "Mend that, and try again; what moabot itself needs stays in the versions that it needs."


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be installed: a name from the index, or a folder or wheel here (`is_file`)."""

    spec: str
    name: str
    is_file: bool

    @classmethod
    def read(cls, spec: str) -> Source:
        """What a person meant; raises `PluginError`."""
        path = Path(spec)
        if path.is_dir():
            return cls(str(path.resolve()), _name_in(path / "pyproject.toml"), is_file=True)
        if path.suffix == ".whl" and path.is_file():
            return cls(str(path.resolve()), path.name.split("-")[0], is_file=True)
        match = REQUIREMENT.fullmatch(spec)
        if match is None or path.suffix == ".whl":
            raise PluginError(
                f"{spec!r} is neither a folder with a pyproject.toml, nor a wheel, nor a name.",
                fix="Give one of the three, such as moabot-acme or dist/moabot_acme-0.1.0-….whl.",
            )
        return cls(spec, match[1], is_file=False)


def install(source: Source) -> Distribution:
    """Install it beside moabot, which stays as it is, and whose own requirements go on to be met.

    Raises `PluginError` with what the installer said.

    What comes from a file is always installed anew, and so is what was changed since.
    """
    there = found(source.name)
    anew = source.is_file or (there is not None and bool(altered(there)))
    with tempfile.TemporaryDirectory() as folder:
        bounds = Path(folder) / "constraints.txt"
        bounds.write_text("\n".join(_held()))
        for command in _commands(source, bounds, anew=anew and there is not None):
            _run(command, f"{source.spec} could not be installed", fix=HELD)
    importlib.invalidate_caches()
    installed = found(source.name)
    if installed is None:
        raise PluginError(
            f"{source.spec} was installed, but there is no distribution {source.name!r} now.",
            fix="Give the name of the distribution, as the index has it.",
        )
    if is_plugin(installed):
        return installed
    told = PluginError(  # read while it is there: metadata is looked up late
        f"{installed.name} {installed.version} is no plugin of moabot: it has no entry point of "
        f"the group 'moabot'.",
        fix="Correct the name, or add [project.entry-points.moabot] to its pyproject.toml.",
    )
    if there is None:
        uninstall(installed.name)
    raise told


def uninstall(name: str) -> None:
    """Take a distribution out; what it needed stays. Raises `PluginError`."""
    uv = _uv()
    command = (
        [uv, "pip", "uninstall", "--quiet", "--python", sys.executable, name]
        if uv is not None
        else [sys.executable, "-m", "pip", "uninstall", "--quiet", "--yes", name]
    )
    _run(command, f"{name} could not be removed")
    importlib.invalidate_caches()


def found(name: str) -> Distribution | None:
    """The installed distribution of that name."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def is_plugin(installed: Distribution) -> bool:
    """Whether it offers anything to moabot."""
    return bool(installed.entry_points.select(group="moabot"))


def _held() -> list[str]:
    """This moabot and what it needs, as constraints; those can have no extras."""
    needs = [need for need in distribution("moabot").requires or () if "extra ==" not in need]
    return [f"moabot=={version('moabot')}", *(re.sub(r"\[[^]]*\]", "", need) for need in needs)]


def _commands(source: Source, bounds: Path, *, anew: bool) -> list[Sequence[str]]:
    uv = _uv()
    if uv is not None:
        again = ["--reinstall-package", source.name] if anew else []
        fresh = ["--refresh-package", source.name] if Path(source.spec).is_dir() else []
        base = [uv, "pip", "install", "--quiet", "--python", sys.executable]
        return [[*base, "--constraint", str(bounds), *again, *fresh, source.spec]]
    if importlib.util.find_spec("pip") is None:
        raise PluginError(
            f"There is neither uv nor pip to install with ({sys.executable}).",
            fix="Install one: python -m ensurepip, or uv.",
        )
    base = [sys.executable, "-m", "pip", "install", "--quiet", "--constraint", str(bounds)]
    # pip would put everything that a plugin needs in anew, moabot too; so first it, then the rest.
    first = [[*base, "--force-reinstall", "--no-deps", source.spec]] if anew else []
    return [*first, [*base, source.spec]]


def _uv() -> str | None:
    """The program uv, if the environment or PATH has it."""
    return shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")


def _run(command: Sequence[str], what: str, *, fix: str = "Mend that, and try again.") -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise PluginError(f"{what}: {said[-500:]}", fix=fix)


def _name_in(pyproject: Path) -> str:
    try:
        table = tomllib.loads(pyproject.read_text(encoding="utf-8"))
        name: object = table["project"]["name"]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise PluginError(
            f"{pyproject} does not tell the name of a distribution: {error}.",
            fix="Write [project] with name and version, as `moabot plugins new` does.",
        ) from error
    return str(name)
