"""Authorities of an imported area, and the links that join its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geodata.adjacency import People, catchments, islands, neighbours
from geodata.official.england_boundaries import Boundaries
from geodata.official.england_practices import England
from optimiser.errors import DataError, Problem

CHANNEL_M = 700.0
"""Water this narrow between two pieces of land is taken to be bridged (Portsea, Sheppey), wider to need a ferry."""
SLIVER_M = 10.0
NEAR_M = 1_000.0
"""How far from every authority a practice may lie, as where coasts are generalised."""


def settle(
    boundaries: Boundaries, tier: str, codes: Sequence[str], xy: NDArray[np.float64]
) -> tuple[list[str], list[int]]:
    """Authority of each practice: the published one if the boundary file has it, else the area it lies in or nearest.

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


def on_land(england: England, boundaries: Boundaries) -> England:
    """The practices within a kilometre of an authority, the others left out with that reason. DataError where most are
    elsewhere: the boundary file covers another part of the country."""
    tree = shapely.STRtree(boundaries.shapes(boundaries.finest))
    points = shapely.points(england.xy)
    near = np.zeros(len(points), dtype=bool)
    near[tree.query(points, predicate="dwithin", distance=NEAR_M)[0]] = True
    if 2 * near.sum() < len(near):
        few = f"{int(near.sum()):,} of {len(near):,} practices lie in the authorities of the boundary file"
        raise DataError(Problem(few, "", "It covers another part of the country.", "Download all of England."))
    away = england.table[~near].assign(row="", reason="in no authority of the boundary file")
    excluded = pd.concat([england.excluded, away], ignore_index=True).fillna("")
    kept = england.table[near].reset_index(drop=True)
    return England(kept, england.xy[near], england.patients[near], england.need[near], excluded)


def held(boundaries: Boundaries, authorities: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Tier → authorities to import, sorted: those with practices, what they enclose, and the parents of all of these.

    authorities: tier → code of each practice.
    """
    found = {tier: _with_enclosed(boundaries, tier, set(codes)) for tier, codes in authorities.items()}
    if len(found) == 2:
        lower, upper = boundaries.tiers["lower"], boundaries.tiers["upper"]
        parents = {lower[code].parent for code in found["lower"]} & set(upper)
        found["upper"] = _with_enclosed(boundaries, "upper", set(found["upper"]) | parents)
    return found


def _with_enclosed(boundaries: Boundaries, tier: str, codes: set[str]) -> list[str]:
    """Authorities and those that lie in a hole of their union, which would otherwise be taken for a missing area."""
    rest = sorted(set(boundaries.tiers[tier]) - codes)
    whole = shapely.union_all(boundaries.shapes(tier, sorted(codes)))
    holes = [shapely.Polygon(ring) for part in shapely.get_parts(whole) for ring in part.interiors]
    points = [shape.representative_point() for shape in boundaries.shapes(tier, rest)]
    _, inside = shapely.STRtree(points).query(holes, predicate="contains") if holes and points else ([], [])
    return sorted(codes | {rest[int(i)] for i in inside})


def features(boundaries: Boundaries, imported: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Features of areas.geojson for the authorities imported of each tier."""
    uppers = imported.get("upper", ())
    return [
        {
            "type": "Feature",
            "properties": {
                "code": code,
                "name": area.name,
                "tier": tier,
                "parent": area.parent if area.parent in uppers else "",
            },
            "geometry": area.geometry,
        }
        for tier, codes in imported.items()
        for code, area in ((code, boundaries.tiers[tier][code]) for code in codes)
    ]


def derive_links(
    xy: NDArray[np.float64],
    codes: Sequence[str],
    boundaries: Boundaries,
    imported: Sequence[str],
    people: People | None = None,
) -> list[tuple[str, str, str, str]]:
    """Rows of links.csv (from, to, kind, note) that join every separate part of the area to its nearest other part.

    xy: n × 2 metres. people: as the catchments have it. imported: authorities of the finest tier. kind: ferry or bridge
    over water, gap where the land between was merely not imported.
    """
    cells = catchments(xy, _joined(boundaries.shapes(boundaries.finest, imported)), people=people)
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
