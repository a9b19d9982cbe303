"""The rows of the tables of docs/reference/records.md, from a real record and from what the code logs."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeGuard

from moabot.contract import Agreement, Answer, Cancelled, Failure, Proposal, Usage
from moabot.record import record

__all__ = ["answer", "events"]

ROOT = Path(__file__).parents[1]
ROOMS = ("bot", "plugins", "adapters", "cache")
LEVELS = {
    "info": "info",
    "warning": "warning",
    "error": "error",
    "exception": "error, with a traceback",
}
EVERY_PART = Answer(
    "text",
    "mixture",
    proposals=(Proposal("1.1", "sol", "analytical", "text", Usage(), 1.0),) * 2,
    failures=(Failure("1.2", "opus", "why", 1.0),),
    cancelled=(Cancelled("1.3", "flash", 1.0, Usage()),),
    agreement=Agreement(1, 2, ("1.2",)),
)
USAGE = {
    "calls": "how many calls",
    "input_tokens": "tokens read, with those from the vendor's prompt cache",
    "cached_input_tokens": "those of them from its prompt cache",
    "output_tokens": "tokens written",
    "cost_usd": "US dollars; null if a price is unknown",
    "estimated": "whether a part was not reported by a provider",
}
CALL = {
    "slot": "its place, as layer.place",
    "model": "its name in [models]",
    "seconds": "how long it took",
}
MEANINGS = {
    "text": "the answer",
    "strategy": "how it was thought",
    "preset": "how deeply",
    "via": 'what the strategy chose, such as "simple → single"; else empty',
    "degraded": "the sentence that says why it is less than was asked for; else empty",
    "agreement.support": "how many proposals support the answer; with fewer than two, "
    "`agreement` is null",
    "agreement.of": "how many proposals there are",
    "agreement.dissent[]": "the slots of those that do not support it",
    "from_cache": "whether it was remembered",
    "seconds": "from question to answer",
    **{f"proposals[].{name}": meaning for name, meaning in CALL.items()},
    "proposals[].role": "the role it was asked in",
    "proposals[].text": "what it proposed",
    **{f"failures[].{name}": meaning for name, meaning in CALL.items()},
    "failures[].error": "why it gave nothing usable, in a sentence",
    **{f"cancelled[].{name}": meaning for name, meaning in CALL.items()},
    **{
        f"{part}usage.{name}": meaning
        for part in ("", "proposals[].", "cancelled[].")
        for name, meaning in USAGE.items()
    },
}


def answer() -> list[tuple[str, str]]:
    """Each field of `moabot ask --json`; one without a meaning here, or not there, is an error."""
    fields = list(_fields(record(EVERY_PART), ""))
    if wrong := set(fields) ^ MEANINGS.keys():
        raise SystemExit(f"docs/records.py and moabot/record.py differ in {sorted(wrong)}")
    return [(f"`{name}`", MEANINGS[name]) for name in fields]


def _fields(value: object, path: str) -> Iterator[str]:
    if _is_table(value):
        for name, below in value.items():
            yield from _fields(below, f"{path}.{name}" if path else name)
    elif _is_list(value):
        yield from _fields(value[0], f"{path}[]")
    else:
        yield path


def _is_table(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list)


def events() -> list[tuple[str, str, str]]:
    """Each event that any room logs, with its level and fields."""
    found: set[tuple[str, str, str]] = set()
    for folder in ROOMS:
        for file in (ROOT / folder).rglob("*.py"):
            found |= set(_events(ast.parse(file.read_text(encoding="utf-8"))))
    return sorted(found)


def _events(tree: ast.AST) -> Iterator[tuple[str, str, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name("log"), attr=method),
                args=[ast.Constant(str(event)), *_],
                keywords=keywords,
            ) if method in LEVELS:
                extra = [each.value for each in keywords if each.arg == "extra"]
                yield f"`{event}`", LEVELS[method], ", ".join(f"`{x}`" for x in _keys(extra))
            case _:
                pass


def _keys(extra: list[ast.expr]) -> Iterator[str]:
    for each in extra:
        if isinstance(each, ast.Dict):
            for key in each.keys:
                if isinstance(key, ast.Constant):
                    yield str(key.value)
