"""Files of a folder as the tables inside them, read no further than is needed to know what they are.

A table is a CSV file (any usual separator and encoding), a CSV file inside a ZIP, a sheet of a workbook, or a map
(GeoJSON or TopoJSON).
"""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
import pandas as pd

from optimiser.errors import DataError, OutputError, Problem, raise_all

HEAD = 200
"""Rows that are read to recognise a table."""
SNIFF = 1 << 20
"""Bytes whose encoding stands for the file's."""
SEPARATORS = (",", "\t", ";", "¬", "~", "|")
TABLES, MAPS, BOOKS = (".csv", ".txt", ".tsv"), (".geojson", ".json", ".topojson"), (".xlsx", ".xlsm")
BLOCK = 1 << 12
"""Rows that are held whole at a time."""
BROKEN = (OSError, zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, RuntimeError, csv.Error)
"""What reading a broken file raises; of a ZIP also RuntimeError, where it is locked or packed in an unknown way."""
Row = tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """A table, and where it is. name: as messages call it: file, file!member or file!sheet. kind: csv, sheet or map.
    member: of a ZIP or workbook, "" for a file by itself. head: its first rows, stripped text (none of a map)."""

    path: Path
    name: str
    kind: str
    member: str = ""
    encoding: str = "utf-8-sig"
    separator: str = ","
    head: tuple[Row, ...] = ()

    @property
    def called(self) -> str:
        """Its own name, without the folders it lies in: of the member of a ZIP or sheet, then of the file."""
        return f"{PurePosixPath(self.member).name} {self.path.name}".strip()

    @cached_property
    def unfinished(self) -> bool:
        """Whether the last line of a CSV file lacks its end, as where a download broke off within a row."""
        if self.kind != "csv" or self.member or self.encoding.startswith("utf-16"):
            return False
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) not in (b"\n", b"\r")

    @cached_property
    def document(self) -> dict[str, Any]:
        """A map's JSON. DataError where it is none."""
        try:
            raw = self._bytes()
        except BROKEN as fault:
            raise DataError(Problem(f"cannot be unpacked: {fault}", self.name, "", "Download it again.")) from fault
        try:
            found = json.loads(raw.decode("utf-8-sig"))
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as fault:
            raise DataError(Problem(f"is not JSON: {fault}", self.name, "", "Download it again.")) from fault
        if not isinstance(found, dict):
            raise DataError(Problem("is JSON but no map", self.name, "A GeoJSON or TopoJSON object is needed."))
        return found

    def forget_document(self) -> None:
        """Give back the memory of a map's JSON, ten times the file; `document` reads it again."""
        self.__dict__.pop("document", None)

    @property
    def is_map_by_its_start(self) -> bool:
        """Whether a file begins as GeoJSON or TopoJSON does, even if the rest of it is broken."""
        try:
            with _opened(self.path, self.member) as raw:
                start = raw.read(4096)
        except BROKEN:
            return False
        return b'"FeatureCollection"' in start or b'"Topology"' in start or b'"features"' in start

    def frame(self, header: int | None = 0, columns: dict[int, str] | None = None) -> pd.DataFrame:
        """The table as stripped text, blanks "". header: position of the row of names (0: the first), None without one.
        columns: position → name of those wanted, all under their own names by default. Its index is the line of the
        file (1 is the first). DataError for a row with too few or too many cells."""
        skipped = 0 if header is None else header + 1
        wanted = columns if columns is not None else dict(enumerate(self._names(header)))
        at = sorted(wanted)
        lines, cells = self._body(skipped, self._width(header), at)
        # By position first: two columns of a file may have one name.
        frame = pd.DataFrame(dict(enumerate(cells)), index=np.array(lines, dtype=np.int64), dtype=str)
        frame.columns = pd.Index([wanted[i] for i in at], dtype=object)
        return frame

    def _body(self, skipped: int, width: int, at: Sequence[int]) -> tuple[array[int], list[list[str]]]:
        """Lines of the file, and the columns at these positions; blank rows left out."""
        lines = array("q")
        columns: list[list[str]] = [[] for _ in at]
        block: list[tuple[str, ...]] = []
        # At least two, so that one column is picked as several are: as a tuple.
        pick = itemgetter(*at, *at[:1]) if at else tuple
        uneven = []
        try:
            for number, (line, row) in enumerate(self._rows(width), start=1):
                if number <= skipped or not any(map(str.strip, row)):
                    continue
                if len(row) != width:
                    uneven.append(Problem(f"{len(row)} cells, where others have {width}", f"{self.name}:{line}"))
                    continue
                lines.append(line)
                block.append(pick(row))
                if len(block) == BLOCK:
                    _move(block, columns)
            _move(block, columns)
        except (csv.Error, UnicodeDecodeError) as fault:
            raise DataError(Problem(f"is no table: {fault}", self.name, "", "Download it again.")) from fault
        except BROKEN as fault:
            raise DataError(Problem(f"cannot be unpacked: {fault}", self.name, "", "Download it again.")) from fault
        raise_all(DataError, uneven)
        return lines, columns

    def _rows(self, width: int) -> Iterator[tuple[int, Sequence[str]]]:
        """Every row with the line it ends on; those of a sheet, which leaves blank ends out, as wide as `width`."""
        if self.kind == "sheet":
            for line, cells in enumerate(_sheet(self.path, self.member), start=1):
                yield line, (*cells, *[""] * (width - len(cells)))[:width]
            return
        with self._text() as text:
            reader = csv.reader(text, delimiter=self.separator, quoting=_quoting(self.separator))
            for row in reader:
                yield reader.line_num, row

    def _width(self, header: int | None) -> int:
        """Cells of a row: as many as the header has; without one, as most rows of the head have."""
        if header is not None:
            return len(self.head[header])
        return Counter(len(row) for row in self.head if any(row)).most_common(1)[0][0]

    def _names(self, header: int | None) -> Row:
        row = self.head[header or 0]
        return tuple(str(i) for i in range(len(row))) if header is None else row

    def _bytes(self) -> bytes:
        with _opened(self.path, self.member if zipfile.is_zipfile(self.path) else "") as raw:
            return raw.read()

    @contextmanager
    def _text(self) -> Iterator[IO[str]]:
        with _opened(self.path, self.member) as raw:
            yield io.TextIOWrapper(raw, encoding=self.encoding, newline="")


