"""plan.gpkg: one layer a scale, coloured as on the page when QGIS opens it, with practices, providers and councils."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from geodata import plan_tables, summary
from geodata.maps.qgis import categorised, marker, outline
from geodata.maps.shapes import METRIC, bodies_layer

if TYPE_CHECKING:
    from geodata.ground import Ground
    from optimiser.plan import Plan

# No clock in any output: GDAL is told this date, and the styles carry it.
CLOCK = "2000-01-01T00:00:00.000Z"
STYLES = """
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
  f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
  useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME DEFAULT CURRENT_TIMESTAMP)
"""
REGISTER = """
INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change) VALUES ('layer_styles', 'attributes', '', ?)
"""
ADD_STYLE = """
INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, styleQML,
  styleSLD, useAsDefault, description, owner, update_time) VALUES ('', '', ?, 'geom', ?, ?, '', 1, ?, '', ?)
"""
POINTS: Mapping[str, tuple[str, str, float]] = {  # layer → QGIS marker, colour, millimetres
    "practices": ("circle", "29,59,83,255", 1.2),
    "providers": ("square", "176,0,32,255", 2.6),
}


def write_geopackage(plan: Plan, ground: Ground, path: Path) -> None:
    """Write plan.gpkg in EPSG:27700. Layers: a polygon layer for each scale (named as the scale), practices, providers,
    areas; layer_styles holds a default style for each, with one symbol a category."""
    styles: dict[str, str] = {}
    with _fixed_clock():
        for scale in plan.scenario.scales:
            layer = _with_measures(bodies_layer(plan, ground, scale.name), plan, scale.name)
            solid = layer[~layer.geometry.is_empty]
            _write(solid.drop(columns=["colour"]), path, scale.name, "MultiPolygon")
            styles[scale.name] = categorised(list(zip(solid.code, solid.name, solid.fill, strict=True)))
        _write(_practices(plan), path, "practices", "Point")
        _write(_providers(plan), path, "providers", "Point")
        _write(ground.areas.to_crs(METRIC), path, "areas", "MultiPolygon")
    styles |= {layer: marker(*POINTS[layer]) for layer in POINTS} | {"areas": outline("82,97,107,255", 0.3)}
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(STYLES)
        database.execute(REGISTER, (CLOCK,))
        for layer, qml in styles.items():
            database.execute(ADD_STYLE, (layer, layer[:30], qml, f"Default style of {layer}", CLOCK))


def _with_measures(layer: gpd.GeoDataFrame, plan: Plan, scale: str) -> gpd.GeoDataFrame:
    table = plan_tables.bodies(plan)
    own = [record for record in table.records() if record["scale"] == scale]
    facts = [c.name for c in table.columns if c.name not in ("scale", "code", "name")]
    columns = {name: [summary.plain(record[name]) for record in own] for name in facts}
    return layer.assign(**columns)[["code", "name", *facts, "colour", "fill", "line", "geometry"]]


def _practices(plan: Plan) -> gpd.GeoDataFrame:
    table = plan_tables.practices(plan)
    columns = {c.name: [row[n] for row in table.rows] for n, c in enumerate(table.columns)}
    return gpd.GeoDataFrame(columns, geometry=shapely.points(plan.dataset.xy), crs=METRIC)


def _providers(plan: Plan) -> gpd.GeoDataFrame:
    placed = [p for p in plan.dataset.providers if p.easting is not None and p.northing is not None]
    columns = {
        "code": [p.code for p in placed],
        "name": [p.name for p in placed],
        "kind": [p.kind.replace("_", " ") for p in placed],
        "income": [float(p.income) for p in placed],
    }
    points = shapely.points(np.array([(p.easting, p.northing) for p in placed], dtype=float).reshape(-1, 2))
    return gpd.GeoDataFrame(columns, geometry=points, crs=METRIC)


def _write(layer: gpd.GeoDataFrame, path: Path, name: str, kind: str) -> None:
    pyogrio.write_dataframe(
        layer, path, layer=name, driver="GPKG", geometry_type=kind, promote_to_multi=kind == "MultiPolygon",
        layer_options={"GEOMETRY_NAME": "geom"},
    )  # fmt: skip


@contextmanager
def _fixed_clock() -> Iterator[None]:
    """Tell GDAL the date it writes into the file."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": CLOCK})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
