"""Units that are bodies of their own leave the problem first: those heavier than any body, and frozen ones
(docs/method.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csgraph

from optimiser.partition.problem import PartitionProblem
from optimiser.partition.restrict import restrict


@dataclass(frozen=True)
class Restore:
    """Puts a partition of the kept units back among all of them. kept: their positions."""

    total: int
    kept: NDArray[np.int64]
    alone: NDArray[np.int64]

    def __call__(self, assignment: NDArray[np.int32]) -> NDArray[np.int32]:
        full = np.empty(self.total, dtype=np.int32)
        full[self.kept] = assignment
        first = int(assignment.max()) + 1 if len(assignment) else 0
        full[self.alone] = first + np.arange(len(self.alone))
        return full


def set_aside(problem: PartitionProblem) -> tuple[PartitionProblem | None, float, Restore]:
    """(problem without oversize and frozen units, None when nothing is left; £ a year they cost; how to put them back).

    Body counts are reduced by their number. Contiguity passes through oversize units, so their neighbours become
    neighbours, and not through frozen ones. The split charge keeps only the labels of the remaining units, which never
    overstates it.
    """
    alone, kept = np.flatnonzero(problem.alone), np.flatnonzero(~problem.alone)
    restore = Restore(problem.units, kept, alone)
    if not len(alone):
        return problem, 0.0, restore
    fixed = sum(problem.body_cost(np.array([i]))[0] for i in alone)
    if not len(kept):
        return None, fixed, restore
    position = np.full(problem.units, -1, dtype=np.int64)
    position[kept] = np.arange(len(kept))
    edges = {tuple(sorted((int(a), int(b)))) for a, b in problem.edges}
    graph, through = problem.graph(), np.flatnonzero(problem.oversize)
    _, part = csgraph.connected_components(graph[through][:, through], directed=False)
    for p in np.unique(part):
        around = sorted({int(v) for u in through[part == p] for v in graph[u].indices if position[v] >= 0})
        edges |= set(combinations(around, 2))
    inner = sorted((a, b) for a, b in edges if position[a] >= 0 and position[b] >= 0)
    core = replace(
        restrict(problem, kept),
        edges=position[np.array(inner, dtype=np.int64).reshape(-1, 2)].astype(np.int32),
        min_bodies=None if problem.min_bodies is None else max(0, problem.min_bodies - len(alone)),
        max_bodies=None if problem.max_bodies is None else problem.max_bodies - len(alone),
    )
    return core, fixed, restore
