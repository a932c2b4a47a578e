"""Areas of a GeoJSON or TopoJSON document as polygons, in whatever coordinates the document has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Ring = NDArray[np.float64]
FEWEST = 4
"""Points of a ring, the last of which is the first."""
POLYGONS = ("Polygon", "MultiPolygon", "GeometryCollection")


@dataclass(frozen=True)
class Area:
    """number: its place in the layer, 1 first. properties: as in the document. geometry: of the document, undecoded,
    None where there is none."""

    number: int
    properties: Mapping[str, Any]
    geometry: Mapping[str, Any] | None


@dataclass(frozen=True)
class Layer:
    """The areas of a document's object ("" in GeoJSON). arcs: of TopoJSON, decoded."""

    name: str
    areas: Sequence[Area]
    arcs: Sequence[Ring] | None = None

    def polygon(self, area: Area) -> BaseGeometry:
        """An area's polygon or polygons, perhaps invalid. ValueError where there is none or it cannot be understood."""
        polygons = [shapely.Polygon(rings[0], rings[1:]) for rings in self._polygons(area.geometry)]
        if not polygons:
            raise ValueError("it holds no polygon")
        return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)

    def _polygons(self, geometry: Mapping[str, Any] | None) -> Iterator[list[Ring]]:
        """Each polygon's rings, the shell first."""
        if not isinstance(geometry, dict):
            raise ValueError("it has no geometry")
        kind = geometry.get("type")
        if kind == "GeometryCollection":
            for part in _list(geometry.get("geometries")):
                yield from self._polygons(part)
            return
        rings = _list(geometry.get("coordinates" if self.arcs is None else "arcs"))
        if kind not in ("Polygon", "MultiPolygon"):
            raise ValueError(f"{kind} is no polygon")
        for polygon in [rings] if kind == "Polygon" else rings:
            found = [self._ring(ring) for ring in _list(polygon)]
            if found:
                yield found

    def _ring(self, ring: Any) -> Ring:
        points = _points(ring) if self.arcs is None else self._joined(_list(ring))
        if len(points) and (points[0] != points[-1]).any():
            points = np.vstack([points, points[:1]])
        if len(points) < FEWEST:
            # Simplified away; an empty ring is a valid nothing.
            return np.empty((0, 2))
        return points

    def _joined(self, numbers: Sequence[Any]) -> Ring:
        """A ring from its arcs: ~i is arc i backwards, and an arc begins where the one before it ends."""
        assert self.arcs is not None
        parts = []
        for i in numbers:
            if not isinstance(i, int) or not -len(self.arcs) <= i < len(self.arcs):
                raise ValueError(f"there is no arc {i!r}")
            arc = self.arcs[i] if i >= 0 else self.arcs[~i][::-1]
            parts.append(arc[1:] if parts else arc)
        return np.vstack(parts) if parts else np.empty((0, 2))


def layers(document: Mapping[str, Any]) -> list[Layer]:
    """The layers of areas in a document: one in GeoJSON, each object in TopoJSON; none in other JSON. ValueError where
    TopoJSON has arcs that cannot be understood."""
    if document.get("type") == "FeatureCollection":
        return [Layer("", _areas(document.get("features")))]
    objects = document.get("objects")
    if document.get("type") != "Topology" or not isinstance(objects, dict):
        return []
    arcs = _arcs(document)
    return [
        Layer(str(name), _areas(thing.get("geometries"), whole=True), arcs)
        for name, thing in objects.items()
        if isinstance(thing, dict)
    ]


def _areas(found: Any, whole: bool = False) -> list[Area]:
    """Features of GeoJSON, or geometries of TopoJSON: there the geometry itself has the properties (`whole`)."""
    areas = []
    for number, feature in enumerate(found if isinstance(found, list) else [], start=1):
        if not isinstance(feature, dict):
            feature = {}
        properties = feature.get("properties")
        geometry = feature if whole else feature.get("geometry")
        if not isinstance(geometry, dict) or geometry.get("type") is None:
            geometry = None
        areas.append(Area(number, properties if isinstance(properties, dict) else {}, geometry))
    return areas


def _arcs(document: Mapping[str, Any]) -> list[Ring]:
    """Arcs of TopoJSON in coordinates: steps of whole numbers where it is quantised, else plain points."""
    transform = document.get("transform")
    arcs = [_points(arc) for arc in _list(document.get("arcs"))]
    if transform is None:
        return arcs
    if not isinstance(transform, dict):
        raise ValueError("the transform is no object")
    scale, shift = _pair(transform.get("scale")), _pair(transform.get("translate"))
    return [arc.cumsum(axis=0) * scale + shift for arc in arcs]


def _points(found: Any) -> Ring:
    """n × 2 finite coordinates; heights are left out."""
    try:
        points = np.asarray(found, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("coordinates are not numbers") from None
    if points.size == 0:
        return np.empty((0, 2))
    if points.ndim != 2 or points.shape[1] < 2:
        raise ValueError("coordinates do not come in pairs")
    if not np.isfinite(points[:, :2]).all():
        raise ValueError("coordinates are not numbers")
    return points[:, :2]


def _pair(found: Any) -> Ring:
    pair = np.asarray(found, dtype=float) if isinstance(found, list) and len(found) == 2 else None
    if pair is None or not np.isfinite(pair).all():
        raise ValueError("the transform is no pair of numbers")
    return pair


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise ValueError("coordinates are no list")
    return found
