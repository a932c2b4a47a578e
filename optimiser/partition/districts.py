"""Districts: groups of neighbouring bodies small enough to be solved again as problems of their own, whose sum is never
dearer than before.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimiser.partition.problem import PartitionProblem, SplitCharge

UNITS, BODIES = 400, 8  # that a district holds at least, where there are as many


def restrict(problem: PartitionProblem, kept: NDArray[np.int64]) -> PartitionProblem:
    """The problem of some units alone (ascending positions), with their own centres; the number of bodies is free."""
    position = np.full(problem.units, -1, dtype=np.int32)
    position[kept] = np.arange(len(kept))
    centres = np.flatnonzero(position[problem.owner] >= 0)
    edges = position[problem.edges]
    return replace(
        problem,
        labels=tuple(problem.labels[i] for i in kept),
        weights=problem.weights[kept],
        owner=position[problem.owner[centres]],
        costs=problem.costs[np.ix_(kept, centres)],
        steer=None if problem.steer is None else problem.steer[np.ix_(kept, centres)],
        edges=edges[(edges >= 0).all(axis=1)],
        apart=tuple(
            (int(position[a]), int(position[b])) for a, b in problem.apart if min(position[a], position[b]) >= 0
        ),
        frozen=tuple(int(position[i]) for i in problem.frozen if position[i] >= 0),
        min_bodies=None,
        max_bodies=None,
        splits=None if problem.splits is None else SplitCharge(problem.splits.rate, problem.splits.patients[kept]),
    )


def deal(problem: PartitionProblem, body: NDArray[np.int32], rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Units of each district, ascending; every body (number by unit) is in one. One district where the split charge
    ties all bodies together, or where there are too few units for two.
    """
    whole = [np.arange(problem.units)]
    if problem.units < 2 * UNITS or (problem.splits is not None and problem.splits.rate > 0):
        return whole
    units = np.bincount(body)
    near = _neighbours(problem, body)
    district = np.full(len(units), -1)
    made = 0
    for first in rng.permutation(len(units)):
        if district[first] >= 0:
            continue
        waiting, held, count = [int(first)], 0, 0
        district[first] = made
        while waiting and (held < UNITS or count < BODIES):
            b = waiting.pop(0)
            district[b] = made
            held, count = held + int(units[b]), count + 1
            joined = [c for c in near[b] if district[c] < 0]
            district[joined] = made
            waiting += joined
        district[waiting] = -1
        made += 1
    return [np.flatnonzero(district[body] == d) for d in range(made)]


def _neighbours(problem: PartitionProblem, body: NDArray[np.int32]) -> list[list[int]]:
    """Bodies that touch each body."""
    a, b = body[problem.edges[:, 0]], body[problem.edges[:, 1]]
    count = int(body.max()) + 1
    half = sparse.coo_matrix((np.ones(len(a)), (a, b)), shape=(count, count))
    return [sorted(row) for row in (half + half.T).tolil().rows]
