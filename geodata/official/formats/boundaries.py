"""Boundaries of authorities and NHS bodies, as the Office for National Statistics and Ordnance Survey publish them.

GeoJSON or TopoJSON, one file a kind of area and year. The year is in the names of the properties: lad17cd, LAD23CD,
ctyua24cd, ccg21cd, sicbl23cd, icb23cd, rgn22cd, lsoa21cd, each with its name in lad17nm and so on. ONS's own maps for
the web have AREACD and AREANM; files made from these have lad_code and lad_name. Coordinates are degrees, or metres of
the British National Grid (a member `crs` says EPSG:27700, or numbers far beyond degrees do). Files cover England,
Great Britain or the United Kingdom. Simplified ones hold polygons that cross themselves and areas that vanished.

An area's code changes when its boundary does: see geodata/official/successors.py.
"""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.official.area_kinds import GSS, SHOWN, Kind, kind
from geodata.official.columns import Column
from geodata.official.dates import iso
from geodata.official.degrees import in_degrees
from geodata.official.format import Format, Read
from geodata.official.found import Found
from geodata.official.shapes import POLYGONS, Layer, layers
from geodata.official.successors import NAMES, current
from optimiser.errors import DataError, Problem, raise_all

CODE = Column("code", (r"(lad|ctyua|ccg|sicbl|icb|rgn|lsoa)\d\dcd",), shown=SHOWN)
TEXTS = ["code", "name", "parent", "nhs_code"]
NATIONS = {"S": "Scotland", "W": "Wales", "N": "Northern Ireland"}


def read_boundaries(table: Found) -> Read:
    """tier, code, name, parent, nhs_code ("" where unknown), geometry: valid polygons in degrees (WGS84), England's."""
    try:
        found = [(layer, what) for layer in layers(table.document) if (what := kind(layer))]
    except ValueError as fault:
        raise DataError(Problem(f"is no map: {fault}", table.name, "", "Download it again.")) from fault
    if not found:
        raise DataError(Problem("holds no areas with a code", table.name, f"Looked for {SHOWN}."))
    reads = [_read_layer(table, layer, what) for layer, what in found]
    dropped: Counter[str] = Counter()
    for read in reads:
        dropped.update(read.dropped)
    table.forget_document()
    frame = pd.concat([read.frame for read in reads], ignore_index=True)
    return Read(frame, max(read.vintage for read in reads), tuple(n for read in reads for n in read.notes), dropped)


def _read_layer(table: Found, layer: Layer, what: Kind) -> Read:
    rows, problems = [], []
    dropped: Counter[str] = Counter()
    for area in layer.areas:
        code, name, parent, nhs_code = (
            _text(area.properties.get(key)) for key in (what.code, what.name, what.parent, what.nhs_code)
        )
        code = code.upper()
        place = f"{table.name}:{layer.name or 'feature'} {area.number}:{what.code}"
        if GSS.fullmatch(code) and not code.startswith("E"):
            dropped[f"outside England ({NATIONS.get(code[0], 'elsewhere')})"] += 1
        elif not re.fullmatch(r"[A-Z0-9]{3,9}", code) or (re.match(r"E\d", code) and not GSS.fullmatch(code)):
            problems.append(Problem(f"{code!r} is no code" if code else "no code", place, "A code is like E06000004."))
        elif area.geometry is None:
            dropped["no geometry"] += 1
        else:
            try:
                shape = layer.polygon(area)
            except (ValueError, shapely.errors.GEOSException) as fault:
                problems.append(Problem(f"{code} cannot be drawn: {fault}", place, "", "Download it again."))
                continue
            rows.append((code, name, parent, nhs_code or _nhs_code(what.tier, code, name), shape))
    raise_all(DataError, problems)
    if not rows:
        raise DataError(Problem("holds no area of England", table.name, "", "Download it again."))
    frame, again, parts = _joined(table, pd.DataFrame(rows, columns=[*TEXTS, "geometry"], dtype=object))
    dropped["said again"] += again
    shapes, moved = in_degrees(list(frame["geometry"]), table.document.get("crs"), table.name)
    frame["geometry"], mended = _mended(table, frame["code"], shapes)
    notes = [moved] if moved else []
    if parts:
        notes.append(f"{parts} areas that come in several parts were joined")
    if mended:
        notes.append(f"{mended} polygons cross themselves, as simplified ones do, and were mended")
    if old := [code for code in frame["code"] if current(code) != code]:
        some = ", ".join(f"{code} is now {current(code)} ({NAMES[current(code)]})" for code in old[:4])
        notes.append(f"{len(old)} codes have been replaced since: {some}{', …' if len(old) > 4 else ''}")
    frame.insert(0, "tier", what.tier)
    frame = frame.astype(dict.fromkeys(["tier", *TEXTS], str))
    named = iso(table.called)
    return Read(frame, named if named[:4] == what.year else what.year or named, tuple(notes), +dropped)


