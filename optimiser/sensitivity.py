"""How much the plan moves when a rate does: "best for these assumptions" is only as good as the assumptions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from optimiser.domain import Dataset
from optimiser.errors import LimitReached
from optimiser.hierarchy import Hierarchy, restructure
from optimiser.partition.run import Budget
from optimiser.scenario import Scenario

EFFORT = Budget(moves=50_000, rounds=0)


@dataclass(frozen=True)
class SensitivityRow:
    """One rate moved by the fraction `change`. objective: £ a year of the re-optimised structure at the moved rate
    (services not placed again). bodies: scale → number. patients_moved_share: patients whose anchor body is not the one
    that succeeds theirs.
    """

    rate: str
    change: float
    objective: float
    bodies: Mapping[str, int]
    patients_moved_share: float


def sensitivity(
    dataset: Dataset, scenario: Scenario, hierarchy: Hierarchy, seed: int, seconds: float
) -> tuple[SensitivityRow, ...]:
    """Each of the scenario's sensitivity rates down and up, the structure re-optimised from the plan's own. Rates that
    are off are left out; so are the rest once `seconds` are spent.
    """
    start = time.monotonic()
    anchor = scenario.anchor_scale
    before = hierarchy.structure.membership[anchor]
    rows = []
    for rate in scenario.sensitivity.rates:
        for change in (-scenario.sensitivity.change, scenario.sensitivity.change):
            if not scenario.on(rate) or time.monotonic() - start > seconds:
                continue
            moved = scenario.with_rate(rate, 1 + change)
            effort = replace(EFFORT, seconds=max(1.0, (seconds - time.monotonic() + start) / len(scenario.scales_used)))
            try:
                structure, objective = restructure(dataset, moved, hierarchy.structure, seed, effort)
            except LimitReached:
                continue  # no other plan was found at this rate: the row is left out, and the plan says so
            rows.append(
                SensitivityRow(
                    rate=rate,
                    change=change,
                    objective=objective,
                    bodies={name: len(structure.bodies[name]) for name in structure.scales},
                    patients_moved_share=moved_share(before, structure.membership[anchor], dataset.patients),
                )
            )
    return tuple(rows)


def moved_share(before: NDArray[np.int32], after: NDArray[np.int32], patients: NDArray[np.int64]) -> float:
    """Share of patients outside the body that succeeds theirs, bodies matched one to one for the greatest overlap."""
    overlap = np.zeros((int(before.max()) + 1, int(after.max()) + 1))
    np.add.at(overlap, (before, after), patients)
    old, new = linear_sum_assignment(-overlap)
    return 1.0 - float(overlap[old, new].sum() / patients.sum())
