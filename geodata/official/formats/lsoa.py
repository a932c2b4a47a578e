"""Where the patients of each practice live, and where the small areas (LSOAs) of England lie.

Published files. gp-reg-pat-prac-lsoa-all, quarterly since April 2017, in a ZIP with -male and -female, which hold the
same people by sex; 2014 to January 2017 one file (gp-reg-patients-lsoa-alt-tall) with Male, Female and All Patients
in columns and no date. The patients are under NUMBER_OF_PATIENTS or, 2018 to 2021, Number of Patients. LSOAs are
those of 2011, from 2024 on those of 2021 too: the codes of unchanged areas are the same. ONS look-ups LSOA to CCG or
sub-ICB and authority, and population-weighted centroids: property names carry their year (LSOA11CD, CCG21CDH,
LAD21CD).

Quirks. EMPTY, CLOSED, NO2011, L99999999 and M99999999 stand for addresses that are unknown or outside the country;
patients of practices near the border live in Welsh (W01), Scottish (S01) and Northern Irish (N2, 95) areas.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pandas as pd

from geodata.coordinates import (
    EASTINGS,
    LONGITUDES,
    NORTHINGS,
    degrees_in_britain,
    metres_in_britain,
    to_national_grid,
)
from geodata.official.columns import Column, header_row
from geodata.official.dates import iso
from geodata.official.format import Format, Read, by_header, text_frame
from geodata.official.found import Found
from geodata.official.rows import BODY, ENGLISH_LSOA, PRACTICE, Sifted, amounts, codes, each, holds, names, together
from optimiser.errors import DataError, Problem, raise_all

MOST = 1e5
"""Patients of a practice who live in one LSOA; these hold 1,000 to 3,000 people, some that grew 10,000."""
LSOA_CODE = r"lsoa(_?(20)?\d\d)?_?(cd|code)"
LISTS = (
    Column("practice", ("(gp_)?practice_code", "org_code", "code"), shown="PRACTICE_CODE"),
    Column("lsoa", (LSOA_CODE,), shown="LSOA_CODE"),
    Column(
        "patients", ("all_patients", "number_of_patients", "no_of_patients", "patients"), shown="NUMBER_OF_PATIENTS"
    ),
    Column("sex", ("sex", "gender"), required=False),
    Column("date", ("extract_date",), required=False),
)
PLACES = (
    Column("lsoa", (r"lsoa[2-9]\dcd", LSOA_CODE), shown="LSOA21CD"),
    Column("easting", ("x", "eastings?", "bng_e"), shown="x"),
    Column("northing", ("y", "northings?", "bng_n"), shown="y"),
)
AREAS = (
    Column("lsoa", (r"lsoa[2-9]\dcd", LSOA_CODE), shown="LSOA21CD"),
    Column("lad_code", (r"lad(\d\d)?_?(cd|code)", r"l(t|o)?la(\d\d)?_?cd"), shown="LAD21CD"),
    Column("lad_name", (r"lad(\d\d)?_?(nm|name)", r"l(t|o)?la(\d\d)?_?nm"), required=False),
    Column("commissioner", (r"(ccg|sicbl|loc)\d\dcdh",), required=False),
)
POSTCODES = ("pcds?", "pcd[78]?", "post_?code")
"""Columns of postcode directories, which hold LSOAs and places too."""
ABROAD = {
    "EMPTY": "of no known address (EMPTY)",
    "CLOSED": "at a closed postcode (CLOSED)",
    "W": "living in Wales",
    "S": "living in Scotland",
    "N": "living in Northern Ireland",
    "NO": "at an address without an LSOA",
}


def read_lists(table: Found) -> Read:
    """practice, lsoa, patients (of both sexes)."""
    sifted = Sifted(table, text_frame(table, LISTS))
    sex = each(sifted.frame["sex"], str.upper)
    sifted.leave_out((sex != "ALL") & (sex != ""), "row of one sex, who are among all")
    found, vintage, notes = _lists(sifted)
    return Read(found[["practice", "lsoa", "patients"]], vintage, notes, sifted.dropped)


def read_lists_of_a_sex(table: Found) -> Read:
    """practice, lsoa, sex (male or female), patients. Of use where there is no file of both: see `both_sexes`."""
    sifted = Sifted(table, text_frame(table, LISTS))
    sex = each(sifted.frame["sex"], lambda text: {"M": "male", "F": "female"}.get(text[:1].upper(), ""))
    sifted.leave_out(sex == "", "row of no known sex")
    sifted.frame = sifted.frame.assign(sex=sex)
    found, vintage, notes = _lists(sifted, ["practice", "lsoa", "sex"])
    return Read(found[["practice", "lsoa", "sex", "patients"]], vintage, notes, sifted.dropped)


def both_sexes(reads: Sequence[Read]) -> Read:
    """`lsoa_lists` of what `read_lists_of_a_sex` gave for the files of both sexes. DataError where one is missing."""
    frame = pd.concat([read.frame for read in reads]).drop_duplicates(["practice", "lsoa", "sex"])
    missing = {"male", "female"} - set(frame["sex"])
    if missing:
        name = f"gp-reg-pat-prac-lsoa-{' and '.join(sorted(missing))}"
        raise DataError(Problem("patients of this sex are missing", name, "", "Add that file of the quarter."))
    found = frame.groupby(["practice", "lsoa"], as_index=False)["patients"].sum()
    dropped = pd.DataFrame([read.dropped for read in reads]).sum().astype(int).to_dict()
    return Read(found, max(r.vintage for r in reads), tuple(note for r in reads for note in r.notes), dropped)


def _lists(sifted: Sifted, key: Sequence[str] = ("practice", "lsoa")) -> tuple[pd.DataFrame, str, tuple[str, ...]]:
    """Rows of patients in English LSOAs; the vintage; notes of those elsewhere."""
    table = sifted.table
    vintage = sifted.newest("date") or iso(table.called)
    sifted.leave_totals_out("practice")
    frame = sifted.rest()
    sifted.frame = frame.assign(
        **together(
            {
                "practice": lambda: codes(table, frame, "practice", PRACTICE),
                "lsoa": lambda: codes(
                    table, frame, "lsoa", rf"{ENGLISH_LSOA}|EMPTY|CLOSED|NO20\d1|[LM]9+|[WSN]\d{{8}}|95\w{{6}}"
                ),
                "patients": lambda: amounts(table, frame, "patients", MOST),
            }
        )
    )
    sifted.leave_repeats_out(list(key))
    sifted.leave_out(sifted.frame["patients"].isna(), "no number of patients")
    abroad = each(sifted.frame["lsoa"], _abroad)
    people = sifted.frame["patients"].groupby(abroad).sum()
    for reason in sorted(set(people.index) - {""}):
        sifted.leave_out(abroad.reindex(sifted.frame.index) == reason, f"patients {reason}")
    share = 100 * people.drop("", errors="ignore").sum() / max(people.sum(), 1)
    notes = tuple(f"{count:,.0f} patients {reason} are left out." for reason, count in people.items() if reason)
    if notes:
        notes += (f"Together they are {share:.2f}% of all.",)
    return sifted.rest().reset_index(drop=True), vintage, sifted.doubts() + notes


def _abroad(lsoa: str) -> str:
    """Why an LSOA is none of England's, "" where it is one."""
    if re.fullmatch(ENGLISH_LSOA, lsoa):
        return ""
    if lsoa.startswith("95"):
        return ABROAD["N"]
    return ABROAD.get(lsoa) or (ABROAD[lsoa[0]] if re.fullmatch(r"[WSN]\d{8}", lsoa) else ABROAD["NO"])


