"""Named depths: how many models propose, and how often their texts are combined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PRESETS", "Depth", "Slot"]


@dataclass(frozen=True, slots=True)
class Depth:
    """How many proposers, and how many layers before the synthesizer; 0 layers is one model."""

    proposers: int
    layers: int


PRESETS: Mapping[str, Depth] = {
    "fast": Depth(1, 0),
    "balanced": Depth(2, 1),
    "thorough": Depth(3, 1),
    "deep": Depth(3, 2),
    "max": Depth(4, 3),
}


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in a layer: "layer.place", the role played there, and the chain of models."""

    place: str
    role: str
    chain: tuple[str, ...]
