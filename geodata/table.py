"""A CSV file to typed columns, each value with the line it stood on: what is odd is warned of, what is wrong refused."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from geodata.findings import Findings, nearest, some
from geodata.schema import Table
from geodata.values import NUMBER, Wrong, numeric_keys, original_of, spoilt, value_of

MOST_BYTES = 500_000_000
# Spreadsheets stop at these many rows, so a file that has exactly as many was probably cut.
SPREADSHEET_ROWS = (65_536, 1_048_576)
NEWLINE = b"\n"
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True)
class Records:
    """The good cells of a table.

    values: heading → one value a row (None where blank or wrong), of the type its column says. lines: file line of each row.
    wrong: (row, heading) of the cells that broke their rule.
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
    """The codes that other files may refer to, and where they are defined."""

    file: str
    codes: Sequence[str]
    index: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        first: dict[str, int] = {}
        for position, code in enumerate(self.codes):
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
        alike = next((known for known in (code.upper(), code.lower()) if known in self.index), "")
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


@dataclass(frozen=True)
class Sheet:
    """A CSV file opened: its headings, and its rows to be read once, in order."""

    table: Table
    file: str
    headings: tuple[str, ...]
    _text: str
    _delimiter: str

    def rows(self, findings: Findings) -> Iterator[tuple[int, list[str]]]:
        """(line, cells) of each row that has as many cells as there are headings; others are problems."""
        reader = csv.reader(io.StringIO(self._text, newline=""), delimiter=self._delimiter, strict=True)
        width, line, count = len(self.headings), 1, 0
        short: list[tuple[int, int]] = []
        try:
            next(reader)
            line = reader.line_num + 1
            for cells in reader:
                start, line = line, reader.line_num + 1
                if not cells:
                    continue
                count += 1
                if len(cells) == width:
                    if any(cells):
                        yield start, cells
                    else:
                        findings.warn("an empty row is skipped", f"{self.file}:{start}")
                elif len(cells) > width:
                    findings.problem(
                        f"{len(cells)} fields under {width} headings", f"{self.file}:{start}:field {width + 1}",
                        "each row has one field for each heading", f"quote any field that holds one of the {DELIMITERS[self._delimiter]}",
                    )  # fmt: skip
                else:
                    short.append((start, len(cells)))
        except csv.Error as error:
            findings.problem(
                f"cannot be read on from here ({error})", f"{self.file}:{line}",
                "quotation marks come in pairs", "look for a quotation mark that is not closed, or a file cut short",
            )  # fmt: skip
        self._short(short, line - 1, findings)
        if count in SPREADSHEET_ROWS or count + 1 in SPREADSHEET_ROWS:
            findings.warn(f"has exactly {count:,} rows, where spreadsheets stop: check that none were lost", self.file)

    def _short(self, short: Sequence[tuple[int, int]], last: int, findings: Findings) -> None:
        for line, fields in short:
            cut = line == last and not self._text.endswith(("\n", "\r"))
            findings.problem(
                f"{fields} fields under {len(self.headings)} headings", f"{self.file}:{line}:field {fields + 1}",
                "each row has one field for each heading", "the file seems to be cut short: fetch it again" if cut else "",
            )  # fmt: skip
        if not short and self._text and not self._text.endswith(("\n", "\r")):
            findings.warn("the last line does not end: check that the file was not cut short", self.file)


def sha256(path: Path) -> str:
    """The file's SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_text(path: Path, findings: Findings, most_bytes: int = MOST_BYTES) -> str | None:
    """The file's text, or None. Another encoding than UTF-8 is a problem that names it; reading goes on to find the rest."""
    try:
        size = path.stat().st_size
        if size > most_bytes:
            findings.problem(f"has {size:,} bytes", path.name, f"files have at most {most_bytes:,}")
            return None
        data = path.read_bytes()
    except OSError as error:
        findings.problem(f"cannot be read: {error.strerror}", path.name)
        return None
    rule, mend = "files are UTF-8", 'save it again as "CSV UTF-8"'

    def line_of(position: int) -> str:
        return f"{path.name}:{data.count(NEWLINE, 0, position) + 1}"

    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[:400].count(0) > len(data[:400]) // 4:
        findings.problem("is in UTF-16", path.name, rule, mend)
        encoding = (
            "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
        )
        return data.decode(encoding, errors="replace")
    if 0 in data:
        findings.problem("holds a null byte: it is no text", line_of(data.index(0)), rule)
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        character = data[error.start : error.start + 1].decode("cp1252", errors="replace")
        findings.problem(
            f"is not UTF-8: byte 0x{data[error.start]:02x}, {character!r} in Windows-1252 (cp1252)",
            line_of(error.start), rule, mend,
        )  # fmt: skip
        return data.decode("cp1252", errors="replace")


