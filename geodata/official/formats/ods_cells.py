"""Cells of files that are published without a header: told by their shape, found by their place, and cleaned.

A copy to which somebody gave a header is read by the names in it; one whose header means nothing (V1, V2, …) by place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from geodata.official.columns import Column, header_row
from geodata.official.dates import iso
from geodata.official.found import Found, Row
from optimiser.errors import DataError, Problem, raise_all

PRACTICE = r"[A-UW-Z]\d{5}|[A-Z]{3}\d{3}|[A-Z]\d[A-Z]\d{3}"
"""A81001 (V is for dentists); ALD200 (Channel Islands and Man); K0E995 (given since 2024)."""
PRACTITIONER = r"[A-Z]\d{7}"
COMMISSIONER = r"\d\d[A-Z]|\d[A-Z]{2}(\d\d)?|\d[A-Z]\d|T[A-Z]{2}|[A-Z]\d[A-Z]\d[A-Z]"
"""CCG or sub-ICB 00K, PCT 5NG and 5E1, PCG 4QP36, care trust TAN, sub-ICB A3A8R."""
TRUST = r"[RT][A-Z0-9]{2}|[A-Z]\d[A-Z]\d[A-Z]"
AREA = r"[A-Z][A-Z0-9]{2,4}"
POSTCODE = r"[A-Z]{1,2}\d[A-Z\d]? *\d[A-Z]{2}"
DATE = r"(19|20)\d{6}(\.0)?|\d{4}-\d\d-\d\d([ T][\d:]*)?|\d{1,2}/\d{1,2}/\d{4}|\d{1,2}[- ]?[A-Z]{3}[A-Z]*[- ]?\d{4}"
_OF_A_SPREADSHEET = re.compile(r"[\d.]+E\+?\d+|\d{1,2}-[A-Z]{3}|[A-Z]{3}-\d\d|\d+(\.0)?|#.*")
_PCT_AS_NUMBER = r"5(?:\.0+)?E\+0?([1-9])"


@dataclass(frozen=True)
class Cell:
    """A column of a file without a header. at: its position. column: its name, and what a header that somebody added
    may call it. shape: what a cell reads like, in capitals; "" for words. meaning: as messages say it. needed: every
    row has it. lenient: what does not fit is left blank and counted, not refused."""

    at: int
    column: Column
    shape: str
    meaning: str
    needed: bool = False
    lenient: bool = False

    @property
    def name(self) -> str:
        return self.column.name

    def holds(self, text: str) -> bool:
        """Whether a text is one that this column is for."""
        return bool(text.strip()) and (not self.shape or bool(re.fullmatch(self.shape, text.strip().upper())))

    def fits(self, text: str) -> bool:
        """Whether a text may stand in this column: as above, or blank where it may be."""
        return self.holds(text) if text.strip() else not self.needed


@dataclass(frozen=True)
class Placed:
    """Where the columns of a table are. header: the row of names, None without one. named: whether those names tell
    which column is which. at: name → position."""

    header: int | None
    named: bool
    at: dict[str, int]


def placed(table: Found, cells: Sequence[Cell]) -> Placed:
    """By the names of a header where it has most of the columns that are required, else by position."""
    header, found = header_row(table, [cell.column for cell in cells])
    required = [cell.name for cell in cells if cell.column.required]
    if 2 * sum(name in found for name in required) > len(required):
        return Placed(header, True, found)
    width = max(map(len, table.head), default=0)
    at = {cell.name: cell.at for cell in cells if cell.at < width}
    first = table.head[0] if table.head else ()
    telling = [cell for cell in cells if cell.needed and cell.shape and cell.at < len(first)]
    said = bool(telling) and not any(cell.fits(first[cell.at]) for cell in telling)
    return Placed(0 if said else None, False, at)


def sample(table: Found, place: Placed) -> list[Row]:
    """The rows of the head that hold something, without the header."""
    start = 0 if place.header is None else place.header + 1
    return [row for row in table.head[start:] if any(row)]


def share(rows: Sequence[Row], at: int | None, fits: Callable[[str], bool]) -> float:
    """The part of rows whose cell at this position fits."""
    if at is None or not rows:
        return 0.0
    return sum(at < len(row) and fits(row[at]) for row in rows) / len(rows)


def cells_frame(table: Found, cells: Sequence[Cell]) -> tuple[pd.DataFrame, list[str]]:
    """Every column under its name, codes in capitals, columns that are not there blank; and what to note of the table.
    DataError where a column that is needed is missing, or every row is."""
    place = placed(table, cells)
    absent = [c for c in cells if c.name not in place.at and c.column.required and (place.named or c.needed)]
    raise_all(
        DataError,
        [Problem(f"no column for {c.name}: looked for {c.meaning} in column {c.at + 1}", table.name) for c in absent],
    )
    frame = table.frame(place.header if place.named else None, {at: name for name, at in place.at.items()})
    notes = ["the last line has no end: was it cut short?"] if table.unfinished else []
    if place.header is not None and not place.named:
        frame = frame.drop(index=place.header + 1, errors="ignore")
        notes.append(f"row 1 is no data and was taken for a header: {', '.join(table.head[0][:4])} …")
    if frame.empty:
        raise DataError(Problem("holds no rows", table.name, "", "Download it again."))
    for cell in cells:
        frame[cell.name] = frame.get(cell.name, "")
        if cell.shape:
            frame[cell.name] = frame[cell.name].str.upper()
    return frame, notes


def checked(table: Found, frame: pd.DataFrame, cells: Sequence[Cell]) -> tuple[pd.DataFrame, list[str]]:
    """The rows with every cell as it should be, and what was mended or left blank. DataError with all the others."""
    frame, notes = _mend_pcts(frame, cells)
    problems: list[Problem] = []
    there = placed(table, cells).at
    for cell in cells:
        if cell.name not in there or not (cell.shape or cell.needed):
            continue
        fits = {value: cell.fits(value) for value in frame[cell.name].unique()}
        wrong = frame.index[~frame[cell.name].map(fits).to_numpy(dtype=bool)]
        if cell.lenient and 2 * len(wrong) < len(frame):
            frame.loc[wrong, cell.name] = ""
            if len(wrong):
                notes.append(f"{len(wrong):,} cells of {cell.name} do not hold {cell.meaning} and were left blank")
        else:
            problems += _faults(table, frame, cell, wrong)
        if not cell.needed and cell.name != "closed" and not frame[cell.name].any():
            notes.append(f"{cell.name} is blank in every row")
    raise_all(DataError, problems)
    return frame, notes


def text(at: int, name: str, *patterns: str, required: bool = False) -> Cell:
    """A column of words."""
    return Cell(at, Column(name, patterns, required), "", f"the {name.replace('_', ' ')}", needed=required)


def _mend_pcts(frame: pd.DataFrame, cells: Sequence[Cell]) -> tuple[pd.DataFrame, list[str]]:
    """5.00E+01 is what a spreadsheet makes of 5E1, and of no other commissioner's code: nine PCTs, 5E1 to 5E9."""
    frame, mended = frame.copy(), 0
    for cell in cells:
        if cell.shape == COMMISSIONER:
            mended += int(frame[cell.name].str.fullmatch(_PCT_AS_NUMBER).sum())
            frame[cell.name] = frame[cell.name].str.replace(f"^{_PCT_AS_NUMBER}$", r"5E\1", regex=True)
    note = f"{mended:,} codes that a spreadsheet had made numbers were mended (5.00E+01 is 5E1)"
    return frame, [note] * (mended > 0)


