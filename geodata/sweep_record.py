"""A sweep: what was asked, and what came of each case as its folder tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata import summary
from optimiser.domain import Dataset
from optimiser.partition.budget import Budget
from optimiser.partition.solve import DEFAULT_BUDGET
from optimiser.runs import versions
from optimiser.scenario import Scenario
from optimiser.sensitivity import EFFORT
from optimiser.sweep import ANEW, Case
from optimiser.sweep_influence import Influence


@dataclass(frozen=True)
class Record:
    """A case as its folder tells it. figures: its summary.json. bodies: scale → body's code by practice, in the
    dataset's order; none where the case has no plan."""

    number: int
    values: Mapping[str, object]
    figures: Mapping[str, Any]
    bodies: Mapping[str, tuple[str, ...]]

    @property
    def planned(self) -> bool:
        """Whether there is a plan."""
        return self.figures["status"] == "planned"

    def measure(self, name: str) -> float | None:
        """A measure of the region; None where it is not known."""
        found = self.figures["region"].get(name)
        return None if found is None else found["value"]

    def membership(self, scale: str) -> NDArray[np.int32]:
        """Body number by practice."""
        return np.unique(np.array(self.bodies[scale]), return_inverse=True)[1].astype(np.int32)


@dataclass(frozen=True)
class Asked:
    """What a sweep is of. cases: from 1, each with its values. varied: key → its values, or "low..high". seed: of the
    points of a hypercube and of every search."""

    dataset: Dataset
    scenario: Scenario
    cases: tuple[Case, ...]
    varied: Mapping[str, object]
    seed: int
    services: bool = False
    budget: Budget = field(default=DEFAULT_BUDGET)

    def document(self) -> dict[str, Any]:
        """What two sweeps must share to be one."""
        document = summary.plain(self.scenario.document())
        if document.get("dataset"):
            document["dataset"] = Path(str(document["dataset"])).name
        return {
            "format": 1,
            "scenario": document,
            "dataset": dict(self.dataset.sources),
            "varied": summary.plain(self.varied),
            "seed": self.seed,
            "services": self.services,
            "work": {name: _work(budget) for name, budget in self._budgets.items()},
            "program": versions().get("consortia", ""),
            "cases": [summary.plain(dict(case.values)) for case in self.cases],
        }

    @property
    def _budgets(self) -> dict[str, Budget]:
        return {"parent": self.budget, "case": EFFORT, "case anew": ANEW}


@dataclass(frozen=True)
class Sweep:
    """What came of it. records: the cases done, by number. influence: None where too few plans can be compared."""

    asked: Asked
    parent: Record
    records: tuple[Record, ...]
    influence: Influence | None

    @property
    def finished(self) -> bool:
        """Whether every case is done."""
        return len(self.records) == len(self.asked.cases)

    @property
    def cut(self) -> tuple[str, ...]:
        """Cases of which a clock ended some of the work."""
        return tuple(f"case {r.number}" for r in (self.parent, *self.records) if r.figures["cut_short"])


def _work(budget: Budget) -> dict[str, object]:
    """A budget as counts of work, which alone decide what is found."""
    counts = asdict(budget)
    return {name: counts[name] for name in ("moves", "rounds", "branches", "turns", "gap", "columns")}
