"""A dataset folder to a validated Dataset and its shapes; all problems of all files come in one report."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from geodata import places
from geodata.adjacency import People, catchments, islands, neighbours
from geodata.areas import land_of, read_areas
from geodata.catalogue import functions, services
from geodata.coordinates import locate
from geodata.findings import Findings, nearest, some
from geodata.flow_table import read_flows
from geodata.ground import Ground
from geodata.records import Codes, Records
from geodata.schema import (
    AREAS,
    BESIDE,
    CATCHMENTS,
    DATASET,
    FINANCES,
    FLOWS,
    FUNCTIONS,
    LINKS,
    PRACTICES,
    PROVIDERS,
    RELATIONSHIPS,
    SERVICES,
    TABLES,
    WISHES,
    Table,
)
from geodata.speakers import read_finances, read_wishes
from geodata.table import read_records
from geodata.text_file import read_text, sha256
from optimiser.domain import Dataset, DatasetInfo, Flows, Function, Relationship, Service
from optimiser.errors import DataError, Problem, raise_all

__all__ = ["Ground", "read_dataset"]

Line = TypeVar("Line", Service, Function)
BLANK = {"text": "", "code": "", "codes": (), "yes/no": False}


def read_dataset(folder: Path, repair: bool = False) -> Ground:
    """Read and validate a dataset folder (docs/data-dictionary.md).

    repair: mend invalid polygons of areas.geojson and say so in the warnings; otherwise they are problems.
    Raises DataError with every problem of every file, each at file:row:column (the heading is row 1). What is odd but
    usable goes to `dataset.warnings`.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(
            Problem("is not a folder", str(folder), "a dataset is a folder of files", "see docs/data-dictionary.md")
        )
    findings = Findings()
    paths = {table.file: path for table in TABLES if (path := _path(folder, table, findings)) is not None}
    info = _info(paths.get(DATASET.file), findings)
    practices = _records(paths, PRACTICES, findings)
    providers = _records(paths, PROVIDERS, findings)
    areas = read_areas(paths[AREAS.file], findings, repair) if AREAS.file in paths else None
    service_lines = _catalogue(paths, SERVICES, Service, findings) or services()
    function_lines = _catalogue(paths, FUNCTIONS, Function, findings) or functions()
    practice_codes, provider_codes = _codes(practices, PRACTICES), _codes(providers, PROVIDERS)
    service_codes = Codes(
        SERVICES.file if SERVICES.file in paths else "the bundled services", [line.id for line in service_lines]
    )
    known = {"practice": practice_codes, "provider": provider_codes, "service": service_codes}
    flows = read_flows(paths[FLOWS.file], known, findings) if FLOWS.file in paths else Flows.none()
    relationships = _relationships(_records(paths, RELATIONSHIPS, findings), practice_codes, findings)
    links = _links(_records(paths, LINKS, findings), practice_codes, findings)
    people = _people(_records(paths, CATCHMENTS, findings), practice_codes, findings)
    wishes = read_wishes(_records(paths, WISHES, findings), practices, service_codes, findings)
    finances = read_finances(_records(paths, FINANCES, findings), practices, findings)
    places.check_owners(providers, practice_codes, findings)
    xy = locate(practices, findings, required=True)
    provider_xy = locate(providers, findings, required=False)
    places.check_lists(practices, findings)
    authority: dict[str, list[str]] = {}
    if areas is not None:
        places.check_on_land(practices, xy, areas, findings)
        authority = places.authorities_of(practices, xy, areas, findings)
    if areas is None or not len(xy) or not np.isfinite(xy).all():
        raise DataError(*findings.problems)
    cells = catchments(xy, land_of(areas), practice_codes.codes, people)
    adjacency = neighbours(cells, links)
    _check_islands(practices, xy, adjacency, findings)
    raise_all(DataError, findings.problems)
    assert info is not None
    if FLOWS.file not in paths:
        findings.warn("not there: no provider's income can be traced to a practice", FLOWS.file)
    adjacency.setflags(write=False)
    dataset = Dataset(
        info=info,
        practices=places.practices(practices, xy, authority, findings),
        providers=places.providers(providers, provider_xy, flows, findings),
        services=service_lines,
        functions=function_lines,
        authorities=places.authorities(areas, authority),
        flows=flows,
        relationships=relationships,
        adjacency=adjacency,
        links=links,
        wishes=wishes,
        finances=finances,
        warnings=tuple(findings.warnings),
        sources={name: sha256(path) for name, path in paths.items()},
    )
    return Ground(dataset, areas, cells, links)


def _path(folder: Path, table: Table, findings: Findings) -> Path | None:
    """The file of a table, or None where the folder has none."""
    path = folder / table.file
    if path.is_file():
        return path
    others = {other.name for other in folder.iterdir()} - {known.file for known in TABLES} - set(BESIDE)
    near = nearest(table.file, sorted(others))
    if table.required:
        findings.problem("is missing", table.file, "", near or "add it: see docs/data-dictionary.md")
    elif near:
        findings.warn(f"is not there, though a file of a similar name is; {near}", table.file)
    return None


def _records(paths: dict[str, Path], table: Table, findings: Findings) -> Records:
    records = read_records(paths[table.file], table, findings) if table.file in paths else None
    return records or Records(table.file, (), {})


