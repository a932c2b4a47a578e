"""Writes the demo region: `python -m geodata.demo.generate [--out DIR]`. The same seed gives the same bytes."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from pyproj import Transformer

from geodata import catalogue
from geodata.demo import care
from geodata.demo import gazetteer as gaz
from geodata.demo.land import SEA, Land, make_land
from geodata.demo.people import Surgery, distance, make_surgeries

SEED = 2011
REGION_FOLDER = Path(__file__).with_name("region")
# One fixed transformation, so that a grid file installed on some machine cannot move the region by metres.
_TO_WGS84 = (
    "+proj=pipeline +step +inv +proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +ellps=airy "
    "+step +proj=push +v_3 +step +proj=cart +ellps=airy "
    "+step +proj=helmert +x=446.448 +y=-125.157 +z=542.06 +rx=0.15 +ry=0.247 +rz=0.842 +s=-20.489 "
    "+convention=position_vector "
    "+step +inv +proj=cart +ellps=WGS84 +step +proj=pop +v_3 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
)
DATASET = """\
name = "Wexmark, an invented region"
price_year = "2010/11"
list_year = "2010/11"
geography_year = "2010/11"
licence = "MIT, as the program"
attribution = "Synthetic data: every place, practice, provider and patient is invented"
synthetic = true
notes = [
    "Drawn by geodata/demo/generate.py; the flows count as observed within the invented region",
    "Providers' income includes what they earn outside the region",
]
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: writes the region's files into a folder."""
    parser = argparse.ArgumentParser(description="Write the invented demo region.")
    parser.add_argument("--out", type=Path, default=REGION_FOLDER, help="folder to write (default: the bundled one)")
    write_region(parser.parse_args(arguments).out, np.random.default_rng(SEED))


def write_region(folder: Path, rng: np.random.Generator) -> None:
    """Write the whole dataset folder; existing files are replaced."""
    for_land, for_people, for_flows, for_ties = rng.spawn(4)
    land = make_land(for_land)
    surgeries = make_surgeries(for_people, land)
    flows = care.make_flows(for_flows, surgeries, catalogue.services())
    ties = care.make_ties(for_ties, surgeries)
    income = care.incomes(flows)
    files = {
        "dataset.toml": DATASET,
        "practices.csv": _table(_PRACTICE_COLUMNS, (_practice_row(s) for s in surgeries)),
        "providers.csv": _table(
            "code,name,kind,latitude,longitude,income,owners",
            (_provider_row(seller, surgeries, income[seller.code]) for seller in gaz.SELLERS),
        ),
        "flows.csv": _table(
            "practice,provider,service,activity,spend,label",
            ((f.practice, f.provider, f.service, f"{f.activity:.9g}", f.spend, "observed") for f in flows),
        ),
        "relationships.csv": _table(
            "practice,other,strength,confidential",
            ((t.practice, t.other, t.strength, "yes" if t.confidential else "no") for t in ties),
        ),
        "links.csv": _table("from,to,kind,note", _links(surgeries)),
        "wishes.csv": _table("who,service,scale,strength,note", gaz.WISHES),
        "finances.csv": _table("who,budget,inherited", _finances(surgeries)),
        "areas.geojson": _areas(land),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text.encode("utf-8"))


_PRACTICE_COLUMNS = (
    "code,name,postcode,latitude,longitude,patients,existing_locality,existing_locality_name,existing_consortium,"
    "existing_consortium_name,existing_alliance,existing_alliance_name,existing_agency,existing_agency_name,need_index,"
    "deprivation,pct_65plus,rural,referral_index,prescribing_index,satisfaction_pct"
)


def _practice_row(s: Surgery) -> tuple[object, ...]:
    alliance, alliance_name = next((code, n) for code, (n, bodies) in gaz.ALLIANCES.items() if s.consortium in bodies)
    longitude, latitude = _degrees([(s.x, s.y)], 6)[0]
    return (
        s.code, s.name, s.postcode, f"{latitude:.6f}", f"{longitude:.6f}", s.patients, s.locality, s.locality_name,
        s.consortium, gaz.CONSORTIA[s.consortium], alliance, alliance_name, *gaz.AGENCY, f"{s.need:.3f}",
        f"{s.deprivation:.1f}", f"{s.over_65:.1f}", f"{s.rural:.2f}", f"{s.referral:.3f}", f"{s.prescribing:.3f}",
        f"{s.satisfaction:.1f}",
    )  # fmt: skip