def read_places(table: Found) -> Read:
    """lsoa, easting, northing of English LSOAs: population-weighted centroids, metres on the national grid."""
    sifted = Sifted(table, text_frame(table, PLACES))
    frame = _english(sifted)
    sifted.frame = pd.DataFrame(
        together(
            {
                "lsoa": lambda: codes(table, frame, "lsoa", ENGLISH_LSOA),
                "easting": lambda: amounts(table, frame, "easting", EASTINGS[1], LONGITUDES[0]),
                "northing": lambda: amounts(table, frame, "northing", NORTHINGS[1]),
            }
        )
    )
    sifted.leave_repeats_out(["lsoa"])
    place = sifted.frame[["easting", "northing"]]
    sifted.leave_out(place.isna().any(axis=1) | (place == 0).all(axis=1), "no place")
    places = sifted.rest()
    x, y = places["easting"].to_numpy(), places["northing"].to_numpy()
    notes = sifted.doubts()
    if degrees_in_britain(x, y).all():
        grid = to_national_grid(x, y)
        places = places.assign(easting=grid[:, 0], northing=grid[:, 1])
        notes += ("Places were in degrees and have been brought to the national grid.",)
    else:
        raise_all(
            DataError,
            [
                Problem(
                    f"{row.easting:g}, {row.northing:g} is no place in Great Britain",
                    f"{table.name}:{line}:easting",
                    "metres on the national grid, or all in degrees.",
                )
                for line, row in places[~metres_in_britain(x, y)].iterrows()
            ],
        )
    return Read(places.reset_index(drop=True), _year(table), notes, sifted.dropped)


