"""Polygons brought to degrees (WGS84), from what a document says of its coordinates and from the numbers themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyproj
import pyproj.network
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geodata.coordinates import EASTINGS, LATITUDES, LONGITUDES, NORTHINGS
from optimiser.errors import DataError, Problem

DEGREES = "OGC:CRS84"
GRID = "EPSG:27700"


def in_degrees(shapes: Sequence[BaseGeometry], crs: Any, name: str) -> tuple[list[BaseGeometry], str]:
    """Shapes in degrees, longitude first, and what was done to them, "" if nothing. crs: the member of a GeoJSON
    document, None without one. DataError where the shapes are not in Great Britain in any way that is understood."""
    points = shapely.get_coordinates(list(shapes))
    declared = _declared(crs, name)
    for source, how in _readings(points, declared):
        moved = _moved(points, source)
        if _inside(moved, LONGITUDES, LATITUDES):
            return list(shapely.set_coordinates(np.array(shapes, dtype=object), moved)), how
    low, high = points.min(axis=0), points.max(axis=0)
    raise DataError(
        Problem(
            f"is not in Great Britain: {low[0]:g} to {high[0]:g}, {low[1]:g} to {high[1]:g}",
            name,
            f"Coordinates are degrees (WGS84), longitude first, or metres of the British National Grid ({GRID}).",
        )
    )


def _readings(points: NDArray[np.float64], declared: pyproj.CRS | None) -> list[tuple[pyproj.CRS | None, str]]:
    """In which ways coordinates may be read, the likeliest first: as declared, else as their size tells. None: as they
    are."""
    if declared is not None and not declared.equals(pyproj.CRS(DEGREES)) and declared.to_epsg() != 4326:
        grid = declared.to_epsg() == 27700
        what = "the British National Grid" if grid else declared.name
        return [(declared, f"coordinates of {what} were brought to degrees")]
    if _inside(points, LONGITUDES, LATITUDES):
        return [(None, "")]
    if _inside(points, EASTINGS, NORTHINGS):
        return [(pyproj.CRS(GRID), "coordinates are metres of the British National Grid and were brought to degrees")]
    return []


def _declared(crs: Any, name: str) -> pyproj.CRS | None:
    properties = crs.get("properties") if isinstance(crs, dict) else None
    text = properties.get("name") if isinstance(properties, dict) else None
    if not text:
        return None
    try:
        return pyproj.CRS.from_user_input(str(text))
    except pyproj.exceptions.CRSError as fault:
        raise DataError(
            Problem(f"{text!r} is no coordinate system that is known", f"{name}:crs", f"Use degrees or {GRID}.")
        ) from fault


def _moved(points: NDArray[np.float64], source: pyproj.CRS | None) -> NDArray[np.float64]:
    if source is None:
        return points
    # With the network on and none there, PROJ waits for a grid file and answers inf; without it the error is 2–4 m.
    pyproj.network.set_network_enabled(active=False)  # type: ignore[attr-defined]
    to_degrees = pyproj.Transformer.from_crs(source, DEGREES, always_xy=True)
    return np.column_stack(to_degrees.transform(points[:, 0], points[:, 1]))


def _inside(points: NDArray[np.float64], first: tuple[float, float], second: tuple[float, float]) -> bool:
    if not np.isfinite(points).all():
        return False
    x, y = points[:, 0], points[:, 1]
    return bool(((x >= first[0]) & (x <= first[1]) & (y >= second[0]) & (y <= second[1])).all())