def _provider_row(seller: gaz.Seller, surgeries: Sequence[Surgery], income: int) -> tuple[object, ...]:
    where: tuple[str, str] = ("", "")
    if seller.at:
        place = next(p for p in gaz.PLACES if p.name == seller.at)
        longitude, latitude = _degrees([(place.x, place.y)], 6)[0]
        where = (f"{latitude:.6f}", f"{longitude:.6f}")
    return (seller.code, seller.name, seller.kind, *where, income, ";".join(care.owners(seller, surgeries)))


def _links(surgeries: Sequence[Surgery]) -> list[tuple[str, str, str, str]]:
    """The ferry, and the bridge over the estuary between the practices of two towns that stand closest."""

    def closest(a: str, b: str) -> tuple[str, str]:
        pairs = [(p, q) for p in surgeries if p.town.name == a for q in surgeries if q.town.name == b]
        p, q = min(pairs, key=lambda pair: distance(*pair))
        return p.code, q.code

    return [
        (*closest(gaz.ISLAND, gaz.HARBOUR), "ferry", "hourly car ferry"),
        (*closest("Ottermere", "Hartsmere"), "bridge", "road bridge over the estuary"),
    ]


def _finances(surgeries: Sequence[Surgery]) -> list[tuple[str, int, int]]:
    """What each body of today has, to £1,000: its fair share of the region's money by need, and invented history."""
    need = {code: sum(s.patients * s.need for s in surgeries if s.consortium == code) for code in gaz.FINANCES}
    each = gaz.BUDGET_PER_HEAD * sum(s.patients for s in surgeries) / sum(need.values())
    budgets = {code: need[code] * each * (1 + above) for code, (above, _) in gaz.FINANCES.items()}
    return [
        (code, 1_000 * round(b / 1_000), 1_000 * round(b * gaz.FINANCES[code][1] / 1_000))
        for code, b in budgets.items()
    ]


def _areas(land: Land) -> str:
    """GeoJSON (CRS84) of every authority at both tiers; a unitary appears at each with one code."""
    unitaries = {c.code: c.name for c in gaz.COUNCILS if c.code == c.parent}
    parents = {**unitaries, **gaz.COUNTIES}
    codes = {SEA: "", **{k: c.code for k, c in enumerate(gaz.COUNCILS)}}
    uppers = {SEA: "", **{k: c.parent for k, c in enumerate(gaz.COUNCILS)}}
    features = [_feature(land, codes, c.code, c.name, "lower", c.parent) for c in gaz.COUNCILS]
    features += [_feature(land, uppers, code, name, "upper", "") for code, name in parents.items()]
    lines = ",\n".join(json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in features)
    crs = '{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}}'
    return f'{{"type":"FeatureCollection","crs":{crs},"features":[\n{lines}\n]}}\n'


def _feature(land: Land, groups: dict[int, str], code: str, name: str, tier: str, parent: str) -> dict[str, object]:
    """One area: outer rings run anticlockwise, a hole follows the ring that holds it."""
    polygons: list[list[list[tuple[float, float]]]] = []
    rings = sorted(land.rings(groups.__getitem__, code), key=_signed_area, reverse=True)
    for ring in rings:
        drawn = _degrees(ring, 5)
        if _signed_area(ring) > 0:
            polygons.append([drawn])
        else:
            polygons[0].append(drawn)
    properties = {"code": code, "name": name, "tier": tier, "parent": parent}
    shape: dict[str, object] = {"type": "MultiPolygon", "coordinates": polygons}
    if len(polygons) == 1:
        shape = {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "Feature", "properties": properties, "geometry": shape}


def _signed_area(ring: Sequence[tuple[float, float]]) -> float:
    """km², positive when anticlockwise."""
    x, y = np.array(ring).T
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2)


def _degrees(points: Sequence[tuple[float, float]], digits: int) -> list[tuple[float, float]]:
    """(longitude, latitude) of points in km from the origin."""
    east, north = (np.array(points) * 1000 + gaz.ORIGIN).T
    longitude, latitude = Transformer.from_pipeline(_TO_WGS84).transform(east, north)
    pairs = zip(np.round(longitude, digits), np.round(latitude, digits), strict=True)
    return [(float(lon), float(lat)) for lon, lat in pairs]


def _table(columns: str, rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns.split(","))
    writer.writerows(rows)
    return out.getvalue()


if __name__ == "__main__":
    main()
