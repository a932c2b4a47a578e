"""Small published files for tests: written, recognised, read, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import xlsxwriter

from geodata.official.format import Read
from geodata.official.found import Found, look
from geodata.official.recognise import Recognised, Unknown, recognise
from optimiser.errors import DataError


def csv_table(folder: Path, *lines: str, name: str = "table.csv", encoding: str = "utf-8") -> Found:
    """These lines as a file alone in the folder."""
    (folder / name).write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    return _alone(folder)


def sheet_table(folder: Path, *rows: Sequence[object], title: str = "Sheet1", name: str = "book.xlsx") -> Found:
    """These rows as the one sheet of a workbook."""
    with xlsxwriter.Workbook(folder / name) as book:
        sheet = book.add_worksheet(title)
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if cell is not None:
                    sheet.write(i, j, cell)
    return _alone(folder)


def _alone(folder: Path) -> Found:
    (table,), unread = look(folder)
    assert not unread
    return table


def read(table: Found, key: str) -> Read:
    """What the table gives, which is to be of this kind."""
    known = recognise(table)
    assert isinstance(known, Recognised), known
    assert known.format.key == key
    return known.format.read(table)


def refused(table: Found, key: str) -> str:
    """Why the table, of this kind, is refused."""
    with pytest.raises(DataError) as fault:
        read(table, key)
    return str(fault.value)


def nearly(table: Found) -> str:
    """What a table that is nearly of a format lacks, "" where it is of none or only names codes."""
    known = recognise(table)
    if isinstance(known, Recognised) and known.format.key == "documentation":
        return ""
    assert isinstance(known, Unknown)
    return "\n".join(map(str, known.problems))
