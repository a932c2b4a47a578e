"""How much the plan moves when a rate does: "best for these assumptions" is only as good as the assumptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from optimiser.clock import Clock
from optimiser.domain import Dataset
from optimiser.errors import LimitReached
from optimiser.hierarchy import Hierarchy, restructure
from optimiser.nesting import Report, silent
from optimiser.partition.budget import Budget, Progress
from optimiser.scenario import Scenario

EFFORT = Budget(moves=200, rounds=0)


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
    dataset: Dataset, scenario: Scenario, hierarchy: Hierarchy, seed: int, clock: Clock, report: Report = silent
) -> tuple[tuple[SensitivityRow, ...], bool]:
    """Each of the scenario's sensitivity rates down and up, the structure re-optimised from the plan's own; and whether
    the clock left rows out. Rates that are off are left out, and so is a row that the clock cut: it would understate.
    """
    anchor = scenario.anchor_scale
    before = hierarchy.structure.membership[anchor]
    rows: list[SensitivityRow] = []
    change = scenario.sensitivity.change
    for rate, by in product(filter(scenario.on, scenario.sensitivity.rates), (-change, change)):
        if clock.over():
            return tuple(rows), True
        moved = scenario.with_rate(rate, 1 + by)
        effort = replace(EFFORT, seconds=clock.left(), stop=clock.stop)
        try:
            structure, objective, cut = restructure(dataset, moved, hierarchy.structure, seed, effort)
        except LimitReached:
            continue  # no other plan was found at this rate: the row is left out, and the plan says so
        if cut:
            return tuple(rows), True
        bodies = {name: len(structure.bodies[name]) for name in structure.scales}
        share = moved_share(before, structure.membership[anchor], dataset.patients)
        rows.append(SensitivityRow(rate, by, objective, bodies, share))
        report(Progress("sensitivity", f"{rate} {by:+.0%}", clock.elapsed(), -np.inf, objective, bodies[anchor]))
    return tuple(rows), False


def moved_share(before: NDArray[np.int32], after: NDArray[np.int32], patients: NDArray[np.int64]) -> float:
    """Share of patients outside the body that succeeds theirs, bodies matched one to one for the greatest overlap."""
    overlap = np.zeros((int(before.max()) + 1, int(after.max()) + 1))
    np.add.at(overlap, (before, after), patients)
    old, new = linear_sum_assignment(-overlap)
    return 1.0 - float(overlap[old, new].sum() / patients.sum())
