"""Referral-to-treatment pathways by commissioner, provider and treatment function: NHS England's monthly full extract.

A ZIP with one CSV of 80 MB, 180,000 rows and 121 columns since April 2021, the months waited up to 104 weeks; 53 weeks
and about 70 columns from 2015 on, sometimes under three rows of title. Commissioners are CCGs to June 2022, sub-ICBs
since, and from 2026 also ICBs, with hubs of NHS England and NONC (no English commissioner) among them. Each is in five
parts: 1A completed by admission, 1B completed otherwise, 2 waiting, 2A waiting with a decision to admit (a part of 2),
3 new. `C_999` is the total of the treatment functions. "Total" is blank in parts 2 and 3: "Total All" holds always.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from geodata.official.checks import coded, twice
from geodata.official.columns import Column
from geodata.official.dates import latest
from geodata.official.format import Format, Read, by_header, numbers, text_frame
from geodata.official.found import Found
from optimiser.errors import DataError, Problem, raise_all

COLUMNS = (
    Column("commissioner", ("commissioner_org_code", "commissioner_code"), shown="Commissioner Org Code"),
    Column("provider", ("provider_org_code", "provider_code"), shown="Provider Org Code"),
    Column("provider_name", ("provider_org_name", "provider_name"), shown="Provider Org Name"),
    Column("part", ("rtt_part_type",), shown="RTT Part Type"),
    Column("function", ("treatment_function_code",), shown="Treatment Function Code"),
    Column("count", ("total_all",), shown="Total All"),
    Column("function_name", ("treatment_function_name", "treatment_function"), required=False),
    Column("period", ("period",), required=False),
)
PARTS = {
    "PART1A": "completed_admitted",
    "PART1B": "completed_nonadmitted",
    "PART2": "waiting_list",
    "PART2A": "",
    "PART3": "new_pathways",
}
MEASURES = ("new_pathways", "completed_admitted", "completed_nonadmitted", "waiting_list")
PLACE = ["commissioner", "provider", "function"]


def read_pathways(table: Found) -> Read:
    """commissioner, provider, provider_name, function, and the four counts of pathways in the month (0 where none)."""
    frame = text_frame(table, COLUMNS)
    period = latest(frame.pop("period"), table.called)
    frame["part"] = _parts(table, frame)
    for name in ("commissioner", "provider"):
        frame[name] = coded(table, frame, name, r"[A-Z0-9]{3,9}", "A code of ODS has three characters or more.")
    frame["function"] = coded(table, frame, "function", r"[A-Z]{0,2}_?\d{2,3}[A-Z]?", "A code is like C_100 or X02.")
    frame["count"] = numbers(table, frame, "count")
    wrong = frame.index[~(frame["count"] >= 0)]
    rule = "A count of pathways is needed."
    raise_all(DataError, [Problem("no total", f"{table.name}:{i}:Total All", rule) for i in wrong])
    dropped, notes = {}, []
    again = twice(table, frame, [*PLACE, "part"], ["count"])
    if again.any():
        dropped["said again"] = int(again.sum())
        frame = frame[~again]
    total = frame["function"].str.fullmatch(r"(C_)?999") | frame["function_name"].str.fullmatch("(?i)total")
    if differing := _differing(frame, total):
        notes.append(f"{differing:,} totals are not the sum of their treatment functions: the file may be cut short")
    decided = ~total & (frame["part"] == "")
    dropped |= {"totals of treatment functions (C_999)": int(total.sum()), "part 2A, a part of 2": int(decided.sum())}
    frame = frame[~(total | decided)]
    if frame.empty:
        raise DataError(Problem("holds totals only", table.name, "", "Download the full extract."))
    counts = frame.pivot_table("count", PLACE, "part", "sum", fill_value=0.0)
    counts = counts.reindex(columns=list(MEASURES), fill_value=0.0).astype(float).reset_index()
    names = frame.drop_duplicates("provider").set_index("provider")["provider_name"]
    counts.insert(2, "provider_name", counts["provider"].map(names))
    if not (counts["commissioner"] != "NONC").all():
        notes.append("NONC stands for patients whom no English commissioner pays for")
    counts.columns.name = None
    return Read(counts, period, tuple(notes), {reason: rows for reason, rows in dropped.items() if rows})


def _parts(table: Found, frame: pd.DataFrame) -> pd.Series:
    """The measure that each row counts, "" for the part that is in another."""
    bare = frame["part"].str.upper().str.replace(r"[^0-9A-Z]", "", regex=True)
    wrong = frame.index[~bare.isin(PARTS).to_numpy()]
    rule = "Parts are Part_1A, Part_1B, Part_2, Part_2A and Part_3."
    problems = [Problem(f"{frame['part'].at[i]!r} is no part", f"{table.name}:{i}:RTT Part Type", rule) for i in wrong]
    raise_all(DataError, problems)
    return bare.map(PARTS)


def _differing(frame: pd.DataFrame, total: pd.Series) -> int:
    """How many totals of commissioner, provider and part are not the sum of the rows that they sum up."""
    signed = frame["count"].where(~total, -frame["count"])
    given = total.groupby([frame["commissioner"], frame["provider"], frame["part"]]).transform("any")
    keys = [frame[name][given] for name in ("commissioner", "provider", "part")]
    return int((np.abs(signed[given].groupby(keys).sum()) > 0.5).sum())


FORMATS = (
    Format(
        "pathways",
        "Referral-to-treatment pathways (RTT full extract)",
        "which hospitals each area's patients go to, and for what",
        read_pathways,
        by_header(COLUMNS),
        COLUMNS,
    ),
)
