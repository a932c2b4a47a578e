"""Broken copies of every format end in a clear refusal, in "not recognised", or in what the whole copy says: never in
another exception, and never in other numbers."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter

from geodata.official.format import Read
from geodata.official.found import Unread
from geodata.official.recognise import Unknown
from optimiser.errors import ConsortiaError
from tests.geodata.official.corrupt import HARMLESS, Outcome, corruptions, outcomes, shortened
from tests.geodata.official.ods_rows import practice, row27

KEEP = (*HARMLESS, "with its rows doubled", "with a column moved", "with another column moved", "with a column added",
        "with titles above", "with a cell too many in some rows", "with codes in small letters")  # fmt: skip
"""Faults after which a table, if it is read at all, says what it said before, in every column but names and words."""
CODES = ("practice", "code", "commissioner", "provider", "lsoa", "pcn_code", "sub_icb_code", "icb_code", "lad_code",
         "upper_code", "site_code", "parent_code", "function", "condition", "postcode")  # fmt: skip
COUNTS = ("patients", "register", "list_size", "new_pathways", "completed_admitted", "completed_nonadmitted",
          "waiting_list", "type_1", "others", "allowance_gbp", "need_index", "imd_score")  # fmt: skip
SEED = 20260430


def csv_of(rows: list[list[str]], quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    out = io.StringIO()
    csv.writer(out, quoting=quoting).writerows(rows)
    return out.getvalue().encode()


def lists_of() -> list[list[str]]:
    header = ["PUBLICATION", "EXTRACT_DATE", "TYPE", "CCG_CODE", "ONS_CCG_CODE", "CODE", "POSTCODE", "SEX", "AGE",
              "NUMBER_OF_PATIENTS"]  # fmt: skip
    rows = [["GP_PRAC_PAT_LIST", "01JAN2021", "GP", f"0{i % 7}L", f"E3800013{i % 7}", f"A840{i:02d}", "NE65 7UW", "ALL",
             "ALL", str(5903 + i)] for i in range(30)]  # fmt: skip
    return [header, *rows]


def map_of() -> bytes:
    ring = [[-1.2, 54.6], [-1.1, 54.6], [-1.1, 54.7], [-1.2, 54.6]]
    features = [
        {"type": "Feature", "properties": {"lad17cd": f"E0600000{i}", "lad17nm": f"Place {i}"},
         "geometry": {"type": "Polygon", "coordinates": [[[x + i / 9, y] for x, y in ring]]}} for i in range(1, 6)
    ]  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def book_of() -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    for title in ("PCNDetails", "PCN Core Partner Details"):
        sheet = book.add_worksheet(title)
        for i, row in enumerate(lists_of()):
            sheet.write_row(i, 0, row)
    book.close()
    return out.getvalue()


def zip_of() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("gp-reg-pat-prac-all.csv", csv_of(lists_of()))
    return out.getvalue()


ORIGINALS: dict[str, Callable[[], bytes]] = {
    "epraccur.csv": lambda: csv_of([practice(f"A8{i:04d}", provider="00K") for i in range(40)], csv.QUOTE_ALL),
    "etr.csv": lambda: csv_of(
        [row27(f"R{i:02d}", f"PLACE {i} NHS TRUST", icb="QOP") for i in range(40)], csv.QUOTE_ALL
    ),
    "eccg.csv": lambda: csv_of([row27(f"{i:02d}K", f"NHS PLACE {i} CCG", icb="QOP") for i in range(40)], csv.QUOTE_ALL),
    "epcmem.csv": lambda: csv_of([[f"A8{i:04d}", "5E1", "W", "20010401", "20130331", "0"] for i in range(40)]),
    "T201202ADD REXT.CSV": lambda: csv_of(
        [
            ["201202", f"A8{i:04d}", "MILL SURGERY   ", "HIGH ST  ", "  ", "STOCKTON ", " ", "TS1 3BE "]
            for i in range(40)
        ]
    ),
    "gp-reg-pat-prac-all.csv": lambda: csv_of(lists_of()),
    "gp-reg-pat-prac-all.zip": zip_of,
    "ePCN.xlsx": book_of,
    "lad.geojson": map_of,
}


def faults(original: Path, folder: Path, seed: int = SEED) -> list[str]:
    """What is wrong with what the program makes of the broken copies of a file."""
    whole = outcomes(shortened(original), original.name, folder)
    before = {tuple(r.frame.columns): r.frame for r in whole if isinstance(r, Read)}
    assert before, "the whole copy is read as nothing"
    found, tried = [], 0
    for what, spoilt, name in corruptions(original, seed):
        tried += 1
        try:
            results = outcomes(spoilt, name, folder)
        except Exception as escaped:
            found.append(f"{what}: {escaped!r}")
            continue
        found += [f"{what}: {fault}" for result in results for fault in _faults(what, result, before)]
    assert tried >= 20
    return found


def _faults(what: str, result: Outcome, before: dict[tuple[str, ...], pd.DataFrame]) -> list[str]:
    if isinstance(result, ConsortiaError):
        unclear = [p for p in result.problems if not p.what or not p.where or len(p.what) > 400]
        return [f"unclear: {problem}"[:300] for problem in unclear[:1]]
    if isinstance(result, Unread):
        return [] if result.why else ["no reason why it is not read"]
    if isinstance(result, Unknown):
        return [] if result.nearly is None or result.problems else ["nearly a format, and no word of what is missing"]
    frame, was = result.frame, before.get(tuple(result.frame.columns))
    if was is None:
        return []  # read as another format than its own: the test of what each is told from others speaks of this
    said = [
        f"{c} holds {sorted(new)[:3]}"
        for c in CODES
        if c in frame
        for new in [_values(frame[c]) - _values(was[c])]
        if new
    ]
    if what.removeprefix("its member ") in KEEP:
        same = [c for c in frame if c in (*CODES, *COUNTS) and Counter(frame[c].dropna()) != Counter(was[c].dropna())]
        said += [f"{c} is not what it was" for c in same]
    if "number" in what:
        said += [
            f"{c} holds numbers that the file never did" for c in COUNTS if c in frame and _worse(frame[c], was[c])
        ]
    return said


def _values(column: pd.Series) -> set[str]:
    return {str(value) for value in column.dropna()} - {""}


def _worse(now: pd.Series, was: pd.Series) -> bool:
    """Whether there are other numbers, or blanks where there were none."""
    return bool(set(now.dropna()) - set(was.dropna())) or int(now.isna().sum()) > int(was.isna().sum())


@pytest.mark.parametrize("name", ORIGINALS)
def test_broken_copies_of_a_small_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "broken").mkdir()
    original = tmp_path / "whole" / name
    original.write_bytes(ORIGINALS[name]())
    assert faults(original, tmp_path / "broken") == []


def test_the_same_seed_spoils_the_same_bytes(tmp_path: Path) -> None:
    original = tmp_path / "ePCN.xlsx"
    original.write_bytes(book_of())
    first, again, other = (list(corruptions(original, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.england
def test_broken_copies_of_the_published_files(samples: Path, tmp_path: Path) -> None:
    found = {path.name: faults(path, tmp_path) for path in sorted(samples.iterdir())}
    assert {name: said for name, said in found.items() if said} == {}
