"""What an explanation needs of a finished run: its scenario, its structure, and the services of its bodies."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from geodata.membership import read_membership
from optimiser.domain import Dataset, Structure
from optimiser.errors import DataError, OutputError, Problem, raise_all
from optimiser.runs import MANIFEST, digest
from optimiser.scenario import Scenario

NEEDED = ("scenario.json", "practices.csv")


@dataclass(frozen=True)
class FinishedRun:
    """folder: of the run. manifest: as written. scenario: resolved, as planned."""

    folder: Path
    manifest: Mapping[str, Any]
    scenario: Scenario

    @property
    def cut_short(self) -> tuple[str, ...]:
        """Parts of the work that a clock or a person ended."""
        return tuple(self.manifest.get("cut_short", ()))

    def structure(self, dataset: Dataset) -> Structure:
        """The plan's bodies. DataError where the dataset is not the one that was planned, naming each file."""
        planned = dict(self.manifest.get("inputs", {}))
        found = dict(dataset.sources)
        problems = []
        for name in sorted(planned.keys() | found.keys()):
            if planned.get(name) != found.get(name):
                what = "is not there" if name not in found else "is new" if name not in planned else "differs"
                mend = "Give the dataset of the run with --data, or plan again."
                rule = f"{self.folder.name} was planned from other files."
                problems.append(Problem(f"{what}", name, rule, mend))
        raise_all(DataError, problems)
        return read_membership(self.folder / "practices.csv", dataset, self.scenario)

    def services(self) -> dict[str, dict[str, tuple[str, str, str]]]:
        """Body of the anchor scale → service → (name, scale, commissioner); empty where none are placed."""
        path, anchor = self.folder / "placement.csv", self.scenario.anchor_scale
        found: dict[str, dict[str, tuple[str, str, str]]] = {}
        if path.is_file():
            with path.open(encoding="utf-8-sig", newline="") as file:
                for row in csv.DictReader(file):
                    told = row["service_name"], row["scale"], row["commissioner"]
                    found.setdefault(row[anchor], {})[row["service"]] = told
        return found


def read_run(folder: Path) -> FinishedRun:
    """A run folder of `consortia plan`. OutputError where it is none, is unfinished or was changed since."""
    path = folder / MANIFEST
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if not folder.is_dir() or not path.is_file() or missing:
        what = (
            "is not a folder"
            if not folder.is_dir()
            else "holds no " + " and no ".join([*([MANIFEST] if not path.is_file() else []), *missing])
        )
        mend = "Give the folder that `consortia plan` wrote; a run that was broken off has no manifest."
        raise OutputError(Problem(what, str(folder), "A finished run is needed.", mend))
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        outputs = manifest["outputs"]
        changed = [name for name in NEEDED if outputs.get(name) != digest(folder / name)]
        scenario = Scenario.model_validate(json.loads((folder / "scenario.json").read_text(encoding="utf-8")))
    except ValidationError as fault:
        keys = ", ".join(dict.fromkeys(".".join(map(str, e["loc"])) for e in fault.errors()))
        what = "holds a scenario of another version"
        raise OutputError(Problem(what, str(folder), f"Keys that do not fit: {keys}.", "Plan again.")) from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise OutputError(Problem(f"cannot be read: {fault}", str(folder), mend="Plan again.")) from fault
    raise_all(
        OutputError,
        [Problem("was changed after the run", name, f"{MANIFEST} says otherwise.", "Plan again.") for name in changed],
    )
    return FinishedRun(folder, manifest, scenario)
