"""Authority boundaries of the English open-data bundle, read and made fit for a dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from geodata.coordinates import to_national_grid
from optimiser.errors import DataError, OutputError, Problem

GRID_DEGREES = 1e-6
"""About 10 cm, finer than the source: unions on this grid stay valid when they are brought to metres."""


@dataclass(frozen=True)
class Area:
    """An authority. parent: code of the upper authority that holds it, "" where unknown. geometry: as in the source."""

    name: str
    parent: str
    geometry: dict[str, Any]


@dataclass(frozen=True)
class Boundaries:
    """Authority polygons of the source by tier, code → area. A tier that has no file and cannot be made is absent.

    filled: holes between authorities that were given to one of them.
    """

    tiers: Mapping[str, Mapping[str, Area]]
    filled: int

    def shapes(self, tier: str, codes: Sequence[str] | None = None) -> list[BaseGeometry]:
        """Polygons of a tier on the national grid (metres), those of `codes` or all."""
        rows = self.tiers[tier]
        return [_metric(rows[code].geometry) for code in (rows if codes is None else codes)]

    @property
    def finest(self) -> str:
        """The lower tier where there is one."""
        return "lower" if "lower" in self.tiers else "upper"


def read_boundaries(source: Path) -> Boundaries:
    """la_….geojson (properties lad_code, lad_name, and utla_code if any) and utla_….geojson (utla_code, utla_name).

    Either alone is enough; upper authorities are dissolved from lower ones that name theirs. Raises DataError when both
    are absent or one cannot be understood.
    """
    areas = {}
    for tier, pattern, key in (("lower", "la_*.geojson", "lad"), ("upper", "utla_*.geojson", "utla")):
        found = sorted(source.glob(pattern))
        if found:
            areas[tier] = _read(found[0], key)
    if not areas:
        mend = "Add la_boundaries.geojson or utla_boundaries.geojson."
        raise DataError(Problem("no authority boundary file", source.name, "Practices need their authorities.", mend))
    return boundaries_of(areas)


def boundaries_of(areas: Mapping[str, dict[str, Area]]) -> Boundaries:
    """Authorities by tier, without holes between them; upper ones dissolved from lower ones that all name theirs, where
    there are none."""
    tiers: dict[str, dict[str, Area]] = {}
    filled = 0
    for tier, found in areas.items():
        tiers[tier], count = _filled(found)
        filled = max(filled, count)
    if "upper" not in tiers and all(area.parent for area in tiers["lower"].values()):
        tiers["upper"] = _dissolved(tiers["lower"])
    return Boundaries(tiers, filled)


def _read(path: Path, key: str) -> dict[str, Area]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise DataError(Problem(f"is not GeoJSON: {error}", path.name)) from error
    except OSError as error:
        raise OutputError(Problem(f"cannot be read: {error.strerror}", path.name)) from error
    rows: dict[str, Area] = {}
    for number, feature in enumerate(document.get("features", []) if isinstance(document, dict) else [], start=1):
        properties, geometry = feature.get("properties") or {}, feature.get("geometry") or {}
        code = properties.get(f"{key}_code", "")
        if not code:
            raise DataError(Problem(f"property '{key}_code' is missing", f"{path.name}:feature {number}:{key}_code"))
        if geometry.get("type") not in ("Polygon", "MultiPolygon"):
            raise DataError(Problem(f"{code} has no polygon", f"{path.name}:feature {number}:geometry"))
        parent = properties.get("utla_code", "") if key == "lad" else ""
        rows[code] = Area(properties.get(f"{key}_name", code), parent, geometry)
    if not rows:
        raise DataError(Problem("holds no area", path.name, "A FeatureCollection of polygons is needed."))
    return rows


def _filled(areas: dict[str, Area]) -> tuple[dict[str, Area], int]:
    """Holes that no authority covers, left by generalising, given to the neighbour with the longest border on each;
    and how many there were."""
    shapes = {code: shape(area.geometry) for code, area in areas.items()}
    codes = list(shapes)
    tree = shapely.STRtree(list(shapes.values()))
    whole = shapely.union_all(list(shapes.values()))
    rings = [shapely.Polygon(ring) for part in shapely.get_parts(whole) for ring in part.interiors]
    gained: dict[str, list[BaseGeometry]] = {}
    # A hole may hold islands of authorities: what they cover is no hole.
    for hole in shapely.get_parts(shapely.difference(shapely.union_all(rings), whole)) if rings else ():
        around = [codes[int(i)] for i in tree.query(hole, predicate="intersects")]
        border = {code: shapely.intersection(shapes[code].boundary, hole.boundary).length for code in around}
        gained.setdefault(max(border, key=lambda code: border[code]), []).append(hole)
    mended = dict(areas)
    for code, holes in gained.items():
        whole = shapely.union_all([shapes[code], *holes], grid_size=GRID_DEGREES)
        mended[code] = replace(areas[code], geometry=dict(mapping(whole)))
    return mended, sum(len(holes) for holes in gained.values())


def _dissolved(lower: Mapping[str, Area]) -> dict[str, Area]:
    """Upper authorities as unions of lower ones; one that is its own parent keeps its name, others take their code."""
    members: dict[str, list[str]] = {}
    for code, area in lower.items():
        members.setdefault(area.parent, []).append(code)
    upper = {}
    for parent, codes in members.items():
        whole = shapely.union_all([shape(lower[code].geometry) for code in codes], grid_size=GRID_DEGREES)
        upper[parent] = Area(lower[parent].name if parent in lower else parent, "", dict(mapping(whole)))
    return upper


def _metric(geometry: dict[str, Any]) -> BaseGeometry:
    return shapely.transform(shape(geometry), lambda points: to_national_grid(points[:, 0], points[:, 1]))