def _move(block: list[tuple[str, ...]], columns: list[list[str]]) -> None:
    """Rows to the ends of their columns, stripped, cells of one text kept once: a postcode directory has millions of
    rows and few authorities. Empties the block."""
    for column, cells in zip(columns, zip(*block, strict=True), strict=False):
        kept: dict[str, str] = {}
        column += [kept.setdefault(cell, cell) for cell in map(str.strip, cells)]
    block.clear()


@dataclass(frozen=True)
class Unread:
    """A file of the folder that holds no table that can be read, and why. broken: a ZIP or workbook that is damaged."""

    name: str
    why: str
    broken: bool = False


def look(folder: Path) -> tuple[list[Found], list[Unread]]:
    """Every table in a folder and the folders in it, by name; and the files that hold none. Hidden files, those that
    archives of Apple computers add, and datasets that lie in the folder are passed over in silence. OutputError where
    there is no such folder."""
    if not folder.is_dir():
        raise OutputError(Problem("is not a folder", str(folder), "", "Give the folder with the downloaded files."))
    found: list[Found] = []
    unread: list[Unread] = []
    made = {path.parent for path in folder.rglob("dataset.toml")}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if made & {path.parent, *path.parent.parents}:
            continue
        if any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts):
            continue
        try:
            tables = list(_tables(path, name))
        except BROKEN as fault:
            broken = path.suffix.casefold() in (".zip", *BOOKS) and path.stat().st_size > 0
            unread.append(Unread(name, f"cannot be read: {fault}", broken))
            continue
        found += tables
        if not tables:
            unread.append(Unread(name, "holds no table: CSV, ZIP of CSV, XLSX, GeoJSON and TopoJSON are read"))
    return found, unread