def _joined(table: Found, frame: pd.DataFrame) -> tuple[pd.DataFrame, int, int]:
    """Areas once each; how many rows only said again what another says, and how many areas come in parts. DataError
    where parts of one code have different names."""
    drawn = pd.Series(shapely.to_wkb(frame["geometry"].to_numpy()), index=frame.index)
    same = frame[["code", "name"]].assign(drawn=drawn).duplicated()
    frame = frame[~same]
    doubled = frame[frame["code"].duplicated(keep=False)]
    names = doubled.groupby("code")["name"].unique()
    raise_all(
        DataError,
        [
            Problem(f"{code} is {' and '.join(map(repr, found))}", table.name, "One code is one area.")
            for code, found in names.items()
            if len(found) > 1
        ],
    )
    whole = frame.drop_duplicates("code").set_index("code", drop=False).rename_axis(None)
    for code, parts in doubled.groupby("code")["geometry"]:
        whole.at[code, "geometry"] = shapely.union_all(shapely.make_valid(parts.to_numpy()))
    return whole.reset_index(drop=True), int(same.sum()), len(names)


def _mended(table: Found, codes: pd.Series, shapes: list[BaseGeometry]) -> tuple[list[BaseGeometry], int]:
    """Valid polygons, and how many were not. DataError naming those of which nothing is left."""
    wrong = ~shapely.is_valid(np.array(shapes, dtype=object))
    mended = [_surface(shapely.make_valid(s)) if bad else s for s, bad in zip(shapes, wrong, strict=True)]
    lost = [code for code, shape in zip(codes, mended, strict=True) if shape.is_empty or not shape.area]
    raise_all(DataError, [Problem(f"{code} has no surface", table.name, "", "Download it again.") for code in lost])
    return mended, int(wrong.sum())


def _surface(shape: BaseGeometry) -> BaseGeometry:
    """The polygons of a geometry without the lines and points that mending leaves."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts)


def _nhs_code(tier: str, code: str, name: str) -> str:
    """The NHS's own code where it stands in for the code, or at the end of a sub-ICB's name ("… ICB - 02P")."""
    if tier not in ("ccg", "sub_icb", "icb", "nhs_region", "pcn"):
        return ""
    found = re.search(r" - ([A-Z0-9]{3,5})$", name)
    return (found[1] if found else "") if GSS.fullmatch(code) else code


def _text(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


def like_boundaries(table: Found) -> float:
    """Whether a table is a map of areas with a code. A map cut short counts as one: reading it says what is wrong."""
    if table.kind != "map":
        return 0.0
    try:
        found = layers(table.document)
    except ValueError:
        return 1.0
    except DataError:
        return float(table.is_map_by_its_start)
    if any(kind(layer) for layer in found):
        return 1.0
    shaped = [area.geometry["type"] for layer in found for area in layer.areas if area.geometry]
    table.forget_document()
    return 0.8 if shaped and all(found in POLYGONS for found in shaped) else 0.0


FORMATS = (
    Format(
        "boundaries",
        "Boundaries of areas (ONS, GeoJSON or TopoJSON)",
        "the authorities and NHS bodies that consortia must fit, and the map",
        read_boundaries,
        like_boundaries,
        (CODE,),
    ),
)
