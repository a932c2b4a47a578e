"""The catalogue of services and functions: the bundled defaults, and the reader of any file of the same shape."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Collection, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, get_args, get_type_hints

from optimiser.domain import Function, Provider, Service
from optimiser.errors import DataError, Problem, raise_all

PROVIDER_KINDS: tuple[str, ...] = get_args(get_type_hints(Provider)["kind"])
DELEGABLE: tuple[str, ...] = get_args(get_type_hints(Function)["delegable"])


def services() -> tuple[Service, ...]:
    """The bundled services: 54 illustrative lines, about £1,436 a head at 2010/11 prices."""
    return read_services(files(__package__) / "services.csv")


def functions() -> tuple[Function, ...]:
    """The bundled management functions: 17 lines with assumed teams."""
    return read_functions(files(__package__) / "functions.csv")


def read_services(path: Path | Traversable) -> tuple[Service, ...]:
    """Services of a CSV whose columns are the fields of `Service`.

    The columns `condition_group`, `provenance` and `note` may be absent. Raises DataError with every problem found,
    each at file:row:column (row 1 is the header).
    """
    optional = {"condition_group": _truth, "provenance": _text, "note": _text}
    return tuple(Service(**row) for row in _rows(path, _SERVICE, optional))


def read_functions(path: Path | Traversable) -> tuple[Function, ...]:
    """Functions of a CSV whose columns are the fields of `Function`; `in_placement` and `note` may be absent.

    Raises DataError as `read_services` does.
    """
    return tuple(Function(**row) for row in _rows(path, _FUNCTION, {"in_placement": _truth, "note": _text}))


class _Wrong(Exception):
    """A cell breaks the rule of its column."""

    def __init__(self, rule: str, mend: str = ""):
        super().__init__(rule)
        self.rule, self.mend = rule, mend


Parser = Callable[[str], Any]


def _text(cell: str) -> str:
    return cell


def _filled(cell: str) -> str:
    if not cell:
        raise _Wrong("must not be blank")
    return cell


def _amount(cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        mend = "write it without thousands separators" if "," in cell else ""
        raise _Wrong("must be a number", mend) from None
    if not math.isfinite(value) or value < 0:
        raise _Wrong("must be a finite number, zero or more")
    return value


def _people(cell: str) -> int:
    value = _amount(cell)
    if value != int(value):
        raise _Wrong("must be a whole number of people")
    return int(value)


def _score(cell: str) -> int:
    if cell not in ("0", "1", "2", "3"):
        raise _Wrong("must be a score of 0, 1, 2 or 3")
    return int(cell)


def _truth(cell: str) -> bool:
    if cell.lower() not in ("yes", "no"):
        raise _Wrong("must be yes or no")
    return cell.lower() == "yes"


def _kinds(cell: str) -> tuple[str, ...]:
    return tuple(_one_of(PROVIDER_KINDS)(part.strip()) for part in cell.split(";") if part.strip())


def _one_of(allowed: Collection[str]) -> Parser:
    def parse(cell: str) -> str:
        if cell not in allowed:
            raise _Wrong(f"must be one of {', '.join(allowed)}")
        return cell

    return parse


_SERVICE: Mapping[str, Parser] = {
    "id": _filled,
    "name": _filled,
    "cases_per_1000": _amount,
    "cost_per_case": _amount,
    "case_cv": _amount,
    "natural_scale": _text,
    "min_population": _people,
    "tailoring": _score,
    "leverage": _score,
    "authority_link": _score,
    "pathway": _text,
    "delegable": _truth,
    "provider_kinds": _kinds,
}
_FUNCTION: Mapping[str, Parser] = {
    "id": _filled,
    "name": _filled,
    "fixed_wte": _amount,
    "wte_per_100k": _amount,
    "statutory_cost": _amount,
    "delegable": _one_of(DELEGABLE),
    "natural_scale": _text,
}


def _rows(
    path: Path | Traversable, required: Mapping[str, Parser], optional: Mapping[str, Parser]
) -> list[dict[str, Any]]:
    """Parsed rows of a catalogue file, ids unique; every problem is collected before DataError is raised."""
    table = _cells(path)
    header = [name.strip() for name in table[0][1]] if table else []
    problems = _header_problems(path.name, header, required, optional)
    raise_all(DataError, problems)
    parsers = {**required, **optional}
    parsed, first_seen = [], dict[str, int]()
    for line, cells in table[1:]:
        if len(cells) != len(header):
            problems.append(
                Problem(f"{len(cells)} fields under {len(header)} headings", f"{path.name}:{line}",
                        "every row has one field for each heading", "quote any field that contains a comma")
            )  # fmt: skip
            continue
        row = dict[str, Any]()
        for name, cell in zip(header, cells, strict=True):
            try:
                row[name] = parsers[name](cell.strip())
            except _Wrong as wrong:
                problems.append(Problem(f"{cell!r}", f"{path.name}:{line}:{name}", wrong.rule, wrong.mend))
        key = row.get("id", "")
        if key in first_seen:
            problems.append(
                Problem(f"id {key!r} is also on row {first_seen[key]}", f"{path.name}:{line}:id", "ids are unique")
            )
        elif key:
            first_seen[key] = line
        parsed.append(row)
    if not table[1:]:
        problems.append(Problem("no rows", path.name, "a catalogue has at least one line"))
    raise_all(DataError, problems)
    return parsed


def _cells(path: Path | Traversable) -> list[tuple[int, list[str]]]:
    """(line number, fields) of every row that is not blank."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            Problem(f"byte {error.start} is not UTF-8", path.name, "tables are UTF-8", "save the file again as UTF-8")
        ) from None
    except OSError as error:
        raise DataError(Problem(f"cannot be read: {error.strerror}", path.name)) from None
    reader = csv.reader(text.splitlines(keepends=True))
    return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]


def _header_problems(
    file: str, header: list[str], required: Mapping[str, Parser], optional: Mapping[str, Parser]
) -> list[Problem]:
    known = [*required, *optional]
    absent = [Problem(f"column {name!r} is missing", f"{file}:1:{name}") for name in required if name not in header]
    strange = [
        Problem(f"unknown column {name!r}", f"{file}:1:{name}", f"columns are {', '.join(known)}")
        for name in header
        if name not in known
    ]
    twice = [
        Problem(f"column {name!r} appears twice", f"{file}:1:{name}")
        for name in dict.fromkeys(header)
        if header.count(name) > 1
    ]
    return absent + strange + twice
