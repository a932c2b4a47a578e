"""Coast and council borders: a labelled grid is traced into arcs, and each arc, smoothed once, serves both sides.

So polygons share every vertex of a common border, and neither overlap nor gap can arise at any tier.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geodata.demo.gazetteer import COUNCILS, ISLAND_COUNCIL, SIZE_KM

CELL_KM = 0.5
SEA = -1
Labels = NDArray[np.int64]
Point = tuple[float, float]
Vertex = tuple[int, int]

# In km: east coast and west border as (northing, easting), the others as (easting, northing); the estuary upstream as
# (easting, northing, half width); the island as centre and half axes.
_COAST = ((0, 72), (10, 77), (17, 77), (22, 74), (27, 79), (33, 90), (39, 95), (44, 93), (50, 89), (55, 91), (62, 94),
          (67, 88), (72, 90), (78, 95), (84, 87), (90, 84), (97, 89), (104, 80), (120, 68))  # fmt: skip
_WEST = ((0, 20), (25, 9), (60, 4), (85, 9), (120, 26))
_SOUTH = ((0, 15), (25, 7), (50, 11), (70, 6), (120, 14))
_NORTH = ((0, 96), (30, 110), (52, 103), (75, 110), (120, 92))
_ESTUARY = ((97, 48.5, 3.2), (86, 48.5, 2.0), (76, 48, 1.3), (66, 49, 0.9), (59, 47, 0.6))
_ISLAND = (106.0, 36.0, 9.5, 5.5)


@dataclass(frozen=True)
class Land:
    """labels: position in COUNCILS of each cell (rows run north), SEA outside. arcs: smoothed lines in km, cut at the
    corners where three areas meet, with the labels on their left and right."""

    labels: Labels
    arcs: tuple[tuple[tuple[Point, ...], tuple[int, int]], ...]

    def council_at(self, x: float, y: float) -> int:
        """Label of the cell at a point (km)."""
        limit = self.labels.shape[0] - 1
        row, column = (min(max(int(v / CELL_KM), 0), limit) for v in (y, x))
        return int(self.labels[row, column])

    def rings(self, group: Callable[[int], object], wanted: object) -> list[list[Point]]:
        """Closed rings (first point = last) around all cells whose group is `wanted`, outer rings anticlockwise and
        holes clockwise."""
        around = []
        for line, (left, right) in self.arcs:
            if (group(left) == wanted) != (group(right) == wanted):
                around.append(line if group(left) == wanted else line[::-1])
        return _close(around)


def make_land(rng: np.random.Generator) -> Land:
    """The region's land, divided among COUNCILS."""
    n = int(SIZE_KM / CELL_KM)
    centre = (np.arange(n) + 0.5) * CELL_KM
    x, y = np.meshgrid(centre, centre)
    shore_x, shore_y = x + _waves(rng, x, y, 0.07), y + _waves(rng, x, y, 0.07)
    border_x, border_y = x + _waves(rng, x, y, 0.05), y + _waves(rng, x, y, 0.05)
    labels = _nearest_council(border_x, border_y)
    island = _on_island(shore_x, shore_y)
    labels[~(_on_mainland(shore_x, shore_y) | island)] = SEA
    labels[island] = [c.code for c in COUNCILS].index(ISLAND_COUNCIL)
    labels[[0, -1], :] = SEA
    labels[:, [0, -1]] = SEA
    labels = _tidy(labels)
    return Land(labels, tuple((_smooth(line), sides) for line, sides in _trace(labels)))


def _waves(
    rng: np.random.Generator, x: NDArray[np.float64], y: NDArray[np.float64], height: float
) -> NDArray[np.float64]:
    """A smooth random displacement, km, rough at every length from 3 to 40 km; height: of a wave 1 km long."""
    total = np.zeros_like(x)
    for length in (40.0, 24.0, 15.0, 9.0, 6.0, 4.0, 3.0):
        for _ in range(3):
            angle, phase = rng.uniform(0, 2 * np.pi, 2)
            along = x * np.cos(angle) + y * np.sin(angle)
            total += height * length**0.85 * np.sin(2 * np.pi * along / length + phase)
    return total


