"""The data dictionary: one source for validation and documentation."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from geodata.schema import (
    DATASET,
    DICTIONARY_FILE,
    FUNCTIONS,
    PRACTICES,
    SERVICES,
    TABLES,
    Table,
    dictionary_markdown,
    scale_of,
)
from optimiser.domain import DatasetInfo, Function, Service

ROOT = Path(__file__).parents[2]


def test_the_committed_dictionary_is_up_to_date():
    committed = (ROOT / DICTIONARY_FILE).read_text(encoding="utf-8")
    assert committed == dictionary_markdown(), "run python -m geodata.schema"


def test_the_dictionary_lists_every_column_of_every_file():
    text = dictionary_markdown()
    for table in TABLES:
        section = text.split(f"## {table.file}\n")[1].split("\n## ")[0]
        for column in table.columns:
            assert f"| `{column.name}` |" in section


@pytest.mark.parametrize(("table", "kind"), [(SERVICES, Service), (FUNCTIONS, Function), (DATASET, DatasetInfo)])
def test_tables_hold_the_fields_of_what_they_make(table: Table, kind: type):
    assert [column.name for column in table.columns] == [field.name for field in dataclasses.fields(kind)]


@pytest.mark.parametrize(
    ("heading", "column", "scale"),
    [
        ("existing_consortium", "existing_<scale>", "consortium"),
        ("existing_consortium_name", "existing_<scale>_name", "consortium"),
        ("existing_place_2026", "existing_<scale>", "place_2026"),
    ],
)
def test_a_heading_may_name_any_scale(heading: str, column: str, scale: str):
    found = PRACTICES.column(heading)
    assert found is not None
    assert (found.name, scale_of(heading)) == (column, scale)


@pytest.mark.parametrize("heading", ["existing_", "exists_consortium", "Code", ""])
def test_other_headings_are_unknown(heading: str):
    assert PRACTICES.column(heading) is None
