"""Reading what Slack sends: nothing in it is sure to be there, or to be what it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["Json", "flag", "inside", "listed", "text"]

Json = Mapping[str, object]


def inside(payload: object, *path: str) -> Json:
    """The object at `path`; an empty one when there is none."""
    for name in path:
        payload = payload.get(name) if isinstance(payload, Mapping) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - JSON
    return payload if isinstance(payload, Mapping) else {}  # pyright: ignore[reportUnknownVariableType] - JSON


def text(payload: object, *path: str) -> str:
    """The text at `path`; empty when there is none."""
    found = inside(payload, *path[:-1]).get(path[-1])
    return found if isinstance(found, str) else ""


def flag(payload: object, *path: str) -> bool:
    """Whether true stands at `path`."""
    return inside(payload, *path[:-1]).get(path[-1]) is True


def listed(payload: object, *path: str) -> Sequence[Json]:
    """The objects in the list at `path`; none when there is no list."""
    found = inside(payload, *path[:-1]).get(path[-1])
    if not isinstance(found, list):
        return ()
    return [each for each in found if isinstance(each, Mapping)]  # pyright: ignore[reportUnknownVariableType] - JSON
