"""Pricing connected bodies exactly, where bodies must touch and hold a few units: localities.

For multipliers π and each centre j,

    r_j = min over connected S ∋ owner(j), within reach of j, lo ≤ P(S) ≤ hi, of  Σ_{i in S} (c[i, j] − π_i) + g(P(S))

at true weights, in whole patients, the charges of triples.py included where there are any. Every body of a contiguous
partition is connected, so LB(π) of bound.py holds with these r_j too, and is never below the one over all sets. On 513
practices it leaves 0.15 % where that leaves 0.6 %.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from optimiser.partition.connected_sets import BIN, Charges, ConnectedTables, near, price_some, work_space
from optimiser.partition.lines import Line
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.triples import NONE, Triples

Members = tuple[int, ...]
INF = np.inf

FEW_UNITS = 12.0  # of median weight in the largest body: beyond, sets grow too many and contiguity matters little
SETS = 20_000  # met for one centre, unless the caller allows more
SLOPES = 96  # tabulated; a centre takes the one whose bound is greatest before anything is decided
STEEPEST = 3.0  # the last slope, over the least g(P) / P


class PricedConnected(NamedTuple):
    """What pricing found, by centre. least: r_j in £ a year, or a lower bound of it (inf where it has no body). cost,
    held, members: reduced cost, number of units and units of its best bodies, in no order (centres × most, × units;
    inf and 0 where there are fewer). tried: sets met. unfinished: more than the sets allowed would have been needed.
    """

    least: NDArray[np.float64]
    cost: NDArray[np.float64]
    held: NDArray[np.int32]
    members: NDArray[np.int32]
    tried: NDArray[np.int64]
    unfinished: NDArray[np.bool_]

    def body(self, centre: int) -> NDArray[np.int64]:
        """Units, ascending, of the best body met for a centre; empty when none was."""
        return self._units(centre, int(np.argmin(self.cost[centre])))

    def bodies(self) -> list[Members]:
        """Every body kept, once, in a fixed order."""
        kept = zip(*np.nonzero(self.held), strict=True)
        return sorted({tuple(self._units(int(j), int(k)).tolist()) for j, k in kept})

    def lines(self) -> tuple[Line, ...]:
        """None: sets in pieces are not met at all."""
        return ()

    def complete(self) -> bool:
        """Whether every body below the cut was kept. Then a partition that costs less than LB(π) + cut is made of
        `bodies()` alone, numbers of bodies being free: one with another body costs LB(π) + its reduced cost at least.
        """
        return not self.unfinished.any() and not self.held[:, -1].any()

    def _units(self, centre: int, place: int) -> NDArray[np.int64]:
        return np.sort(self.members[centre, place, : self.held[centre, place]]).astype(np.int64)


def suits(problem: PartitionProblem) -> bool:
    """Whether connected sets are worth pricing: bodies must touch, and the largest holds at most twelve units of median
    weight. On real England that raises the bound by 0.3 % at seven units and by 0.1 % at fourteen, and lowers it by
    0.3 % at twenty, where sets are too many to meet.
    """
    few = problem.hi <= FEW_UNITS * float(np.median(problem.weights))
    return problem.contiguous and few and not problem.kept_labels


def connected_tables(problem: PartitionProblem, size: NDArray[np.float64]) -> ConnectedTables:
    """The tables of a problem whose units all fit a body. size: g at every whole number of patients up to the largest
    body. Candidates of a centre: units within its reach, joined to its own through units within its reach by a path
    that a body can hold.
    """
    hi = len(size) - 1
    graph = problem.graph()
    weights = problem.weights.astype(np.int64)
    indptr, indices = graph.indptr.astype(np.int64), graph.indices.astype(np.int64)
    start, unit, cost = [0], [np.empty(0, np.int64)], [np.empty(0)]
    path = np.full(problem.units, hi + 1)
    queue, waiting = np.zeros(problem.units + 1, np.int64), np.zeros(problem.units, np.bool_)
    for j, own in enumerate(problem.owner):
        column = np.ascontiguousarray(problem.costs[:, j])
        chosen = near(int(own), column, weights, indptr, indices, path, queue, waiting, hi)
        unit.append(chosen)
        cost.append(column[chosen])
        start.append(start[-1] + len(chosen))
    patients = np.arange(hi + 1)
    inside = np.where(patients >= problem.lo, size, INF)
    first = min(max(1, problem.lo), hi)
    slopes = -np.linspace(0.0, STEEPEST * float(np.min(size[first:] / np.maximum(patients[first:], 1))), SLOPES)
    return ConnectedTables(
        start=np.array(start, dtype=np.int64),
        unit=np.concatenate(unit),
        cost=np.concatenate(cost),
        weights=weights,
        indptr=indptr,
        indices=indices,
        size=inside,
        slopes=slopes,
        rest=np.stack([np.minimum.accumulate((inside + s * patients)[::-1])[::-1][::BIN] for s in slopes]),
        deepest=int(np.searchsorted(np.cumsum(np.sort(weights)), hi, side="right")),
    )


def price_connected(
    tables: ConnectedTables,
    pi: NDArray[np.float64],
    cut: float = INF,
    most: int = 1,
    sets: int = SETS,
    triples: Triples = NONE,
) -> PricedConnected:
    """Every centre's `most` best connected bodies at multipliers π (£ by unit), of reduced cost below `cut`, charges of
    triples included.

    least is min(r_j, cut), exactly, wherever meeting `sets` of them sufficed; elsewhere it is at most that: the least
    of what was found and of the bounds of the branches left open. The same bytes whatever the threads.
    """
    centres = len(tables.start) - 1
    found = PricedConnected(
        least=np.full(centres, INF),
        cost=np.full((centres, most), INF),
        held=np.zeros((centres, most), np.int32),
        members=np.zeros((centres, most, tables.deepest), np.int32),
        tried=np.zeros(centres, np.int64),
        unfinished=np.zeros(centres, np.bool_),
    )
    charges = Charges(*triples.by_unit(len(tables.weights)), triples.charge)
    threads = numba.get_num_threads()
    with ThreadPoolExecutor(threads) as pool:
        some = [
            pool.submit(
                price_some, k, threads, tables, charges, work_space(tables, charges), pi, float(cut), int(sets), found
            )
            for k in range(threads)
        ]
        for part in some:
            part.result()
    return found
