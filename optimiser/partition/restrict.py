"""The problem of some of its units alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimiser.partition.problem import PartitionProblem


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
        members=None if problem.members is None else problem.members[kept],
        splits=None if problem.splits is None else replace(problem.splits, patients=problem.splits.patients[kept]),
    )
