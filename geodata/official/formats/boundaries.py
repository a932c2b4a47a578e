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
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.official.columns import Column, plain
from geodata.official.dates import iso
from geodata.official.degrees import in_degrees
from geodata.official.format import Format, Read
from geodata.official.found import Found
from geodata.official.shapes import POLYGONS, Area, Layer, layers
from geodata.official.successors import NAMES, current
from optimiser.errors import DataError, Problem, raise_all

# Kinds of area, the smaller first: what the code property is called before its year. A map of the first is of that,
# though it may name others. Those without a tier are used for nothing.
_STEMS = (
    ("", "oa"), ("lsoa", "lsoa"), ("", "msoa"), ("", "wd|ward"), ("", "par|parncp"), ("", "ced"), ("", "pcon"),
    ("pcn", "pcn"), ("lad", "lad|lau1|ltla"), ("sub_icb", "sicbl|sub_icb(_location)?"), ("ccg", "ccg"),
    ("icb", "icb"), ("", "stp|cal"), ("upper", "ctyua|utla"), ("county", "cty"), ("region", "rgn"),
    ("nhs_region", "nhser|nhs_region"), ("", "ctry"),
)  # fmt: skip
_ENDS = r"(?:_?(\d\d))?(?:_?cd|_code)"
_CODES = tuple((tier, re.compile(rf"(?:{stems}){_ENDS}"), stems) for tier, stems in _STEMS)
_ANY_CODE = ("areacd", "area_code", "gss_code", "ons_code", "geo_code", "code")
_ANY_NAME = ("areanm", "area_name", "geo_name", "name")
_BY_PREFIX = {
    **dict.fromkeys(("E06", "E07", "E08", "E09"), "lad"),
    **{"E10": "upper", "E12": "region", "E40": "nhs_region", "E54": "icb", "E01": "lsoa"},
}
_GSS = re.compile(r"[EWSNK]\d{8}")
_NATIONS = {"S": "Scotland", "W": "Wales", "N": "Northern Ireland"}
_SHOWN = "ladNNcd, ctyuaNNcd, ccgNNcd, sicblNNcd, icbNNcd, rgnNNcd or lsoaNNcd, NN the year"
CODE = Column("code", (r"(lad|ctyua|ccg|sicbl|icb|rgn|lsoa)\d\dcd",), shown=_SHOWN)


class _Key:
    """What a layer's areas are, and which properties say so. year: "2023", "" where no property says it."""

    def __init__(self, tier: str, code: str, year: str, names: Mapping[str, str]):
        self.tier, self.code, self.year = tier, code, year
        stem = re.sub(r"_?(cd|code)$", "", code)
        self.name = next((p for p in (f"{stem}nm", f"{stem}_name", *_ANY_NAME) if p in names), "")
        bare = r"lau1" if stem.startswith("lau1") else re.sub(r"_?\d\d$", "", stem)
        self.nhs = next((p for p in names if re.fullmatch(rf"{bare}_?\d\dcdh", p)), "")
        larger = [t for t, _ in _STEMS].index(tier) + 1 if tier in dict(_STEMS) else len(_STEMS)
        found = (p for t, pattern, _ in _CODES[larger:] if t for p in names if p != code and pattern.fullmatch(p))
        self.parent = next(found, "")
        self.original = names


def _key(layer: Layer) -> _Key | None:
    """What a layer's areas are; None where no property tells, or they are of a kind that nothing uses."""
    shaped = [area for area in layer.areas if area.geometry is not None]
    if not shaped or all(area.geometry["type"] not in POLYGONS for area in shaped if area.geometry):
        return None
    names: dict[str, str] = {}
    for area in layer.areas:
        for name in area.properties:
            names.setdefault(plain(str(name)), str(name))
    for tier, pattern, _ in _CODES:
        for name in names:
            if found := pattern.fullmatch(name):
                return _Key(tier, name, f"20{found[1]}" if found[1] else "", names) if tier else None
    for name in _ANY_CODE:
        codes = [_text(area.properties.get(names.get(name, ""))) for area in shaped]
        if tier := _tier(codes, shaped, names):
            return _Key(tier, name, "", names)
    return None


def _tier(codes: Sequence[str], areas: Sequence[Area], names: Mapping[str, str]) -> str:
    """What areas are by how their codes begin: counties among authorities make them all upper ones."""
    if not codes or sum(bool(_GSS.fullmatch(code)) for code in codes) < 0.9 * len(codes):
        return ""
    english = [code[:3] for code in codes if code.startswith("E")]
    if english and set(english) == {"E38"}:
        named = " ".join(_text(area.properties.get(names.get("areanm", ""))) for area in areas)
        return "sub_icb" if "ICB" in named else "ccg"
    tiers = {_BY_PREFIX.get(prefix, "") for prefix in english}
    return "upper" if tiers == {"lad", "upper"} else tiers.pop() if len(tiers) == 1 else ""


