"""A table checked against its settings, or a sentence that names each wrong key and the right one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from moabot.errors import ConfigError
from moabot.plugins import nearest

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["validated"]

T = TypeVar("T", bound=BaseModel)


def validated(kind: type[T], table: Mapping[str, object], *, where: str) -> T:
    """`table` as `kind`, or a `ConfigError` that names each wrong key and the nearest right one."""
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        found = error.errors()
        wrong = [detail["loc"] for detail in found]
        lines = [
            _sentence(kind, detail)
            for detail in found
            # A list whose items are wrong is not also too short.
            if detail["type"] != "too_short" or not _inside(detail["loc"], wrong)
        ]
        raise ConfigError(f"{where}: {' '.join(lines)}", fix="") from None


def _inside(loc: tuple[int | str, ...], wrong: list[tuple[int | str, ...]]) -> bool:
    return any(len(other) > len(loc) and other[: len(loc)] == loc for other in wrong)


def _sentence(kind: type[BaseModel], detail: ErrorDetails) -> str:
    loc, error = detail["loc"], detail["type"]
    if loc[-1:] == ("[key]",):  # pydantic's word for: not what stands there, but its name
        loc = loc[:-1]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")
    if error == "extra_forbidden":
        names = _keys_at(kind, loc[:-1])
        close = nearest(str(loc[-1]), names) or f" (known: {', '.join(sorted(names))})"
        return f"{key}: there is no such key{close}."
    if error == "missing":
        return f"{key}: this key is missing."
    if error == "tuple_type":
        return f"{key}: must be a list, in square brackets."
    said = detail["msg"].removeprefix("Value error, ").replace("Tuple", "The list")
    if said.startswith("Input should"):
        said = _valued(said, detail)
    return f"{key}: {said}." if key else f"{said}."


def _valued(said: str, detail: ErrorDetails) -> str:
    """Pydantic's "Input should be …" with the value, and of several choices the nearest."""
    value: object = detail["input"]
    if not isinstance(value, str | int | float):
        return said
    choices = re.findall(r"'([^']*)'", said) if detail["type"] == "literal_error" else []
    should = said.removeprefix("Input ").partition(", unable to parse")[0]
    return f"{value!r:.60} {should}{nearest(str(value), choices)}"


def _keys_at(kind: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys of the table at `loc`, found by walking the annotations."""
    here: type[BaseModel] = kind
    for part in loc:
        if str(part) in here.model_fields:
            inner = _model_in(here.model_fields[str(part)].annotation)
            here = inner or here
    return list(here.model_fields)


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _model_in(arg))), None)
