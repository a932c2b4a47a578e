"""Rows of published tables sifted: totals, repeats and other months left out and counted, codes and numbers that a
spreadsheet has mangled found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping

import pandas as pd

from geodata.official.dates import iso
from geodata.official.format import numbers
from geodata.official.found import Found
from optimiser.errors import DataError, Problem, raise_all

PRACTICE = r"[A-Z][A-Z0-9]{2}\d{3}"
"""A81001; Y02867."""
BODY = r"(?=.*[A-Z])[0-9A-Z]{3}|[A-Z]\d[A-Z]\d[A-Z]|E\d{8}"
"""A commissioner, ICB or region: 00K, 5K5, QHM, Y63, A3A8R; E54000050 where only the ONS code is published."""
NETWORK = r"U\d{5}|[A-Z]\d[A-Z]\d[A-Z]"
"""A primary care network: U89141."""
ENGLISH_LSOA = r"E01\d{6}"
TOTAL = re.compile(
    r"(grand |sub-?)?totals?\b.*|all|england|eng|national|uk|c_999|e92000001|all (practices|england|ccgs|icbs)", re.I
)
NOTHING = re.compile(r"-?|u|unk|unallocated|unknown|null|n/?a|na|none", re.I)
"""What stands where there is no code or name: U and Unallocated for practices outside a network."""
FIRST = 50
"""Rows whose cells' shape stands for the table's."""
MENDED = "A spreadsheet may have changed it: download the file again, and open it in none."


class Sifted:
    """A frame of text whose rows are left out for reasons, and how many for each. Its index is the line of the file."""

    def __init__(self, table: Found, frame: pd.DataFrame) -> None:
        self.table, self.frame, self.dropped = table, frame, Counter[str]()

    def leave_out(self, unwanted: pd.Series, reason: str) -> None:
        """Take rows away."""
        count = int(unwanted.sum())
        if count:
            self.dropped[reason] += count
            self.frame = self.frame[~unwanted]

    def leave_totals_out(self, column: str) -> None:
        """Take rows of totals away: ALL, ENGLAND, TOTAL, C_999."""
        self.leave_out(each(self.frame[column], lambda text: bool(TOTAL.fullmatch(text))), "total row")

    def leave_repeats_out(self, key: list[str]) -> None:
        """Take rows away that say again what an earlier one says. DataError where rows of one key differ."""
        self.leave_out(self.frame.duplicated(), "repeated row")
        again = self.frame[self.frame.duplicated(key, keep=False)]
        raise_all(
            DataError,
            [
                Problem(
                    f"{' '.join(str(row[k]) for k in key)} stands in several rows that differ",
                    f"{self.table.name}:{line}:{key[0]}",
                    "one row each.",
                )
                for line, row in again.iterrows()
            ],
        )

    def newest(self, column: str) -> str:
        """The newest date of a column; rows of older ones are taken away. "" where no cell holds a date."""
        dates = each(self.frame[column], iso)
        found = sorted(set(dates.unique()) - {""})
        if found:
            self.leave_out((dates != found[-1]) & (dates != ""), "row of an earlier date")
        return found[-1] if found else ""

    def rest(self) -> pd.DataFrame:
        """What is left. DataError where that is nothing."""
        if self.frame.empty:
            why = "; ".join(f"{count} × {reason}" for reason, count in self.dropped.items())
            raise DataError(Problem("holds no row of use" + (f": {why}" if why else ""), self.table.name))
        return self.frame

    def doubts(self) -> tuple[str, ...]:
        """Notes that the file itself calls for."""
        return (f"{self.table.name}: the last line has no end; was it cut short?",) if self.table.unfinished else ()


def holds(shape: str) -> Callable[[Found], bool]:
    """Whether half of the cells of some column in the first rows of a table are of a shape."""

    def found(table: Found) -> bool:
        rows = [row for row in table.head if any(row)][:FIRST]
        counts = Counter(i for row in rows for i, cell in enumerate(row) if re.fullmatch(shape, cell.strip().upper()))
        return any(2 * count >= len(rows) for count in counts.values())

    return found


def each(texts: pd.Series, change: Callable[[str], object]) -> pd.Series:
    """A change of each text, worked out once for every different one."""
    return texts.map({text: change(text) for text in texts.unique()})


def codes(table: Found, frame: pd.DataFrame, name: str, shape: str, blank: bool = False) -> pd.Series:
    """A column of codes in capitals, "" where there is none if that may be. DataError naming every row where it is no
    code of this shape: 1E+05, 0 and 05-May are what spreadsheets make of codes."""
    tidy = each(frame[name], lambda text: "" if NOTHING.fullmatch(text.strip()) else text.strip().upper())
    fits = each(tidy, lambda text: bool(re.fullmatch(shape, text)) or (blank and not text))
    raise_all(
        DataError,
        [
            Problem(f"{frame[name].at[line]!r} is no code", f"{table.name}:{line}:{name}", "", MENDED)
            for line in frame.index[~fits]
        ],
    )
    return tidy


def names(texts: pd.Series) -> pd.Series:
    """Names, "" for Unallocated and the like."""
    return each(texts, lambda text: "" if NOTHING.fullmatch(text.strip()) else " ".join(text.split()))


def postcodes(texts: pd.Series) -> pd.Series:
    """Postcodes in capitals without spaces."""
    return each(texts, lambda text: "" if NOTHING.fullmatch(text.strip()) else re.sub(r"\s", "", text).upper())


def days(table: Found, frame: pd.DataFrame, name: str) -> pd.Series:
    """A column of dates as 2026-02-01, "" where blank. DataError naming every row that holds something else."""
    found = each(frame[name], iso)
    wrong = frame.index[(found == "") & (frame[name] != "")]
    raise_all(
        DataError,
        [Problem(f"{frame[name].at[i]!r} is no date", f"{table.name}:{i}:{name}", "", MENDED) for i in wrong],
    )
    return found


def amounts(table: Found, frame: pd.DataFrame, name: str, most: float, least: float = 0.0) -> pd.Series:
    """A column of numbers from `least` to `most`, NaN where blank. DataError naming every row that holds another, or
    one that a spreadsheet has rounded (6.4E+07)."""
    values = numbers(table, frame, name)
    rounded = each(frame[name], lambda text: bool(re.search(r"\d[eE]\+?\d", text))).astype(bool)
    wrong = frame.index[((values < least) | (values > most) | rounded).to_numpy()]
    raise_all(
        DataError,
        [
            Problem(
                f"{frame[name].at[i]!r} is out of bounds", f"{table.name}:{i}:{name}", f"From {least:g} to {most:,.0f}."
            )
            for i in wrong
        ],
    )
    return values


def together(columns: Mapping[str, Callable[[], pd.Series]]) -> dict[str, pd.Series]:
    """Columns by name, each worked out; DataError with the problems of all of them."""
    found: dict[str, pd.Series] = {}
    problems: list[Problem] = []
    for name, work in columns.items():
        try:
            found[name] = work()
        except DataError as fault:
            problems += fault.problems
    raise_all(DataError, problems)
    return found
