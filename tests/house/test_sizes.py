"""Files and functions stay small, and what hides mistakes stays rare."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
MAX_PARAMETERS = 6
MAX_BROAD_EXCEPTS = 5

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(product: dict[str, ast.Module]) -> Iterator[tuple[str, Function]]:
    for path, tree in product.items():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield f"{path}:{node.lineno} {node.name}", node


def _parameters(function: Function) -> int:
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return sum(argument.arg not in {"self", "cls"} for argument in given)


def test_no_product_file_is_longer_than_a_reader_s_patience(
    root: Path, product: dict[str, ast.Module]
) -> None:
    """A long file has two jobs; its reader no longer finds either of them at once."""
    lengths = {path: len((root / path).read_text().splitlines()) for path in product}

    assert {path: lines for path, lines in lengths.items() if lines > MAX_FILE_LINES} == {}


def test_functions_fit_on_a_screen(product: dict[str, ast.Module]) -> None:
    """What does not fit on a screen is not read whole, so mistakes stay in its middle."""
    long = {
        name: lines
        for name, function in _functions(product)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > MAX_FUNCTION_LINES
    }

    assert long == {}


def test_functions_take_few_parameters(product: dict[str, ast.Module]) -> None:
    """Seven parameters are a value without a name."""
    many = [
        name for name, function in _functions(product) if _parameters(function) > MAX_PARAMETERS
    ]

    assert many == []


def test_the_first_line_says_what_a_file_is_for(product: dict[str, ast.Module]) -> None:
    """A stranger decides from the first line whether to read on."""
    assert [path for path, tree in product.items() if not ast.get_docstring(tree)] == []


def _is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(_is_broad(kind) for kind in caught.elts)
    return caught is None or ast.unparse(caught) in {"Exception", "BaseException"}


def test_few_handlers_catch_everything(product: dict[str, ast.Module]) -> None:
    """A handler for everything hides the failures that nobody foresaw."""
    broad = [
        f"{path}:{node.lineno}"
        for path, tree in product.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type)
    ]

    assert len(broad) <= MAX_BROAD_EXCEPTS, broad


def test_any_and_cast_stay_at_the_plugin_door(product: dict[str, ast.Module]) -> None:
    """Behind `Any` the type checkers see nothing; plugins force it upon two files only."""
    users = {
        path
        for path, tree in product.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "typing"
        if {alias.name for alias in node.names} & {"Any", "cast"}
    }

    assert users <= {"bot/moabot/offers.py", "bot/moabot/plugins.py"}


def test_each_silenced_check_says_which_and_why(root: Path, product: dict[str, ast.Module]) -> None:
    """A silenced check without a reason is never switched on again."""
    silenced = re.compile(r"#\s*(type: ignore|pyright: ignore|noqa|pragma: no (cover|branch))")
    reasoned = re.compile(
        r"((ignore\[[\w-]+\])|(noqa: [A-Z0-9, ]+)|(pragma: no \w+))\s*[-#:]\s*\S+"
    )
    bare = [
        f"{path}:{number}"
        for path in product
        for number, line in enumerate((root / path).read_text().splitlines(), 1)
        if silenced.search(line) and not reasoned.search(line)
    ]

    assert bare == []