def _codes(records: Records, table: Table) -> Codes:
    # A row whose code is blank keeps its position; "" is never looked up.
    return Codes(table.file, [str(code or "") for code in records.column(table.key[0])])


def _info(path: Path | None, findings: Findings) -> DatasetInfo | None:
    """The keys of dataset.toml."""
    text = read_text(path, findings) if path is not None else None
    if path is None or text is None:
        return None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        findings.problem(f"is not TOML: {error}", path.name)
        return None
    for key in set(document) - {column.name for column in DATASET.columns}:
        guess = nearest(key, (column.name for column in DATASET.columns if column.name not in document))
        findings.warn(f"unknown key {key!r} is not read{f'; {guess}' if guess else ''}", path.name)
    values: dict[str, Any] = {}
    for column in DATASET.columns:
        value = document.get(column.name)
        if value is None and not column.required:
            continue
        good = {
            "text": isinstance(value, str) and value.strip() != "",
            "yes/no": isinstance(value, bool),
            "list": isinstance(value, list) and all(isinstance(note, str) for note in value),
        }[column.type]
        if good:
            values[column.name] = tuple(value or ()) if column.type == "list" else value
        else:
            rule = "it must be true or false" if column.type == "yes/no" else f"it must be {column.rule}"
            findings.problem("is missing" if value is None else f"is {value!r}", f"{path.name}:{column.name}", rule)
    if any(column.required and column.name not in values for column in DATASET.columns):
        return None
    info = DatasetInfo(**values)
    years = {name: getattr(info, name) for name in ("price_year", "list_year", "geography_year")}
    if len({match[0] if (match := re.search(r"\d{4}", year)) else year for year in years.values()}) > 1:
        findings.warn("years differ: " + ", ".join(f"{name} {year}" for name, year in years.items()), path.name)
    return info


def _catalogue(paths: dict[str, Path], table: Table, kind: type[Line], findings: Findings) -> tuple[Line, ...]:
    """The lines of services.csv or functions.csv; none where the folder has no such file or it has problems."""
    before = len(findings.problems)
    records = _records(paths, table, findings)
    if table.file in paths and not records.lines and len(findings.problems) == before:
        findings.problem("holds no lines", table.file, "", "remove the file to use the bundled one")
    if len(findings.problems) > before:
        # Their codes alone are used, to check the flows.
        return tuple(_line(kind, table, {"id": str(code)}) for code in records.column("id") if code is not None)
    return tuple(
        _line(kind, table, {name: column[row] for name, column in records.values.items()})
        for row in range(len(records.lines))
    )


def _line(kind: type[Line], table: Table, given: dict[str, Any]) -> Line:
    defaults = {field.name for field in dataclasses.fields(kind) if field.default is not dataclasses.MISSING}
    values: dict[str, Any] = {}
    for column in table.columns:
        value = given.get(column.name)
        if value is not None:
            values[column.name] = value
        elif column.name not in defaults:
            values[column.name] = BLANK.get(column.type, 0)
    return kind(**values)


def _relationships(records: Records, practices: Codes, findings: Findings) -> tuple[Relationship, ...]:
    _check_pairs(records, "practice", "other", practices, findings)
    columns = (records.column(name) for name in ("practice", "other", "strength", "confidential"))
    return tuple(
        Relationship(str(practice), str(other), float(strength), bool(confidential))
        for practice, other, strength, confidential in zip(*columns, strict=True)
        if isinstance(strength, (int, float))
    )


def _links(records: Records, practices: Codes, findings: Findings) -> tuple[tuple[int, int], ...]:
    positions = _check_pairs(records, "from", "to", practices, findings)
    return tuple((one, other) for one, other in positions if one >= 0 and other >= 0)


def _people(records: Records, practices: Codes, findings: Findings) -> People | None:
    """Where patients are, practice by practice; None where nothing says so."""
    of = np.array(practices.check(records, "practice", findings), dtype=np.int64)
    columns = [records.column(name) for name in ("easting", "northing")]
    xy = np.array([[v if isinstance(v, (int, float)) else np.nan for v in column] for column in columns], dtype=float)
    known = (of >= 0) & ~np.isnan(xy).any(axis=0)
    return People(xy.T[known], of[known]) if known.any() else None


def _check_pairs(records: Records, one: str, other: str, practices: Codes, findings: Findings) -> list[tuple[int, int]]:
    """Positions of both practices of each row (−1 where unknown); both are known, and they differ."""
    pairs = list(zip(practices.check(records, one, findings), practices.check(records, other, findings), strict=True))
    for row, (first, second) in enumerate(pairs):
        if first == second >= 0:
            findings.problem(
                f"{records.column(one)[row]!r} is paired with itself",
                records.where(row, other),
                f"{one} and {other} differ",
            )
    return pairs


def _check_islands(records: Records, xy: NDArray[np.float64], adjacency: NDArray[np.int32], findings: Findings) -> None:
    codes = records.column("code")
    for island in islands(xy, adjacency):
        members: Sequence[object] = [codes[member] for member in island.members]
        pair = f"{codes[island.from_]},{codes[island.to]}, {island.metres / 1000:.1f} km apart"
        findings.problem(
            f"nothing joins {some(members)} to the other practices", records.where(island.members[0], "code"),
            "catchments touch, or a link joins them",
            f"add a row to links.csv; the nearest pair is {pair}",
        )  # fmt: skip
