"""What a plugin may import is exactly what is promised."""

from __future__ import annotations

import importlib
import subprocess
import sys
from types import ModuleType

import pytest

import moabot
from moabot import contract, errors, findings, wording

PUBLIC = tuple(
    f"moabot{name}"
    for name in ("", ".contract", ".errors", ".findings", ".hookspecs", ".testing", ".wording")
)


def _public_names(module: ModuleType) -> set[str]:
    """Names without underscore that the module itself defines, modules aside."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and getattr(value, "__module__", module.__name__) == module.__name__
    }


def test_moabot_exports_the_whole_contract_every_error_and_the_mark_of_a_hook() -> None:
    """A plugin that imports from `moabot` alone must find all that it needs there."""
    assert set(moabot.__all__) == {
        *contract.__all__,
        *errors.__all__,
        *findings.__all__,
        *wording.__all__,
        "hookimpl",
    }


def test_moabot_lists_its_names_in_order() -> None:
    """In a sorted list of fifty names a missing one is seen."""
    assert moabot.__all__ == sorted(moabot.__all__)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_promised_name_exists_and_is_documented(name: str) -> None:
    """A name in `__all__` is a promise; a class or function without a docstring keeps half."""
    module = importlib.import_module(name)

    for promised in module.__all__:
        value = getattr(module, promised)
        assert not isinstance(value, type) or value.__doc__, promised


def test_every_class_of_the_contract_is_promised() -> None:
    """What stands in the contract but not in `__all__` would be imported by some and then move."""
    for module in (contract, errors):
        classes = {name for name in _public_names(module) if isinstance(vars(module)[name], type)}
        assert classes <= set(module.__all__), module.__name__


def test_importing_moabot_is_light() -> None:
    """A plugin's import must not cost the command line its start: no pydantic, no SDK."""
    done = subprocess.run(
        [sys.executable, "-c", "import moabot, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded.isdisjoint({"pydantic", "aiohttp", "typer", "rich", "openai", "anthropic"})
