"""The 143 requirements drawn from the five source documents: all listed, and none called done without a test."""

from __future__ import annotations

import ast
import csv
from pathlib import Path

ROOT = Path(__file__).parents[1]
ITEMS = {0: 25, 1: 26, 2: 54, 3: 19, 4: 19}


def rows() -> list[dict[str, str]]:
    with (ROOT / "tests" / "requirements.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def exists(test: str) -> bool:
    """Whether "file::function" or "file::Class::function" is a test that pytest would collect."""
    path, *names = test.split("::")
    if not names or not (ROOT / path).is_file():
        return False
    body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    for name in names:
        found = [n for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name == name]
        if not found:
            return False
        body = found[0].body
    return names[-1].startswith("test")


def test_every_requirement_of_the_five_sources_has_one_row() -> None:
    expected = [f"{source}.{item}" for source, items in ITEMS.items() for item in range(1, items + 1)]
    assert [row["id"] for row in rows()] == expected
    assert len(expected) == 143
    assert all(row["text"].strip() for row in rows())


def test_a_requirement_is_done_partial_or_open_and_says_where() -> None:
    for row in rows():
        assert row["status"] in ("done", "partial", "open"), row["id"]
        assert row["where"] or row["status"] == "open", row["id"]


def test_where_names_files_that_exist() -> None:
    for row in rows():
        for place in row["where"].partition(":")[0].split(", ") if row["where"] else ():
            assert (ROOT / place).exists(), (row["id"], place)


def test_a_done_requirement_names_a_test_that_exists() -> None:
    missing = [(row["id"], test) for row in rows() for test in row["test"].split("; ") if test and not exists(test)]
    assert not missing
    assert not [row["id"] for row in rows() if row["status"] == "done" and not row["test"]]


def test_a_test_that_is_not_there_is_noticed() -> None:
    assert exists("tests/test_requirements.py::test_a_test_that_is_not_there_is_noticed")
    assert not exists("tests/test_requirements.py::test_that_nobody_wrote")
    assert not exists("tests/test_requirements.py::rows")
    assert not exists("tests/absent.py::test_x")
