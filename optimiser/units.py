"""From practices to the partition problem of one scale: which practices move as one, who touches whom, who may belong
where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from optimiser import pins
from optimiser.domain import Dataset
from optimiser.errors import Infeasible, LimitReached, Problem
from optimiser.forces import PairCharges, size_curve
from optimiser.partition.members import with_members
from optimiser.partition.problem import PartitionProblem
from optimiser.scenario import Scale, Scenario

NEIGHBOURS = 8  # nearest practices that the search may trade with where bodies need not touch


@dataclass(frozen=True)
class ScaleProblem:
    """A scale's partition problem and the unit of every practice."""

    problem: PartitionProblem
    unit: NDArray[np.int32]

    @property
    def first(self) -> NDArray[np.int64]:
        """The first practice of every unit, which names it."""
        return first_of(self.unit)

    def membership(self, assignment: NDArray[np.int32]) -> NDArray[np.int32]:
        """Body number by practice, from body number by unit."""
        return assignment[self.unit]


def first_of(unit: NDArray[np.int32]) -> NDArray[np.int64]:
    """The first practice of every unit, by unit number."""
    return np.unique(unit, return_index=True)[1]


def scale_problem(
    dataset: Dataset,
    scenario: Scenario,
    scale: Scale,
    inside: NDArray[np.int32] | None = None,
    whole: NDArray[np.int32] | None = None,
    tied: Sequence[tuple[int, int]] = (),
    apiece: bool = False,
) -> ScaleProblem:
    """The problem of one scale, its cost, centres and weights defined on practices.

    inside: body number by practice of a larger scale that no body may leave. whole: body number by practice of a
    smaller scale whose bodies stay whole, enough of them in each body. tied: practices kept together besides. Without
    them it is the un-nested problem, whose bound holds for the nested one. apiece: every practice is a unit of its own
    even so, for a search that knows who may not move. Raises Infeasible when pins contradict each other.
    """
    charges = PairCharges(dataset, scenario, scale)
    unit = units_of(dataset, scenario, scale, whole, tied)
    if apiece:
        unit = np.arange(len(dataset.practices), dtype=np.int32)
    if whole is not None:
        _fits_above(dataset, scenario, scale, unit)
    costs = charges.matrix()
    frozen = pins.frozen_bodies(dataset, scenario, scale)
    for larger in scenario.around(scale.name)[1:]:
        if scenario.scale(larger).authority_rule == "inside_one":
            costs[_across(dataset, scenario, scenario.scale(larger))] = np.inf
    for walled in (inside, pins.cells(dataset, scenario, scale)):
        if walled is not None and walled.any():
            costs[walled[:, None] != walled[None, :]] = np.inf
    for body in frozen:
        members = np.array(body.members)
        costs[np.ix_(members, members)] = charges.priced(members, members)
    n = int(unit.max()) + 1
    first = first_of(unit)
    splits = charges.splits(scenario)
    steer = charges.steer()
    weights = np.bincount(unit, weights=dataset.patients, minlength=n).astype(np.int64)
    total = int(weights.sum())
    problem = PartitionProblem(
        name=scale.name,
        labels=tuple(f"{dataset.practices[i].name} ({dataset.practices[i].code})" for i in first),
        weights=weights,
        owner=unit,
        costs=_by_unit(costs, unit, n),
        curve=size_curve(scenario, scale),
        lo=scale.min_patients,
        hi=max(scale.min_patients, total if scale.max_patients is None else scale.max_patients),
        edges=_edges(dataset, scale, unit, costs),
        contiguous=scale.contiguous,
        apart=_apart(dataset, scenario, scale, unit, whole is not None or len(tied) > 0),
        frozen=tuple(sorted({int(unit[i]) for body in frozen for i in body.members})),
        min_bodies=scale.min_bodies,
        max_bodies=scale.max_bodies,
        splits=None if splits is None else replace(splits, patients=_by_unit(splits.patients, unit, n)),
        steer=None if steer is None else _by_unit(steer, unit, n),
    )
    if whole is not None:
        held = np.bincount(unit[np.unique(whole, return_index=True)[1]], minlength=n)
        problem = with_members(problem, held, scenario.members_asked(scale.name))
    return ScaleProblem(problem, unit)


