"""Patients registered with each practice, ages in columns: 2013 to January 2017.

Vintages. gp-reg-patients, quarterly: GP_PRACTICE_CODE, TOTAL_ALL, TOTAL_MALE, TOTAL_FEMALES and MALE_0-4 … FEMALE_95+;
April 2013 without postcodes, ages to 85+ until 2013. gp-reg-patients-prac-sing-year-age and gp_syoa, 2014 to 2017:
MALE_0_1 (aged 0) … MALE_95+, in some quarters with MALE_4, MALE_5 and MALE_6 between MALE_3_4 and MALE_7_8;
PARENT_ORGANISATION_CODE for CCG_CODE in some. No dates: the file's name tells its month.
"""

from __future__ import annotations

import re

import pandas as pd

from geodata.official.columns import Column, plain, positions
from geodata.official.dates import iso
from geodata.official.format import Format, Read, by_header
from geodata.official.formats.ages import COMMISSIONER, LOOSE, MOST, PEOPLE, POSTCODE, UNCOUNTED, add_up, lists
from geodata.official.found import Found
from geodata.official.rows import BODY, PRACTICE, Sifted, amounts, codes, holds, postcodes, together
from optimiser.errors import DataError, Problem

WIDE = (
    Column("practice", ("(gp_)?practice_code", "org_code", "code"), shown="GP_PRACTICE_CODE"),
    Column("patients", ("total_all",), shown="TOTAL_ALL"),
    Column("males", ("total_males?",), shown="TOTAL_MALE"),
    Column("females", ("total_females?",), shown="TOTAL_FEMALE"),
    COMMISSIONER,
    POSTCODE,
)


def read_wide(table: Found) -> Read:
    """`lists`: practice, commissioner, postcode, patients, pct_65plus, pct_under5, pct_5_19."""
    row, named = positions(table, WIDE)
    ages = _ages(table, row)
    counted = sorted({"patients", "males", "females"} | set(ages.values()))
    sifted = Sifted(table, table.frame(row, {**named, **ages}))
    sifted.leave_totals_out("practice")
    frame = sifted.rest()
    for name in {"commissioner", "postcode"} - set(named.values()):
        frame = frame.assign(**{name: ""})
    sifted.frame = frame.assign(
        **together(
            {
                "practice": lambda: codes(table, frame, "practice", PRACTICE),
                "commissioner": lambda: codes(table, frame, "commissioner", BODY, blank=True),
                "postcode": lambda: postcodes(frame["postcode"]),
                **{name: lambda name=name: amounts(table, frame, name, MOST) for name in counted},
            }
        )
    )
    sifted.leave_repeats_out(["practice"])
    sifted.leave_out(sifted.frame["patients"].isna(), UNCOUNTED)
    found = sifted.rest().set_index("practice")
    add_up(table, found["patients"], found["males"] + found["females"], LOOSE)
    firsts = sorted({int(name.split()[1]) for name in ages.values()})
    bands = pd.DataFrame({first: found[f"male {first}"] + found[f"female {first}"] for first in firsts}, found.index)
    if firsts:
        add_up(table, found["males"], found[[f"male {first}" for first in firsts]].sum(axis=1))
        add_up(table, found["females"], found[[f"female {first}" for first in firsts]].sum(axis=1))
    return lists(found[["commissioner", "postcode", "patients"]], bands, iso(table.called), sifted.doubts(), sifted)


def _ages(table: Found, row: int) -> dict[int, str]:
    """Position → "male 5" of the columns by sex and first year of age. DataError where one sex lacks an age of the
    other."""
    found = {
        i: f"{match[1]} {match[2]}"
        for i, cell in enumerate(table.head[row])
        if (match := re.fullmatch(r"(male|female)s?_(\d+)(?:_\d+|\+|_plus)?", plain(cell)))
    }
    there = {sex: {name.split()[1] for name in found.values() if name.startswith(sex)} for sex in ("male", "female")}
    odd = sorted(there["male"] ^ there["female"], key=int)
    if odd:
        what = f"one sex has no column for ages from {', '.join(odd)}"
        raise DataError(Problem(what, f"{table.name}:{row + 1}", "", "Download the file again."))
    return found


FORMATS = (
    Format(
        "lists",
        "Patients registered with each practice, ages in columns (gp-reg-patients, 2013 to 2017)",
        PEOPLE,
        read_wide,
        by_header(WIDE, telling=holds(PRACTICE)),
        WIDE,
    ),
)