def open_sheet(path: Path, table: Table, findings: Findings) -> Sheet | None:
    """Open a CSV file: find its delimiter and its headings. None where no row can be read."""
    text = read_text(path, findings)
    if text is None:
        return None
    first = text.lstrip("\r\n").split("\n", 1)[0]
    if not first.strip():
        findings.problem("is empty", path.name, "the first row holds the headings")
        return None
    if first.lstrip().startswith("<"):
        findings.problem("is XML or HTML, not CSV", f"{path.name}:1")
        return None
    delimiter = max(
        DELIMITERS, key=lambda mark: sum(table.column(_heading(name)) is not None for name in first.split(mark))
    )
    if delimiter != ",":
        findings.warn(f"is separated by {DELIMITERS[delimiter]}, read as such", path.name)
    try:
        cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration) as error:
        findings.problem(f"headings cannot be read ({error})", f"{path.name}:1")
        return None
    headings = tuple(_heading(name) for name in cells)
    _check_headings(path.name, headings, table, findings)
    return Sheet(table, path.name, headings, text, delimiter)


def _heading(name: str) -> str:
    return name.strip().strip('"').strip().lower()


def _check_headings(file: str, headings: Sequence[str], table: Table, findings: Findings) -> None:
    absent = [column.name for column in table.columns if column.required and column.name not in headings]
    strange = [name for name in headings if name and table.column(name) is None]
    for name in absent:
        near = nearest(name, strange)
        findings.problem(
            f"column {name!r} is missing",
            f"{file}:1:{name}",
            "",
            near.replace("did you mean", "should it be") if near else "add it",
        )
    for name in strange:
        guess = nearest(name, (column.name for column in table.columns if column.name not in headings))
        findings.warn(f"unknown column {name!r} is not read{f'; {guess}' if guess else ''}", f"{file}:1")
    for name in dict.fromkeys(headings):
        if name and headings.count(name) > 1:
            places = [str(at + 1) for at, other in enumerate(headings) if other == name]
            findings.problem(
                f"heading {name!r} stands over columns {some(places)}", f"{file}:1:{name}", "headings are unique"
            )


def read_records(path: Path, table: Table, findings: Findings) -> Records | None:
    """All rows of a table with each cell checked against its column; None where the file cannot be read at all."""
    sheet = open_sheet(path, table, findings)
    if sheet is None:
        return None
    numbered = list(sheet.rows(findings))
    lines, rows = [line for line, _ in numbered], [cells for _, cells in numbered]
    values: dict[str, list[Any]] = {}
    wrong: set[tuple[int, str]] = set()
    for at, heading in enumerate(sheet.headings):
        column = table.column(heading)
        if column is None or heading in values:
            continue
        cells: list[Any] = []
        values[heading] = cells
        for row, line in enumerate(lines):
            try:
                cells.append(value_of(column, rows[row][at]))
            except Wrong as error:
                findings.problem(error.what, f"{sheet.file}:{line}:{heading}", f"it must be {column.rule}", error.mend)
                cells.append(None)
                wrong.add((row, heading))
    records = Records(sheet.file, lines, values, frozenset(wrong))
    _check_key(records, table, findings)
    return records


def _check_key(records: Records, table: Table, findings: Findings) -> None:
    """Keys are unique, and none was spoilt by a spreadsheet."""
    if not table.key or any(name not in records.values for name in table.key):
        return
    seen: dict[tuple[Any, ...], int] = {}
    column = table.key[-1]
    for row, key in enumerate(zip(*(records.values[name] for name in table.key), strict=True)):
        if None in key:
            continue
        first = seen.setdefault(key, row)
        if first != row:
            what = " ".join(repr(part) for part in key)
            findings.problem(
                f"{what} stands on rows {records.lines[first]} and {records.lines[row]}", records.where(row, column),
                f"{' + '.join(table.key)} is unique", "remove or rename one",
            )  # fmt: skip
    if len(table.key) == 1:
        _check_codes(records, column, [str(key[0]) for key in seen], findings)


def _check_codes(records: Records, column: str, codes: Iterable[str], findings: Findings) -> None:
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