def read_areas(table: Found) -> Read:
    """lsoa, lad_code, lad_name, commissioner (ODS code of the CCG or sub-ICB, "" where the look-up has none)."""
    sifted = Sifted(table, text_frame(table, AREAS))
    frame = _english(sifted)
    sifted.frame = pd.DataFrame(
        together(
            {
                "lsoa": lambda: codes(table, frame, "lsoa", ENGLISH_LSOA),
                "lad_code": lambda: codes(table, frame, "lad_code", r"E0[6-9]\d{6}"),
                "lad_name": lambda: names(frame["lad_name"]),
                "commissioner": lambda: codes(table, frame, "commissioner", BODY, blank=True),
            }
        )
    )
    sifted.leave_repeats_out(["lsoa"])
    found = sifted.rest().reset_index(drop=True)
    notes = sifted.doubts()
    if not found["commissioner"].any():
        notes += ("The look-up has no ODS codes of commissioners (CCG21CDH, SICBL23CDH).",)
    return Read(found, _year(table), notes, sifted.dropped)


def _english(sifted: Sifted) -> pd.DataFrame:
    abroad = each(sifted.frame["lsoa"], lambda text: bool(re.fullmatch(r"(?i)\s*[WSN]\d{8}\s*|95\w{6}", text)))
    sifted.leave_out(abroad.astype(bool), "LSOA outside England")
    return sifted.rest()


def _year(table: Found) -> str:
    """The year in the names of the columns (LSOA21CD → 2021), the newest; that of the file's name before it."""
    named = iso(table.called)
    row, _ = header_row(table, AREAS)
    years = [
        int(found[1])
        for cell in table.head[row]
        if (found := re.fullmatch(r"[A-Za-z]+(\d\d)(?:CDH?|NMW?|cdh?|nmw?)", cell))
    ]
    return named or (f"20{max(years):02d}" if years else "")


def _sexes(wanted: bool) -> Callable[[Found], float]:
    """Likeness to lists of one sex (wanted), or of both."""
    by_columns = by_header(LISTS, common=True, telling=holds(ENGLISH_LSOA))

    def alike(table: Found) -> float:
        likeness = by_columns(table)
        if likeness < 1:
            return 0.0 if wanted else likeness
        row, at = header_row(table, LISTS)
        cells = {r[at["sex"]][:1].upper() for r in table.head[row + 1 :] if "sex" in at and len(r) > at["sex"]}
        return float((bool(cells) and cells <= {"M", "F"}) == wanted)

    return alike


HOMES = "where the patients of each practice live"
FORMATS = (
    Format(
        "lsoa_lists",
        "Patients of each practice by LSOA (gp-reg-pat-prac-lsoa-all)",
        HOMES,
        read_lists,
        _sexes(wanted=False),
        LISTS,
    ),
    Format(
        "lsoa_lists_of_a_sex",
        "Male or female patients of each practice by LSOA (gp-reg-pat-prac-lsoa-male, -female)",
        HOMES,
        read_lists_of_a_sex,
        _sexes(wanted=True),
        LISTS,
    ),
    Format(
        "lsoa_places",
        "Centres of LSOAs weighted by population (ONS)",
        "where in an LSOA its people live",
        read_places,
        by_header(PLACES, foreign=POSTCODES, telling=holds(ENGLISH_LSOA)),
        PLACES,
    ),
    Format(
        "lsoa_areas",
        "LSOAs by commissioner and local authority (ONS look-up)",
        "which authority and commissioner an LSOA is in",
        read_areas,
        by_header(AREAS, foreign=POSTCODES, common=True, telling=holds(ENGLISH_LSOA)),
        AREAS,
    ),
)