def _on_mainland(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    east, north, half = (np.array(v, dtype=float)[::-1] for v in zip(*_ESTUARY, strict=True))
    water = (x > east[0]) & (np.abs(y - np.interp(x, east, north)) < np.interp(x, east, half))
    west, south, north_edge = (_line(y, _WEST), _line(x, _SOUTH), _line(x, _NORTH))
    return (x > west) & (y > south) & (y < north_edge) & (x < _line(y, _COAST)) & ~water


def _line(at: NDArray[np.float64], points: Sequence[Point]) -> NDArray[np.float64]:
    known, values = zip(*points, strict=True)
    return np.interp(at, known, values)


def _on_island(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    cx, cy, a, b = _ISLAND
    u, v = (x - cx) * 0.94 + (y - cy) * 0.34, (y - cy) * 0.94 - (x - cx) * 0.34
    return (u / a) ** 2 + (v / b) ** 2 < 1


def _nearest_council(x: NDArray[np.float64], y: NDArray[np.float64]) -> Labels:
    reach = [
        np.minimum.reduce([np.full_like(x, np.inf), *(np.hypot(x - ax, y - ay) - r for ax, ay, r in c.anchors)])
        for c in COUNCILS
    ]
    return np.argmin(np.stack(reach), axis=0)


def _tidy(labels: Labels) -> Labels:
    """One piece for each label, no lakes, no slivers, and no two cells of a label that touch only at a corner."""
    for _ in range(3):
        labels = ndimage.generic_filter(labels, _majority, size=3, mode="nearest")
    while True:
        before = labels.copy()
        for label in np.unique(labels):
            pieces, count = ndimage.label(labels == label)
            if count > 1:
                sizes = np.bincount(pieces.ravel())[1:]
                stray = (pieces > 0) & (pieces != 1 + int(np.argmax(sizes)))
                labels = _absorb(labels, stray)
        labels = _join_corners(labels)
        if np.array_equal(labels, before):
            return labels


def _majority(window: NDArray[np.float64]) -> float:
    values, counts = np.unique(window, return_counts=True)
    own = window[len(window) // 2]
    best = values[np.argmax(counts)]
    return float(best if counts.max() >= 5 else own)


def _absorb(labels: Labels, stray: NDArray[np.bool_]) -> Labels:
    """Give stray cells the label of the nearest cell that is not stray."""
    rows, columns = ndimage.distance_transform_edt(stray, return_distances=False, return_indices=True)
    return labels[rows, columns]


def _join_corners(labels: Labels) -> Labels:
    """Fill one cell beside each pair of equal cells that meet only at a corner."""
    out = labels.copy()
    for r in range(out.shape[0] - 1):
        for c in range(out.shape[1] - 1):
            a, b, d, e = out[r, c], out[r, c + 1], out[r + 1, c], out[r + 1, c + 1]
            if a == e and a not in (b, d):
                out[r, c + 1] = a
            elif b == d and b not in (a, e):
                out[r, c] = b
    return out


def _trace(labels: Labels) -> list[tuple[list[Vertex], tuple[int, int]]]:
    """Lines between cells of different labels, cut where three areas meet, with (left, right) labels."""
    steps: dict[Vertex, list[tuple[Vertex, tuple[int, int]]]] = defaultdict(list)

    def add(start: Vertex, end: Vertex, left: int, right: int) -> None:
        steps[start].append((end, (left, right)))
        steps[end].append((start, (right, left)))

    for r, c in zip(*np.nonzero(labels[:, 1:] != labels[:, :-1]), strict=True):
        add((int(c) + 1, int(r)), (int(c) + 1, int(r) + 1), int(labels[r, c]), int(labels[r, c + 1]))
    for r, c in zip(*np.nonzero(labels[1:, :] != labels[:-1, :]), strict=True):
        add((int(c), int(r) + 1), (int(c) + 1, int(r) + 1), int(labels[r + 1, c]), int(labels[r, c]))

    walked: set[tuple[Vertex, Vertex]] = set()
    corners = sorted(v for v, ends in steps.items() if len(ends) != 2)
    lines = []
    for start in [*corners, *sorted(steps)]:
        for end, sides in sorted(steps[start]):
            if (start, end) in walked:
                continue
            line = [start, end]
            walked |= {(start, end), (end, start)}
            while len(steps[line[-1]]) == 2 and line[-1] != start:
                following = next(v for v, _ in steps[line[-1]] if v != line[-2])
                walked |= {(line[-1], following), (following, line[-1])}
                line.append(following)
            lines.append((line, sides))
    return lines


def _smooth(line: Sequence[Vertex]) -> tuple[Point, ...]:
    """A staircase drawn as a curve, in km: a running mean, twice, then every second point; ends stay where they are."""
    points = np.array(line, dtype=float) * CELL_KM
    closed = line[0] == line[-1]
    for _ in range(2):
        if closed:
            ring = points[:-1]
            points = np.mean([np.roll(ring, k, axis=0) for k in (-2, -1, 0, 1, 2)], axis=0)
            points = np.vstack([points, points[:1]])
        elif len(points) > 4:
            padded = np.vstack([points[[0]], points[[0]], points, points[[-1]], points[[-1]]])
            mean = np.mean([padded[k : k + len(points)] for k in range(5)], axis=0)
            points = np.vstack([points[:1], mean[1:-1], points[-1:]])
    kept = points[:: 2 if len(points) > 8 else 1]
    if not np.array_equal(kept[-1], points[-1]):
        kept = np.vstack([kept, points[-1:]])
    return tuple((float(px), float(py)) for px, py in kept)


def _close(lines: list[tuple[Point, ...]]) -> list[list[Point]]:
    """Chain directed lines, each starting where another ends, into rings."""
    by_start = {line[0]: line for line in lines}
    rings = []
    for first in [line[0] for line in lines]:
        ring: list[Point] = []
        at = first
        while at in by_start:
            line = by_start.pop(at)
            ring += line[:-1]
            at = line[-1]
        if ring:
            rings.append([*ring, ring[0]])
    return rings
