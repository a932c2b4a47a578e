"""Boundaries in the styles of several years, whole and broken."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from geodata.coordinates import to_national_grid
from geodata.official.found import look
from geodata.official.recognise import Unknown, recognise
from geodata.official.successors import NAMES, SUCCESSORS, current
from optimiser.errors import DataError
from tests.geodata.official.places import found, read, sample, survives

SQUARE = [[-1.5, 54.0], [-1.4, 54.0], [-1.4, 54.1], [-1.5, 54.1], [-1.5, 54.0]]
BOW_TIE = [[-1.5, 54.0], [-1.4, 54.1], [-1.4, 54.0], [-1.5, 54.1], [-1.5, 54.0]]


def feature(properties: dict[str, Any], ring: list[list[float]] | None = None) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": [ring or SQUARE]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def document(*features: dict[str, Any], **members: Any) -> str:
    return json.dumps({"type": "FeatureCollection", **members, "features": list(features)})


def beside(ring: list[list[float]], east: float) -> list[list[float]]:
    return [[x + east, y] for x, y in ring]


@pytest.mark.parametrize(
    ("prefix", "code", "tier", "vintage"),
    [
        ("lad17", "E06000001", "lad", "2017"),
        ("LAD23", "E07000004", "lad", "2023"),
        ("lau118", "E06000001", "lad", "2018"),
        ("ctyua24", "E10000015", "upper", "2024"),
        ("UTLA22", "E10000015", "upper", "2022"),
        ("cty21", "E10000015", "county", "2021"),
        ("ccg21", "E38000006", "ccg", "2021"),
        ("SICBL23", "E38000006", "sub_icb", "2023"),
        ("icb23", "E54000048", "icb", "2023"),
        ("rgn22", "E12000001", "region", "2022"),
        ("NHSER24", "E40000012", "nhs_region", "2024"),
        ("lsoa21", "E01000001", "lsoa", "2021"),
    ],
)
def test_the_year_is_in_the_names(tmp_path: Path, prefix: str, code: str, tier: str, vintage: str) -> None:
    ends = ("cd", "nm") if prefix.islower() else ("CD", "NM")
    names = {"OBJECTID": 1, f"{prefix}{ends[0]}": code, f"{prefix}{ends[1]}": "Somewhere", "LONG": -1.5, "LAT": 54.0}
    given = read(found(tmp_path, "map.geojson", document(feature(names))), "boundaries")
    row = given.frame.iloc[0]
    assert (row["tier"], row["code"], row["name"]) == (tier, code, "Somewhere")
    assert given.vintage == vintage
    assert row["geometry"].equals(shapely.Polygon(SQUARE))


def test_what_holds_an_area_and_its_nhs_code(tmp_path: Path) -> None:
    names = {"SICBL23CD": "E38000006", "SICBL23NM": "NHS South Yorkshire ICB - 02P", "ICB23CD": "E54000061"}
    row = read(found(tmp_path, "map.geojson", document(feature(names))), "boundaries").frame.iloc[0]
    assert (row["parent"], row["nhs_code"]) == ("E54000061", "02P")
    names = {"LSOA21CD": "E01000001", "LAD22CD": "E09000001", "LSOA21NM": "City of London 001A"}
    row = read(found(tmp_path, "map.geojson", document(feature(names))), "boundaries").frame.iloc[0]
    assert (row["tier"], row["parent"], row["nhs_code"]) == ("lsoa", "E09000001", "")


def test_the_month_in_the_name_of_the_file(tmp_path: Path) -> None:
    text = document(feature({"lad17cd": "E06000001"}))
    assert read(found(tmp_path, "ONS_LAD_DEC_2017.geojson", text), "boundaries").vintage == "2017-12"
    (tmp_path / "ONS_LAD_DEC_2017.geojson").unlink()
    assert read(found(tmp_path, "saved 2024-02-01.geojson", text), "boundaries").vintage == "2017"


def test_england_is_kept(tmp_path: Path) -> None:
    codes = ("E06000001", "S12000015", "W06000001", "W06000002", "N09000001")
    given = read(found(tmp_path, "m.geojson", document(*(feature({"lad23cd": c}) for c in codes))), "boundaries")
    assert given.frame["code"].tolist() == ["E06000001"]
    assert given.dropped == {
        "outside England (Scotland)": 1,
        "outside England (Wales)": 2,
        "outside England (Northern Ireland)": 1,
    }


@pytest.mark.parametrize("declared", [True, False])
def test_metres_become_degrees(tmp_path: Path, declared: bool) -> None:
    metres = to_national_grid(np.array(SQUARE)[:, 0], np.array(SQUARE)[:, 1]).tolist()
    crs = {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}}} if declared else {}
    given = read(found(tmp_path, "m.geojson", document(feature({"lad23cd": "E06000001"}, metres), **crs)), "boundaries")
    assert np.allclose(shapely.get_coordinates(given.frame.at[0, "geometry"]), SQUARE, atol=1e-6)
    assert "British National Grid" in given.notes[0]


def test_the_system_of_web_maps_and_one_that_nobody_knows(tmp_path: Path) -> None:
    metres = [
        [-166979.236, 7170156.294],
        [-155847.287, 7170156.294],
        [-155847.287, 7189134.0],
        [-166979.236, 7170156.294],
    ]
    crs = {"crs": {"type": "name", "properties": {"name": "EPSG:3857"}}}
    text = document(feature({"lad23cd": "E06000001"}, metres), **crs)
    given = read(found(tmp_path, "m.geojson", text), "boundaries")
    assert np.allclose(shapely.get_coordinates(given.frame.at[0, "geometry"])[0], [-1.5, 54.0], atol=1e-4)
    with pytest.raises(DataError, match="'EPSG:999999' is no coordinate system"):
        read(found(tmp_path, "m.geojson", text.replace("3857", "999999")), "boundaries")


def test_latitude_first_is_refused(tmp_path: Path) -> None:
    swapped = [[y, x] for x, y in SQUARE]
    with pytest.raises(DataError, match=r"is not in Great Britain: 54 to 54\.1, -1\.5 to -1\.4"):
        read(found(tmp_path, "m.geojson", document(feature({"lad23cd": "E06000001"}, swapped))), "boundaries")


def test_polygons_that_cross_themselves_are_mended(tmp_path: Path) -> None:
    given = read(found(tmp_path, "m.geojson", document(feature({"lad23cd": "E06000001"}, BOW_TIE))), "boundaries")
    shape = given.frame.at[0, "geometry"]
    assert shape.is_valid
    assert shape.area == pytest.approx(0.005)
    assert "1 polygons cross themselves" in given.notes[0]


def test_missing_shapes_parts_and_copies(tmp_path: Path) -> None:
    text = document(
        feature({"lad23cd": "E06000001", "lad23nm": "Hartlepool"}),
        feature({"lad23cd": "E06000001", "lad23nm": "Hartlepool"}, beside(SQUARE, 0.2)),
        feature({"lad23cd": "E06000002", "lad23nm": "Middlesbrough"}),
        feature({"lad23cd": "E06000002", "lad23nm": "Middlesbrough"}),
        {"type": "Feature", "properties": {"lad23cd": "E06000003"}, "geometry": None},
    )
    given = read(found(tmp_path, "m.geojson", text), "boundaries")
    assert given.frame["code"].tolist() == ["E06000001", "E06000002"]
    assert given.frame.at[0, "geometry"].area == pytest.approx(0.02)
    assert given.dropped == {"no geometry": 1, "said again": 1}
    assert given.notes == ("1 areas that come in several parts were joined",)
    with pytest.raises(DataError, match="E06000002 is 'Hartlepool' and 'Middlesbrough'"):
        read(found(tmp_path, "m.geojson", text.replace("E06000001", "E06000002")), "boundaries")


def test_codes_that_were_replaced_are_told(tmp_path: Path) -> None:
    given = read(found(tmp_path, "m.geojson", document(feature({"lad23cd": "E08000016"}))), "boundaries")
    assert given.notes == ("1 codes have been replaced since: E08000016 is now E08000038 (Barnsley)",)
    assert given.frame["code"].tolist() == ["E08000016"]


def test_wards_and_points_are_not_taken_for_authorities(tmp_path: Path) -> None:
    wards = document(feature({"WD23CD": "E05000001", "LAD23CD": "E09000001"}))
    unknown = recognise(found(tmp_path, "m.geojson", wards))
    assert isinstance(unknown, Unknown)
    assert "looked for ladNNcd" in str(unknown.problems[0])
    point = {"type": "Feature", "properties": {"lsoa11cd": "E01000001"},
             "geometry": {"type": "Point", "coordinates": [-1.5, 54.0]}}  # fmt: skip
    unknown = recognise(found(tmp_path, "m.geojson", document(point)))
    assert isinstance(unknown, Unknown)
    assert unknown.nearly is None


def topology(quantised: bool) -> str:
    """Two squares side by side with the border between them once, as TopoJSON has it, and a hole in the first."""
    arcs = [
        [[-1.4, 54.0], [-1.4, 54.1]],
        [[-1.4, 54.1], [-1.5, 54.1], [-1.5, 54.0], [-1.4, 54.0]],
        [[-1.4, 54.0], [-1.3, 54.0], [-1.3, 54.1], [-1.4, 54.1]],
        [[-1.47, 54.03], [-1.47, 54.07], [-1.43, 54.07], [-1.43, 54.03], [-1.47, 54.03]],
    ]
    members: dict[str, Any] = {}
    if quantised:
        steps = [[[round((x + 1.5) * 100), round((y - 54) * 100)] for x, y in arc] for arc in arcs]
        arcs = [[arc[0]] + [[b[0] - a[0], b[1] - a[1]] for a, b in pairwise(arc)] for arc in steps]
        members = {"transform": {"scale": [0.01, 0.01], "translate": [-1.5, 54.0]}}
    geometries = [
        {"type": "Polygon", "arcs": [[0, 1], [3]], "properties": {"AREACD": "E06000001", "AREANM": "Hartlepool"}},
        {"type": "MultiPolygon", "arcs": [[[2, ~0]]], "properties": {"AREACD": "E07000008", "AREANM": "Cambridge"}},
        {"type": None, "properties": {"AREACD": "E06000003", "AREANM": "Redcar"}},
    ]
    objects = {"geog": {"type": "GeometryCollection", "geometries": geometries}}
    return json.dumps({"type": "Topology", "arcs": arcs, "objects": objects, **members})


@pytest.mark.parametrize("quantised", [True, False])
def test_topojson(tmp_path: Path, quantised: bool) -> None:
    given = read(found(tmp_path, "geogLA2020E.json", topology(quantised)), "boundaries")
    assert given.frame[["tier", "code", "name"]].to_numpy().tolist() == [
        ["lad", "E06000001", "Hartlepool"],
        ["lad", "E07000008", "Cambridge"],
    ]
    first, second = given.frame["geometry"]
    assert first.area == pytest.approx(0.01 - 0.04**2)
    assert second.area == pytest.approx(0.01)
    assert first.intersection(second).length == pytest.approx(0.1)
    assert given.dropped == {"no geometry": 1}


@pytest.mark.parametrize(
    ("codes", "tier"),
    [
        (["E06000001", "E10000015"], "upper"),
        (["E06000001", "E07000008"], "lad"),
        (["E38000001"], "ccg"),
        (["E12000001"], "region"),
        (["E54000048"], "icb"),
        (["E05000001"], ""),
        (["E06000001", "E38000001"], ""),
    ],
)
def test_maps_of_the_web_are_told_by_their_codes(tmp_path: Path, codes: list[str], tier: str) -> None:
    table = found(tmp_path, "m.json", document(*(feature({"AREACD": c, "AREANM": "x"}) for c in codes)))
    if tier:
        assert set(read(table, "boundaries").frame["tier"]) == {tier}
    else:
        assert isinstance(recognise(table), Unknown)


def test_a_topology_of_several_layers(tmp_path: Path) -> None:
    layers = json.loads(topology(quantised=True))
    region = {"type": "Polygon", "arcs": [[2, 1]], "properties": {"rgn22cd": "E12000001", "rgn22nm": "North East"}}
    layers["objects"]["regions"] = {"type": "GeometryCollection", "geometries": [region]}
    given = read(found(tmp_path, "m.json", json.dumps(layers)), "boundaries")
    assert given.frame["tier"].tolist() == ["lad", "lad", "region"]
    assert given.vintage == "2022"


def test_a_map_cut_short_is_said_to_be_one(tmp_path: Path) -> None:
    table = found(tmp_path, "m.geojson", document(feature({"lad23cd": "E06000001"}))[:-40])
    with pytest.raises(DataError, match="is not JSON"):
        read(table, "boundaries")
    assert isinstance(recognise(found(tmp_path, "m.geojson", '{"name": "broken')), Unknown)


def test_an_arc_that_is_not_there(tmp_path: Path) -> None:
    text = topology(quantised=True).replace("[[2, -1]]", "[[2, -9]]")
    with pytest.raises(DataError, match=r"m.json:geog 2:AREACD: E07000008 cannot be drawn: there is no arc -9"):
        read(found(tmp_path, "m.json", text), "boundaries")


def test_spoiled_topologies(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "m.json").write_text(topology(quantised=True))
    survives(tmp_path / "in" / "m.json", tmp_path / "out", "boundaries")


def test_every_successor_has_a_name_and_no_old_code_is_current() -> None:
    assert current("E08000016") == "E08000038"
    assert current("E07000190") == "E06000066"  # Taunton Deane, twice replaced
    assert current("E06000001") == "E06000001"
    for old, (new, year) in SUCCESSORS.items():
        assert old != new
        assert new in NAMES
        assert 2012 <= year <= 2025
        assert current(old) not in SUCCESSORS
        assert old[0] == new[0]


@pytest.mark.england
def test_the_published_file(tmp_path: Path, england_source: Path) -> None:
    name = "ONS_LAD_DEC_2017_SGCB_GB.geojson"
    (tmp_path / name).symlink_to(sample(name))
    given = read(look(tmp_path)[0][0], "boundaries")
    assert len(given.frame) == 326
    assert given.vintage == "2017-12"
    assert given.dropped == {"outside England (Scotland)": 32, "outside England (Wales)": 22}
    assert all(shape.is_valid for shape in given.frame["geometry"])
    # 326 authorities of 2017 stand on the ground of today's 296.
    today = json.loads((england_source / "la_boundaries.geojson").read_text())["features"]
    assert {current(code) for code in given.frame["code"]} == {area["properties"]["lad_code"] for area in today}


@pytest.mark.england
def test_spoiled_copies_of_the_published_file(tmp_path: Path) -> None:
    survives(sample("ONS_LAD_DEC_2017_SGCB_GB.geojson"), tmp_path, "boundaries")
