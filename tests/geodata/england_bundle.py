"""A make-believe bundle in the format of the English open data: a dozen practices, two ICBs, four districts."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from tests import worlds
from tests.worlds import csv_text

degrees = cache(worlds.degrees)

# Districts as boxes (west, south, east, north) in km; D2 lies inside D1's county, D4 is an island off D3.
DISTRICTS = {
    "E07000001": ("Westland", "E10000001", (300, 200, 320, 220)),
    "E07000002": ("Midland", "E10000001", (320, 200, 340, 220)),
    "E06000003": ("Eastland", "E06000003", (340, 200, 360, 220)),
    "E06000004": ("Isle", "E06000004", (365, 205, 370, 210)),
}
COUNTY = {"E10000001": "West and Mid", "E06000003": "Eastland", "E06000004": "Isle"}
PLACES = [
    *(("AA1", "QAA", "E07000001", x, y) for x, y in ((304, 204), (304, 216), (316, 204), (316, 216))),
    *(("AA2", "QAA", "E07000002", x, y) for x, y in ((324, 204), (324, 216), (336, 204), (336, 216))),
    *(("BB1", "QBB", "E06000003", x, y) for x, y in ((344, 210), (352, 204), (352, 216))),
    ("BB1", "QBB", "E06000004", 367, 207),
]
ACUTE = "NHS acute trust (type 1 A&E)"
PROVIDERS = [
    # code, name, type, place in km or None, type 1, all attendances, acute beds, mental beds
    ("RWW", "WEST HOSPITALS NHS TRUST", ACUTE, (310, 210), 10_000, 14_000, 400, 0),
    ("REE", "EAST HOSPITALS NHS TRUST", ACUTE, (350, 210), 9_000, 12_000, 300, 0),
    ("RMM", "MIDLAND PARTNERSHIP NHS TRUST", "NHS mental health trust", (330, 210), 0, 0, 0, 200),
    ("RCC", "WEST COMMUNITY HEALTH NHS TRUST", "NHS trust (other)", (312, 212), 0, 0, 0, 0),
    ("RAA", "GRIDLAND AMBULANCE SERVICE NHS TRUST", "NHS trust (other)", (330, 205), 0, 0, 0, 0),
    ("NEYE", "BRIGHT EYES", "Other provider (independent sector / community / GP-led)", None, 0, 0, 0, 0),
]
# AA1 sends three quarters of its skin pathways west; BB1 sends none that month; 99X is a hub without practices.
PATHWAYS = [
    *(("AA1", "RWW", function, n) for function, n in (("C_330", 30), ("C_110", 40), ("C_100", 50), ("C_130", 20))),
    *(("AA1", "REE", function, n) for function, n in (("C_330", 10), ("C_110", 10), ("C_100", 10))),
    *(("AA2", "RWW", function, n) for function, n in (("C_330", 20), ("C_110", 20), ("C_100", 30))),
    *(("AA2", "REE", function, n) for function, n in (("C_330", 20), ("C_110", 20), ("C_100", 30))),
    ("AA2", "NEYE", "C_130", 30),
    ("99X", "RWW", "C_150", 400),
]


def practice_rows() -> list[dict[str, object]]:
    """Rows of practices.csv."""
    rows: list[dict[str, object]] = []
    for i, (sub_icb, icb, district, x, y) in enumerate(PLACES):
        name, county, _ = DISTRICTS[district]
        longitude, latitude = degrees(x * 1000, y * 1000)
        rows.append(
            {
                "code": f"Z{i:05d}",
                "name": f"THE {name.upper()} SURGERY",
                "lat": latitude,
                "lon": longitude,
                "list_size": 5000 + 1000 * i,
                "lad_code": district,
                "utla_code": county,
                "pcn_code": f"U{i // 2}",
                "pcn_name": f"PCN {i // 2}",
                "sub_icb_code": sub_icb,
                "sub_icb_name": f"Place {sub_icb}",
                "icb_code": icb,
                "icb_name": "NHS West Board" if icb == "QAA" else "NHS East Board",
                "nhs_region_code": "Y01",
                "nhs_region_name": "Gridland",
                "ccg_code": "00001" if i < 6 else "00002",
                "ccg_name": "OLD NORTH CCG" if i < 6 else "OLD SOUTH CCG",
                "ruc11_class": "Rural town and fringe",
                "imd_score_2019": 20,
                "pct_65plus": 18,
                "need_index_overall": 1.2 if i == 0 else 1,
                "rx_items_per_1000_nov2025": 1000,
            }
        )
    return rows


def _place(point: tuple[int, int] | None) -> dict[str, object]:
    longitude, latitude = ("", "") if point is None else degrees(point[0] * 1000, point[1] * 1000)
    return {"lat": latitude, "lon": longitude}


def provider_rows() -> list[dict[str, object]]:
    """Rows of providers.csv."""
    columns = ("ae_type1_12m", "ae_all_12m", "beds_ga_2024q2", "beds_mental_health_2024q2")
    return [
        {"code": code, "name": name, "type": kind, **_place(point), **dict(zip(columns, sizes, strict=True))}
        for code, name, kind, point, *sizes in PROVIDERS
    ]


def site_rows() -> list[dict[str, object]]:
    """Rows of provider_sites.csv: the western trust has a second hospital."""
    sites = [("RWW01", "RWW", (310, 210)), ("RWW02", "RWW", (322, 210)), ("REE01", "REE", (350, 210))]
    names = {code: name for code, name, *_ in PROVIDERS}
    return [
        {"site_code": site, "sector": "NHS Sector", **_place(at), "parent_code": parent, "parent_name": names[parent]}
        for site, parent, at in sites
    ]


def pathway_rows() -> list[dict[str, object]]:
    """Rows of flows.csv."""
    columns = ("commissioner_code", "provider_code", "treatment_function_code", "new_pathways", "completed_admitted")
    return [dict(zip(columns, (*row, row[-1]), strict=True)) for row in PATHWAYS]


def _ring(box: tuple[int, int, int, int]) -> list[list[float]]:
    west, south, east, north = (side * 1000 for side in box)
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return [list(degrees(*corner)) for corner in corners]


def collection(features: list[dict[str, object]]) -> str:
    """A FeatureCollection as text."""
    return json.dumps({"type": "FeatureCollection", "features": features})


def district_features() -> list[dict[str, object]]:
    """Features of la_boundaries.geojson."""
    return [
        {
            "type": "Feature",
            "properties": {"lad_code": code, "lad_name": name, "utla_code": county, "utla_name": COUNTY[county]},
            "geometry": {"type": "Polygon", "coordinates": [_ring(box)]},
        }
        for code, (name, county, box) in DISTRICTS.items()
    ]


def county_features() -> list[dict[str, object]]:
    """Features of utla_boundaries.geojson: each county is the box around its districts, which here fill it."""
    features: list[dict[str, object]] = []
    for county, name in COUNTY.items():
        boxes = [box for _, parent, box in DISTRICTS.values() if parent == county]
        west, south = (min(box[side] for box in boxes) for side in (0, 1))
        east, north = (max(box[side] for box in boxes) for side in (2, 3))
        geometry = {"type": "Polygon", "coordinates": [_ring((west, south, east, north))]}
        properties = {"utla_code": county, "utla_name": name}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    return features


def write_bundle(folder: Path, *without: str) -> Path:
    """The whole bundle in `folder`, less the files named in `without`."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "practices.csv": csv_text(practice_rows()),
        "providers.csv": csv_text(provider_rows()),
        "provider_sites.csv": csv_text(site_rows()),
        "flows.csv": csv_text(pathway_rows()),
        "la_boundaries.geojson": collection(district_features()),
        "utla_boundaries.geojson": collection(county_features()),
    }
    for name, text in texts.items():
        if name not in without:
            (folder / name).write_text(text, encoding="utf-8")
    return folder
