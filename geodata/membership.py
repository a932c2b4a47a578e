"""A map drawn by hand (a CSV of who belongs where) to a structure: every problem in one report, at file:row:column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from geodata.findings import Findings, nearest, some
from geodata.records import Codes, Records
from geodata.schema import PRACTICES, Column, Table
from geodata.table import open_sheet, read_records
from optimiser.domain import Dataset, Structure
from optimiser.errors import DataError, OutputError, Problem, raise_all
from optimiser.scenario import Scenario
from optimiser.scorecard import broken_rules, membership_structure

__all__ = ["broken_rules", "read_membership"]

KEYS = ("practice", "code")


def read_membership(path: Path, dataset: Dataset, scenario: Scenario) -> Structure:
    """Read who belongs where. Columns: `practice` (or `code`), one for each planned scale that the map draws, and
    optionally `<scale>_name` where the scale's column holds codes; a run's practices.csv will do. Other columns are not
    read, unless one looks like a planned scale misspelt.

    Raises DataError with every problem: unknown, missing and repeated practices, blank bodies, names that differ only
    in spaces or capitals, no or misspelt scale columns; OutputError when there is no such file. Broken rules (sizes,
    contiguity, nesting) are no error: `broken_rules` lists them.
    """
    path = Path(path)
    if not path.is_file():
        raise OutputError(Problem("is not a file", str(path), "", "give a CSV of practices and their bodies"))
    findings = Findings()
    scales = [s.name for s in scenario.scales]
    key, drawn = _headings(path, scales, findings)
    columns = [Column(key, "code", "The practice's code", required=True, refers="practices.csv")]
    for scale in drawn:
        columns.append(Column(scale, "text", f"Its {scale}", required=True))
        columns.append(Column(f"{scale}_name", "text", f"Name of its {scale}"))
    records = read_records(path, Table(path.name, "Who belongs where", tuple(columns), key=(key,)), findings)
    if records is not None:
        _check_practices(records, key, dataset, findings)
        for scale in drawn:
            _check_names(records, scale, findings)
    raise_all(DataError, findings.problems)
    assert records is not None
    rows = {
        code: {scale: records.column(scale)[row] for scale in drawn} for row, code in enumerate(records.column(key))
    }
    return membership_structure(dataset, scenario, rows, _names(records, drawn))


def _headings(path: Path, scales: Sequence[str], findings: Findings) -> tuple[str, list[str]]:
    """(heading of the practice's code, scales drawn). Problems for misspelt scales, and where no scale is drawn."""
    likely = tuple(Column(name, "text", "") for name in (*KEYS, *scales))
    sheet = open_sheet(path, Table(path.name, "", likely), Findings())
    if sheet is None:
        return KEYS[0], []
    headings = [h for h in sheet.headings if h]
    drawn = [scale for scale in scales if scale in headings]
    expected = {*KEYS, *scales, *(f"{scale}_name" for scale in scales)}
    for heading in headings:
        if heading not in expected and PRACTICES.column(heading) is None and not heading.endswith("_authority_name"):
            guess = nearest(heading, [scale for scale in scales if scale not in headings])
            if guess:
                findings.problem(f"column {heading!r} is no planned scale", f"{path.name}:1:{heading}", "", guess)
    if not drawn and not findings.problems:
        findings.problem(
            "draws no planned scale", f"{path.name}:1", "", f"add a column for one or more of {', '.join(scales)}"
        )
    return next((name for name in KEYS if name in headings), KEYS[0]), drawn


def _check_practices(records: Records, key: str, dataset: Dataset, findings: Findings) -> None:
    codes = Codes("practices.csv", [p.code for p in dataset.practices])
    codes.check(records, key, findings)
    given = set(records.column(key))
    absent = [f"{p.code} {p.name}" for p in dataset.practices if p.code not in given]
    if absent:
        findings.problem(
            f"{len(absent):,} practices of the dataset are missing: {some(absent)}",
            records.file,
            "every practice belongs somewhere",
            "add a row for each",
        )


def _check_names(records: Records, scale: str, findings: Findings) -> None:
    """One body, one spelling; one code, one name."""
    spelling: dict[str, str] = {}
    called: dict[str, str] = {}
    for row, body in enumerate(records.column(scale)):
        if body is None:
            continue
        first = spelling.setdefault(" ".join(body.split()).casefold(), body)
        if first != body:
            findings.problem(
                f"{body!r} and {first!r} differ only in spaces or capitals",
                records.where(row, scale),
                "a body is written in one way",
            )
        name = records.column(f"{scale}_name")[row]
        if name is not None and called.setdefault(body, name) != name:
            findings.problem(
                f"{body!r} is called {name!r} here and {called[body]!r} before",
                records.where(row, f"{scale}_name"),
                "a code has one name",
            )


def _names(records: Records, drawn: Sequence[str]) -> dict[str, dict[str, str]]:
    """Scale → code → name, for the scales whose names stand in a column of their own."""
    return {scale: dict(_pairs(records, scale)) for scale in drawn if f"{scale}_name" in records.values}


def _pairs(records: Records, scale: str) -> Iterator[tuple[str, str]]:
    for body, name in zip(records.column(scale), records.column(f"{scale}_name"), strict=True):
        yield body, name or body
