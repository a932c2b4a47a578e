"""Patients registered with each practice, as NHS Digital and NHS England publish them every month since April 2017; the
files before have their ages in columns (`lists_wide`).

Published files, a row for each sex and age: totals (gp-reg-pat-prac-all), five-year ages of practices, networks,
commissioners and regions in one file (-quin-age), single years in one file a sex (-sing-age-male, -female) and of all
that is larger than a practice (-sing-age-regions). CCG_CODE became SUB_ICB_LOCATION_CODE in July 2022; practices stand
under CODE, ORG_CODE, PRACTICE_CODE or GP_PRACTICE_CODE.

Quirks. Of every sex there is a row for age ALL beside those of the ages. April 2017 has no commissioners. Dates read
01JAN2021, 01May2022, 01-Apr-17, 2026-02-01. Spreadsheets turn ages 5-9 into 05-Sep.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pandas as pd

from geodata.official.columns import Column, header_row, plain
from geodata.official.dates import iso
from geodata.official.format import Format, Read, by_header, text_frame
from geodata.official.formats.ages import (
    COMMISSIONER,
    CONTRACT,
    LOOSE,
    MOST,
    PEOPLE,
    POSTCODE,
    UNCOUNTED,
    add_up,
    lists,
    people_aged,
    percent,
)
from geodata.official.found import Found
from geodata.official.rows import (
    BODY,
    MENDED,
    NETWORK,
    PRACTICE,
    Sifted,
    amounts,
    codes,
    each,
    holds,
    postcodes,
    together,
)
from optimiser.errors import DataError, Problem, raise_all

OLDEST = 120
FEW = 0.01
"""Part of the people of all regions that practices may lack before the file is doubted."""
SEXES = {"ALL": "all", "PERSONS": "all", "TOTAL": "all", "MALE": "male", "MALES": "male", "M": "male",
         "FEMALE": "female", "FEMALES": "female", "F": "female",
         "UNKNOWN": "other", "INDETERMINATE": "other"}  # fmt: skip
TIERS = {"COMM REGION": "region", "REGION": "region", "STP": "icb", "ICS": "icb", "ICB": "icb", "CCG": "sub_icb",
         "SUB_ICB_LOCATION": "sub_icb", "SUB ICB LOCATION": "sub_icb", "SUB_ICB": "sub_icb", "PCN": "pcn"}  # fmt: skip
LARGER = "row of a network, commissioner or region"

LONG = (
    Column("practice", ("(gp_)?practice_code", "org_code", "code"), shown="CODE or ORG_CODE"),
    Column("patients", ("number_of_patients", "no_of_patients", "(registered_)?patients"), shown="NUMBER_OF_PATIENTS"),
    Column("sex", ("sex", "gender"), shown="SEX"),
    Column("age", ("age(_group)?(_5)?", "age_band"), shown="AGE or AGE_GROUP_5"),
    Column("org_type", ("(org(anisation)?_)?type",), required=False),
    Column("date", ("extract_date",), required=False),
    COMMISSIONER,
    POSTCODE,
)


def read_long(table: Found) -> Read:
    """A row for each practice of a file with a row for each sex and age: `lists`. Totals where published, else the sum
    of the sexes, else of the ages."""
    sifted, vintage, regions = _sifted(table)
    frame = sifted.frame
    whole, ages = frame["sex"] == "all", frame["age"] >= 0
    by_age = frame[ages & whole] if (ages & whole).any() else frame[ages & ~whole]
    bands = by_age.pivot_table(index="practice", columns="age", values="patients", aggfunc="sum")
    by_sex = frame[~whole & ~ages].groupby("practice")["patients"].sum()
    found = frame.groupby("practice")[["commissioner", "postcode"]].first()
    totals = frame[whole & ~ages].set_index("practice")["patients"].reindex(found.index)
    found["patients"] = totals.fillna(by_sex).fillna(bands.sum(axis=1))
    each_sex = ["practice", "sex"]
    add_up(table, found["patients"], by_sex, LOOSE)
    add_up(
        table,
        frame[~ages].set_index(each_sex)["patients"],
        frame[ages].groupby(each_sex)["patients"].sum(),
    )
    notes = sifted.doubts()
    if regions:
        total = found["patients"].sum()
        missing = ": practices are missing" if abs(total - regions) > FEW * regions else ""
        notes += (f"Practices add up to {total:,.0f}, the file's own regions to {regions:,.0f}{missing}.",)
    return lists(found, bands, vintage, notes, sifted)


def read_sex(table: Found) -> Read:
    """A row for each practice and sex of a file of single years: practice, commissioner, postcode, sex (male or
    female), patients, aged_65plus, aged_under5, aged_5_19 (numbers of people). `both_sexes` makes lists of them."""
    sifted, vintage, _ = _sifted(table)
    frame, key = sifted.frame, ["practice", "sex"]
    ages = frame["age"] >= 0
    bands = frame[ages].pivot_table(index=key, columns="age", values="patients", aggfunc="sum")
    found = frame.groupby(key)[["commissioner", "postcode"]].first()
    totals = frame[~ages].set_index(key)["patients"].reindex(found.index)
    found["patients"] = totals.fillna(bands.sum(axis=1))
    add_up(table, found["patients"], bands.sum(axis=1))
    for name, among in people_aged(bands).items():
        found[f"aged_{name}"] = among.reindex(found.index)
    sexes = sorted(frame["sex"].unique())
    note = f"Only the {' and '.join(sexes)} patients of each practice: the file of the other sex is needed too."
    notes = sifted.doubts() + ((note,) if len(sexes) == 1 else ())
    return Read(found.reset_index(), vintage, notes, sifted.dropped)


def both_sexes(reads: Sequence[Read]) -> Read:
    """`lists` of what `read_sex` gave for the files of both sexes of one month. DataError where one sex is missing."""
    frame = pd.concat([read.frame for read in reads]).drop_duplicates(["practice", "sex"])
    there = set(frame["sex"])
    if not {"male", "female"} <= there:
        missing = " and ".join(sorted({"male", "female"} - there))
        name = f"gp-reg-pat-prac-sing-age-{missing}"
        raise DataError(Problem(f"patients of the {missing} sex are missing", name, "", "Add that file of the month."))
    counts = ["patients", "aged_65plus", "aged_under5", "aged_5_19"]
    found = frame.groupby("practice").agg(
        {"commissioner": "first", "postcode": "first", **{name: lambda x: x.sum(min_count=1) for name in counts}}
    )
    for name in counts[1:]:
        found[name.replace("aged", "pct")] = percent(found[name], found["patients"])
    dropped = pd.DataFrame([read.dropped for read in reads]).sum().astype(int).to_dict()
    notes = tuple(note for read in reads for note in read.notes if not note.startswith("Only the "))
    vintage = max(read.vintage for read in reads)
    if len({read.vintage for read in reads}) > 1:
        notes += ("The files of the two sexes are of different months.",)
    return Read(found.reset_index()[CONTRACT], vintage, notes, dropped)


def read_larger(table: Found) -> Read:
    """Published totals of what is larger than a practice: tier (region, icb, sub_icb, pcn), code, patients."""
    sifted = Sifted(table, text_frame(table, LONG))
    vintage = sifted.newest("date") or iso(table.called)
    frame = sifted.frame
    whole = frame["age"].str.upper().eq("ALL")
    sifted.leave_out(
        ~(whole & each(frame["sex"], lambda text: SEXES.get(text.upper())).eq("all")), "row of a sex or age"
    )
    frame = sifted.rest()
    tier = each(frame["org_type"], lambda text: TIERS.get(re.sub(r"\s+", " ", text.upper()), ""))
    sifted.frame = frame = frame.assign(tier=tier)
    sifted.leave_out(tier == "", "row of no known tier")
    frame = sifted.rest()
    sifted.frame = frame.assign(
        **together(
            {
                "code": lambda: codes(table, frame, "practice", f"{BODY}|{NETWORK}", blank=True),
                "patients": lambda: amounts(table, frame, "patients", 1e8),
            }
        )
    )[["tier", "code", "patients"]]
    sifted.leave_out(sifted.frame["code"] == "", "practices outside a network")
    sifted.leave_repeats_out(["tier", "code"])
    return Read(sifted.rest().reset_index(drop=True), vintage, sifted.doubts(), sifted.dropped)


def _sifted(table: Found) -> tuple[Sifted, str, float]:
    """Rows of practices with their sex (all, male, female, other), age (its first year, -1 of all ages) and patients;
    the vintage; and what the file's own regions add up to, 0 where it has none."""
    sifted = Sifted(table, text_frame(table, LONG))
    vintage = sifted.newest("date") or iso(table.called)
    kind = each(sifted.frame["org_type"], lambda text: TIERS.get(re.sub(r"\s+", " ", text.upper()), text.upper()))
    whole = sifted.frame["sex"].str.upper().eq("ALL") & sifted.frame["age"].str.upper().eq("ALL")
    regions = pd.to_numeric(sifted.frame["patients"][whole & (kind == "region")], errors="coerce").sum()
    sifted.leave_out(~kind.isin(["", "GP", "GP PRACTICE", "PRACTICE"]), LARGER)
    sifted.leave_totals_out("practice")
    frame = sifted.rest()
    sifted.frame = frame.assign(
        **together(
            {
                "practice": lambda: codes(table, frame, "practice", PRACTICE),
                "commissioner": lambda: codes(table, frame, "commissioner", BODY, blank=True),
                "postcode": lambda: postcodes(frame["postcode"]),
                "patients": lambda: amounts(table, frame, "patients", MOST),
                "sex": lambda: _understood(table, frame, "sex", _sex),
                "age": lambda: _understood(table, frame, "age", _age),
                "age as written": lambda: each(frame["age"], str.upper),
            }
        )
    )
    sifted.leave_repeats_out(["practice", "sex", "age as written"])
    sifted.leave_out(sifted.frame["patients"].isna(), UNCOUNTED)
    sifted.rest()
    return sifted, vintage, float(regions)


