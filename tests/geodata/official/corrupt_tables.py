"""What goes wrong with the rows of a table and with the bytes of a file, each fault under the words that tell of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

Rows = list[list[str]]


def copied(rows: Rows) -> Rows:
    return [list(row) for row in rows]


def _some(rng: Random, rows: Rows, count: int = 3) -> list[int]:
    """Positions of some rows below the first."""
    return sorted(rng.sample(range(1, len(rows)), min(count, len(rows) - 1))) if len(rows) > 1 else []


def _each(rows: Rows, change: Callable[[list[str]], list[str]]) -> Rows:
    return [change(row) for row in rows]


def _head_renamed(rng: Random, rows: Rows) -> Rows:
    for row in [r for r in rows[:1] if r]:
        row[rng.randrange(len(row))] = "WIDDERSHINS"
    return rows


def _head_cell_dropped(rng: Random, rows: Rows) -> Rows:
    for row in [r for r in rows[:1] if r]:
        del row[rng.randrange(len(row))]
    return rows


def _column_removed(rng: Random, rows: Rows) -> Rows:
    at = rng.randrange(max(map(len, rows), default=1))
    return _each(rows, lambda row: row[:at] + row[at + 1 :])


def _column_moved(rng: Random, rows: Rows) -> Rows:
    at = rng.randrange(max(map(len, rows), default=1))
    return _each(rows, lambda row: row[:at] + row[at + 1 :] + row[at : at + 1])


def _column_added(rng: Random, rows: Rows) -> Rows:
    at = rng.randrange(max(map(len, rows), default=1))
    return [row[:at] + (["NOTES"] if i == 0 else ["see below"]) + row[at:] for i, row in enumerate(rows)]


def _column_blank(rng: Random, rows: Rows) -> Rows:
    at = rng.randrange(max(map(len, rows), default=1))
    return rows[:1] + _each(rows[1:], lambda row: [*row[:at], "", *row[at + 1 :]])


def _rows_doubled(rng: Random, rows: Rows) -> Rows:
    return [row for row in rows for _ in range(2)]


def _head_gone(rng: Random, rows: Rows) -> Rows:
    return rows[1:]


def _head_only(rng: Random, rows: Rows) -> Rows:
    return rows[:1]


def _titles(rng: Random, rows: Rows) -> Rows:
    return [["Downloaded by the team"], [], *rows]


def _cell_more(rng: Random, rows: Rows) -> Rows:
    for i in _some(rng, rows):
        rows[i].insert(rng.randrange(len(rows[i]) + 1), "stray")
    return rows


def _cell_fewer(rng: Random, rows: Rows) -> Rows:
    for i in _some(rng, rows):
        del rows[i][rng.randrange(len(rows[i]) or 1) :]
    return rows


def _code_columns(rows: Rows) -> list[int]:
    """Where most cells look like codes: short words of capitals and digits, no plain numbers, not all the same."""
    found = []
    for at in range(min(map(len, rows[1:]), default=0)):
        cells = [row[at].strip() for row in rows[1:]]
        codes = [c for c in cells if re.fullmatch(r"[A-Z0-9]{3,9}", c) and not c.isdigit()]
        if 2 * len(codes) > len(cells) and len(set(codes)) > 4:
            found.append(at)
    return found


def _codes_mangled(rng: Random, rows: Rows) -> Rows:
    for at in _code_columns(rows):
        for i in _some(rng, rows):
            rows[i][at] = rng.choice(("1.00E+00", "1E+05", "05-May", "0", "#N/A", "#NAME?", "Mar-01", "2.00E+03"))
    return rows


def _first_code_mangled(rng: Random, rows: Rows) -> Rows:
    for at in _code_columns(rows)[:1]:
        for i in _some(rng, rows):
            rows[i][at] = rng.choice(("1.00E+00", "1E+05", "05-May", "0", "#REF!"))
    return rows


def _codes_in_small_letters(rng: Random, rows: Rows) -> Rows:
    for at in _code_columns(rows):
        for i in _some(rng, rows, 10):
            rows[i][at] = f" {rows[i][at].lower()} "
    return rows


def _cells_replaced(pattern: str, values: tuple[str, ...]) -> Callable[[Random, Rows], Rows]:
    """A fault that puts one of these in some cells that read like this; {} is what stood there."""

    def change(rng: Random, rows: Rows) -> Rows:
        for i in _some(rng, rows, 12):
            for at, cell in enumerate(rows[i]):
                if re.fullmatch(pattern, cell.strip()) and rng.random() < 0.5:
                    rows[i][at] = rng.choice(values).replace("{}", cell.strip())
        return rows

    return change


TABLE_FAULTS: dict[str, Callable[[Random, Rows], Rows]] = {
    "with a header cell renamed": _head_renamed,
    "with a header cell dropped": _head_cell_dropped,
    "with a column removed": _column_removed,
    "with another column removed": _column_removed,
    "with a column moved": _column_moved,
    "with another column moved": _column_moved,
    "with a column added": _column_added,
    "with a column blank": _column_blank,
    "with its rows doubled": _rows_doubled,
    "without its first row": _head_gone,
    "with its first row only": _head_only,
    "with titles above": _titles,
    "with a cell too many in some rows": _cell_more,
    "with cells missing in some rows": _cell_fewer,
    "with codes mangled by a spreadsheet": _codes_mangled,
    "with the first codes mangled by a spreadsheet": _first_code_mangled,
    "with codes in small letters": _codes_in_small_letters,
    "with numbers as text": _cells_replaced(r"\d+(\.\d+)?", ("'{}", "{} people", '"{}"', "£{}", "{}abc")),
    "with numbers that are none": _cells_replaced(r"\d+(\.\d+)?", ("inf", "1e999", "nan", "-{}", "many", "0x1F", "½")),
    "with numbers too large": _cells_replaced(r"\d+(\.\d+)?", ("9" * 40, "{}e300", "9" * 60)),
    "with dates mangled": _cells_replaced(
        r"(19|20)\d{6}|\d{2}[A-Za-z]{3}\d{4}|\d{4}-\d\d-\d\d",
        ("########", "43922", "2.02E+07", "31/31/2020", "99999999"),
    ),
}


def _cut(share: float) -> Callable[[Random, bytes], bytes]:
    return lambda rng, raw: raw[: max(1, int(len(raw) * share * rng.uniform(0.8, 1)))]


def _noise(rng: Random, raw: bytes) -> bytes:
    """A stretch of bytes that are no text."""
    at = rng.randrange(len(raw))
    return raw[:at] + bytes(rng.randrange(128, 256) for _ in range(40)) + raw[at + 40 :]


def _speckled(rng: Random, raw: bytes) -> bytes:
    """Bytes spoiled here and there."""
    out = bytearray(raw)
    for _ in range(10):
        out[rng.randrange(len(out))] = rng.choice((0, 1, 0xFF, 0xC3, 0x9D))
    return bytes(out)


BYTE_FAULTS: dict[str, Callable[[Random, bytes], bytes]] = {
    "cut short early": _cut(0.1),
    "cut short": _cut(0.6),
    "cut short late": _cut(1),
    "without its last bytes": lambda rng, raw: raw[: -rng.randrange(2, 30)],
    "with noise in it": _noise,
    "with bytes spoiled here and there": _speckled,
    "empty": lambda rng, raw: b"",
    "a web page instead": lambda rng, raw: b"<!DOCTYPE html>\n<html><body><h1>503, unavailable</h1></body></html>\n",
    "all zeros": lambda rng, raw: bytes(2000),
}


def _broken_quotes(rng: Random, raw: bytes) -> bytes:
    at = raw.index(b"\n", rng.randrange(len(raw) // 2)) if b"\n" in raw[len(raw) // 2 :] else 0
    return raw[: at + 1] + b'"' + raw[at + 1 :]


def _blank_lines(rng: Random, raw: bytes) -> bytes:
    return b"".join(line + (b"\r\n" if rng.random() < 0.2 else b"") for line in raw.splitlines(keepends=True))


def _accents(rng: Random, raw: bytes) -> bytes:
    """Letters outside ASCII in a Windows encoding, some of which it does not know."""
    return re.sub(rb"[AE]([A-Z]{3})", lambda m: rng.choice((b"\xc9", b"\x81", b"A")) + m[1], raw)


TEXT_FAULTS: dict[str, Callable[[Random, bytes], bytes]] = {
    "with a quote opened and not closed": _broken_quotes,
    "with quotes inside cells": lambda rng, raw: re.sub(rb"([A-Z]) ", rb'\1" ', raw, count=20),
    "with blank lines": _blank_lines,
    "with other line ends": lambda rng, raw: raw.replace(b"\r\n", b"\r"),
    "in UTF-16": lambda rng, raw: raw.decode().encode("utf-16"),
    "in UTF-16 without its mark": lambda rng, raw: raw.decode().encode("utf-16-le"),
    "with a byte order mark": lambda rng, raw: b"\xef\xbb\xbf" + raw,
    "in another encoding": _accents,
}
