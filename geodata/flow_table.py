"""flows.csv to columns: cells are checked a column at a time, and one by one only where that fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geodata.findings import Findings
from geodata.records import Codes
from geodata.schema import FLOWS, Column
from geodata.table import Sheet, open_sheet
from geodata.values import Wrong, value_of
from optimiser.domain import EVIDENCE, Flows

# Rows held at a time: so few that they are gone before the garbage collector looks at them, which doubles the speed.
CHUNK = 2_000


@dataclass
class _Unknown:
    """Codes that are not defined: for each the line it first stands on and how often it does."""

    seen: dict[str, list[int]] = field(default_factory=dict)

    def add(self, code: str, line: int) -> None:
        self.seen.setdefault(code, [line, 0])[1] += 1


def read_flows(path: Path, known: Mapping[str, Codes], findings: Findings) -> Flows:
    """Flows whose practice, provider and service are positions in `known` ("practice" → its codes …).

    An unknown code is one problem, however many rows have it. Where there are problems the rows that have them are
    left out.
    """
    sheet = open_sheet(path, FLOWS, findings)
    if sheet is None or any(column.name not in sheet.headings for column in FLOWS.columns):
        return Flows.none()
    unknown = {name: _Unknown() for name in known}
    parts: dict[str, list[NDArray]] = {column.name: [] for column in FLOWS.columns}
    for lines, cells in _chunks(sheet, findings):
        for column in FLOWS.columns:
            texts = cells[column.name]
            if column.name in known:
                values: NDArray = _positions(
                    texts, known[column.name].index, lines, column, unknown[column.name], findings
                )
            elif column.type == "choice":
                values = _labels(texts, lines, column, findings)
            else:
                values = _numbers(texts, lines, column, findings)
            parts[column.name].append(values)
    for name, codes in known.items():
        for code, (line, times) in unknown[name].seen.items():
            codes.unknown(code, f"{sheet.file}:{line}:{name}", findings, times)
    return _flows(sheet.file, {name: np.concatenate(part) for name, part in parts.items() if part}, findings)


def _chunks(sheet: Sheet, findings: Findings) -> Iterator[tuple[Sequence[int], Mapping[str, Sequence[str]]]]:
    """(lines, heading → cells) of the next rows, a bounded number at a time to bound the memory."""
    at = {column.name: sheet.headings.index(column.name) for column in FLOWS.columns}
    rows = sheet.rows(findings)
    while chunk := list(islice(rows, CHUNK)):
        columns = list(zip(*(cells for _, cells in chunk), strict=True))
        yield [line for line, _ in chunk], {name: columns[position] for name, position in at.items()}


def _positions(
    texts: Sequence[str],
    index: Mapping[str, int],
    lines: Sequence[int],
    column: Column,
    unknown: _Unknown,
    findings: Findings,
) -> NDArray[np.int32]:
    found = np.array([index.get(text, -1) for text in texts], dtype=np.int32)
    for row in np.flatnonzero(found < 0).tolist():
        code = texts[row].strip()
        found[row] = index.get(code, -1)
        if not code:
            _value(column, code, lines[row], findings)
        elif found[row] < 0:
            unknown.add(code, lines[row])
    return found


def _labels(texts: Sequence[str], lines: Sequence[int], column: Column, findings: Findings) -> NDArray[np.int8]:
    index: dict[str, int] = {label: position for position, label in enumerate(EVIDENCE)}
    found = np.array([index.get(text, -1) for text in texts], dtype=np.int8)
    for row in np.flatnonzero(found < 0).tolist():
        label = _value(column, texts[row], lines[row], findings)
        found[row] = index.get(str(label), -1)
    return found


def _numbers(texts: Sequence[str], lines: Sequence[int], column: Column, findings: Findings) -> NDArray[np.float64]:
    try:
        values = np.array([float(text) for text in texts])
    except ValueError:
        values = np.array([np.nan])
    written = "".join(texts)
    # float() also takes 1_000 and the digits of other scripts, which a cell by itself may not hold.
    plain = written.isascii() and "_" not in written
    if plain and len(values) == len(texts) and np.isfinite(values).all() and (values >= 0).all():
        return values
    cells = (_value(column, text, line, findings) for text, line in zip(texts, lines, strict=True))
    return np.array([np.nan if cell is None else cell for cell in cells], dtype=float)


def _value(column: Column, text: str, line: int, findings: Findings) -> object:
    try:
        return value_of(column, text)
    except Wrong as wrong:
        findings.problem(wrong.what, f"{FLOWS.file}:{line}:{column.name}", f"it must be {column.rule}", wrong.mend)
        return None


def _flows(file: str, values: Mapping[str, NDArray], findings: Findings) -> Flows:
    if not values:
        findings.warn("holds no flows", file)
        return Flows.none()
    if not values["spend"].any() or not values["activity"].any():
        findings.warn("every flow is zero: nothing can be said about leverage over providers", file)
    good = np.isfinite(values["activity"]) & np.isfinite(values["spend"]) & (values["label"] >= 0)
    for name in ("practice", "provider", "service"):
        good &= values[name] >= 0
    kept = {name: column[good] for name, column in values.items()}
    for column in kept.values():
        column.setflags(write=False)
    return Flows(**kept)
