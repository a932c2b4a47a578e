"""Maps as they come to be broken: GeoJSON and TopoJSON with shapes, names or structure spoiled."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

Map = dict[str, Any]
FEATURES = 25
"""Features that are kept."""


def small_map(raw: bytes) -> Map:
    """A map with its first features only; of TopoJSON all arcs are kept, as features point into them."""
    found: Map = json.loads(raw.decode("utf-8-sig"))
    for held in _held(found):
        del held[FEATURES:]
    return found


def _held(document: Map) -> list[list[Map]]:
    """The lists of features of a map."""
    if isinstance(document.get("features"), list):
        return [document["features"]]
    objects = document.get("objects") or {}
    return [o["geometries"] for o in objects.values() if isinstance(o.get("geometries"), list)]


def _each(document: Map, change: Callable[[Map], None]) -> Map:
    for held in _held(document):
        for feature in held[::3]:
            change(feature)
    return document


def _named(document: Map, change: Callable[[Map], Map]) -> Map:
    """With the properties of every feature changed."""
    for held in _held(document):
        for feature in held:
            feature["properties"] = change(feature.get("properties") or {})
    return document


def _shape(feature: Map) -> Map:
    """Where the coordinates (or arcs) of a feature stand."""
    return feature.get("geometry", feature)


def _ring(coordinates: object) -> Callable[[Map], None]:
    def change(feature: Map) -> None:
        shape = _shape(feature)
        key = "arcs" if "arcs" in shape else "coordinates"
        shape["type"], shape[key] = "Polygon", coordinates if key == "coordinates" else [[10**6]]

    return change


def _no_geometry(feature: Map) -> None:
    if "geometry" in feature:
        feature["geometry"] = None
    else:
        feature["type"] = None


def _moved(values: object) -> object:
    """Coordinates in metres of the national grid, as a map that was not projected holds them."""
    if isinstance(values, list):
        return [_moved(v) for v in values]
    return values * 10_000 if isinstance(values, int | float) else values


def _metres(rng: Random, document: Map) -> Map:
    for held in _held(document):
        for feature in held:
            shape = _shape(feature)
            if "coordinates" in shape:
                shape["coordinates"] = _moved(shape["coordinates"])
    if "transform" in document:
        document["transform"]["scale"] = [10_000, 10_000]
    return document


def _doubled(rng: Random, document: Map) -> Map:
    for held in _held(document):
        held += [dict(feature) for feature in held]
    return document


def _without(*keys: str) -> Callable[[Random, Map], Map]:
    return lambda rng, document: {k: v for k, v in document.items() if k not in keys}


def _nested(rng: Random, document: Map) -> object:
    deep: object = []
    for _ in range(500):
        deep = [deep]
    return {**document, "features": deep, "objects": {"a": {"type": "GeometryCollection", "geometries": deep}}}


def _nothing(rng: Random, document: Map) -> Map:
    for held in _held(document):
        held.clear()
    return document


def _nulls(rng: Random, document: Map) -> Map:
    for held in _held(document):
        held[rng.randrange(len(held))] = None  # type: ignore[call-overload]
    return document


def _swapped(properties: Map) -> Map:
    return dict(zip(properties, reversed(list(properties.values())), strict=True))


_BOW_TIE = [[[-1.0, 54.0], [-0.9, 54.1], [-0.9, 54.0], [-1.0, 54.1], [-1.0, 54.0]]]

MAP_FAULTS: dict[str, Callable[[Random, Map], object]] = {
    "with polygons that cross themselves": lambda rng, m: _each(m, _ring(_BOW_TIE)),
    "with a ring of two points": lambda rng, m: _each(m, _ring([[[-1.0, 54.0], [-0.9, 54.1]]])),
    "with a ring that is not closed": lambda rng, m: _each(m, _ring([[[-1.0, 54.0], [-0.9, 54.1], [-0.9, 54.0]]])),
    "with empty rings": lambda rng, m: _each(m, _ring([[]])),
    "with no coordinates": lambda rng, m: _each(m, _ring(None)),
    "with coordinates as text": lambda rng, m: _each(m, _ring([[["-1.0", "54.0"], ["-0.9", "x"], [None, "54"]]])),
    "with coordinates that are no numbers": lambda rng, m: _each(m, _ring([[[float("nan"), 54.0]] * 4])),
    "with flat coordinates": lambda rng, m: _each(m, _ring([-1.0, 54.0, -0.9, 54.1])),
    "with shapes missing": lambda rng, m: _each(m, _no_geometry),
    "with an unknown kind of shape": lambda rng, m: _each(m, lambda f: _shape(f).update(type="Blob")),
    "in metres": _metres,
    "with its features doubled": _doubled,
    "with its features gone": _nothing,
    "with a feature null": _nulls,
    "with no properties": lambda rng, m: _named(m, lambda p: {}),
    "with properties of other names": lambda rng, m: _named(m, lambda p: {f"x_{k}": v for k, v in p.items()}),
    "with codes blank": lambda rng, m: _named(m, dict.fromkeys),
    "with properties as numbers": lambda rng, m: _named(m, lambda p: dict(enumerate(p, start=1))),
    "with properties swapped": lambda rng, m: _named(m, _swapped),
    "with one property missing": lambda rng, m: _each(m, lambda f: f.update(properties={})),
    "without its features": _without("features", "objects"),
    "without its arcs or type": _without("arcs", "type"),
    "with features that are text": lambda rng, m: {**m, "features": "none", "objects": "none"},
    "nested too deep": _nested,
    "of another type": lambda rng, m: {"type": "Topology" if "features" in m else "FeatureCollection", "name": "x"},
    "a list": lambda rng, m: [m],
}
