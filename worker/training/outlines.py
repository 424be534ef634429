"""The outlines of a mask as polygons of few points, to be drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LARGEST = 160
"""Pixels to a side that are traced; a larger mask is thinned to that first."""
TOLERANCE = 0.6
"""Pixels (of the traced mask) by which a simplified outline may leave the traced one."""

Point = tuple[int, int]


def outlines(mask: NDArray[np.uint8]) -> list[list[float]]:
    """Return the outlines of a mask (H, W) of zeros and ones as polygons [x0, y0, x1, y1, …] in pixels.

    Those of holes are among them: filled by the even-odd rule, they are holes again.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return []
    top, left = int(rows[0]), int(columns[0])
    cropped = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    step = -(-max(cropped.shape) // LARGEST)
    rings = _rings(cropped[::step, ::step].astype(bool))
    origin = np.array([left, top])
    return [(_simplified(_halfway(ring)) * step + origin).round(1).ravel().tolist() for ring in rings]


def _rings(mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Return the closed paths (points, 2) along the edges of pixels, the mask on their right."""
    following = _edges(mask)
    rings = []
    while following:
        start = next(iter(following))
        ring, point = [start], _step(following, start)
        while point != start:
            ring.append(point)
            point = _step(following, point)
        rings.append(np.array(ring, np.float64))
    return rings


def _edges(mask: NDArray[np.bool_]) -> dict[Point, list[Point]]:
    """Return where each edge between a pixel of the mask and one outside leads, by where it begins."""
    padded = np.pad(mask, 1)
    inside = padded[1:-1, 1:-1]
    found: list[tuple[list[int], list[int]]] = []
    # The edge above a pixel goes right, the one at its right down, the one below left, the one at its left up.
    for neighbour, begin, end in (
        (padded[:-2, 1:-1], (0, 0), (1, 0)),
        (padded[1:-1, 2:], (1, 0), (1, 1)),
        (padded[2:, 1:-1], (1, 1), (0, 1)),
        (padded[1:-1, :-2], (0, 1), (0, 0)),
    ):
        pixels = np.argwhere(inside & ~neighbour)[:, ::-1]
        found += zip((pixels + begin).tolist(), (pixels + end).tolist(), strict=True)
    following: dict[Point, list[Point]] = {}
    for begin_at, end_at in found:
        following.setdefault((begin_at[0], begin_at[1]), []).append((end_at[0], end_at[1]))
    return following


def _step(following: dict[Point, list[Point]], point: Point) -> Point:
    """Walk one edge on from a point and remove it."""
    ends = following[point]
    end = ends.pop()
    if not ends:
        del following[point]
    return end


def _halfway(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the middle of each edge instead of its end: the stairs of a slanted outline fall into line."""
    return (ring + np.roll(ring, -1, axis=0)) / 2


def _simplified(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return fewer points of a closed path, none of it further off than the tolerance (Douglas & Peucker 1973).

    A path so small that nothing but a line would be left stays as it is.
    """
    far = int(np.argmax(np.hypot(*(ring - ring[0]).T)))
    closed = np.vstack([ring, ring[:1]])
    kept = np.zeros(len(closed), bool)
    kept[[0, far, len(ring)]] = True
    spans = [(0, far), (far, len(ring))]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        chord = closed[last] - closed[first]
        offsets = closed[first + 1 : last] - closed[first]
        apart = np.abs(offsets[:, 0] * chord[1] - offsets[:, 1] * chord[0]) / np.hypot(*chord)
        worst = int(np.argmax(apart))
        if apart[worst] > TOLERANCE:
            middle = first + 1 + worst
            kept[middle] = True
            spans += [(first, middle), (middle, last)]
    return closed[:-1][kept[:-1]] if kept[:-1].sum() > 2 else ring
