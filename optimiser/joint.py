"""Scales improved together: bodies at the anchor that lean on those of larger scales, and moves that re-price every
scale that they touch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimiser.domain import Dataset
from optimiser.partition.across import Nest, anneal
from optimiser.partition.oversize import set_aside
from optimiser.partition.problem import PartitionProblem, steered
from optimiser.partition.search import typical_difference
from optimiser.partition.state import Flat, flatten
from optimiser.scenario import Scenario
from optimiser.units import scale_problem, units_of

Membership = NDArray[np.int32]  # body number by practice
HOT, COLD = 1.0, 0.05  # first and last temperature, as a share of a typical difference at the anchor scale
MOVES = 300  # of one annealing, by practice and scale
ANNEALINGS = 4
WORTH = 0.005  # of a larger scale's cost, lost to nesting, from which the anchor leans on it
LEAN = 2.0  # of a larger scale's cost a head: what the anchor's search pays for leaving a body of it


def leaning(
    dataset: Dataset,
    scenario: Scenario,
    alone: Mapping[str, Membership],
    costs: Mapping[str, tuple[float, float]],
) -> NDArray[np.float64] | None:
    """n × n extra £ that lead a search at the anchor scale towards bodies of larger scales planned by themselves, where
    nesting lost much there; None where it did not. costs: by scale, £ a year by itself and nested."""
    patients = dataset.patients.astype(float)
    lean = np.zeros((len(patients), len(patients)))
    for name in scenario.around(scenario.anchor_scale)[1:]:
        apart, nested = costs[name]
        if nested > (1 + WORTH) * apart:
            of = alone[name]
            lean += LEAN * apart / patients.sum() * patients[:, None] * (of[:, None] != of[None, :])
    return lean if lean.any() else None


def improved(
    dataset: Dataset, scenario: Scenario, membership: Mapping[str, Membership], seed: int, over: Callable[[], bool]
) -> dict[str, Membership]:
    """The best nested partitions met from these on, or these. over: asked between annealings. Practices that are pinned
    to others, and bodies frozen or too large for their scale, stay where they are."""
    scales = scenario.scales_used
    heat, problems, flats, free = 0.0, [], [], []
    for name in scales:
        problem = steered(scale_problem(dataset, scenario, scenario.scale(name), apiece=True).problem)
        if name == scenario.anchor_scale:
            heat = typical_difference(problem)
        unit = units_of(dataset, scenario, scenario.scale(name))
        free.append((np.bincount(unit)[unit] == 1) & ~problem.alone)
        flats.append(_flat(problem))
        problems.append(replace(problem, frozen=()))
    nest = Nest(
        under=np.array([scales.index(below) if (below := scenario.below(name)) else -1 for name in scales]),
        over=np.array([[name in scenario.within(larger) for larger in scales] for name in scales]),
        free=np.array(free),
        least=np.array([scenario.members_asked(name) for name in scales]),
    )
    best = [membership[name].astype(np.int32) for name in scales]
    broken = [set(p.violations(of)) for p, of in zip(problems, best, strict=True)]
    tried = MOVES * len(scales) * len(dataset.practices)
    for turn in range(ANNEALINGS):
        if over():
            break
        found = anneal(flats, nest, best, tried, (HOT * heat, COLD * heat), seed + turn)
        kept = all(set(p.violations(of)) <= before for p, of, before in zip(problems, found, broken, strict=True))
        if kept and _priced(problems, found) < _priced(problems, best):
            best = found
    return dict(zip(scales, best, strict=True))


def _priced(problems: Sequence[PartitionProblem], bodies: Sequence[Membership]) -> float:
    """£ a year of all scales from scratch: sums kept up over many moves drift by pennies."""
    return sum(p.objective(of) for p, of in zip(problems, bodies, strict=True))


def _flat(problem: PartitionProblem) -> Flat:
    """The problem as arrays, neighbours beyond units too large for any body included: bodies may touch through them."""
    core, _, restore = set_aside(problem)
    edges = np.empty((0, 2), np.int32) if core is None else restore.kept[core.edges].astype(np.int32)
    return flatten(replace(problem, edges=edges, frozen=()))