def _across(dataset: Dataset, scenario: Scenario, larger: Scale) -> NDArray[np.bool_]:
    """n × n: practices of two authorities that no body of a larger scale may straddle, and so none inside it."""
    everyone = np.arange(len(dataset.practices))
    parted = PairCharges(dataset, scenario, larger).differ(everyone[:, None], everyone[None, :])
    for body in pins.frozen_bodies(dataset, scenario, larger):
        parted[np.ix_(body.members, body.members)] = False
    return parted


def _fits_above(dataset: Dataset, scenario: Scenario, scale: Scale, unit: NDArray[np.int32]) -> None:
    """Raise LimitReached when a body kept whole outgrows this scale though its practices could have been parted."""
    if scale.max_patients is None:
        return
    size = np.bincount(unit, weights=dataset.patients)
    free = units_of(dataset, scenario, scale)
    for u in np.flatnonzero(size > scale.max_patients):
        members = np.flatnonzero(unit == u)
        if len(set(free[members].tolist())) > 1:
            raise LimitReached(
                Problem(
                    f"no plan found: the body of {dataset.practices[members[0]].name} at the scale planned before "
                    f"{scale.name} has {int(size[u]):,} patients, more than {scale.max_patients:,}",
                    rule="Smaller bodies there may allow one.",
                    mend=f"Raise scale.{scale.name}.max_patients or lower that of the scale below.",
                )
            )


def units_of(
    dataset: Dataset,
    scenario: Scenario,
    scale: Scale,
    whole: NDArray[np.int32] | None = None,
    tied: Sequence[tuple[int, int]] = (),
) -> NDArray[np.int32]:
    """Practices that must stay together share a unit: bodies kept whole, pins, frozen bodies, whole authorities where
    ruled, and pairs tied besides."""
    pairs = [*pins.ties(dataset, scenario, scale), *([] if whole is None else pins.chains(whole.tolist())), *tied]
    return pins.joined(len(dataset.practices), pairs)


def _apart(
    dataset: Dataset, scenario: Scenario, scale: Scale, unit: NDArray[np.int32], given: bool
) -> tuple[tuple[int, int], ...]:
    """Unit pairs kept apart. Where one unit would have to leave itself: Infeasible, or LimitReached when only bodies
    given beforehand may be to blame."""
    pairs: set[tuple[int, int]] = set()
    for a, b in pins.apart(dataset, scenario, scale):
        if unit[a] == unit[b]:
            what = (
                f"{dataset.practices[a].code} and {dataset.practices[b].code} must be kept apart and must stay together"
            )
            if given:
                rule = "Other bodies at the scale planned before it may allow one."
                raise LimitReached(Problem(f"no plan found: {scale.name}: {what}", rule=rule, mend="Try another seed."))
            raise Infeasible(Problem(f"{scale.name}: {what}", mend="Drop one of the pins or rules that say so."))
        pairs.add((int(min(unit[a], unit[b])), int(max(unit[a], unit[b]))))
    return tuple(sorted(pairs))


def _edges(dataset: Dataset, scale: Scale, unit: NDArray[np.int32], costs: NDArray[np.float64]) -> NDArray[np.int32]:
    """Unit pairs that touch; where bodies need not touch, also nearest practices (within reach of the same centre)."""
    pairs = dataset.adjacency.astype(np.int64)
    if not scale.contiguous and len(dataset.practices) > 1:
        k = min(NEIGHBOURS + 1, len(dataset.practices))
        _, near = cKDTree(dataset.xy).query(dataset.xy, k=k)
        rows = np.repeat(np.arange(len(near)), k)
        pairs = np.vstack([pairs, np.column_stack([rows, near.ravel()])])
        within = np.packbits(np.isfinite(costs), axis=1)
        pairs = pairs[(within[pairs[:, 0]] & within[pairs[:, 1]]).any(axis=1)]
    ends = np.sort(unit[pairs], axis=1)
    ends = ends[ends[:, 0] != ends[:, 1]]
    n = int(unit.max()) + 1
    if not scale.contiguous and n <= 40:
        a, b = np.triu_indices(n, 1)
        ends = np.vstack([ends, np.column_stack([a, b])])
    return np.unique(ends, axis=0).astype(np.int32).reshape(-1, 2)


def _by_unit(rows: NDArray[np.float64], unit: NDArray[np.int32], n: int) -> NDArray[np.float64]:
    """Rows of practices summed to rows of units."""
    if n == len(rows):
        return rows[np.argsort(unit, kind="stable")]
    order = np.argsort(unit, kind="stable")
    starts = np.searchsorted(unit[order], np.arange(n))
    return np.add.reduceat(rows[order], starts, axis=0)
