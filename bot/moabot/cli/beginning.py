"""A plugin's distribution from a template: what it takes to be installed, tested and read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import get_args

from moabot.errors import ConfigError
from moabot.pins import normal
from moabot.plugins import Kind, Plugins, nearest

__all__ = ["begun", "known"]

USE: Mapping[Kind, str] = {
    "provider": """Then, in `config.toml`:

```toml
[providers.$name]
plugin = "$name"

[models.first]
provider = "$name"
name = "first"
```""",
    "strategy": "Then choose it: `moabot ask --strategy $name`, or `[defaults] strategy`.",
    "platform": "Then the bot can listen there.",
    "cache": "Then the bot can remember answers there.",
}


def known(kind: str) -> Kind:
    """`kind` as one of the four; raises `ConfigError`."""
    kinds: tuple[Kind, ...] = get_args(Kind)
    for each in kinds:
        if each == kind:
            return each
    raise ConfigError(
        f"There is no kind of plugin {kind!r}{nearest(kind, kinds)}.",
        fix=f"Choose one of {', '.join(kinds)}.",
    )


def begun(kind: Kind, name: str, *, below: Path) -> list[Path]:
    """Write the distribution of a new plugin into a folder `below`; returns its files.

    Raises `ConfigError` for a name that is none or is taken, and where something stands already.
    """
    short = normal(name).removeprefix("moabot-")
    if re.fullmatch(r"[a-z][a-z0-9-]*", short) is None:
        raise ConfigError(
            f"{name!r} cannot be a plugin's name.",
            fix="Begin with a letter; go on with letters, digits and hyphens.",
        )
    other = Plugins().offers(kind).get(short)
    if other is not None:
        raise ConfigError(
            f"The {kind} name {short!r} is offered by {other.owner} already.",
            fix="Choose another name.",
        )
    ident = short.replace("-", "_")
    words = {
        "kind": kind,
        "name": short,
        "ident": ident,
        "cls": ident.title().replace("_", ""),
        "module": f"moabot_{ident}",
        "distribution": f"moabot-{short}",
    }
    folder = below / words["distribution"]
    if folder.exists():
        raise ConfigError(f"There is already a {folder}.", fix="Choose another name, or remove it.")
    words["use"] = Template(USE[kind]).substitute(words)
    texts = {
        "pyproject.toml": "pyproject.toml.txt",
        "README.md": "README.md.txt",
        f"{words['module']}.py": f"{kind}.txt",
        f"tests/test_{ident}.py": f"test_{kind}.txt",
    }
    (folder / "tests").mkdir(parents=True)
    return [_written(folder / file, text, words) for file, text in texts.items()]


def _written(file: Path, template: str, words: Mapping[str, str]) -> Path:
    text = files("moabot.cli").joinpath("template", template).read_text(encoding="utf-8")
    file.write_text(Template(text).substitute(words), encoding="utf-8")
    return file
