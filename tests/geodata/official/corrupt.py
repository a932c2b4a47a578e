"""Copies of a published file as people really come to hold them: cut short, mangled by a spreadsheet, half downloaded.

`corruptions` gives each as what was done, the bytes and the file's name; the same seed gives the same bytes. Of a
large file only the head is spoiled, so that hundreds of copies are read in seconds.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from random import Random

import openpyxl
import xlsxwriter

from geodata.official.format import Read
from geodata.official.found import Unread, look
from geodata.official.recognise import Recognised, Unknown, recognise
from optimiser.errors import ConsortiaError
from tests.geodata.official.corrupt_maps import MAP_FAULTS, small_map
from tests.geodata.official.corrupt_tables import BYTE_FAULTS, TABLE_FAULTS, TEXT_FAULTS, Rows, copied

Outcome = Read | Unknown | Unread | ConsortiaError
ROWS, CELLS = 300, 8000
"""Rows of a table that are kept, fewer of a wide one: as many as have so many cells."""
BOOK_ROWS = 60
"""Rows of each sheet that are kept: workbooks are slow to write."""
SEPARATORS = (",", "\t", ";", "¬", "~", "|")
HARMLESS = ("parted by another mark", "in UTF-16", "with blank lines", "with other line ends", "with a byte order mark")
"""What leaves the meaning whole: such a copy is refused, or read as the original is."""


def corruptions(path: Path, seed: int) -> Iterator[tuple[str, bytes, str]]:
    """What was done, the bytes, the file name: more than twenty a file, whether CSV, ZIP of CSV, XLSX or a map. What
    would change nothing in this file is passed over."""
    whole = shortened(path)
    for what, spoil in _faults(path, whole):
        spoilt = spoil(Random(f"{seed}:{path.name}:{what}"))
        if spoilt != whole:
            yield what, spoilt, path.name


def outcomes(raw: bytes, name: str, folder: Path) -> list[Outcome]:
    """What the program makes of a file with these bytes, alone in a folder of its own: what each table of it gives,
    or why it gives nothing. Any other exception is a fault of the program."""
    for old in folder.iterdir():
        old.unlink()
    (folder / name).write_bytes(raw)
    tables, unread = look(folder)
    results: list[Outcome] = [*unread]
    for table in tables:
        try:
            found = recognise(table)
            results.append(found.format.read(table) if isinstance(found, Recognised) else found)
        except ConsortiaError as refused:
            results.append(refused)
    return results


def shortened(path: Path) -> bytes:
    """The file as the corruptions start from it: its head, unspoiled."""
    if _is_book(path):
        return _book(_sheets(path))
    if zipfile.is_zipfile(path):
        name, text = _member(path)
        return _zipped(name, text.whole())
    raw = path.read_bytes()
    if _is_map(raw):
        return json.dumps(small_map(raw)).encode()
    return _Text(raw).whole()


def _faults(path: Path, whole: bytes) -> Iterator[tuple[str, Callable[[Random], bytes]]]:
    if _is_book(path):
        sheets = _sheets(path)
        for what, change in TABLE_FAULTS.items():
            yield what, lambda rng, change=change: _book({k: change(rng, copied(v)) for k, v in sheets.items()})
        yield "with its sheets empty", lambda rng: _book({k: [] for k in sheets})
    elif zipfile.is_zipfile(path):
        name, text = _member(path)
        for what, spoil in text.faults():
            yield f"its member {what}", lambda rng, spoil=spoil: _zipped(name, spoil(rng))
        yield "with no table inside", lambda rng: _zipped("readme.doc", b"\xd0\xcf\x11\xe0")
        yield "with nothing inside", lambda rng: b"PK\x05\x06" + bytes(18)
        yield "locked by a password", lambda rng: _locked(whole)
        yield "packed in a way nobody knows", lambda rng: _locked(whole, method=99)
    elif _is_map(path.read_bytes()):
        for what, turn in MAP_FAULTS.items():
            yield what, lambda rng, turn=turn: json.dumps(turn(rng, json.loads(whole))).encode()
        yield "in UTF-16", lambda rng: whole.decode().encode("utf-16")
    else:
        yield from _Text(path.read_bytes()).faults()
    for what, harm in BYTE_FAULTS.items():
        yield what, lambda rng, harm=harm: harm(rng, whole)


class _Text:
    """The head of a file of separated values."""

    def __init__(self, raw: bytes) -> None:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("cp1252")
        lines = text.splitlines(keepends=True)[:ROWS]
        self.separator = max(SEPARATORS, key=lambda mark: "".join(lines).count(mark))
        self.quotes = csv.QUOTE_ALL if text.startswith('"') else csv.QUOTE_MINIMAL
        rows = [row for row in csv.reader(lines, delimiter=self.separator) if row]
        self.rows: Rows = rows[: max(20, CELLS // len(rows[0]))]

    def whole(self, rows: Rows | None = None, separator: str = "") -> bytes:
        out = io.StringIO()
        csv.writer(out, delimiter=separator or self.separator, quoting=self.quotes, lineterminator="\r\n").writerows(
            self.rows if rows is None else rows
        )
        return out.getvalue().encode("utf-8")

    def faults(self) -> Iterator[tuple[str, Callable[[Random], bytes]]]:
        for what, change in TABLE_FAULTS.items():
            yield what, lambda rng, change=change: self.whole(change(rng, copied(self.rows)))
        for what, harm in TEXT_FAULTS.items():
            yield what, lambda rng, harm=harm: harm(rng, self.whole())
        yield "parted by another mark", lambda rng: self.whole(separator=";" if self.separator != ";" else ",")
        mark = self.separator.encode()
        yield (
            "with its separators swapped blindly",
            lambda rng: self.whole().replace(mark, b";" if mark != b";" else b","),
        )


def _is_book(path: Path) -> bool:
    return path.suffix.casefold() in (".xlsx", ".xlsm")


def _is_map(raw: bytes) -> bool:
    return raw[:64].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{")


@lru_cache(maxsize=1)
def _sheets(path: Path) -> dict[str, Rows]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        return {
            sheet.title: [
                ["" if cell is None else str(cell) for cell in row]
                for row in sheet.iter_rows(max_row=BOOK_ROWS, values_only=True)
            ]
            for sheet in book.worksheets
        }
    finally:
        book.close()


def _book(sheets: dict[str, Rows]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.set_properties({"created": datetime(2020, 1, 1)})  # the same bytes on every day
    for title, rows in sheets.items():
        sheet = book.add_worksheet(title)
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if re.fullmatch(r"0|[1-9]\d{0,14}(\.\d+)?", cell):
                    sheet.write_number(i, j, float(cell))
                elif cell:
                    sheet.write_string(i, j, cell)
    book.close()
    return out.getvalue()


def _member(path: Path) -> tuple[str, _Text]:
    """The first table in a ZIP: its name and head."""
    with zipfile.ZipFile(path) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".csv") and "__MACOSX" not in n)
        with archive.open(name) as file:
            return name, _Text(b"".join(line for line, _ in zip(file, range(ROWS), strict=False)))


def _zipped(name: str, body: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), body, zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo(f"__MACOSX/._{name}"), b"\x00\x05\x16\x07Mac OS X")
    return out.getvalue()


def _locked(raw: bytes, method: int | None = None) -> bytes:
    """A ZIP whose members claim to be encrypted, or packed by an unknown method."""
    out = bytearray(raw)
    for mark, flags, packed in ((b"PK\x03\x04", 6, 8), (b"PK\x01\x02", 8, 10)):
        at = out.find(mark)
        while at >= 0:
            if method is None:
                out[at + flags] |= 1
            else:
                out[at + packed] = method
            at = out.find(mark, at + 4)
    return bytes(out)
