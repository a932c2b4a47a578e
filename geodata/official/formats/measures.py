"""What is measured of practices and commissioners: need, deprivation, and the allowance for running costs.

Published files. The practice table of NHS England's allocation tool, yearly since 2022/23: people and people weighted
by need; the people stand under pop 2022/23, Population or Registered Patients, the weighted under Final WP or Core WP,
areas under LAD21 or LAD; of 2025/26 the columns Patients, CCG, LA and PCN are blank. Deprivation by practice from
Fingertips (indicator 93553 of IMD 2019, others of other years; one export may hold many indicators): a row an area,
England twice, a practice once for each kind of area it is in. Running-cost allowances of CCGs.

Quirks. Allowances are in £, £000 or £m, populations read "155,793", headers hold hyphens of broken words.
"""

from __future__ import annotations

import re

import pandas as pd

from geodata.coordinates import LATITUDES, LONGITUDES
from geodata.official.columns import SEARCHED, Column, header_row, plain
from geodata.official.dates import iso
from geodata.official.format import Format, Read, by_header, text_frame
from geodata.official.found import Found
from geodata.official.rows import BODY, PRACTICE, Sifted, amounts, codes, each, names, postcodes, together
from optimiser.errors import DataError, Problem

MOST = 1e6
"""Patients of a practice."""
AUTHORITY = r"E(0[6-9]|10)\d{6}"
NEED = (
    Column("practice", ("(gp_)?practice_code",), shown="Practice_Code"),
    Column("patients", ("(gp_)?population", r"pop_\d{4}_\d\d", "registered_patients"), shown="Population"),
    Column("weighted", ("(final|core)_wp",), shown="Final WP"),
    Column("lat", ("latitude", "lat"), required=False),
    Column("lon", ("longitude", "long?"), required=False),
    Column("lad_code", (r"lad(\d\d)?(_?(cd|code))?",), required=False),
    Column("lad_name", (r"ltla(\d\d)?(_?name)?", r"lad(\d\d)?_?(nm|name)"), required=False),
    Column("upper_code", (r"la(\d\d)?", r"utla(\d\d)?_?(cd|code)"), required=False),
    Column("upper_name", (r"utla(\d\d)?(_?name)?",), required=False),
    Column("postcode", ("(gp_)?(practice_)?postcode",), required=False),
)
DEPRIVATION = (
    Column("indicator", ("indicator_?name",), shown="Indicator Name"),
    Column("practice", ("area_?code",), shown="Area Code"),
    Column("area", ("area_?type",), shown="Area Type"),
    Column("period", ("time_?period",), shown="Time period"),
    Column("imd_score", ("value",), shown="Value"),
)
INDEX = re.compile(
    r"(?!.*(?:income|child|older|decile|quintile|rank|gap|inequal))(?=.*deprivation)(?=.*(?:score|\bimd\b))"
    r".*?(20\d\d)?\)?\s*",
    re.IGNORECASE,
)
"""Names of the indicator: Deprivation score (IMD 2019)."""
ALLOWANCES = (
    Column("commissioner", ("(ccg|sub_icb(_location)?|org(anisation)?)_code",), shown="CCG code"),
    Column("name", ("(ccg|sub_icb(_location)?|org(anisation)?)_name",), shown="CCG name"),
    Column("patients", (r".*registered_(gp_)?population", r".*population.*"), shown="registered population"),
    Column("allowance", (r"running_costs?_allowances?.*",), shown="Running Cost Allowance"),
    Column("region", (".*region",), required=False),
    Column("cluster", (".*cluster", "area_team.*"), required=False),
)
PER_HEAD = (5.0, 60.0)
"""£ a head and year that commissioners have been allowed: 25 in 2013/14, 18 to 20 since 2019."""
UNITS = {"£": 1.0, "£000": 1e3, "£m": 1e6}


def read_need(table: Found) -> Read:
    """practice, patients, need_index (weighted by need / patients; 1 is England), lat, lon, lad and upper authority,
    postcode."""
    sifted = Sifted(table, text_frame(table, NEED))
    sifted.leave_totals_out("practice")
    frame = sifted.rest()
    sifted.frame = pd.DataFrame(
        together(
            {
                "practice": lambda: codes(table, frame, "practice", PRACTICE),
                "patients": lambda: amounts(table, frame, "patients", MOST),
                "weighted": lambda: amounts(table, frame, "weighted", 10 * MOST),
                "lat": lambda: amounts(table, frame, "lat", LATITUDES[1], LATITUDES[0]),
                "lon": lambda: amounts(table, frame, "lon", LONGITUDES[1], LONGITUDES[0]),
                "lad_code": lambda: codes(table, frame, "lad_code", AUTHORITY, blank=True),
                "lad_name": lambda: names(frame["lad_name"]),
                "upper_code": lambda: codes(table, frame, "upper_code", AUTHORITY, blank=True),
                "upper_name": lambda: names(frame["upper_name"]),
                "postcode": lambda: postcodes(frame["postcode"]),
            }
        )
    )
    sifted.leave_repeats_out(["practice"])
    sifted.leave_out(sifted.frame[["patients", "weighted"]].isna().any(axis=1), "no population")
    found = sifted.rest().reset_index(drop=True)
    index = found["weighted"] / found["patients"].where(found["patients"] > 0)
    found = found.assign(need_index=index).drop(columns="weighted")
    return Read(found, _allocation_year(table), sifted.doubts(), sifted.dropped)


