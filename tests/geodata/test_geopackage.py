"""plan.gpkg: layers that fit together without gap or overlap, and styles that QGIS can use."""

from __future__ import annotations

import sqlite3
import xml.etree.ElementTree as ET
from contextlib import closing
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from geodata.maps import colour, shapes
from geodata.maps.geopackage import write_geopackage
from tests import plans

HOSTILE = 'Arle & "Bree" <Surgery>'


@pytest.fixture(scope="module")
def plan():
    return plans.plan(names=[HOSTILE, *"BCDEFGHIJKL"])


@pytest.fixture(scope="module")
def path(plan, tmp_path_factory):
    path = tmp_path_factory.mktemp("gpkg") / "plan.gpkg"
    write_geopackage(plan, plans.ground(plan.dataset), path)
    return path


def styles(path) -> dict[str, ET.Element]:
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault = 1").fetchall()
    return {layer: ET.fromstring(qml) for layer, qml in found}


def test_one_layer_a_scale_and_the_points_and_areas(path):
    layers = {name for name, _ in pyogrio.list_layers(path)}
    assert layers == {"locality", "consortium", "alliance", "practices", "providers", "areas", "layer_styles"}
    for layer in layers - {"layer_styles"}:
        assert gpd.read_file(path, layer=layer).crs.to_epsg() == 27700


def test_bodies_carry_their_measures_and_providers_without_a_place_are_left_out(plan, path):
    bodies = gpd.read_file(path, layer="consortium")
    assert list(bodies.code) == [b.code for b in plan.structure.bodies["consortium"]]
    assert {"name", "patients", "cash_per_head", "fill"} <= set(bodies.columns)
    assert len(gpd.read_file(path, layer="practices")) == 12
    assert list(gpd.read_file(path, layer="providers").code) == ["RA1", "RB2"]


def test_every_layer_has_a_default_style_and_every_category_a_symbol(plan, path):
    found = styles(path)
    assert set(found) == {"locality", "consortium", "alliance", "practices", "providers", "areas"}
    for scale in plan.structure.scales:
        categories = found[scale].findall(".//category")
        assert [c.get("value") for c in categories] == [b.code for b in plan.structure.bodies[scale]]
        assert [c.get("label") for c in categories] == [b.name for b in plan.structure.bodies[scale]]
        symbols = [s.get("name") for s in found[scale].findall(".//symbols/symbol")]
        assert [c.get("symbol") for c in categories] == symbols
        fills = [s.find(".//Option[@name='color']").get("value") for s in found[scale].findall(".//symbols/symbol")]
        assert all(len(f.split(",")) == 4 for f in fills)


def test_the_styles_table_is_registered(path):
    with closing(sqlite3.connect(path)) as database:
        kinds = dict(database.execute("SELECT table_name, data_type FROM gpkg_contents").fetchall())
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert kinds["layer_styles"] == "attributes"


def test_layers_cover_the_land_without_overlap(plan, path):
    land = plans.ground(plan.dataset).areas.geometry.union_all()
    for scale in plan.structure.scales:
        layer = gpd.read_file(path, layer=scale)
        assert layer.geometry.is_valid.all()
        assert shapely.coverage_is_valid(layer.geometry.to_numpy())
        assert layer.geometry.area.sum() == pytest.approx(land.area, rel=1e-9)


def ragged(seed: int = 3, count: int = 200):
    """A region of jagged cells: Voronoi cells of random sites, clipped to a star-shaped coast."""
    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    radius = 40_000 * (1 + 0.15 * np.sin(9 * angles) + 0.02 * rng.normal(size=240))
    coast = shapely.Polygon(np.c_[400_000 + radius * np.cos(angles), 300_000 + radius * np.sin(angles)])
    sites = rng.uniform((365_000, 265_000), (435_000, 335_000), (count, 2))
    sites = sites[shapely.contains_xy(coast, sites)]
    cells = shapely.voronoi_polygons(shapely.multipoints(sites), extend_to=coast.envelope, ordered=True)
    return coast, sites, shapely.intersection(shapely.get_parts(cells), coast)


def test_simplified_bodies_of_a_ragged_coast_still_fit():
    coast, sites, cells = ragged()
    membership = ((sites[:, 0] // 20_000) * 10 + sites[:, 1] // 20_000).astype(int)
    membership = np.unique(membership, return_inverse=True)[1]
    bodies = membership.max() + 1
    frame = gpd.GeoDataFrame(geometry=cells, crs="EPSG:27700")
    whole = shapes.dissolve(frame, membership, np.ones(len(sites), int), bodies)
    thin = np.array(shapes.simplified(whole, 600.0))
    assert shapely.coverage_is_valid(thin)
    assert shapely.is_valid(thin).all()
    assert shapely.get_num_coordinates(thin).sum() < 0.8 * shapely.get_num_coordinates(np.array(whole)).sum()
    assert shapely.area(thin).sum() == pytest.approx(coast.area, rel=0.01)


def test_practices_in_one_building_give_their_ground_to_the_larger_body(plan):
    ground = plans.ground(plan.dataset)
    shared = ground.catchments.copy()
    shared.loc[1, "geometry"] = shared.loc[0, "geometry"]
    membership = np.array([0, 1, *[2] * 10])
    found = shapes.dissolve(shared, membership, plan.dataset.patients, 3)
    assert found[0].is_empty
    assert found[1].equals(shapely.normalize(shared.geometry[0]))


def test_a_body_without_ground_of_its_own_does_not_stop_the_file(plan, tmp_path):
    ground = plans.ground(plan.dataset)
    shared = ground.catchments.copy()
    crowd = plan.structure.bodies["locality"][1].members
    shared.loc[list(crowd), "geometry"] = shared.geometry[0]
    path = tmp_path / "plan.gpkg"
    lists = [replace(p, patients=100) if i in crowd else p for i, p in enumerate(plan.dataset.practices)]
    small = replace(plan, dataset=replace(plan.dataset, practices=tuple(lists)))
    write_geopackage(small, replace(ground, catchments=shared), path)
    assert len(gpd.read_file(path, layer="locality")) == 3


def test_neighbours_never_share_a_colour():
    _, _, cells = ragged()
    tree = shapely.STRtree(cells)
    pairs = {(int(a), int(b)) for a, b in tree.query(cells, predicate="touches").T if a < b}
    found = colour.colour_indices(len(cells), pairs)
    assert all(found[a] != found[b] for a, b in pairs)
    assert max(found) < len(colour.HUES)
    counts = np.bincount(found)
    assert counts.max() < 2 * counts.min()


def test_a_tangle_gets_as_many_colours_as_it_needs():
    everyone = [(a, b) for a in range(9) for b in range(a + 1, 9)]
    found = colour.colour_indices(9, everyone)
    assert sorted(found) == list(range(9))
    assert len(set(colour.palette(9))) == 9


def test_one_body_or_none_can_be_coloured(plan):
    assert colour.colour_indices(1, []) == (0,)
    assert colour.colour_indices(0, []) == ()
    assert colour.neighbouring_bodies(np.empty((0, 2), int), np.zeros(1, int)) == set()


def test_the_same_plan_gives_the_same_bytes(plan, path, tmp_path):
    again = tmp_path / "again.gpkg"
    write_geopackage(plan, plans.ground(plan.dataset), again)
    assert again.read_bytes() == path.read_bytes()
