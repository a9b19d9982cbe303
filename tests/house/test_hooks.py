"""Every hook is documented with its arguments, and tested by name."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from moabot import hookspecs

HOOKS = [name for name in dir(hookspecs) if name.startswith("moabot_")]


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_is_documented_with_its_arguments(root: Path, hook: str) -> None:
    """A plugin author reads the reference, not our code."""
    arguments = ", ".join(inspect.signature(getattr(hookspecs, hook)).parameters)

    assert f"## {hook}({arguments})" in (root / "docs/reference/hooks.md").read_text()


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_has_a_test_that_bears_its_name(names_of_tests: list[str], hook: str) -> None:
    """A hook without a test breaks in somebody else's plugin first."""
    assert any(hook in name for name in names_of_tests)
