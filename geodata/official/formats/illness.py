"""Registers of long-term illness by practice, from the Quality and Outcomes Framework (QOF).

Published files. PREVALENCE_2021 and its kin, in the yearly ZIP of raw data: a row a practice and condition. Names of
columns by year: practicecode, indicator_group, disease_register_size, practice_listsize (2013/14); REGISTER_SIZE and
INDICATOR_GROUP_CODE (2014/15); REGISTER, PATIENT_LIST_SIZE (2015/16); GROUP_CODE (2019/20); PRACTICE_LIST_SIZE and
PATIENT_LIST_TYPE (since 2020/21). Workbooks, a sheet a condition (qof-1415-prac-asthma, qof-2425-prev-ach-pca-cv-prac):
titles above a header of three rows, list sizes and registers of two years side by side, notes and totals below.

Quirks. 2013/14 has two registers under HF, the second a part of the first. The list size is of the ages that a register
covers (06OV, 17OV, 18OV). In workbooks - stands where a practice had no register that year. 2021 means 2020/21.
"""

from __future__ import annotations

import re

import pandas as pd

from geodata.official.columns import Column, plain, positions
from geodata.official.dates import iso, qof_year
from geodata.official.format import Format, Read, by_header, text_frame
from geodata.official.found import Found
from geodata.official.rows import PRACTICE, Sifted, amounts, codes, together
from optimiser.errors import DataError, Problem

MOST = 1e6
"""Patients of a practice."""
REGISTERS = (
    Column("practice", ("practice_?code",), shown="PRACTICE_CODE"),
    Column("condition", ("(indicator_)?group(_code)?",), shown="GROUP_CODE"),
    Column("register", ("(disease_)?register(_size)?",), shown="REGISTER"),
    Column("list_size", ("(practice|patient)_list_?size",), shown="PRACTICE_LIST_SIZE"),
    Column("ages", ("patient_list_type",), required=False),
    Column("description", (".*description",), required=False),
)
SHEET = (
    Column("practice", ("practice_code", "practice_ods_code"), shown="Practice Code"),
    Column("list_size", ("(practice_)?list_size.*",), shown="List Size"),
    Column("register", (r"register(?!ed).*",), shown="Register"),
    Column("prevalence", (r"prevalence.*",), shown="Prevalence (per cent)"),
)


def read_registers(table: Found) -> Read:
    """practice, condition (AST, DM …), register, list_size."""
    sifted = Sifted(table, text_frame(table, REGISTERS))
    sifted.leave_totals_out("practice")
    part = sifted.frame["description"].str.contains(r"(?i)\bLVD\b|left ventricular")
    sifted.leave_out(part, "heart failure due to LVD, part of heart failure")
    return _registers(sifted, qof_year(table.called) or iso(table.called))


def _registers(sifted: Sifted, vintage: str, notes: tuple[str, ...] = ()) -> Read:
    table, frame = sifted.table, sifted.rest()
    sifted.frame = pd.DataFrame(
        together(
            {
                "practice": lambda: codes(table, frame, "practice", PRACTICE),
                "condition": lambda: codes(table, frame, "condition", r"[A-Z][A-Z0-9_&-]{1,9}"),
                "register": lambda: amounts(table, frame, "register", MOST),
                "list_size": lambda: amounts(table, frame, "list_size", MOST),
            }
        )
    )
    sifted.leave_repeats_out(["practice", "condition"])
    sifted.leave_out(sifted.frame[["register", "list_size"]].isna().any(axis=1), "no register or list size")
    more = sifted.frame["register"] > sifted.frame["list_size"]
    if more.any():
        notes += (f"Registers longer than their lists: {int(more.sum())}.",)
    return Read(sifted.rest().reset_index(drop=True), vintage, sifted.doubts() + notes, sifted.dropped)


def read_sheet(table: Found) -> Read:
    """The same from a sheet of the QOF workbook of a group of conditions, of its newest year."""
    row, _ = positions(table, SHEET)
    header = [plain(cell) for cell in table.head[row]]
    practice, *_ = _fitting(header, SHEET[0])
    sizes, registers = _fitting(header, SHEET[1]), _fitting(header, SHEET[2])
    pairs = list(zip(sizes, registers, strict=False))
    if len(sizes) != len(registers) or any(size > register for size, register in pairs):
        what = f"{len(sizes)} columns of list sizes stand by {len(registers)} of registers"
        raise DataError(Problem(what, f"{table.name}:{row + 1}", "a list size before each register."))
    years = [_year_above(table, row, i) for i, _ in pairs]
    newest = max(range(len(pairs)), key=lambda k: (years[k], k))
    size, register = pairs[newest]
    sifted = Sifted(table, table.frame(row, {practice: "practice", size: "list_size", register: "register"}))
    numberless = (sifted.frame[["list_size", "register"]] == "").all(axis=1)
    sifted.leave_out((sifted.frame["practice"] == "") | numberless, "note or total under the table")
    sifted.leave_totals_out("practice")
    titles = " ".join(cell for cells in table.head[:row] for cell in cells)
    sifted.frame = sifted.frame.assign(condition=table.member.strip().upper())
    return _registers(sifted, years[newest] or qof_year(table.path.name) or qof_year(titles))


def _fitting(header: list[str], column: Column) -> list[int]:
    return [i for i, word in enumerate(header) if any(re.fullmatch(pattern, word) for pattern in column.patterns)]


def _year_above(table: Found, row: int, at: int) -> str:
    """Last day of the QOF year that stands nearest above a column, over it or to its left; "" where none does."""
    for cells in reversed(table.head[:row]):
        years = [year for cell in cells[: at + 1] if (year := qof_year(cell) if len(cell) < 20 else "")]
        if years:
            return years[-1]
    return ""


def like_sheet(table: Found) -> float:
    """Likeness to a sheet of the QOF workbooks."""
    return by_header(SHEET)(table) if table.kind == "sheet" else 0.0


ILLNESS = "how many people of each practice have which long-term illness"
FORMATS = (
    Format(
        "prevalence",
        "Registers of illness by practice (QOF, PREVALENCE)",
        ILLNESS,
        read_registers,
        by_header(REGISTERS),
        REGISTERS,
    ),
    Format(
        "prevalence",
        "Registers of one illness by practice (QOF workbook)",
        ILLNESS,
        read_sheet,
        like_sheet,
        SHEET,
    ),
)
