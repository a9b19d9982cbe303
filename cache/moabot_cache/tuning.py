"""How often the cache would hit, and how often be wrong, on pairs of questions with known labels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moabot.contract import Question
from moabot.errors import ConfigError
from moabot_cache.admission import alone
from moabot_cache.embedder import Encoder, Vectors
from moabot_cache.exact import normal
from moabot_cache.nearness import Ruling, ruled
from moabot_cache.reading import Reading
from moabot_cache.said import essence

__all__ = ["Pair", "Share", "Tuned", "Verdict", "read_pairs", "tuned", "verdicts"]

STEPS = tuple(round(-0.2 + 0.02 * step, 2) for step in range(15))
"""Values of `caution` along the curve; cosine alone is asked for 0.92 plus as much."""
PLAIN = 0.92
BATCH = 32


class Pair(BaseModel):
    """Two questions; `label` 1 says that the same answer serves both."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    a: str
    b: str
    label: int = Field(ge=0, le=1)
    cat: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of looking `pair.b` up in a cache that holds only `pair.a`.

    `ruling` is None when one of them does not stand alone; an `exact` repeat skips all rules.
    """

    pair: Pair
    cosine: float
    ruling: Ruling | None
    exact: bool

    def served(self, *, nearest: float, caution: float) -> bool:
        """Whether the answer was given with these settings."""
        if self.exact or self.ruling is None:
            return self.exact
        return not self.ruling.refusal(self.cosine, nearest=nearest, caution=caution)


@dataclass(frozen=True, slots=True)
class Share:
    """Shares, 0 to 1: of pairs that one answer serves, the `hit`; of the others, the `wrong`."""

    hit: float
    wrong: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Tuned:
    """The shares as configured, by category, and along `caution`: guarded, then cosine alone."""

    default: Share
    categories: dict[str, Share]
    curve: tuple[tuple[float, Share, Share], ...]

    def record(self) -> dict[str, object]:
        """As JSON."""
        return {
            "default": _record(self.default),
            "categories": {name: _record(share) for name, share in self.categories.items()},
            "curve": [
                {"caution": step, **_record(ours), "plain": _record(plain)}
                for step, ours, plain in self.curve
            ],
        }


def read_pairs(path: Path) -> Sequence[Pair]:
    """Read JSON lines; raises `ConfigError` that names the line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.", fix="Correct --pairs.") from error
    pairs: list[Pair] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            pairs.append(Pair.model_validate(json.loads(line)))
        except (ValidationError, json.JSONDecodeError) as error:
            raise ConfigError(
                f"{path}, line {number}: {str(error).splitlines()[0]}.",
                fix='Each line is {"a": "…", "b": "…", "label": 0 or 1, "cat": "…"}.',
            ) from error
    if not pairs:
        raise ConfigError(f"{path} has no pairs.", fix="Write one JSON object a line.")
    return pairs


def verdicts(pairs: Sequence[Pair], encoder: Encoder) -> Sequence[Verdict]:
    """Look each pair up; encodes every question once."""
    texts = sorted({essence(text) for pair in pairs for text in (pair.a, pair.b)}, key=len)
    vectors: dict[str, Vectors] = {}
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        vectors.update(zip(batch, encoder.encode(batch), strict=True))
    return [
        _verdict(pair, float(vectors[essence(pair.a)] @ vectors[essence(pair.b)])) for pair in pairs
    ]


def _verdict(pair: Pair, cosine: float) -> Verdict:
    asked, kept = Reading(pair.b), Reading(pair.a)
    standing = alone(Question(pair.b), asked) and alone(Question(pair.a), kept)
    ruling = ruled(asked, kept) if standing else None
    return Verdict(pair, cosine, ruling, normal(pair.a) == normal(pair.b))


def tuned(found: Sequence[Verdict], *, nearest: float, caution: float) -> Tuned:
    """Sum up, as configured and along `caution`."""

    def share(of: Sequence[Verdict], caution: float) -> Share:
        return _share(of, [v.served(nearest=nearest, caution=caution) for v in of])

    categories = {
        cat: [v for v in found if v.pair.cat == cat] for cat in sorted({v.pair.cat for v in found})
    }
    return Tuned(
        default=share(found, caution),
        categories={cat: share(of, caution) for cat, of in categories.items()},
        curve=tuple(
            (step, share(found, step), _share(found, [v.cosine >= PLAIN + step for v in found]))
            for step in STEPS
        ),
    )


def _share(found: Sequence[Verdict], served: Iterable[bool]) -> Share:
    counts = {0: [0, 0], 1: [0, 0]}
    for verdict, was in zip(found, served, strict=True):
        counts[verdict.pair.label][0] += was
        counts[verdict.pair.label][1] += 1
    (wrong, traps), (hit, same) = counts[0], counts[1]
    return Share(hit / same if same else 0.0, wrong / traps if traps else 0.0, len(found))


def _record(share: Share) -> dict[str, float]:
    return {"hit": round(share.hit, 4), "wrong": round(share.wrong, 4)}
