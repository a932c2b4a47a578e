"""A bound that anyone can check: Lagrangian relaxation of "each unit in exactly one body", priced exactly.

For multipliers π and each centre j, the best body is the cheapest set of units within reach of j that holds unit
owner(j), at costs c[i, j] − π_i, with any size curve g:

    r_j = min over sets S, owner(j) ∈ S, lo ≤ P(S) ≤ hi, of { Σ_{i in S} (c[i, j] − π_i) + g(P(S)) }
    LB(π) = Σ π_i + Σ_units min(0, min over its centres of r_j)

where their number is free (with bounds a ≤ k ≤ b: the cheapest k of the units' r, best k in [a, b]). The bodies of a
partition have distinct units as centres, so LB(π) ≤ cost of every partition, whatever produced π. The split charge has
a multiplier for every label too, on "one body keeps it" (keeping.py). Kept-apart pairs are dropped, which only weakens
the bound; lines (lines.py) bring back some of contiguity.

Weights are whole patients throughout: nothing is rounded, so the bound holds for the true weights as it stands. A
lower bound in place of r_j gives a lower bound again, so a search of a knapsack that is cut short costs tightness, not
truth.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimiser.partition.centres import price_some
from optimiser.partition.knapsack import Tables, work_space
from optimiser.partition.lines import MOST, Line, Lines, charges_of, in_force, no_lines
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.triples import NONE, Triples

INF = np.inf
NODES = 2_000  # of branching for one centre, unless the caller allows more
SLOTS = 2_048  # of the table that bounds the size curve between sizes


@dataclass(frozen=True)
class Priced:
    """least: r_j of every centre in £ a year, or a lower bound of it (inf where it has no body). chosen: flags of its
    best body along the candidates of `tables`. shifts: the lines below what sets pay."""

    tables: Tables
    least: NDArray[np.float64]
    chosen: NDArray[np.bool_]
    shifts: Lines

    def body(self, centre: int) -> NDArray[np.int64]:
        """Units, ascending, of the best body met for a centre."""
        own = slice(self.tables.start[centre], self.tables.start[centre + 1])
        return np.sort(self.tables.unit[own][self.chosen[own]]).astype(np.int64)

    def bodies(self) -> list[tuple[int, ...]]:
        """Every centre's best body met, once, in a fixed order."""
        found = (self.body(j) for j in range(len(self.least)))
        return sorted({tuple(body.tolist()) for body in found if len(body)})

    def lines(self) -> tuple[Line, ...]:
        """The lines of charges that are not 0."""
        return in_force(self.shifts)


