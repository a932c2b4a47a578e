"""Rows in the style of the Organisation Data Service, and what is made of a file of them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from geodata.official.format import Read
from geodata.official.found import Found, look
from geodata.official.recognise import Recognised, recognise
from optimiser.errors import DataError

HEADER = (
    *("Organisation Code", "Name", "National Grouping", "High Level Health Geography"),
    *(f"Address Line {i}" for i in range(1, 6)),
    *("Postcode", "Open Date", "Close Date", "Status Code", "Organisation Sub-Type Code", "Commissioner"),
    *(
        "Join Provider/Purchaser Date",
        "Left Provider/Purchaser Date",
        "Contact Telephone Number",
        "Null",
        "Null",
        "Null",
    ),
    *("Amended Record Indicator", "Null", "Provider/Purchaser", "Null", "Prescribing Setting", "Null"),
)
PLACES = {"region": 2, "icb": 3, "line": 4, "postcode": 9, "opened": 10, "closed": 11, "status": 12, "kind": 13,
          "commissioner": 14, "amended": 21, "provider": 23, "setting": 25}  # fmt: skip
USUAL = {"region": "Y54", "icb": "Q45", "line": "1 HIGH STREET", "postcode": "TS18 1HU", "opened": "19740401",
         "amended": "0"}  # fmt: skip


def row27(code: str, name: str = "MILL SURGERY", **cells: str) -> list[str]:
    """A row of 27 columns as of 2014: cells by the names below."""
    row = [code, name, *[""] * 25]
    for key, value in {**USUAL, **cells}.items():
        row[PLACES[key]] = value
    return row


def practice(code: str, **cells: str) -> list[str]:
    return row27(code, **{"status": "A", "kind": "B", "commissioner": "00K", "setting": "4", **cells})


def table(folder: Path, rows: Sequence[Sequence[str]], name: str = "table.csv") -> Found:
    """These rows as a file, every cell in quotes as published."""
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    (found,), unread = look(folder)
    assert not unread
    return found


def read(folder: Path, rows: Sequence[Sequence[str]], key: str, name: str = "table.csv") -> Read:
    known = recognise(table(folder, rows, name))
    assert isinstance(known, Recognised), known
    assert known.format.key == key
    return known.format.read(known.table)


def wrong(folder: Path, rows: Sequence[Sequence[str]], key: str) -> str:
    with pytest.raises(DataError) as refused:
        read(folder, rows, key)
    return str(refused.value)
