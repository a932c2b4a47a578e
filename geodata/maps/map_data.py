"""What the map page draws, as plain data: outlines in whole hundred-thousandths of a degree, facts beside them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geodata import plan_tables, summary
from geodata.maps import words
from geodata.maps.shapes import METRIC, TOLERANCE, bodies_layer, dissolve, simplified

if TYPE_CHECKING:
    from geodata.ground import Ground
    from optimiser.plan import Plan
    from optimiser.scorecard import Measure

DEGREES = "OGC:CRS84"
STEPS = 100_000  # to a degree: about a metre
LABEL_TOLERANCE = 200.0  # metres, for the middle of a body


def map_data(plan: Plan, ground: Ground, tolerance: float = TOLERANCE) -> dict[str, Any]:
    """Scales with their bodies, practices, providers, councils and today's borders.

    An outline is a list of polygons, a polygon a list of rings, a ring [lon, lat, Δlon, Δlat, …] in 1/100,000 degree.
    tolerance: metres.
    """
    measures = plan_tables.measures(plan.scorecard)
    return {
        "steps": STEPS,
        "first": [s.name for s in reversed(plan.scenario.scales)].index(plan.scenario.anchor_scale),
        "measures": [{"label": m.label, "suffix": words.suffix(m.unit)} for m in measures],
        "scales": [_scale(plan, ground, scale.name, measures, tolerance) for scale in reversed(plan.scenario.scales)],
        "practices": _practices(plan),
        "providers": _providers(plan),
        "areas": _areas(ground, tolerance),
    }


def encode(shape: shapely.Geometry, metric: bool = True) -> list[list[list[int]]]:
    """A polygon or multipolygon (metres of EPSG:27700, unless `metric` is false) as nested lists of whole steps;
    parts that vanish at this precision are left out."""
    found = []
    for polygon in shapely.get_parts(shape):
        if polygon.geom_type != "Polygon" or polygon.is_empty:
            continue
        rings = [_ring(r, metric) for r in (polygon.exterior, *polygon.interiors)]
        if rings[0]:
            found.append([r for r in rings if r])
    return found


def _ring(ring: shapely.LinearRing, metric: bool) -> list[int]:
    points = shapely.get_coordinates(ring)[:-1]
    degrees = _degrees(points) if metric else points
    steps = np.round(degrees * STEPS).astype(np.int64)
    steps = steps[np.r_[True, np.any(np.diff(steps, axis=0) != 0, axis=1)]]
    if len(steps) < 3:
        return []
    return np.concatenate([steps[:1], np.diff(steps, axis=0)]).ravel().tolist()


def _degrees(points: np.ndarray) -> np.ndarray:
    """n × 2 eastings and northings → longitudes and latitudes; raises when a projection grid leaves them infinite."""
    found = np.column_stack(_transformer().transform(points[:, 0], points[:, 1], errcheck=True))
    if not np.isfinite(found).all():
        raise ArithmeticError("a coordinate has no place in degrees")
    return found


@cache
def _transformer() -> pyproj.Transformer:
    """Made once: looking up how to get from one system to the other takes 80 ms."""
    return pyproj.Transformer.from_crs(METRIC, DEGREES, always_xy=True)


def _place(easting: float, northing: float) -> list[int]:
    return np.round(_degrees(np.array([[easting, northing]])) * STEPS).astype(int)[0].tolist()


def _scale(plan: Plan, ground: Ground, name: str, measures: list, tolerance: float) -> dict[str, Any]:
    declared = plan.scenario.scale(name)
    layer = bodies_layer(plan, ground, name, tolerance)
    scores = {b.code: b.measures for b in plan.scorecard.bodies.get(name, ())}
    known = plan_tables.names(plan)
    bodies = []
    for body, fill, line, shape in zip(
        plan.structure.bodies[name], layer["fill"], layer["line"], layer.geometry, strict=True
    ):
        found = [scores.get(body.code, {}).get(m.name) for m in measures]
        bodies.append({
            "code": body.code,
            "name": body.name,
            "fill": fill,
            "line": line,
            "patients": body.patients,
            "practices": len(body.members),
            "home": plan.dataset.authority_name(body.home_authority),
            "parent": known.get(body.parent, ""),
            "oversize": body.oversize,
            "agreed": body.agreed,
            "values": [_figure(m) if m else None for m in found],
            "label": _middle(shape, plan.dataset.practices[body.centre]),
            "outline": encode(shape),
        })  # fmt: skip
    return {
        "name": name,
        "label": declared.label,
        "plural": declared.plural,
        "bodies": bodies,
        "of": plan.structure.membership[name].tolist(),
        "today": _today(plan, ground, name, tolerance),
    }


def _figure(measure: Measure) -> list[object]:
    """The number to sort by, its words, its tag and what the tag means."""
    shown = words.show(measure.value, measure.unit)
    return [summary.plain(measure.value), shown, *words.evidence_tag(measure.evidence)]


def _middle(shape: shapely.Geometry, centre: Any) -> list[int]:
    """Where a body's name stands: the middle of its widest part, or its centre practice when it has no ground."""
    if shape.is_empty:
        return _place(centre.easting, centre.northing)
    largest = max(shapely.get_parts(shape), key=lambda part: part.area)
    line = shapely.maximum_inscribed_circle(largest, LABEL_TOLERANCE)
    return _place(*shapely.get_coordinates(line)[0])


