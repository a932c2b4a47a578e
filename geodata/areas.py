"""areas.geojson: local authorities as polygons, checked, on the national grid; and which of them a point lies in.

The file is parsed as JSON and never handed to GDAL, which would follow a VRT or a URL hidden in it to other files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geodata.coordinates import degrees_in_britain, metres_in_britain, to_national_grid
from geodata.findings import Findings, nearest, some
from geodata.schema import AREAS, TIERS
from geodata.text_file import read_text
from geodata.values import Wrong, value_of

GRID = "EPSG:27700"
MOST_BYTES = 200_000_000
# Overlaps smaller than this come from rounding and simplifying borders; a larger one could hold a practice.
OVERLAP_M2 = 100_000.0
# Holes on a border may be water: the largest on those of the English authorities of 2025 (clipped to the coast) has
# 3.8 km².
HOLE_M2 = 5_000_000.0
# Generalised coastlines cut off quays and spits: a practice this near to an area is taken to be in it.
SNAP_M = 1_000.0
# Channels narrower than twice this between areas are slivers between two versions of one border, not water.
SLIVER_M = 10.0


def read_areas(path: Path, findings: Findings, repair: bool = False) -> gpd.GeoDataFrame | None:
    """Authorities as a frame (EPSG:27700) with code, name, tier, parent, geometry; None where none can be read.

    repair: mend invalid rings (make_valid) with a warning; otherwise they are problems. Missing geometries are always
    problems.
    """
    text = read_text(path, findings, MOST_BYTES)
    document = None if text is None else _document(path.name, text, findings)
    if document is None:
        return None
    rows: list[dict[str, Any]] = []
    for position, feature in enumerate(document):
        row = _feature(path.name, position, feature, repair, findings)
        if row is not None:
            rows.append(row)
    if not rows:
        findings.problem("holds no usable area", path.name, "", "add a feature for each local authority")
        return None
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=GRID)
    _check_unique(path.name, frame, findings)
    for tier in TIERS:
        _check_coverage(path.name, frame[frame["tier"] == tier], findings)
    uppers = set(frame.loc[frame["tier"] == "upper", "code"])
    for code, parent, where in zip(frame["code"], frame["parent"], frame["where"], strict=True):
        if parent and uppers and parent not in uppers:
            findings.problem(f"parent {parent!r} of {code!r} is not an upper authority", f"{where}:parent")
    return frame[["code", "name", "tier", "parent", "geometry"]]


def _document(file: str, text: str, findings: Findings) -> list[Any] | None:
    """The features of a GeoJSON text."""
    mend = "export it as GeoJSON in longitude and latitude"
    if text.lstrip()[:1] == "<":
        findings.problem("is XML, such as a GDAL virtual file, not GeoJSON", f"{file}:1", "", mend)
        return None
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        cut = "the file seems to be cut short: fetch it again" if error.pos >= len(text.rstrip()) - 1 else mend
        findings.problem(f"is not JSON: {error.msg}", f"{file}:{error.lineno}:{error.colno}", "", cut)
        return None
    except RecursionError:
        findings.problem("is nested too deeply", file, "", mend)
        return None
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        findings.problem("is not a FeatureCollection", file, "areas are features of one collection", mend)
        return None
    crs = document.get("crs")
    name = str(crs.get("properties", {}).get("name", "")) if isinstance(crs, dict) else ""
    if name and not name.upper().endswith(("CRS84", ":4326")):
        findings.problem(f"is in {name}", f"{file}:crs", "areas are in longitude and latitude (CRS84)", mend)
        return None
    return features


def _feature(file: str, position: int, feature: Any, repair: bool, findings: Findings) -> dict[str, Any] | None:
    """A row of the frame, or None with the feature's problems noted."""
    feature = feature if isinstance(feature, dict) else {}
    properties = feature.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    name = feature.get("id") or properties.get("code") or ""
    where = f"{file}:feature {position + 1}{f' ({name})' if name != '' else ''}"
    row: dict[str, Any] = {"where": where}
    for column in AREAS.columns:
        cell = properties.get(column.name)
        try:
            if cell is not None and not isinstance(cell, str):
                raise Wrong(
                    f"{cell!r} is not text", "write it between quotation marks, as codes keep their leading zeros"
                )
            row[column.name] = value_of(column, cell or "") or ""
        except Wrong as wrong:
            near = nearest(column.name, set(properties) - {other.name for other in AREAS.columns})
            findings.problem(wrong.what, f"{where}:{column.name}", f"it must be {column.rule}", wrong.mend or near)
            row[column.name] = ""
    geometry = _geometry(feature.get("geometry"), where, repair, findings)
    if geometry is None or not row["code"] or not row["tier"]:
        return None
    return {**row, "geometry": geometry}


def _geometry(geometry: Any, where: str, repair: bool, findings: Findings) -> BaseGeometry | None:
    """The polygon on the national grid, or None with its problem noted."""
    place, rule = f"{where}:geometry", "areas are closed, valid polygons in longitude and latitude"
    if not isinstance(geometry, dict):
        findings.problem("has no geometry", place, rule, "draw the area or remove the feature")
        return None
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon"):
        findings.problem(f"{kind!r} is no area", place, rule)
        return None
    try:
        parts: list[Any] = [coordinates] if kind == "Polygon" else list(coordinates or ())
        polygons = [[_ring(ring) for ring in rings] for rings in parts]
    except (TypeError, ValueError):
        polygons = []
    if not polygons or any(not rings for rings in polygons):
        findings.problem("coordinates cannot be read", place, rule)
        return None
    rings = [ring for polygon in polygons for ring in polygon]
    if any(len(ring) < 4 or (ring[0] != ring[-1]).any() for ring in rings):
        findings.problem("a ring is not closed, or has fewer than four points", place, rule, "close it or remove it")
        return None
    points = np.concatenate(rings)
    if not degrees_in_britain(points[:, 0], points[:, 1]).all():
        findings.problem(*_why_outside(points, place))
        return None
    grids = [[to_national_grid(ring[:, 0], ring[:, 1]) for ring in polygon] for polygon in polygons]
    shape = MultiPolygon([Polygon(polygon[0], polygon[1:]) for polygon in grids])
    if not shape.is_valid:
        reason = shapely.is_valid_reason(shape)
        if not repair:
            findings.problem(f"invalid: {reason}", place, rule, "repair it, or ask for repair when reading")
            return None
        shape = shapely.make_valid(shape, method="structure")
        findings.warn(f"repaired: {reason}", place)
    return shape


