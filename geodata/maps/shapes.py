"""The ground a body covers: its practices' catchments joined, each border the same on both its sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.maps.colour import colour_indices, line, neighbouring_bodies, palette

if TYPE_CHECKING:
    from geodata.ground import Ground
    from optimiser.plan import Plan

METRIC = "EPSG:27700"
GRID = 0.1  # metres: catchments are snapped to it, so that borders agree to the last digit before they are joined
TOLERANCE = 60.0  # metres: what a region-wide map cannot show anyway


def dissolve(catchments: gpd.GeoDataFrame, membership: NDArray[np.integer], patients: NDArray, bodies: int) -> list:
    """One (multi)polygon a body, EPSG:27700, empty where a body has no ground of its own.

    catchments: one row a practice in dataset order. Practices in one building share a cell; it is drawn for the body
    with most patients in it, since a place can have one colour only.
    """
    cells = shapely.set_precision(catchments.geometry.to_numpy(), GRID)
    weight: dict[bytes, dict[int, int]] = {}
    shape_of: dict[bytes, shapely.Geometry] = {}
    for shape, body, people in zip(cells, membership, patients, strict=True):
        key = shapely.to_wkb(shapely.normalize(shape))
        shape_of[key] = shape
        held = weight.setdefault(key, {})
        held[int(body)] = held.get(int(body), 0) + int(people)
    parts: list[list] = [[] for _ in range(bodies)]
    for key, held in weight.items():
        owner = max(held, key=lambda body: (held[body], -body))
        parts[owner].append(shape_of[key])
    return [shapely.union_all(np.array(found, dtype=object), grid_size=GRID) for found in parts]


def simplified(shapes: list, tolerance: float = TOLERANCE) -> list:
    """The same polygons with fewer corners, simplified together as one coverage, so that no gap or overlap opens.

    tolerance: metres; 0 leaves them alone.
    """
    if tolerance <= 0:
        return shapes
    solid = [n for n, shape in enumerate(shapes) if not shape.is_empty]
    thin = shapely.coverage_simplify(np.array([shapes[n] for n in solid], dtype=object), tolerance)
    found = list(shapes)
    for n, shape in zip(solid, thin, strict=True):
        found[n] = shape
    return found


def bodies_layer(plan: Plan, ground: Ground, scale: str, tolerance: float = TOLERANCE) -> gpd.GeoDataFrame:
    """code, name, colour (index), fill and line ("#rrggbb"), geometry (EPSG:27700): one row a body, in plan order."""
    bodies = plan.structure.bodies[scale]
    membership = plan.structure.membership[scale]
    shapes = dissolve(ground.catchments, membership, plan.dataset.patients, len(bodies))
    pairs = neighbouring_bodies(plan.dataset.adjacency, membership)
    numbers = colour_indices(len(bodies), pairs)
    fills = palette(max(numbers, default=0) + 1)
    return gpd.GeoDataFrame(
        {
            "code": [b.code for b in bodies],
            "name": [b.name for b in bodies],
            "colour": numbers,
            "fill": [fills[n] for n in numbers],
            "line": [line(n) for n in numbers],
        },
        geometry=simplified(shapes, tolerance),
        crs=METRIC,
    )
