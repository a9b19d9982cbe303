"""Named depths: how many models propose, and how often their texts are combined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from moabot.config import PanelSettings

__all__ = ["PRESETS", "Depth", "Slot", "each", "fallback_of", "preferring"]


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


def fallback_of(settings: PanelSettings) -> tuple[str, ...]:
    """The chain that is asked alone."""
    return settings.fallback or each(name for p in settings.proposers for name in p.model)


def preferring(settings: PanelSettings, models: Sequence[str]) -> PanelSettings:
    """The same panel, in which these models come first wherever models are chosen."""
    kept = {p.model[0]: p for p in reversed(settings.proposers)}
    newcomer = settings.proposers[0]
    preferred = [
        kept[name] if name in kept else newcomer.model_copy(update={"model": (name,)})
        for name in models
    ]
    rest = [p for p in settings.proposers if p.model[0] not in models]
    fallback = fallback_of(settings)
    return settings.model_copy(
        update={
            "proposers": (*preferred, *rest),
            "synthesizer": each((*models, *(settings.synthesizer or fallback))),
            "fallback": each((*models, *fallback)),
        }
    )


def each(names: Iterable[str]) -> tuple[str, ...]:
    """Every name once, in order."""
    return tuple(dict.fromkeys(names))
