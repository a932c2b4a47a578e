"""What a bound is the least of: branches on the number of bodies.

A relaxation may take a fractional number of bodies; k ≤ a − 1, k = a, k ≥ a + 1 forbids it that, and together they hold
every partition.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimiser.partition.lines import Line
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.triples import NONE, Triples

SIZES = 4_096  # of bodies at which the size curve is looked at: enough to steer by
STEEPEST, HALVINGS = 1e6, 60  # £ a patient, either way, and how often the interval is halved


@dataclass(frozen=True)
class Branch:
    """Partitions with fewest … most bodies. bound: LB in £ a year at multipliers pi (units, then labels), charges on
    triples and lines below what sets pay.
    """

    fewest: int
    most: int
    pi: NDArray[np.float64]
    bound: float
    triples: Triples = NONE
    lines: tuple[Line, ...] = ()

    def of(self, problem: PartitionProblem) -> PartitionProblem:
        """The problem restricted to this branch."""
        return replace(problem, min_bodies=self.fewest, max_bodies=self.most)


def root(problem: PartitionProblem, pi: NDArray[np.float64], bound: float, triples: Triples = NONE) -> Branch:
    """The branch that holds every partition."""
    fewest = problem.min_bodies or 1
    most = problem.units if problem.max_bodies is None else min(problem.units, problem.max_bodies)
    return Branch(fewest, most, pi, bound, triples)


def plain(problem: PartitionProblem) -> Branch:
    """The root at π = w × min g(P)/P, whose bound needs no pricing since assignment costs are never negative."""
    per_head = problem.cheapest_per_head()
    pi = np.append(per_head * problem.weights.astype(float), np.zeros(problem.kept_labels))
    return root(problem, pi, per_head * float(problem.weights.sum()))


def children(branch: Branch, bodies: int, problem: PartitionProblem) -> list[Branch]:
    """The branch cut at the incumbent's number of bodies, or at its end nearest to it. That number comes first: where
    cutting raises nothing, it shows there. Multipliers are the branch's, with what the cut changes for size alone."""
    a, b = branch.fewest, branch.most
    k = min(max(bodies, a), b)
    now = price_per_patient(problem, a, b)
    weights = np.append(problem.weights, np.zeros(problem.kept_labels)).astype(float)
    return [
        replace(branch, fewest=lo, most=hi, pi=branch.pi + (price_per_patient(problem, lo, hi) - now) * weights)
        for lo, hi in [(k, k), (a, k - 1), (k + 1, b)]
        if lo <= hi
    ]


def price_per_patient(problem: PartitionProblem, fewest: int, most: int) -> float:
    """£ a year and patient: the best multiplier for fewest … most bodies, were there costs of size alone. With λ a
    patient, a body of P patients is worth g(P) − λP, and the bound rises with λ while the bodies that it counts hold
    fewer patients than there are.
    """
    total = int(problem.weights.sum())
    top = min(problem.hi, total)
    sizes = np.unique(np.linspace(max(1, min(problem.lo, top)), top, SIZES).astype(np.int64))
    cost = problem.size_cost(sizes)
    low, high = -STEEPEST, STEEPEST
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        at = int(np.argmin(cost - middle * sizes))
        counted = most if cost[at] < middle * sizes[at] else fewest
        low, high = (middle, high) if counted * sizes[at] < total else (low, middle)
    return (low + high) / 2
