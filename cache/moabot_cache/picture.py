"""The curve of hits over wrong hits, for a terminal and as SVG."""

from __future__ import annotations

from collections.abc import Sequence

from moabot_cache.tuning import Share, Tuned

__all__ = ["drawn", "plotted"]

WIDE, HIGH = 60, 16
SIZE = 420
EDGE = 40


def plotted(found: Tuned) -> str:
    """Characters: wrong hits to the right, hits upward; "●" with guards, "·" cosine alone."""
    most = max([0.02, *(share.wrong for _, ours, plain in found.curve for share in (ours, plain))])
    grid = [[" "] * (WIDE + 1) for _ in range(HIGH + 1)]
    for mark, shares in (("·", _plain(found)), ("●", _ours(found)), ("◆", [found.default])):
        for share in shares:
            grid[HIGH - round(HIGH * share.hit)][round(WIDE * share.wrong / most)] = mark
    lines = [f"{1 - row / HIGH:>5.0%} │{''.join(cells)}" for row, cells in enumerate(grid)]
    axis = f"      └{'─' * WIDE}\n       0%{'wrong hits':^{WIDE - 6}}{most:.0%}\n"
    key = "       ◆ as configured   ● guarded, by caution   · cosine alone\n"
    return "\nhits\n" + "\n".join(lines) + "\n" + axis + key


def drawn(found: Tuned) -> str:
    """An SVG of both curves."""
    ours, plain = _line(_ours(found), "#1f6feb"), _line(_plain(found), "#9a6700")
    x, y = _at(found.default)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE + 2 * EDGE} {SIZE + 2 * EDGE}"'
        ' font-family="sans-serif" font-size="12">'
        '<rect width="100%" height="100%" fill="white"/>'
        f'<rect x="{EDGE}" y="{EDGE}" width="{SIZE}" height="{SIZE}" fill="none" stroke="#ccc"/>'
        f"{plain}{ours}"
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#cf222e"/>'
        f'<text x="{EDGE}" y="{EDGE - 12}">hits, against wrong hits: guarded (blue), cosine alone'
        " (brown), as configured (red)</text>"
        f'<text x="{EDGE}" y="{SIZE + EDGE + 20}">0 %</text>'
        f'<text x="{SIZE + EDGE - 80}" y="{SIZE + EDGE + 20}">100 % wrong</text></svg>\n'
    )


def _ours(found: Tuned) -> list[Share]:
    return [ours for _, ours, _ in found.curve]


def _plain(found: Tuned) -> list[Share]:
    return [plain for _, _, plain in found.curve]


def _at(share: Share) -> tuple[float, float]:
    return EDGE + SIZE * share.wrong, EDGE + SIZE * (1 - share.hit)


def _line(shares: Sequence[Share], colour: str) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(_at, shares))
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
