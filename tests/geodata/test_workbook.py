"""plan.xlsx opens, is typed, and runs nothing that a name may hold."""

from __future__ import annotations

import zipfile

import openpyxl
import pytest

from geodata.workbook import write_workbook
from tests import plans

FORMULA = '=HYPERLINK("http://example.org","x")'


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("book") / "plan.xlsx"
    write_workbook(plans.plan(names=[FORMULA, "http://example.org", "00123", "+44", *"EFGHIJKL"]), path)
    return path


@pytest.fixture(scope="module")
def book(path):
    return openpyxl.load_workbook(path)


def test_the_sheets_a_planner_expects(book):
    assert book.sheetnames == [
        "Summary", "Scorecard vs today", "Alliances", "Consortia", "Localities", "Practices", "Placement",
        "Five questions", "Wishes", "Four factors", "Contracts", "Power with providers",
        "Functions", "What it costs", "Costs by function", "Whose teams", "Against allowances", "Suppliers compared",
        "One officer for several", "Budgets", "Gainers and losers", "Better off elsewhere", "Insurance risk",
        "Risk levers", "Risk pools", "Contributions to pools", "Service risk", "Exposure to providers",
        "Published and reproduced", "Assumptions", "Sensitivity",
    ]  # fmt: skip


def test_names_stay_text_whatever_they_look_like(book):
    sheet = book["Practices"]
    found = [sheet.cell(row, 2) for row in range(2, 6)]
    assert [c.value for c in found] == [FORMULA, "http://example.org", "00123", "+44"]
    assert {c.data_type for c in found} == {"s"}
    assert not sheet._hyperlinks


def test_numbers_are_numbers_and_headings_stay_in_sight(book):
    sheet = book["Practices"]
    heads = [c.value for c in sheet[1]]
    patients = sheet.cell(2, heads.index("Registered patients") + 1)
    assert (patients.value, patients.data_type, patients.number_format) == (9_000, "n", "#,##0")
    assert sheet.freeze_panes == "C2"
    assert sheet.cell(1, heads.index("Registered patients") + 1).comment.text == "List of 2010"
    assert sheet.max_row == 13


def test_each_scale_has_its_own_bodies(book):
    assert [book[name].max_row - 1 for name in ("Localities", "Consortia", "Alliances")] == [4, 2, 1]


def test_the_summary_carries_headline_vintages_and_attribution(book):
    text = "\n".join(str(c.value) for row in book["Summary"] for c in row if c.value)
    for part in (
        "Best for these assumptions",
        "patient lists of 2010",
        "only cash may be compared",
        "public sector information",
    ):
        assert part in text


def test_the_same_plan_gives_the_same_bytes(path, tmp_path):
    again = tmp_path / "again.xlsx"
    write_workbook(plans.plan(names=[FORMULA, "http://example.org", "00123", "+44", *"EFGHIJKL"]), again)
    assert again.read_bytes() == path.read_bytes()
    assert zipfile.ZipFile(path).testzip() is None