def _tables(path: Path, name: str) -> Iterator[Found]:
    """The tables of a file: what kind it is goes by its first bytes, then by its ending."""
    if not path.stat().st_size:
        raise ValueError("it is empty")
    with path.open("rb") as file:
        first = file.read(8)
    ending = path.suffix.casefold()
    if first.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
            if "xl/workbook.xml" not in members:
                for member in sorted(members):
                    if _worth(member):
                        yield _peek(path, f"{name}!{member}", member)
                return
        for sheet in _sheets(path):
            head = [row for row, _ in zip(_sheet(path, sheet), range(HEAD), strict=False)]
            if any(any(row) for row in head):
                yield Found(path, f"{name}!{sheet}", "sheet", sheet, head=tuple(head))
    elif ending in (*TABLES, *MAPS) or (first.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"{", b'"')):
        yield _peek(path, name, "")
    elif ending in BOOKS:
        raise ValueError("it is named as a workbook and is none: download it again")


def _worth(member: str) -> bool:
    parts = PurePosixPath(member).parts
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return not hidden and PurePosixPath(member).suffix.casefold() in (*TABLES, *MAPS)


@contextmanager
def _opened(path: Path, member: str) -> Iterator[IO[bytes]]:
    if not member:
        with path.open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive, archive.open(member) as file:
        yield file


def _peek(path: Path, name: str, member: str) -> Found:
    """A map, or a CSV file with its encoding, separator and first rows."""
    with _opened(path, member) as raw:
        start = raw.read(SNIFF)
    if start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{"):
        return Found(path, name, "map", member)
    encoding = _encoding(start, whole=len(start) < SNIFF)
    if "\0" in start.decode(encoding, errors="replace"):
        raise ValueError("it is no text")
    with _opened(path, member) as raw:
        text = io.TextIOWrapper(raw, encoding=encoding, newline="", errors="replace")
        lines = [line for line, _ in zip(text, range(HEAD), strict=False)]
    separator = max(SEPARATORS, key=lambda mark: sorted(line.count(mark) for line in lines)[len(lines) // 2])
    rows = tuple(
        tuple(cell.strip() for cell in row)
        for row in csv.reader(lines, delimiter=separator, quoting=_quoting(separator))
    )
    return Found(path, name, "csv", member, encoding, separator, rows)


def _quoting(separator: str) -> int:
    """Quotes are part of the text where the separator cannot be."""
    return csv.QUOTE_NONE if separator in "¬~|" else csv.QUOTE_MINIMAL


def _encoding(start: bytes, whole: bool) -> str:
    """UTF-16 by its mark, else UTF-8 if it is that, else the Windows code page, which Latin-1 text also reads in."""
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    try:
        start.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        if whole or fault.start < len(start) - 4:
            return "cp1252"
    return "utf-8-sig"


@contextmanager
def _book(path: Path) -> Iterator[Any]:
    """An open workbook. OSError for whatever a broken one makes its reader raise."""
    import openpyxl  # slow to load, and few folders hold workbooks

    book = None
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        yield book
    except Exception as fault:
        raise OSError(f"the workbook is broken: {fault}") from fault
    finally:
        if book is not None:
            book.close()


def _sheets(path: Path) -> list[str]:
    with _book(path) as book:
        return [sheet.title for sheet in book.worksheets]


def _sheet(path: Path, title: str) -> Iterator[Row]:
    with _book(path) as book:
        for row in book[title].iter_rows(values_only=True):
            yield tuple("" if cell is None else _text_of(cell) for cell in row)


def _text_of(cell: object) -> str:
    """A cell as it reads; whole numbers without their point, dates as 2026-02-01."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    date = getattr(cell, "date", None)
    return str(date().isoformat()) if date is not None else " ".join(str(cell).split())