def _today(plan: Plan, ground: Ground, name: str, tolerance: float) -> dict[str, Any] | None:
    """Today's bodies at a scale, as outlines, with the body of each practice; None where the dataset names none."""
    codes = [p.existing.get(name, "") for p in plan.dataset.practices]
    kinds = sorted(set(codes) - {""})
    if not kinds:
        return None
    labels = {
        p.existing[name]: p.existing_names.get(name) or p.existing[name]
        for p in plan.dataset.practices
        if p.existing.get(name)
    }
    position = {code: n for n, code in enumerate(kinds)}
    membership = np.array([position.get(code, len(kinds)) for code in codes])
    shapes = simplified(dissolve(ground.catchments, membership, plan.dataset.patients, len(kinds) + 1), tolerance)
    return {
        "names": [labels[code] for code in kinds],
        "of": [position.get(code) for code in codes],
        "outlines": [encode(shape) for shape in shapes[: len(kinds)]],
    }


def _practices(plan: Plan) -> dict[str, Any]:
    practices = plan.dataset.practices
    places = np.round(_degrees(plan.dataset.xy) * STEPS).astype(int).tolist()
    return {
        "code": [p.code for p in practices],
        "name": [p.name for p in practices],
        "postcode": [p.postcode for p in practices],
        "patients": [p.patients for p in practices],
        "council": [plan.dataset.authority_name(p.upper_authority) for p in practices],
        "place": places,
    }


def _providers(plan: Plan) -> list[dict[str, Any]]:
    return [
        {
            "code": p.code,
            "name": p.name,
            "kind": p.kind.replace("_", " "),
            "income": words.pounds(p.income),
            "pounds": p.income,
            "place": None if p.easting is None or p.northing is None else _place(p.easting, p.northing),
        }
        for p in plan.dataset.providers
    ]


def _areas(ground: Ground, tolerance: float) -> list[dict[str, Any]]:
    """Councils, each tier simplified as a coverage of its own."""
    found = []
    lower = ground.areas[ground.areas["tier"] == "lower"]
    for tier, areas in (("upper", ground.councils), ("lower", lower)):
        own: gpd.GeoDataFrame = areas.to_crs(METRIC)
        for name, shape in zip(own["name"], simplified(list(own.geometry), tolerance), strict=True):
            found.append({"name": name, "tier": tier, "outline": encode(shape)})
    return found
