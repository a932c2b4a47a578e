"""What `consortia compare` is given: run folders, maps drawn by hand and the word `today`, as maps of one dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from geodata.membership import read_membership
from geodata.summary import plain
from optimiser.compare import Laid, Proof
from optimiser.domain import Dataset
from optimiser.errors import ConsortiaError, DataError, OutputError, Problem, raise_all
from optimiser.given import existing_structure
from optimiser.runs import MANIFEST, digest
from optimiser.scenario import Scenario

TODAY = "today"
MEMBERSHIP = "practices.csv"
NAMING = ("name", "title", "question", "seed", "dataset")  # keys of a scenario that change no price and no rule


@dataclass(frozen=True)
class Table:
    """laid: the maps, in the order given. inputs: file → sha256. notes: what a reader must know of them."""

    laid: tuple[Laid, ...]
    inputs: Mapping[str, str]
    notes: tuple[str, ...]


def lay(words: Sequence[str], dataset: Dataset, scenario: Scenario) -> Table:
    """Read every map. words: run folders, membership files, `today`. Raises DataError with the problems of all of them
    (practices that one has and the dataset lacks, or the other way about, by code and name), OutputError where one is
    neither a run nor a file."""
    laid, inputs, notes, problems = [], dict[str, str](), list[str](), list[Problem]()
    for word, name in zip(words, names(words), strict=True):
        try:
            if word == TODAY:
                structure = existing_structure(dataset, scenario)
                if structure is None:
                    rule = "Columns existing_<scale> of practices.csv name today's bodies."
                    raise DataError(Problem("no body of today is named", "practices.csv", rule, "Leave `today` out."))
                laid.append(Laid(name, "today", structure))
                continue
            path = Path(word)
            if not path.is_dir():
                laid.append(Laid(name, "drawn", read_membership(path, dataset, scenario)))
                inputs[path.name] = digest(path)
                continue
            _check_run(path)
            structure = read_membership(path / MEMBERSHIP, dataset, scenario)
            proof, said = _proof(path, name, dataset, scenario)
            laid.append(Laid(name, "run", structure, proof))
            inputs[f"{name}/{MEMBERSHIP}"] = digest(path / MEMBERSHIP)
            notes += said
        except DataError as fault:
            problems += (replace(p, where=f"{name}: {p.where}" if p.where else name) for p in fault.problems)
    raise_all(DataError, problems)
    return Table(tuple(laid), inputs, tuple(notes))


def names(words: Sequence[str]) -> list[str]:
    """A short name for each, all different: the last part of its path, numbered where it came before."""
    found: list[str] = []
    for word in words:
        path = Path(word)
        base = path.stem if path.suffix.lower() == ".csv" else Path(path.resolve() if word != TODAY else word).name
        number, name = 2, base
        while name in found:
            name = f"{base} ({number})"
            number += 1
        found.append(name)
    return found


def runs_on_the_demo(words: Sequence[str]) -> bool:
    """Whether a run among them was planned from the bundled region."""
    folders = [Path(word) for word in words if word != TODAY and (Path(word) / "scenario.json").is_file()]
    return any(_json(folder / "scenario.json").get("dataset") == "demo" for folder in folders)


def _check_run(folder: Path) -> None:
    lacking = [name for name in (MANIFEST, MEMBERSHIP, "scenario.json", "certificate.json", "summary.json")
               if not (folder / name).is_file()]  # fmt: skip
    if lacking:
        raise OutputError(
            Problem(
                f"{folder.name} holds no {lacking[0]}", str(folder), "A run folder is what `consortia plan` writes.",
                "Give a run, a CSV of practices and their bodies, or the word today.",
            )
        )  # fmt: skip


def _proof(folder: Path, name: str, dataset: Dataset, scenario: Scenario) -> tuple[Proof, list[str]]:
    """What a run proved, and why that may not bind here."""
    summary, manifest, certificate, own = (
        _json(folder / f) for f in ("summary.json", MANIFEST, "certificate.json", "scenario.json")
    )
    notes = []
    try:
        same_data = manifest["inputs"] == dict(dataset.sources)
        same_rules = _ruling(own) == _ruling(plain(scenario.document()))
        if not same_data:
            notes.append(f"{name} was planned from other data than it is measured by here.")
        if not same_rules:
            notes.append(
                f"{name} was planned under other rates or rules (scenario {own['name']}) than {scenario.name}, "
                "by which all are measured here."
            )
        if manifest["cut_short"]:
            notes.append(f"{name} was cut short: a longer search may have found a better plan.")
        scales, placed = certificate["scales"], certificate["placement"]
        proof = Proof(
            str(manifest["status"]),
            float(summary["structure_gap"]),
            None if placed is None else float(placed["gap"]),
            {scale: float(part["objective"]) for scale, part in scales.items()},
            {scale: float(part["bound"]) for scale, part in scales.items()},
            same_data and same_rules,
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise OutputError(
            Problem(f"{folder.name} cannot be read as a run ({fault!r})", str(folder), mend="Plan it again.")
        ) from None
    return proof, notes


def _ruling(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in NAMING}


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise _unreadable(path, fault) from None
    if not isinstance(found, dict):
        raise _unreadable(path, "not an object")
    return found


def _unreadable(path: Path, fault: object) -> ConsortiaError:
    return OutputError(Problem(f"cannot be read ({fault})", f"{path.parent.name}/{path.name}", mend="Plan it again."))
