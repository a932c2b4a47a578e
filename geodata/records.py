"""The checked rows of a table, and the codes by which one table refers to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from geodata.findings import Findings
from geodata.values import NUMBER, numeric_keys, original_of, spoilt

MOST_COMPARED = 500  # codes among which the nearest is sought: comparing takes time


@dataclass(frozen=True)
class Records:
    """The good cells of a table.

    values: heading → one value a row (None where blank or wrong), of the type its column says. lines: file line of
    each row. wrong: (row, heading) of the cells that broke their rule.
    """

    file: str
    lines: Sequence[int]
    values: Mapping[str, list[Any]]
    wrong: frozenset[tuple[int, str]] = frozenset()

    def column(self, name: str) -> list[Any]:
        """The values of a column; all None where the file does not have it."""
        return self.values.get(name) or [None] * len(self.lines)

    def where(self, row: int, column: str) -> str:
        """file:row:column of a cell, the heading being row 1."""
        return f"{self.file}:{self.lines[row]}:{column}"


@dataclass(frozen=True)
class Codes:
    """The codes that other files may refer to, by position ("" where a row has none), and the file they are in."""

    file: str
    codes: Sequence[str]
    index: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        first: dict[str, int] = {}
        for position, code in enumerate(self.codes):
            if code:
                first.setdefault(code, position)
        object.__setattr__(self, "index", first)

    @cached_property
    def _numbers(self) -> Mapping[float, str]:
        return numeric_keys(self.codes)

    def mend(self, code: str) -> str:
        """What an unknown code was probably meant to be."""
        if original := original_of(code, self._numbers):
            return f"a spreadsheet has probably changed {original!r}; open the file as text"
        if code.lower() == "nan" and "NA" in self.index:
            return "a program has probably read 'NA' as a missing value"
        if len(self.index) > MOST_COMPARED:
            alike = next((known for known in (code.upper(), code.lower()) if known in self.index), "")
        else:
            spelt = {known.upper(): known for known in self.index}
            alike = next((spelt[near] for near in get_close_matches(code.upper(), spelt, n=1, cutoff=0.7)), "")
        return f"did you mean {alike!r}?" if alike else ""

    def check(self, records: Records, column: str, findings: Findings) -> list[int]:
        """Position of each code of a column; −1 where blank or unknown, unknown ones being problems."""
        positions = []
        for row, code in enumerate(records.column(column)):
            positions.append(self.index.get(str(code), -1) if code is not None else -1)
            if code is not None and positions[-1] < 0:
                self.unknown(str(code), records.where(row, column), findings)
        return positions

    def unknown(self, code: str, where: str, findings: Findings, times: int = 1) -> None:
        """Note a code that is not defined."""
        again = f" (and on {times - 1:,} more rows)" if times > 1 else ""
        findings.problem(f"{code!r} is not in {self.file}{again}", where, "", self.mend(code))


def check_codes(records: Records, column: str, codes: Iterable[str], findings: Findings) -> None:
    """Note the codes of a key column that look spoilt by a spreadsheet."""
    rows = {str(code): row for row, code in reversed(list(enumerate(records.values[column])))}
    numbers: dict[float, str] = {}
    for code in codes:
        where = records.where(rows[code], column)
        if spoilt(code):
            findings.problem(
                f"code {code!r} looks changed by a spreadsheet", where, "codes are text",
                "export again with the column as text (12E05 becomes 1200000.0, 00123 becomes 123)",
            )  # fmt: skip
        if code.lower() == "nan":
            findings.warn(f"code {code!r} may stand for a missing value, or for 'NA' as a program read it", where)
        if NUMBER.fullmatch(code) and (other := numbers.setdefault(float(code), code)) != code:
            findings.warn(f"codes {other!r} and {code!r} differ only in how a number is written", where)