def read_boundaries(table: Found) -> Read:
    """tier, code, name, parent, nhs_code ("" where unknown), geometry: valid polygons in degrees (WGS84), England's."""
    try:
        found = [(layer, key) for layer in layers(table.document) if (key := _key(layer))]
    except ValueError as fault:
        raise DataError(Problem(f"is no map: {fault}", table.name, "", "Download it again.")) from fault
    if not found:
        raise DataError(Problem("holds no areas with a code", table.name, f"Looked for {_SHOWN}."))
    reads = [_read_layer(table, layer, key) for layer, key in found]
    dropped: dict[str, int] = {}
    for read in reads:
        for reason, count in read.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + count
    frame = pd.concat([read.frame for read in reads], ignore_index=True)
    vintages = sorted({read.vintage for read in reads} - {""})
    return Read(frame, vintages[-1] if vintages else "", tuple(note for read in reads for note in read.notes), dropped)


def _read_layer(table: Found, layer: Layer, key: _Key) -> Read:
    where = f"{table.name}:{layer.name or 'feature'}"
    rows, problems, dropped = [], [], {}
    for area in layer.areas:
        code, name, parent, nhs = (
            _text(area.properties.get(key.original.get(p, ""))) for p in (key.code, key.name, key.parent, key.nhs)
        )
        code = code.upper()
        place = f"{where} {area.number}:{key.original[key.code]}"
        if _GSS.fullmatch(code) and not code.startswith("E"):
            reason = f"outside England ({_NATIONS.get(code[0], 'elsewhere')})"
        elif not re.fullmatch(r"[A-Z0-9]{3,9}", code) or (re.match(r"E\d", code) and not _GSS.fullmatch(code)):
            problems.append(Problem(f"{code!r} is no code", place, "A code is like E06000004."))
            continue
        elif area.geometry is None:
            reason = "no geometry"
        else:
            try:
                shape = layer.polygon(area)
            except (ValueError, shapely.errors.GEOSException) as fault:
                problems.append(Problem(f"{code} cannot be drawn: {fault}", place, "", "Download it again."))
                continue
            rows.append((code, name, parent, nhs or _nhs_code(key.tier, code, name), shape))
            continue
        dropped[reason] = dropped.get(reason, 0) + 1
    raise_all(DataError, problems)
    frame = pd.DataFrame(rows, columns=["code", "name", "parent", "nhs_code", "geometry"]).astype(object)
    if frame.empty:
        raise DataError(Problem("holds no area of England", table.name, "", "Download it again."))
    frame, notes = _joined(table, frame)
    shapes, how = in_degrees(list(frame["geometry"]), table.document.get("crs"), table.name)
    frame["geometry"], mended = _mended(table, frame["code"], shapes)
    notes += [how] if how else []
    if mended:
        notes.append(f"{mended} polygons cross themselves, as simplified ones do, and were mended")
    if old := [code for code in frame["code"] if current(code) != code]:
        some = ", ".join(f"{code} is now {current(code)} ({NAMES[current(code)]})" for code in old[:4])
        notes.append(f"{len(old)} codes have been replaced since: {some}{', …' if len(old) > 4 else ''}")
    frame.insert(0, "tier", key.tier)
    named = iso(PurePosixPath(table.name).name)
    return Read(frame, named if named[:4] == key.year else key.year or named, tuple(notes), dropped)


def _joined(table: Found, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Areas that come in several parts as one. DataError where parts of one code have different names."""
    doubled = frame[frame["code"].duplicated(keep=False)]
    if doubled.empty:
        return frame, []
    names = doubled.groupby("code")["name"].unique()
    raise_all(
        DataError,
        [
            Problem(f"{code} is {' and '.join(map(repr, found))}", table.name, "One code is one area.")
            for code, found in names[names.str.len() > 1].items()
        ],
    )
    whole = frame.drop_duplicates("code").set_index("code")
    for code, parts in doubled.groupby("code")["geometry"]:
        whole.at[code, "geometry"] = shapely.union_all(shapely.make_valid(list(parts)))
    return whole.reset_index(), [f"{len(names)} codes stand more than once: their {len(doubled)} parts were joined"]


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
    if tier in ("ccg", "sub_icb", "icb", "nhs_region", "pcn"):
        if not _GSS.fullmatch(code):
            return code
        if found := re.search(r" - ([A-Z0-9]{3,5})$", name):
            return found[1]
    return ""


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
    if any(_key(layer) for layer in found):
        return 1.0
    shaped = [area.geometry["type"] for layer in found for area in layer.areas if area.geometry]
    return 0.8 if shaped and all(kind in POLYGONS for kind in shaped) else 0.0


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
