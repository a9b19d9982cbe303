"""What plugins offer, as a table of all that are there, or of one in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions, version
from typing import get_args

from moabot.app import let_in
from moabot.config import Config, PluginSettings
from moabot.errors import PluginError
from moabot.guests import Bounds
from moabot.pins import Pin, altered, normal, pin_of
from moabot.plugins import BUILT_IN, Kind, Plugins

__all__ = ["Row", "installed_plugins", "offers_of", "orphans", "rows", "tried"]

OFFERS = "moabot offers "
"""Begins the line that counts: a plugin may print what it likes, before and after."""


@dataclass(frozen=True, slots=True)
class Row:
    """One plugin as `moabot plugins list` shows it; `allowed` and `files` are words."""

    plugin: str
    version: str
    allowed: str
    files: str
    offers: tuple[str, ...]


def rows(plugins: Plugins, allow: tuple[str, ...]) -> list[Row]:
    """Each built-in plugin, then each installed distribution with plugins."""
    own = version("moabot")
    pins = {normal(pin.name): pin for pin in map(Pin.read, allow)}
    return [
        *(Row(name, own, "built in", "", offers_of(plugins, name)) for name in BUILT_IN),
        *(_row(plugins, each, pins.get(normal(each.name))) for each in installed_plugins()),
    ]


def installed_plugins() -> list[Distribution]:
    """The distributions of this environment that have plugins, by name."""
    there = {
        normal(each.name): each
        for each in distributions()
        if each.entry_points.select(group="moabot")
    }
    return [there[name] for name in sorted(there)]


def offers_of(plugins: Plugins, owner: str) -> tuple[str, ...]:
    """What a distribution, or a module of ours, offers, such as "provider acme"."""
    return tuple(
        f"{kind} {name}"
        for kind in _kinds()
        for name, offer in plugins.offers(kind).items()
        if normal(offer.owner.partition(" (")[0]) == normal(owner)
    )


def orphans(config: Config) -> list[str]:
    """The tables of a configuration whose plugin is not there."""
    plugins = let_in(config)
    tables: dict[Kind, Mapping[str, PluginSettings]] = {
        "provider": config.providers,
        "strategy": config.strategies,
    }
    return [
        f"[{'providers' if kind == 'provider' else 'strategies'}.{name}]"
        for kind, table in tables.items()
        for name, chosen in table.items()
        if chosen.plugin not in plugins.offers(kind)
    ]


def tried(name: str, bounds: Bounds) -> tuple[str, ...]:
    """What a distribution offers, by loading it in a process of its own.

    So one that ends or blocks its process is found before a bot loads it. Raises `PluginError`.
    """
    command = [sys.executable, "-m", "moabot.cli.offered", name, json.dumps(bounds.load_s)]
    limit_s = 2 * bounds.load_s + 10  # import, register, and the start of Python
    try:
        done = subprocess.run(  # noqa: S603 - no shell
            command, capture_output=True, text=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise _spoiled(name, f"did not end within {limit_s:g} s") from None
    told = [line for line in done.stdout.splitlines() if line.startswith(OFFERS)]
    if done.returncode or not told:
        last = " ".join(done.stderr.split())[-300:]
        raise _spoiled(name, f"ended its process with code {done.returncode}{last and f': {last}'}")
    problems, offers = json.loads(told[-1].removeprefix(OFFERS))
    if problems:
        raise PluginError(" ".join(problems), fix="It was not allowed.")
    return tuple(offers)


def _spoiled(name: str, what: str) -> PluginError:
    return PluginError(f"Plugin {name} {what}.", fix="It was not allowed. Update or remove it.")


def _row(plugins: Plugins, installed: Distribution, pin: Pin | None) -> Row:
    allowed = "no" if pin is None else "pinned" if pin.sha256 else "any version"
    names = tuple(entry.name for entry in installed.entry_points.select(group="moabot"))
    offers = offers_of(plugins, installed.name) or tuple(f"({name})" for name in names)
    return Row(installed.name, installed.version, allowed, _files(installed, pin), offers)


def _files(installed: Distribution, pin: Pin | None) -> str:
    if pin is not None and pin.sha256:
        return "changed" if pin.broken_by(installed) else "as allowed"
    if pin_of(installed) is None:
        return "no record"
    return "changed" if altered(installed) else "as installed"


def _kinds() -> Iterator[Kind]:
    yield from get_args(Kind)


def _try(name: str, load_s: float) -> None:
    plugins = Plugins(allow=[name], built_in=BUILT_IN, bounds=Bounds(load_s=load_s))
    sys.stdout.write(f"\n{OFFERS}{json.dumps([plugins.problems, offers_of(plugins, name)])}\n")


if __name__ == "__main__":
    _try(sys.argv[1], float(sys.argv[2]))
