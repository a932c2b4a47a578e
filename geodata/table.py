"""A CSV file to typed columns, each value with its line: what is odd is warned of, what is wrong is refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geodata.findings import Findings, nearest, some
from geodata.records import Records, check_codes
from geodata.schema import Table
from geodata.text_file import read_text
from geodata.values import Wrong, value_of

# Spreadsheets stop at these many rows, so a file that has exactly as many was probably cut.
SPREADSHEET_ROWS = (65_536, 1_048_576)
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True)
class Sheet:
    """A CSV file opened: its headings, and its rows to be read once, in order."""

    table: Table
    file: str
    headings: tuple[str, ...]
    text: str
    delimiter: str

    def rows(self, findings: Findings) -> Iterator[tuple[int, list[str]]]:
        """(line, cells) of each row that has as many cells as there are headings; others are problems."""
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.delimiter, strict=True)
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
                    if cells[0] or any(cells):
                        yield start, cells
                    else:
                        findings.warn("an empty row is skipped", f"{self.file}:{start}")
                elif len(cells) > width:
                    findings.problem(
                        f"{len(cells)} fields under {width} headings", f"{self.file}:{start}:field {width + 1}",
                        "each row has one field for each heading",
                        f"quote any field that holds one of the {DELIMITERS[self.delimiter]}",
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
            cut = line == last and not self.text.endswith(("\n", "\r"))
            findings.problem(
                f"{fields} fields under {len(self.headings)} headings", f"{self.file}:{line}:field {fields + 1}",
                "each row has one field for each heading",
                "the file seems to be cut short: fetch it again" if cut else "",
            )  # fmt: skip
        if not short and self.text and not self.text.endswith(("\n", "\r")):
            findings.warn("the last line does not end: check that the file was not cut short", self.file)


def open_sheet(path: Path, table: Table, findings: Findings) -> Sheet | None:
    """Open a CSV file: find its delimiter and its headings. None where no row can be read."""
    text = read_text(path, findings)
    if text is None:
        return None
    first = text.split("\n", 1)[0]
    if not first.strip():
        findings.problem("is blank", f"{path.name}:1", "the first row holds the headings")
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
        check_codes(records, column, [str(key[0]) for key in seen], findings)
