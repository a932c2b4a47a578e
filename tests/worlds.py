"""Tiny worlds: a dataset folder small enough to reason about by hand, on disk so that tests read the real files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from pyproj import Transformer

ORIGIN = (400_000.0, 300_000.0)

DATASET_TOML = """\
name = "Gridland"
price_year = "2010/11"
list_year = "2010"
geography_year = "2010"
licence = "MIT"
attribution = "Made for a test"
synthetic = true
notes = ["A grid of practices"]
"""

SERVICES = (
    "id,name,cases_per_1000,cost_per_case,case_cv,natural_scale,min_population,tailoring,leverage,authority_link,"
    "pathway,delegable,provider_kinds,condition_group\n"
    "emergency,Emergency admissions,90,2000,1.5,A,250000,0,3,0,urgent,yes,acute,no\n"
    "outpatients,Outpatients,300,150,1,C,100000,1,2,0,,yes,acute,no\n"
    "nursing,District nursing,80,900,0.8,L,30000,3,1,2,frail,yes,community,no\n"
    "referrals,Referral management,200,10,1,P,0,3,0,0,,no,practice_owned,no\n"
)
FUNCTIONS = (
    "id,name,fixed_wte,wte_per_100k,statutory_cost,delegable,natural_scale,in_placement\n"
    "contracting,Contracting,2,3,0,yes,A,yes\n"
    "audit,Audit,0,0,60000,never,C,no\n"
)
PROVIDERS = (
    ("RA1", "West Hospital", "acute"),
    ("RB1", "East Hospital", "acute"),
    ("RC1", "Community Trust", "community"),
    ("GP1", "Practice Federation", "practice_owned"),
)


def csv_text(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as CSV text with a header."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@lru_cache(maxsize=1)
def _to_degrees() -> Transformer:
    return Transformer.from_crs("EPSG:27700", "OGC:CRS84", always_xy=True)


def degrees(easting: float, northing: float) -> tuple[float, float]:
    """Longitude and latitude of a point of the national grid."""
    longitude, latitude = _to_degrees().transform(easting, northing)
    return round(longitude, 8), round(latitude, 8)


def feature(code: str, name: str, tier: str, ring: Sequence[tuple[float, float]], parent: str = "") -> dict:
    """A GeoJSON feature from a ring in metres (closed here)."""
    points = [list(degrees(x, y)) for x, y in ring]
    return {
        "type": "Feature",
        "properties": {"code": code, "name": name, "tier": tier, "parent": parent},
        "geometry": {"type": "Polygon", "coordinates": [[*points, points[0]]]},
    }


def box(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float]]:
    """A rectangle's ring, in metres."""
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def geojson(*features: dict) -> str:
    """A feature collection as text."""
    return json.dumps({"type": "FeatureCollection", "features": list(features)})


def world(
    columns: int = 4,
    rows: int = 4,
    spacing: float = 2_000.0,
    patients: int | Callable[[int], int] = 5_000,
) -> dict[str, str]:
    """File name → text of a good dataset.

    Practices P001 … lie on a grid, row by row from the south-west, `spacing` metres apart, each in the middle of its
    square. The west and the east half are upper authorities U1 and U2; the south and the north half of each are lower
    authorities L1 … L4. Existing consortia E1 (south) and E2 (north). Every practice sends emergency and outpatient
    cases to the hospital of its half, nursing to RC1 and referrals to GP1, which P001 and P002 own.
    """
    x0, y0 = ORIGIN
    middle_x, middle_y = x0 + columns // 2 * spacing, y0 + rows // 2 * spacing
    x1, y1 = x0 + columns * spacing, y0 + rows * spacing
    practices: list[Mapping[str, object]] = []
    flows: list[Mapping[str, object]] = []
    for n in range(columns * rows):
        easting, northing = x0 + (n % columns + 0.5) * spacing, y0 + (n // columns + 0.5) * spacing
        longitude, latitude = degrees(easting, northing)
        list_size = patients(n) if callable(patients) else patients
        east, north = easting > middle_x, northing > middle_y
        code = f"P{n + 1:03d}"
        practices.append(
            {
                "code": code,
                "name": f"Practice {n + 1}",
                "postcode": "",
                "latitude": latitude,
                "longitude": longitude,
                "patients": list_size,
                "lower_authority": f"L{1 + 2 * east + north}",
                "upper_authority": f"U{1 + east}",
                "existing_consortium": "E2" if north else "E1",
                "existing_consortium_name": "North PCT" if north else "South PCT",
                "need_index": 1,
                "deprivation": round(10 + 20 * n / (columns * rows), 2),
                "pct_65plus": 15 + n % 5,
                "rural": 0,
            }
        )
        hospital = "RB1" if east else "RA1"
        for provider, service, rate, cost in (
            (hospital, "emergency", 90, 2000),
            (hospital, "outpatients", 300, 150),
            ("RC1", "nursing", 80, 900),
            ("GP1", "referrals", 200, 10),
        ):
            activity = list_size * rate / 1000
            flows.append(
                {
                    "practice": code,
                    "provider": provider,
                    "service": service,
                    "activity": activity,
                    "spend": activity * cost,
                    "label": "observed",
                }
            )
    providers: list[Mapping[str, object]] = []
    for n, (code, name, kind) in enumerate(PROVIDERS):
        longitude, latitude = degrees((middle_x + x0) / 2 if n % 2 == 0 else (middle_x + x1) / 2, middle_y)
        owners = "P001;P002" if kind == "practice_owned" else ""
        providers.append(
            {
                "code": code,
                "name": name,
                "kind": kind,
                "latitude": latitude,
                "longitude": longitude,
                "income": "",
                "owners": owners,
            }
        )
    areas = []
    for n, (left, right) in enumerate(((x0, middle_x), (middle_x, x1))):
        upper = f"U{n + 1}"
        ring = [(left, y0), (right, y0), (right, middle_y), (right, y1), (left, y1), (left, middle_y)]
        areas.append(feature(upper, f"Upper {n + 1}", "upper", ring))
        areas.append(feature(f"L{2 * n + 1}", f"Lower {2 * n + 1}", "lower", box(left, y0, right, middle_y), upper))
        areas.append(feature(f"L{2 * n + 2}", f"Lower {2 * n + 2}", "lower", box(left, middle_y, right, y1), upper))
    return {
        "dataset.toml": DATASET_TOML,
        "practices.csv": csv_text(practices),
        "providers.csv": csv_text(providers),
        "areas.geojson": geojson(*areas),
        "services.csv": SERVICES,
        "functions.csv": FUNCTIONS,
        "flows.csv": csv_text(flows),
        "relationships.csv": "practice,other,strength,confidential\nP001,P002,0.5,no\nP003,P004,-1,yes\n",
        "links.csv": "from,to,kind,note\nP001,P003,bridge,a toll bridge\n",
    }


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files to a folder, made when absent; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return folder


def write_world(
    folder: Path,
    columns: int = 4,
    rows: int = 4,
    spacing: float = 2_000.0,
    patients: int | Callable[[int], int] = 5_000,
    replace: Mapping[str, str | None] | None = None,
) -> Path:
    """Write `world(…)` to a folder, some files replaced (left out where the text is None); returns the folder."""
    files: dict[str, str | None] = {**world(columns, rows, spacing, patients), **(replace or {})}
    return write_files(folder, {name: text for name, text in files.items() if text is not None})