def _weighted(table: Found) -> bool:
    """Whether any column is of a weighted population."""
    return any(re.fullmatch(r".*_wp", plain(cell)) for row in table.head[:SEARCHED] for cell in row)


def _allocation_year(table: Found) -> str:
    """2025 for 2025/26, from the name of the file or of a column."""
    for text in (table.name, *(table.head[0] if table.head else ())):
        found = re.search(r"(?<!\d)(20\d\d)\D{1,2}(?:20)?(\d\d)(?!\d)", text)
        if found and int(found[2]) == int(found[1][2:]) + 1:
            return found[1]
    return iso(table.called)


def read_deprivation(table: Found) -> Read:
    """practice, imd_score of the newest index in the file."""
    sifted = Sifted(table, text_frame(table, DEPRIVATION))
    indices = each(sifted.frame["indicator"], lambda text: bool(INDEX.fullmatch(text)))
    sifted.leave_out(~indices.astype(bool), "another indicator")
    sifted.leave_out(~sifted.frame["area"].str.match(r"(?i)gps?\b|general practice|practice"), "row of a larger area")
    year = each(sifted.frame["indicator"], _named_year)
    year = year.where(year != "", sifted.frame["period"].str.extract(r"(20\d\d)", expand=False).fillna(""))
    newest = year.max() if len(year) else ""
    sifted.leave_out(year != newest, "row of an older index")
    frame = sifted.rest()
    sifted.frame = pd.DataFrame(
        together(
            {
                "practice": lambda: codes(table, frame, "practice", PRACTICE),
                "imd_score": lambda: amounts(table, frame, "imd_score", 100),
            }
        )
    )
    sifted.leave_out(sifted.frame["imd_score"].isna(), "no score")
    sifted.leave_repeats_out(["practice"])
    # The last column is not read: that the file ends without a line end is as published.
    return Read(sifted.rest().reset_index(drop=True), newest, (), sifted.dropped)


def _named_year(indicator: str) -> str:
    found = INDEX.fullmatch(indicator)
    return (found[1] or "") if found else ""


def like_deprivation(table: Found) -> float:
    """Likeness to the Fingertips export of this one among thousands of indicators."""
    likeness = by_header(DEPRIVATION)(table)
    row, at = header_row(table, DEPRIVATION) if table.kind != "map" else (0, {})
    if likeness < 1:
        return likeness
    name = at["indicator"]
    return float(any(INDEX.fullmatch(cells[name]) for cells in table.head[row + 1 :] if name < len(cells)))


def read_allowances(table: Found) -> Read:
    """commissioner, name, patients, allowance_gbp. The unit is that under which the allowance a head is likely."""
    sifted = Sifted(table, text_frame(table, ALLOWANCES))
    sifted.leave_totals_out("commissioner")
    sifted.leave_totals_out("name")
    empty = (sifted.frame["commissioner"] == "") & (sifted.frame["allowance"] == "")
    sifted.leave_out(empty, "note under the table")
    frame = sifted.rest()
    found = pd.DataFrame(
        together(
            {
                "commissioner": lambda: codes(table, frame, "commissioner", BODY),
                "name": lambda: names(frame["name"]),
                "patients": lambda: amounts(table, frame, "patients", 1e7),
                "allowance_gbp": lambda: amounts(table, frame, "allowance", 1e10),
            }
        )
    )
    unit = _unit(table, found)
    sifted.frame = found.assign(allowance_gbp=found["allowance_gbp"] * UNITS[unit])
    sifted.leave_repeats_out(["commissioner"])
    sifted.leave_out(sifted.frame["allowance_gbp"].isna(), "no allowance")
    row, at = header_row(table, ALLOWANCES)
    people = table.head[row][at["patients"]]
    named = re.search(r"20\d\d", people)
    notes = (f"Allowances are read as {unit}, populations are those of the column {people!r}.", *sifted.doubts())
    return Read(sifted.rest().reset_index(drop=True), named[0] if named else iso(table.called), notes, sifted.dropped)


def _unit(table: Found, found: pd.DataFrame) -> str:
    """The unit in which half of the commissioners or more are allowed a likely sum a head."""
    head = (found["allowance_gbp"] / found["patients"].where(found["patients"] > 0)).median()
    for unit, pounds in UNITS.items():
        if PER_HEAD[0] <= head * pounds <= PER_HEAD[1]:
            return unit
    low, high = PER_HEAD
    what = f"allowances are {head:.3g} a head, in £, £000 or £m none of which lies between £{low:g} and £{high:g}"
    raise DataError(Problem(what, table.name, "", "Look whether the columns are the right ones."))


FORMATS = (
    Format(
        "need",
        "Populations of practices weighted by need (NHS England allocation tool)",
        "how much more or less care the patients of a practice need than others",
        read_need,
        by_header(NEED, common=True, telling=_weighted),
        NEED,
    ),
    Format(
        "deprivation",
        "Deprivation of practices (Fingertips, index of multiple deprivation)",
        "how deprived the patients of a practice are",
        read_deprivation,
        like_deprivation,
        DEPRIVATION,
    ),
    Format(
        "allowances",
        "Running-cost allowances of commissioners",
        "what commissioners may spend on their own running",
        read_allowances,
        by_header(ALLOWANCES, common=True),
        ALLOWANCES,
    ),
)
