"""Two units that must share a body, as one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimiser.partition.problem import PartitionProblem


def merged(problem: PartitionProblem, a: int, b: int) -> PartitionProblem:
    """The problem with two units as one, which has the place of the first; those after the second move up. They
    count as touching, so its bound holds for bodies in which they must touch through others."""
    a, b = min(a, b), max(a, b)
    to = np.arange(problem.units)
    to[b] = a
    to[to > b] -= 1
    n = problem.units - 1

    def summed(rows: np.ndarray) -> np.ndarray:
        out = np.zeros((n, *rows.shape[1:]), dtype=rows.dtype)
        np.add.at(out, to, rows)
        return out

    edges = np.sort(to[problem.edges], axis=1)
    pairs = {(int(min(to[x], to[y])), int(max(to[x], to[y]))) for x, y in problem.apart}
    return replace(
        problem,
        labels=tuple(label for k, label in enumerate(problem.labels) if k != b),
        weights=summed(problem.weights),
        owner=to[problem.owner].astype(np.int32),
        costs=summed(problem.costs),
        edges=np.unique(edges[edges[:, 0] != edges[:, 1]], axis=0).astype(np.int32).reshape(-1, 2),
        apart=tuple(sorted(pairs)),
        members=None if problem.members is None else summed(problem.members),
        splits=None if problem.splits is None else replace(problem.splits, patients=summed(problem.splits.patients)),
    )
