"""What the areas of a map are, from the names of their properties: lad23cd, CTYUA24CD, sicbl23cd."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geodata.official.columns import plain
from geodata.official.shapes import POLYGONS, Area, Layer

# Kinds of area, the smaller first: what their code property is called before its year. A map is of the first that it
# names, the others hold it. Kinds without a tier are used for nothing.
_STEMS = (
    ("", "oa"), ("lsoa", "lsoa"), ("", "msoa"), ("", "wd|ward"), ("", "par|parncp"), ("", "ced"), ("", "pcon"),
    ("pcn", "pcn"), ("lad", "lad|lau1|ltla"), ("sub_icb", "sicbl|sub_icb(?:_location)?"), ("ccg", "ccg"),
    ("icb", "icb"), ("", "stp|cal"), ("upper", "ctyua|utla"), ("county", "cty"), ("region", "rgn"),
    ("nhs_region", "nhser|nhs_region"), ("", "ctry"),
)  # fmt: skip
_KINDS = tuple((tier, re.compile(rf"({stems})_?(\d\d)?_?(cd|code)")) for tier, stems in _STEMS)
_ANY_CODE = ("areacd", "area_code", "gss_code", "ons_code", "geo_code", "code")
_ANY_NAME = ("areanm", "area_name", "geo_name", "name")
_BY_PREFIX = dict.fromkeys(("E06", "E07", "E08", "E09"), "lad") | {
    "E01": "lsoa", "E10": "upper", "E12": "region", "E40": "nhs_region", "E54": "icb",
}  # fmt: skip
GSS = re.compile(r"[EWSNK]\d{8}")
SHOWN = "ladNNcd, ctyuaNNcd, ccgNNcd, sicblNNcd, icbNNcd, rgnNNcd or lsoaNNcd, NN the year"


@dataclass(frozen=True)
class Kind:
    """What a layer's areas are. code, name, parent, nhs_code: the properties that say so, "" where none does. year: of
    the boundaries, "2023", "" where no property says it."""

    tier: str
    code: str
    name: str = ""
    parent: str = ""
    nhs_code: str = ""
    year: str = ""


def kind(layer: Layer) -> Kind | None:
    """What a layer's areas are; None where no property tells, where nothing uses them, or where they are no areas."""
    kinds = [area.geometry["type"] for area in layer.areas if area.geometry]
    if not kinds or not any(found in POLYGONS for found in kinds):
        return None
    names: dict[str, str] = {}
    for area in layer.areas:
        for name in area.properties:
            names.setdefault(plain(str(name)), name)
    named = [
        (tier, *match.groups(), name)
        for tier, pattern in _KINDS
        for name in names
        if (match := pattern.fullmatch(name))
    ]
    if named:
        tier, stem, year, _, code = named[0]
        larger = [other for other in named[1:] if other[0] and other[0] != tier]
        return _kind(tier, names, code, stem, year or "", larger[0][-1] if larger else "") if tier else None
    for code in _ANY_CODE:
        if code in names and (tier := _tier(layer.areas, names)):
            return _kind(tier, names, code)
    return None


def _kind(tier: str, names: Mapping[str, str], code: str, stem: str = "", year: str = "", parent: str = "") -> Kind:
    own = [f"{stem}{year}nm", f"{stem}_name", f"{stem}_{year}_nm"] if stem else []
    name = next((p for p in (*own, *_ANY_NAME) if p in names), "")
    nhs = f"{stem}{year}cdh"
    return Kind(
        tier,
        names[code],
        names.get(name, ""),
        names.get(parent, ""),
        names.get(nhs, ""),
        f"20{year}" if year else "",
    )


def _tier(areas: Sequence[Area], names: Mapping[str, str]) -> str:
    """What areas are by how their codes begin: counties among authorities make them all upper ones."""
    key = next(names[code] for code in _ANY_CODE if code in names)
    codes = [str(area.properties.get(key)) for area in areas]
    if sum(bool(GSS.fullmatch(code)) for code in codes) < 0.9 * len(codes):
        return ""
    prefixes = {code[:3] for code in codes if code.startswith("E")}
    if prefixes == {"E38"}:
        words = " ".join(str(value) for area in areas for value in area.properties.values())
        return "sub_icb" if "ICB" in words else "ccg"
    tiers = {_BY_PREFIX.get(prefix, "") for prefix in prefixes}
    return "upper" if tiers == {"lad", "upper"} else tiers.pop() if len(tiers) == 1 else ""