def pricing(problem: PartitionProblem, size: NDArray[np.float64]) -> Tables:
    """The tables of a problem: every unit within reach of every centre. size: g at every whole number up to hi."""
    start, unit, cost = _candidates(problem)
    hi = len(size) - 1
    width = max(1, -(-hi // SLOTS))
    slots = hi // width + 1
    chord = size[np.minimum(np.arange(slots + 1) * width, hi)]
    dip = np.array([_dip(size[s * width : (s + 1) * width + 1], chord[s], chord[s + 1], width) for s in range(slots)])
    patients = problem.weights.astype(np.int64)
    graph = problem.graph()
    indptr, indices = graph.indptr.astype(np.int64), graph.indices.astype(np.int64)
    if not problem.contiguous:
        indptr, indices = indptr[:0], indices[:0]
    reach = start, unit, cost, patients, problem.lo, hi
    return Tables(*reach, size, width, chord, dip, indptr, indices, *_labels(problem))


def _labels(problem: PartitionProblem) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """(start, label, £ by unit; £ in all by label); none where no split is charged."""
    splits = problem.splits
    if splits is None or not problem.kept_labels:
        return np.zeros(problem.units + 1, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0)
    pieces = sparse.csr_matrix(splits.rate * splits.patients)
    return pieces.indptr.astype(np.int64), pieces.indices.astype(np.int64), pieces.data, splits.whole


def _dip(size: NDArray[np.float64], left: float, right: float, width: int) -> float:
    """The most that g dips below its chord within one slot, £ a year, ≤ 0."""
    return min(0.0, float((size - left - (right - left) / width * np.arange(len(size))).min()))


def _candidates(problem: PartitionProblem) -> tuple[NDArray, NDArray, NDArray]:
    """(start, unit, cost) by centre: its own unit, then the others within reach; none where it is beyond its own."""
    start, unit, cost = [0], [np.empty(0, np.int32)], [np.empty(0)]
    for j, own in enumerate(problem.owner):
        column = problem.costs[:, j]
        within = np.flatnonzero(np.isfinite(column)).astype(np.int32)
        chosen = np.concatenate(([own], within[within != own])) if np.isfinite(column[own]) else within[:0]
        unit.append(chosen.astype(np.int32))
        cost.append(column[chosen])
        start.append(start[-1] + len(chosen))
    return np.array(start, dtype=np.int64), np.concatenate(unit), np.concatenate(cost)


def price(
    tables: Tables,
    pi: NDArray[np.float64],
    cut: float = INF,
    tolerance: float = 1e-6,
    nodes: int = NODES,
    triples: Triples = NONE,
    rough: float = 0.0,
) -> Priced:
    """Every centre's best body at multipliers π (£ by unit), charges on triples included where there is a cut.

    Where bodies need not touch and no triple is charged, r_j is exact within `tolerance` (£) where it is below `cut`
    and `nodes` of branching sufficed; elsewhere it is a lower bound that is at least min(cut, r_j) − tolerance, or
    lower where the nodes ran out. rough: part of what a value lies below the cut by which it may be understated, where
    labels may be kept. Else it is a lower bound over connected sets, charges included, raised by lines as
    far as the cut.
    """
    centres = len(tables.start) - 1
    least, chosen = np.empty(centres), np.empty(len(tables.unit), dtype=np.bool_)
    lines = no_lines(centres, MOST if len(tables.indptr) or len(triples.charge) else 0)
    charges = charges_of(triples, tables.patients)
    threads = numba.get_num_threads()
    with ThreadPoolExecutor(threads) as pool:
        some = [
            pool.submit(
                price_some,
                k,
                threads,
                tables,
                charges,
                work_space(tables, len(charges.charge), nodes),
                pi,
                float(cut),
                tolerance,
                rough,
                nodes,
                least,
                chosen,
                lines,
            )
            for k in range(threads)
        ]
        for part in some:
            part.result()
    return Priced(tables, least, chosen, lines)


def by_unit(problem: PartitionProblem, least: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(least r, the centre that has it) of every unit."""
    centre = np.empty(problem.units, dtype=np.int64)
    order = np.argsort(-least, kind="stable")
    centre[problem.owner[order]] = order
    return least[centre], centre


def bound_value(problem: PartitionProblem, pi: NDArray[np.float64], least: NDArray[np.float64]) -> float:
    """LB(π) in £ a year from every centre's r."""
    best, _ = by_unit(problem, least)
    k, _ = cheapest_count(problem, best)
    return float(problem.in_range(pi).sum() + np.sort(best)[:k].sum())


def cheapest_count(problem: PartitionProblem, best: NDArray[np.float64]) -> tuple[int, NDArray[np.int64]]:
    """(k, the k units of least r): the number of bodies within its bounds that makes LB(π) least."""
    order = np.argsort(best, kind="stable")
    sums = np.concatenate(([0.0], np.cumsum(best[order])))
    low = problem.min_bodies or 0
    high = min(problem.max_bodies if problem.max_bodies is not None else problem.units, problem.units)
    k = low + int(np.argmin(sums[low : high + 1]))
    return k, order[:k]


def last_counted(problem: PartitionProblem, least: NDArray[np.float64]) -> float:
    """Reduced cost of the dearest body that LB(π) counts, £ a year; 0 where their number is free."""
    k, chosen = cheapest_count(problem, best := by_unit(problem, least)[0])
    return float(best[chosen[-1]]) if problem.counted and k else 0.0


def starting_multipliers(problem: PartitionProblem, assignment: NDArray[np.int32]) -> NDArray[np.float64]:
    """Each unit pays its own share of its body's cost: size cost by weight, and its own assignment cost; each label
    pays for its patients outside the body that keeps it.
    """
    pi = np.zeros(problem.units)
    for b in np.unique(assignment):
        members = np.flatnonzero(assignment == b)
        cost, centre = problem.body_cost(members)
        own = problem.costs[members, centre]
        weight = problem.weights[members]
        pi[members] = own + (cost - own.sum()) * weight / max(1, weight.sum())
    return np.append(pi, problem.split_costs(assignment))
