"""Attendances at accident and emergency departments by provider: NHS England's monthly file.

`Monthly-AE-May-2025.csv`: Period (MSitAE-MAY-2025), Org Code, Parent Org, Org name, then counts by department type.
To August 2020 they are "Number of A&E attendances Type 1", later "A&E attendances Type 1", and since then booked
appointments have columns of their own, which are attendances too. Tables saved from the workbooks of 2015 to 2018 have
Code, Region, Name, Type 1 Departments - Major A&E under rows of titles. A last row, or the first, is England's total.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from geodata.official.checks import coded, twice
from geodata.official.columns import SEARCHED, Column, missing
from geodata.official.dates import iso, latest
from geodata.official.format import Format, Read, by_header, numbers, text_frame
from geodata.official.found import Found
from optimiser.errors import DataError, Problem, raise_all

_AE = r"(number_of_)?a(&|_and_)?e_attendances_"
_BOOKED = _AE + "booked_appointments_"
COLUMNS = (
    Column("provider", ("org_code", "organisation_code", "code"), shown="Org Code"),
    Column("name", ("org_name", "organisation_name", "name"), shown="Org name"),
    Column("type_1", (_AE + "type_1", "type_1_departments_major_a&e"), shown="A&E attendances Type 1"),
    Column("type_2", (_AE + "type_2", "type_2_departments_single_specialty"), shown="A&E attendances Type 2"),
    Column(
        "type_3",
        (_AE + "(other.*|type_3.*)", "type_3_departments_other_a&e.*"),
        shown="A&E attendances Other A&E Department",
    ),
    Column("booked_1", (_BOOKED + "type_1",), False, "A&E attendances Booked Appointments Type 1"),
    Column("booked_2", (_BOOKED + "type_2",), False, "A&E attendances Booked Appointments Type 2"),
    Column(
        "booked_3", (_BOOKED + "(other.*|type_3.*)",), False, "A&E attendances Booked Appointments Other Department"
    ),
    Column("period", ("period",), required=False),
)
COUNTS = ("type_1", "type_2", "type_3", "booked_1", "booked_2", "booked_3")
TOTALS = r"TOTAL|ENGLAND|-|–|"


def read_attendances(table: Found) -> Read:
    """provider, name, type_1 (major departments), others: attendances in the month that the vintage names."""
    raise_all(DataError, _half_booked(table))
    frame = text_frame(table, COLUMNS)
    for name in COUNTS:
        frame[name] = numbers(table, frame, name, blank=0)
        wrong = frame.index[frame[name] < 0]
        raise_all(DataError, [Problem(f"{frame[name].at[i]:g} people", f"{table.name}:{i}:{name}") for i in wrong])
    total = frame["provider"].str.upper().str.fullmatch(TOTALS) | frame["name"].str.upper().isin(["TOTAL", "ENGLAND"])
    blank = total & (frame[list(COUNTS)].sum(axis=1) == 0)  # notes below the table
    totals, frame = frame[total & ~blank], frame[~total]
    if frame.empty:
        raise DataError(Problem("names no provider", table.name, "", "Download it again."))
    frame = frame.assign(provider=coded(table, frame, "provider", r"[A-Z0-9]{3,8}", "A code of ODS: RVW, or Y03007."))
    dropped = {"totals": len(totals), "notes": int(blank.sum())}
    again = twice(table, frame, ["provider", "period"], list(COUNTS))
    dropped["said again"] = int(again.sum())
    frame = frame[~again]
    notes = _reconciled(frame, totals)
    months = sorted({iso(text) for text in frame["period"].unique()} - {""})
    if len(months) > 1:
        raise DataError(Problem(f"holds {len(months)} months", table.name, "One month a file.", f"Keep {months[-1]}."))
    booked = float(frame[["booked_1", "booked_2", "booked_3"]].to_numpy().sum())
    if booked:
        notes.append(f"{booked:,.0f} booked appointments are counted as attendances")
    result = pd.DataFrame(
        {
            "provider": frame["provider"],
            "name": frame["name"],
            "type_1": frame["type_1"] + frame["booked_1"],
            "others": frame["type_2"] + frame["type_3"] + frame["booked_2"] + frame["booked_3"],
        }
    )
    notes.insert(0, f"one month: {(months or [_titled(table)])[-1] or 'which one, the file does not say'}")
    vintage = latest(frame["period"]) or _titled(table) or iso(table.called)
    return Read(result, vintage, tuple(notes), {reason: rows for reason, rows in dropped.items() if rows})


def _half_booked(table: Found) -> list[Problem]:
    """A problem for each column of booked appointments that is missing where others are there."""
    booked = [replace(column, required=True) for column in COLUMNS if column.name.startswith("booked")]
    problems = missing(table, booked)
    return problems if len(problems) < len(booked) else []


def _reconciled(frame: pd.DataFrame, totals: pd.DataFrame) -> list[str]:
    """What to say where the providers do not add up to the file's own total."""
    if len(totals) != 1:
        return []
    said, summed = float(totals[list(COUNTS)].to_numpy().sum()), float(frame[list(COUNTS)].to_numpy().sum())
    if abs(said - summed) < 0.5:
        return []
    return [f"providers add up to {summed:,.0f} attendances, the file's own total is {said:,.0f}: rows may be missing"]


def _titled(table: Found) -> str:
    """The period that the titles above a table name."""
    for row in table.head[:SEARCHED]:
        for i, cell in enumerate(row):
            if cell.casefold().startswith("period") and (found := iso(" ".join(row[i:]))):
                return found
    return ""


FORMATS = (
    Format(
        "attendances",
        "Accident and emergency attendances by provider (Monthly A&E)",
        "which hospitals have a major emergency department",
        read_attendances,
        by_header(COLUMNS),
        COLUMNS,
    ),
)
