"""The product's own files, read once for all house rules."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "bot/moabot",
    "bot/moabot_pytest",
    "plugins/moabot_strategies",
    "adapters/moabot_providers",
    "adapters/moabot_platforms",
    "cache/moabot_cache",
)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def product() -> dict[str, ast.Module]:
    """Each product file, by its path from the checkout, parsed."""
    files = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))
    return {str(file.relative_to(ROOT)): ast.parse(file.read_bytes()) for file in files}


@pytest.fixture(scope="session")
def names_of_tests() -> list[str]:
    """The name of every test there is."""
    trees = (ast.parse(file.read_bytes()) for file in (ROOT / "tests").rglob("test_*.py"))
    return [
        node.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    ]
