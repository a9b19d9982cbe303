"""Reading what Slack sends: nothing in it is sure to be there, or to be what it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["Json", "flag", "inside", "listed", "number", "text", "words"]

Json = Mapping[str, object]


NOTHING: Json = {}


def inside(payload: object, *path: str) -> Json:
    """The object at `path`; an empty one when there is none."""
    found = _object(payload)
    for name in path:
        found = _object(found.get(name))
    return found


def text(payload: object, *path: str) -> str:
    """The text at `path`; empty when there is none."""
    found = inside(payload, *path[:-1]).get(path[-1])
    return found if isinstance(found, str) else ""


def flag(payload: object, *path: str) -> bool:
    """Whether true stands at `path`."""
    return inside(payload, *path[:-1]).get(path[-1]) is True


def number(payload: object, *path: str) -> float:
    """The number at `path`; 0 when there is none."""
    found = inside(payload, *path[:-1]).get(path[-1])
    return found if isinstance(found, int | float) else 0.0


def listed(payload: object, *path: str) -> Sequence[Json]:
    """The objects in the list at `path`; none when there is no list."""
    return [_object(each) for each in _items(payload, *path)]


def words(payload: object, *path: str) -> Sequence[str]:
    """The texts in the list at `path`."""
    return [each for each in _items(payload, *path) if isinstance(each, str)]


def _items(payload: object, *path: str) -> Sequence[object]:
    found = inside(payload, *path[:-1]).get(path[-1])
    return found if isinstance(found, list) else ()  # pyright: ignore[reportUnknownVariableType] - JSON


def _object(value: object) -> Json:
    return value if isinstance(value, Mapping) else NOTHING  # pyright: ignore[reportUnknownVariableType] - JSON
