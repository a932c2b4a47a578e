"""The folder of a sweep: a lean folder a case, written beside its place and renamed, and read back as whole as it was
written or not at all, so that a sweep can end anywhere and go on."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from geodata import summary
from geodata.sweep_record import Record
from geodata.write import write_csv, write_json
from optimiser.domain import Dataset, Structure
from optimiser.errors import OutputError, Problem, raise_all
from optimiser.hierarchy import assemble
from optimiser.runs import MANIFEST, staged
from optimiser.scenario import Scenario
from optimiser.sweep import Outcome

CASE, SUMMARY, PRACTICES, ASKED = "case.json", "summary.json", "practices.csv", "sweep.json"
PARENT, CASES = "parent", "cases"
MOST_TOLD = 8  # changes named one by one


def fingerprint(*parts: object) -> str:
    """sha256 over everything that decides what a case becomes."""
    text = json.dumps(summary.plain(parts), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def refuse_other(out: Path, asked: Mapping[str, Any], overwrite: bool) -> None:
    """Raise OutputError where `out` holds anything but this very sweep, saying what is different. With `overwrite`
    another sweep there is dropped, unless the folder is none of a sweep."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    before = _document(out / ASKED)
    if before is None:
        rule = "Only a sweep's folder can be gone on with, or replaced."
        raise OutputError(Problem(f"{out.name} holds no sweep", str(out), rule, "Choose another folder."))
    changed = list(_changes(before, summary.plain(asked)))
    if changed and not overwrite:
        told = changed[:MOST_TOLD] + ([f"{len(changed) - MOST_TOLD} more"] if len(changed) > MOST_TOLD else [])
        rule = "A sweep goes on only as it began, so that its cases compare."
        mend = "Give --overwrite to begin again, or another --out."
        raise_all(OutputError, [Problem("is of another sweep", str(out), rule, mend), *map(Problem, told)])
    if overwrite:
        for name in (PARENT, CASES):
            shutil.rmtree(out / name, ignore_errors=True)


def write_case(
    folder: Path, mark: str, number: int, values: Mapping[str, object], outcome: Outcome, dataset: Dataset
) -> None:
    """Write a case's folder whole or not at all; a broken one there is dropped. mark: its fingerprint."""
    shutil.rmtree(folder, ignore_errors=True)
    with staged(folder) as place:
        write_json(place / SUMMARY, summary.plain(_figures(outcome)))
        if outcome.structure is not None:
            _write_practices(place / PRACTICES, dataset, outcome.structure)
        files = {path.name: _digest(path) for path in sorted(place.iterdir())}
        write_json(
            place / CASE,
            summary.plain({"number": number, "values": dict(values), "fingerprint": mark, "files": files}),
        )


def read_case(folder: Path, mark: str, dataset: Dataset) -> Record | None:
    """The case as it was written; None where it is not there whole, or is another's."""
    case = _document(folder / CASE)
    if not isinstance(case, dict) or case.get("fingerprint") != mark:
        return None
    try:
        if any(_digest(folder / name) != digest for name, digest in case["files"].items()):
            return None
        figures = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        bodies = _read_practices(folder / PRACTICES, dataset) if PRACTICES in case["files"] else {}
    except OSError:
        return None
    return Record(case["number"], case["values"], figures, bodies)


def structure_of(record: Record, dataset: Dataset, scenario: Scenario) -> Structure:
    """The structure that a case's practices.csv tells."""
    return assemble(dataset, scenario, {scale: record.membership(scale) for scale in scenario.scales_used})


def drop_results(out: Path, keep: tuple[str, ...] = (PARENT, CASES, ASKED)) -> None:
    """Drop what an earlier end wrote over all cases: it no longer holds once more are done."""
    (out / MANIFEST).unlink(missing_ok=True)
    for path in out.iterdir():
        if path.is_file() and path.name not in keep and not path.name.startswith("."):
            path.unlink()


def _figures(outcome: Outcome) -> dict[str, Any]:
    structure = outcome.structure
    bodies = {} if structure is None else {scale: len(structure.bodies[scale]) for scale in structure.scales}
    return {
        "status": outcome.status,
        "reason": outcome.reason,
        "start": outcome.start,
        "cut_short": outcome.cut,
        "objective": outcome.objective,
        "services": outcome.services,
        "bodies": bodies,
        "moved_share": outcome.moved_share,
        "region": {name: asdict(measure) for name, measure in outcome.region.items()},
    }


def _write_practices(path: Path, dataset: Dataset, structure: Structure) -> None:
    header = ["practice", *(name for scale in structure.scales for name in (scale, f"{scale}_name"))]
    rows = []
    for i, practice in enumerate(dataset.practices):
        bodies = [structure.body_of(scale, i) for scale in structure.scales]
        rows.append((practice.code, *(text for body in bodies for text in (body.code, body.name))))
    write_csv(path, header, rows)


def _read_practices(path: Path, dataset: Dataset) -> dict[str, tuple[str, ...]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    scales = [name for name in rows[0] if name != "practice" and not name.endswith("_name")]
    return {scale: tuple(row[scale] for row in rows) for scale in scales}


def _changes(before: Any, now: Any, at: str = "") -> Iterator[str]:
    """What differs between two documents, leaf by leaf."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in dict.fromkeys((*before, *now)):
            yield from _changes(before.get(key), now.get(key), f"{at}.{key}" if at else str(key))
    elif before != now:
        yield f"{at} was {_short(before)}, is {_short(now)}"


def _short(value: Any) -> str:
    text = "not there" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