def _sex(text: str) -> str | None:
    return SEXES.get(text.upper())


def _age(text: str) -> int | None:
    """First year of an age or range, -1 for all ages, None where it is neither."""
    if text.upper() in ("ALL", "TOTAL", "ALL AGES"):
        return -1
    found = re.fullmatch(r"(\d{1,3})(?:\s*(?:_|-|–|to)\s*\d{1,3}|\s*\+|_?plus)?", text.casefold())
    return int(found[1]) if found and int(found[1]) <= OLDEST else None


def _understood(table: Found, frame: pd.DataFrame, name: str, change: Callable[[str], object]) -> pd.Series:
    found = each(frame[name], change)
    raise_all(
        DataError,
        [
            Problem(f"{frame[name].at[line]!r} is no {name}", f"{table.name}:{line}:{name}", "", MENDED)
            for line in frame.index[found.isna()]
        ],
    )
    return found.astype(int) if name == "age" else found


def _kind(table: Found) -> str:
    """Which of the files with a row for each sex and age this is: lists, sex or larger."""
    row, at = header_row(table, LONG)
    header = [plain(cell) for cell in table.head[row]] if table.head else []
    if "org_type" in header and "age" in header and "postcode" not in header:
        return "larger"
    cells = [cells[at["sex"]].upper() for cells in table.head[row + 1 :] if "sex" in at and at["sex"] < len(cells)]
    sexes = {SEXES.get(cell) for cell in cells} - {None}
    return "sex" if sexes and sexes <= {"male", "female"} and "age" in header else "lists"


def _alike(kind: str) -> Callable[[Found], float]:
    """Likeness to one kind of them; broken ones are told of as lists."""
    by_columns = by_header(LONG, foreign=("lsoa.*",), telling=holds(PRACTICE))

    def alike(table: Found) -> float:
        likeness = by_columns(table)
        if likeness < 1:
            return likeness if kind == "lists" else 0.0
        return float(_kind(table) == kind)

    return alike


FORMATS = (
    Format(
        "lists",
        "Patients registered with each practice (gp-reg-pat-prac-all, -quin-age)",
        PEOPLE,
        read_long,
        _alike("lists"),
        LONG,
    ),
    Format(
        "lists_of_a_sex",
        "Male or female patients of each practice by single year of age (gp-reg-pat-prac-sing-age-male, -female)",
        PEOPLE,
        read_sex,
        _alike("sex"),
        LONG,
    ),
    Format(
        "list_totals",
        "Patients of networks, commissioners and regions (gp-reg-pat-prac-sing-age-regions)",
        "whether the lists add up to the published totals",
        read_larger,
        _alike("larger"),
        LONG,
    ),
)
