"""Columns found by what they mean, whatever year or style their names are in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache

from geodata.official.found import Found, Row
from optimiser.errors import DataError, Problem

SEARCHED = 20
"""Rows in which a header may stand: workbooks begin with titles."""


@dataclass(frozen=True)
class Column:
    """What a column means. name: as the program calls it. patterns: regular expressions, each of a whole header in
    lower case with words parted by one underscore ("number_of_patients"); the first that fits any header wins.
    required: whether the table is unusable without it. shown: the name to look for, as messages say it."""

    name: str
    patterns: tuple[str, ...]
    required: bool = True
    shown: str = ""

    @property
    def label(self) -> str:
        """As messages say it."""
        return self.shown or self.patterns[0].upper()


def plain(header: str) -> str:
    """A header in lower case, its words parted by one underscore: "Org Code " → "org_code"."""
    return re.sub(r"[^0-9a-z+&]+", "_", header.casefold()).strip("_")


def located(header: Row, columns: Sequence[Column]) -> dict[str, int]:
    """Name → position of each column that is there, each position once."""
    lines = _lines(header)
    found: dict[str, int] = {}
    if not _whole_line("|".join(pattern for column in columns for pattern in column.patterns)).search(lines):
        return found  # most rows are no header, and one search tells
    for column in columns:
        for pattern in column.patterns:
            # One search of all words, a line each: a search of every word takes minutes over a folder.
            hits = (lines.count("\n", 0, hit.start()) for hit in _whole_line(pattern).finditer(lines))
            at = next((i for i in hits if i not in found.values()), None)
            if at is not None:
                found[column.name] = at
                break
    return found


@lru_cache(maxsize=4 * SEARCHED)
def _lines(header: Row) -> str:
    return "\n".join(map(plain, header))


@cache
def _whole_line(pattern: str) -> re.Pattern[str]:
    return re.compile(f"^(?:{pattern})$", re.MULTILINE)


def header_row(table: Found, columns: Sequence[Column]) -> tuple[int, dict[str, int]]:
    """Which row of the head names most of these columns, and where each of them is; (0, {}) where none names any."""
    rows = [(i, located(row, columns)) for i, row in enumerate(table.head[:SEARCHED])]
    return max(rows, key=lambda found: (len(found[1]), -found[0]), default=(0, {}))


def missing(table: Found, columns: Sequence[Column]) -> list[Problem]:
    """A problem for each required column that the table lacks: which was looked for, and what is there."""
    row, found = header_row(table, columns)
    header = [cell for cell in table.head[row] if cell] if table.head else []
    problems = []
    for column in columns:
        if column.required and column.name not in found:
            near = get_close_matches(column.label.casefold(), [h.casefold() for h in header], n=2, cutoff=0.5)
            there = ", ".join((near or header)[:8])
            problems.append(
                Problem(
                    f"no column for {column.name.replace('_', ' ')}: looked for {column.label}",
                    f"{table.name}:{row + 1}",
                    mend=f"There: {there}." if there else "",
                )
            )
    return problems


def positions(table: Found, columns: Sequence[Column]) -> tuple[int, Mapping[int, str]]:
    """The row of the header, and position → name of every column found. DataError naming each that is missing."""
    problems = missing(table, columns)
    if problems:
        raise DataError(*problems)
    row, found = header_row(table, columns)
    return row, {at: name for name, at in found.items()}