def _faults(table: Found, frame: pd.DataFrame, cell: Cell, wrong: Sequence[int]) -> list[Problem]:
    """A problem for each of these lines; one for the column where they are most of it."""
    if len(wrong) > 3 and 2 * len(wrong) > len(frame):
        shown = _short(frame[cell.name].at[wrong[0]])
        what = f"holds {shown} and the like" if shown != "''" else "is blank"
        where = f"{table.name}:{wrong[0]}:{cell.name}"
        rule = f"Column {cell.at + 1} of the published file does."
        what = f"the column for {cell.name} {what} in {len(wrong):,} rows, where it should hold {cell.meaning}"
        return [Problem(what, where, rule, "Columns have moved: download it again.")]
    problems = []
    for line in wrong:
        value = str(frame[cell.name].at[line])
        mangled = _OF_A_SPREADSHEET.fullmatch(value)
        problems.append(
            Problem(
                f"{_short(value)} is not {cell.meaning}" if value else f"blank, where {cell.meaning} should be",
                f"{table.name}:{line}:{cell.name}",
                "It looks like what a spreadsheet makes of a code or date." if mangled else "",
                "Download it again and do not save it from a spreadsheet." if mangled else "",
            )
        )
    return problems


def _short(value: str, most: int = 40) -> str:
    """In quotes, as much of it as a message can hold."""
    return repr(value if len(value) <= most else f"{value[:most]}…")


def dates(table: Found, frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """With these columns as 2013-03-31, "" where blank. DataError for each that is no day of the calendar."""
    frame = frame.copy()
    problems = []
    for name in names:
        days = {value: _day(value) for value in frame[name].unique()}
        for line in frame.index[frame[name].map(days).isna().to_numpy()]:
            where = f"{table.name}:{line}:{name}"
            problems.append(Problem(f"{_short(frame[name].at[line])} is no date", where, "Dates are yyyymmdd."))
        frame[name] = frame[name].map(days)
    raise_all(DataError, problems)
    return frame


def _day(value: str) -> str | None:
    if not value:
        return ""
    try:
        return date.fromisoformat(iso(value.removesuffix(".0"))).isoformat()
    except ValueError:
        return None


def postcodes(column: pd.Series) -> pd.Series:
    """In capitals without spaces."""
    return column.str.upper().str.replace(r"\s", "", regex=True)


def joined(frame: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """The parts of an address in one line; parts that are blank or say so (N/A) left out."""
    rows = frame[list(names)].itertuples(index=False)
    return pd.Series([", ".join(p for p in row if p and p.upper() != "N/A") for row in rows], frame.index, dtype=str)
