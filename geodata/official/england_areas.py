"""Authorities of an imported area, and the links that join its parts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from geodata.adjacency import catchments, islands, neighbours
from geodata.coordinates import to_national_grid
from optimiser.errors import DataError, OutputError, Problem

CHANNEL_M = 700.0
"""Water narrower than this between two pieces of land is taken to be bridged (Portsea, Hayling, Sheppey), wider to need a ferry."""
SLIVER_M = 10.0


@dataclass(frozen=True)
class Boundaries:
    """Authority polygons of the source by tier: code → (name, parent code, GeoJSON geometry). A tier without a file, and
    not derivable from the other, is absent. file: tier → where it was read."""

    tiers: Mapping[str, Mapping[str, tuple[str, str, dict[str, Any]]]]
    file: Mapping[str, str]

    def shapes(self, tier: str, codes: Sequence[str] | None = None) -> list[BaseGeometry]:
        """Polygons of a tier on the national grid (metres), those of `codes` or all."""
        rows = self.tiers[tier]
        return [_metric(rows[code][2]) for code in (rows if codes is None else codes)]

    @property
    def finest(self) -> str:
        """The lower tier where there is one."""
        return "lower" if "lower" in self.tiers else "upper"


def read_boundaries(source: Path) -> Boundaries:
    """la_….geojson (properties lad_code, lad_name, and utla_code if any) and utla_….geojson (utla_code, utla_name).

    Either alone is enough; upper authorities are dissolved from lower ones that name theirs. Raises DataError when both
    are absent or one cannot be understood.
    """
    tiers: dict[str, dict[str, tuple[str, str, dict[str, Any]]]] = {}
    files: dict[str, str] = {}
    for tier, pattern, key in (("lower", "la_*.geojson", "lad"), ("upper", "utla_*.geojson", "utla")):
        found = sorted(source.glob(pattern))
        if found:
            tiers[tier], files[tier] = _read(found[0], key), found[0].name
    if not tiers:
        mend = "Add la_boundaries.geojson or utla_boundaries.geojson."
        raise DataError(Problem("no authority boundary file", source.name, "Practices need their authorities.", mend))
    if "upper" not in tiers and all(parent for _, parent, _ in tiers["lower"].values()):
        tiers["upper"], files["upper"] = _dissolved(tiers["lower"]), files["lower"]
    return Boundaries(tiers, files)


def settle(
    boundaries: Boundaries, tier: str, codes: Sequence[str], xy: NDArray[np.float64]
) -> tuple[list[str], list[int]]:
    """Authority code of each practice: the published one where the boundary file has it, else the area it lies in or nearest.

    Returns (codes, positions that were settled by place).
    """
    known = boundaries.tiers[tier]
    by_place = [i for i, code in enumerate(codes) if code not in known]
    settled = list(codes)
    if by_place:
        names = list(known)
        tree = shapely.STRtree(boundaries.shapes(tier))
        _, areas = tree.query_nearest(shapely.points(xy[by_place]), all_matches=False)
        for i, area in zip(by_place, areas, strict=True):
            settled[i] = names[int(area)]
    return settled, by_place


def features(boundaries: Boundaries, tier: str, codes: Sequence[str]) -> list[dict[str, Any]]:
    """Features of areas.geojson for the given authorities of a tier."""
    rows = boundaries.tiers[tier]
    parents = tier == "lower" and "upper" in boundaries.tiers
    return [
        {
            "type": "Feature",
            "properties": {
                "code": code,
                "name": rows[code][0],
                "tier": tier,
                "parent": rows[code][1] if parents and rows[code][1] in boundaries.tiers["upper"] else "",
            },
            "geometry": rows[code][2],
        }
        for code in sorted(set(codes))
    ]


def derive_links(
    xy: NDArray[np.float64], codes: Sequence[str], boundaries: Boundaries, held: Sequence[str]
) -> list[tuple[str, str, str, str]]:
    """Rows of links.csv (from, to, kind, note) that join every separate part of the area to its nearest other part.

    xy: n × 2 metres. held: the imported authorities of the finest tier. kind: ferry or bridge over water, gap where the land
    between was merely not imported.
    """
    cells = catchments(xy, _joined(boundaries.shapes(boundaries.finest, held)))
    links: list[tuple[int, int]] = []
    rows: list[tuple[str, str, str, str]] = []
    pieces: NDArray[np.object_] | None = None
    while apart := islands(xy, neighbours(cells, links)):
        if pieces is None:
            pieces = shapely.get_parts(_joined(boundaries.shapes(boundaries.finest)))
        for island in apart:
            pair = (min(island.from_, island.to), max(island.from_, island.to))
            if pair in links:
                continue
            links.append(pair)
            kind = _crossing(xy[island.from_], xy[island.to], pieces)
            note = f"derived: joins {len(island.members)} practices across {island.metres / 1000:.1f} km"
            rows.append((codes[island.from_], codes[island.to], kind, note))
    return rows


def _crossing(one: NDArray[np.float64], other: NDArray[np.float64], pieces: NDArray[np.object_]) -> str:
    _, at = shapely.STRtree(pieces).query_nearest(shapely.points([one, other]), all_matches=False)
    if at[0] == at[1]:
        return "gap"
    return "bridge" if shapely.distance(pieces[at[0]], pieces[at[1]]) <= CHANNEL_M else "ferry"


def _joined(shapes: Sequence[BaseGeometry]) -> BaseGeometry:
    """One geometry; hairline slivers between generalised neighbours are no water."""
    land = shapely.union_all(list(shapes))
    return shapely.union(land, land.buffer(SLIVER_M, quad_segs=2).buffer(-SLIVER_M, quad_segs=2))


def _read(path: Path, key: str) -> dict[str, tuple[str, str, dict[str, Any]]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise DataError(Problem(f"is not GeoJSON: {error}", path.name)) from error
    except OSError as error:
        raise OutputError(Problem(f"cannot be read: {error.strerror}", path.name)) from error
    rows: dict[str, tuple[str, str, dict[str, Any]]] = {}
    for number, feature in enumerate(document.get("features", []) if isinstance(document, dict) else [], start=1):
        properties, geometry = feature.get("properties") or {}, feature.get("geometry") or {}
        code = properties.get(f"{key}_code", "")
        if not code:
            raise DataError(Problem(f"property '{key}_code' is missing", f"{path.name}:feature {number}:{key}_code"))
        if geometry.get("type") not in ("Polygon", "MultiPolygon"):
            raise DataError(Problem(f"{code} has no polygon", f"{path.name}:feature {number}:geometry"))
        parent = properties.get("utla_code", "") if key == "lad" else ""
        rows[code] = (properties.get(f"{key}_name", code), parent, geometry)
    if not rows:
        raise DataError(Problem("holds no area", path.name, "A FeatureCollection of polygons is needed."))
    return rows


def _dissolved(lower: Mapping[str, tuple[str, str, dict[str, Any]]]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Upper authorities as unions of their lower ones; one that is its own parent keeps its name, others take their code."""
    members: dict[str, list[str]] = {}
    for code, (_, parent, _) in lower.items():
        members.setdefault(parent, []).append(code)
    upper = {}
    for parent, codes in members.items():
        whole = shapely.union_all([shape(lower[code][2]) for code in codes])
        upper[parent] = (lower[parent][0] if parent in lower else parent, "", dict(mapping(whole)))
    return upper


def _metric(geometry: dict[str, Any]) -> BaseGeometry:
    return shapely.transform(shape(geometry), lambda points: to_national_grid(points[:, 0], points[:, 1]))
