"""The layout that every organisation file of the Organisation Data Service (ODS) shares: 27 columns, no header.

Code, name, national grouping (here region), high level health geography (here icb: the SHA, area team or ICB of its
day), five lines of address, postcode, opened, closed; then what differs from file to file. One that reopened may keep
the day it closed, and a file put together from several holds a code twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from geodata.official.columns import Column
from geodata.official.dates import iso, latest
from geodata.official.formats.ods_cells import (
    AREA,
    DATE,
    POSTCODE,
    Cell,
    dates,
    joined,
    placed,
    postcodes,
    sample,
    share,
    text,
)
from geodata.official.found import Found
from optimiser.errors import DataError, Problem, raise_all

MOST = 0.8
"""The part of a table's head that must look like a format: a few rows are spoiled in any file."""
_AMENDED, _SETTING = 21, 25
_WORDS = ("one", "two", "three", "four", "five")
_LINES = tuple(f"address_{i}" for i in range(1, 6))


def code_cell(shape: str, meaning: str) -> Cell:
    patterns = ("(organi[sz]ation|org|gp|(gp_?)?practice|ods|ccg|trust)_?(code|id)", "code", "practice")
    return Cell(0, Column("code", patterns, shown="Organisation Code"), shape, meaning, needed=True)


NAME = text(1, "name", "(organi[sz]ation|org|gp|(gp_?)?practice|ccg|trust)?_?name", required=True)
_OPENED = Cell(
    10,
    Column("opened", ("open(ed)?(_?date)?", "(legal_|operational_)?start_?date"), False),
    DATE,
    "a date",
    needed=True,
)
SHARED = (
    Cell(2, Column("region", ("national_?grouping(_?code)?", "nhser_?code?"), False), AREA, "a region's code"),
    Cell(3, Column("icb", ("high_?level_?health_?(geography|authority)(_?code)?", "icb_?code?"), False), AREA,
         "a code of a health geography"),
    *(text(3 + i, f"address_{i}", f"addr(ess)?_?(li?ne?_?)?({i}|{_WORDS[i - 1]})") for i in range(1, 6)),
    Cell(9, Column("postcode", ("p(ost)?_?code",)), POSTCODE, "a postcode", lenient=True),
    _OPENED,
    Cell(11, Column("closed", ("closed?(_?date)?", "(legal_|operational_)?end_?date"), False), DATE, "a date"),
)  # fmt: skip


def refuse_moved(table: Found, cells: Sequence[Cell]) -> None:
    """DataError for a table without names in which columns have moved that cannot be told by their own shape, as no day
    of closing looks like no status. Column 22 is 0 or 1, whether a record was amended; 23, 25 and 27 are blank in files
    whose settings are."""
    place = placed(table, cells)
    if place.named:
        return
    rows = sample(table, place)
    width = max(map(len, rows), default=0)
    flags = [at for at in range(17, width) if share(rows, at, lambda cell: cell in ("0", "1")) >= MOST]
    if flags and _AMENDED not in flags:
        what = f"column {flags[0] + 1} holds 0 and 1, for records amended, and column {_AMENDED + 1} does not"
        raise DataError(Problem(what, table.name, "", "Columns have moved: download it again."))
    if "setting" in place.at and not any(len(row) > _SETTING and row[_SETTING] for row in rows):
        for at in (_SETTING - 3, _SETTING - 1, _SETTING + 1):
            beside = [row[at] for row in rows if len(row) > at and row[at]]
            if beside:
                what = (
                    f"column {at + 1} holds {beside[0]!r}; column {_SETTING + 1}, for the prescribing setting, nothing"
                )
                raise DataError(Problem(what, table.name, "", "Columns have moved: download it again."))


def dated(table: Found, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """With dates, address and postcode as everywhere; and how many organisations have reopened since they closed."""
    frame = dates(table, frame, "opened", "closed")
    ended = (frame["status"] == "inactive") if "status" in frame else pd.Series(False, frame.index)
    again = (frame["closed"] != "") & (frame["closed"] < frame["opened"]) & ~ended
    frame = frame.assign(
        closed=frame["closed"].where(~again, ""),
        postcode=postcodes(frame["postcode"]),
        address=joined(frame, _LINES),
    )
    note = f"{int(again.sum()):,} organisations opened again after the day they closed: that day was left out"
    return frame, [note] * bool(again.any())


def once(table: Found, frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """A row a code: of several that differ, the one still open, else the one opened last. DataError where neither tells
    them apart."""
    same = frame.duplicated()
    frame = frame[~same]
    problems, earlier = [], []
    for code, rows in frame[frame["code"].duplicated(keep=False)].groupby("code"):
        ranks = list(zip(rows["closed"] == "", rows["opened"], strict=True))
        if ranks.count(max(ranks)) > 1:
            lines = ", ".join(map(str, rows.index))
            where = f"{table.name}:{rows.index[-1]}:code"
            problems.append(Problem(f"{code} stands in lines {lines}, which differ", where, "", "Keep one of them."))
        earlier += [line for line, rank in zip(rows.index, ranks, strict=True) if rank < max(ranks)]
    raise_all(DataError, problems)
    counts = {"the same row again": int(same.sum()), "an earlier life of a code that was given again": len(earlier)}
    return frame.drop(index=earlier), {reason: count for reason, count in counts.items() if count}


def vintage(table: Found, frame: pd.DataFrame) -> str:
    """From the file's name, else the last day on which anything opened."""
    return iso(table.called) or latest(frame["opened"])


def laid_out(table: Found, cells: Sequence[Cell], code: str) -> list[tuple[str, str]]:
    """Code and name of each row of the head whose code fits, where most do and the table is laid out as these files
    are; else nothing."""
    if table.kind == "map":
        return []
    place = placed(table, cells)
    rows = sample(table, place)
    named = place.named and all(cell.name in place.at for cell in cells if cell.column.required)
    if not named and (place.named or not 12 <= max(map(len, rows), default=0) <= 40):
        return []
    shapes = [cell for cell in cells if cell.name in ("region", "icb", "postcode", "opened")]
    alike = sum(share(rows, place.at.get(cell.name), cell.holds) >= MOST for cell in shapes)
    if not (named or alike >= 2):
        return []
    at = place.at["code"], place.at["name"]
    said = [(row[at[0]].strip().upper(), row[at[1]]) for row in rows if len(row) > max(at)]
    fits = [(found, name) for found, name in said if re.fullmatch(code, found)]
    return fits if len(fits) >= MOST * len(rows) else []