def _ring(ring: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    points = np.array([point[:2] for point in ring], dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ValueError("a point is a pair of finite numbers")
    return points


def _why_outside(points: NDArray[np.float64], where: str) -> tuple[str, str, str, str]:
    x, y = points[:, 0], points[:, 1]
    rule = "areas are in longitude and latitude (CRS84), within Great Britain"
    if degrees_in_britain(y, x).all():
        return (
            "latitude and longitude seem swapped: all its points would fall in Great Britain if swapped",
            where,
            rule,
            "swap them",
        )
    if (np.abs(y) > 90).any() and metres_in_britain(x, y).all():
        return f"metres given as degrees, such as {x[0]:g}", where, rule, "export it in longitude and latitude"
    outside = points[~degrees_in_britain(x, y)]
    return (
        f"{len(outside)} of its points lie outside Great Britain, such as {outside[0][0]:g}, {outside[0][1]:g}",
        where,
        rule,
        "",
    )


def _check_unique(file: str, frame: gpd.GeoDataFrame, findings: Findings) -> None:
    seen: dict[tuple[str, str], str] = {}
    for tier, code, where in zip(frame["tier"], frame["code"], frame["where"], strict=True):
        first = seen.setdefault((tier, code), where)
        if first != where:
            findings.problem(
                f"{code!r} is also {first.removeprefix(f'{file}:')}", f"{where}:code", "tier + code is unique"
            )


def _check_coverage(file: str, tier: gpd.GeoDataFrame, findings: Findings) -> None:
    """Areas of one tier neither overlap nor leave holes between them."""
    shapes, codes = tier.geometry.to_numpy(), tier["code"].to_numpy()
    pairs = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    left, right = pairs[:, pairs[0] < pairs[1]]
    overlaps = shapely.area(shapely.intersection(shapes[left], shapes[right]))
    for pair in np.flatnonzero(overlaps > OVERLAP_M2):
        findings.problem(
            f"{codes[left[pair]]} and {codes[right[pair]]} overlap by {overlaps[pair] / 1e6:.2f} km²",
            f"{file}:{codes[left[pair]]}:geometry",
            f"areas overlap by at most {OVERLAP_M2 / 1e6:g} km²",
            "simplify borders together, not area by area",
        )
    for hole in _holes(shapely.union_all(shapes)):
        around = sorted(set(codes[shapely.dwithin(shapes, hole, 1.0)]))
        if len(around) < 2 or hole.area < OVERLAP_M2:
            continue
        what = f"a gap of {hole.area / 1e6:.2f} km² lies between {some(around)}"
        if hole.area > HOLE_M2:
            rule = f"areas leave gaps of at most {HOLE_M2 / 1e6:g} km²"
            findings.problem(what, f"{file}:{around[0]}:geometry", rule, "add the missing area, or move the border")
        else:
            findings.warn(f"{what}: water, or borders drawn apart?", f"{file}:{around[0]}:geometry")


def _holes(shape: BaseGeometry) -> Iterable[Polygon]:
    return [Polygon(ring) for part in shapely.get_parts(shape) if isinstance(part, Polygon) for ring in part.interiors]


def lowest_tier(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The lower authorities, or the upper ones where there are no others."""
    lower = areas[areas["tier"] == "lower"]
    return lower if len(lower) else areas


def land_of(areas: gpd.GeoDataFrame) -> BaseGeometry:
    """The land: the union of the lowest tier, with slivers between areas closed."""
    land = shapely.union_all(lowest_tier(areas).geometry.to_numpy())
    closed = land.buffer(SLIVER_M, quad_segs=2).buffer(-SLIVER_M, quad_segs=2)
    whole = shapely.union(land, closed)
    holes = [hole for hole in _holes(whole) if hole.area <= OVERLAP_M2]
    return shapely.union_all([whole, *holes]) if holes else whole


@dataclass(frozen=True)
class Found:
    """Where points lie. position: of the area among the shapes, −1 for a NaN point; distance: metres, 0 inside."""

    position: NDArray[np.int64]
    distance: NDArray[np.float64]


def find_areas(xy: NDArray[np.float64], shapes: Sequence[BaseGeometry]) -> Found:
    """The area that holds each point (m, EPSG:27700), else the nearest one and how far it is; NaN points have none."""
    position = np.full(len(xy), -1, dtype=np.int64)
    distance = np.full(len(xy), np.inf)
    known = np.flatnonzero(np.isfinite(xy).all(axis=1))
    if len(known) and len(shapes):
        tree = shapely.STRtree(list(shapes))
        (point, area), far = tree.query_nearest(shapely.points(xy[known]), return_distance=True, all_matches=False)
        position[known[point]], distance[known[point]] = area, far
    return Found(position, distance)


def upper_of(areas: gpd.GeoDataFrame) -> Mapping[str, str]:
    """Lower code → upper code, from `parent`; the same code where it has none."""
    lower = areas[areas["tier"] == "lower"]
    return {code: parent or code for code, parent in zip(lower["code"], lower["parent"], strict=True)}
