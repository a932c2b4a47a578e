"""The incumbent: annealed boundary moves and merge–splits (docs/method.md), compiled. Only valid partitions are ever
returned.
"""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimiser.clock import never
from optimiser.partition.problem import PartitionProblem, canonical
from optimiser.partition.state import OUT_OF_REACH, Flat, fresh, scratch
from optimiser.partition.trade import trade
from optimiser.partition.trees import merge_split

LEGS = 8  # pieces of a run, between which partitions are reported
TREE_SHARE = 0.02  # share of moves that merge and split; each costs as much as fifty boundary moves
COOLING = 0.02  # last temperature of a run over its first


@numba.njit(cache=True, nogil=True)
def _anneal(flat, state, work, moves, hot, cold, rng):
    """Anneal the state in place, temperatures falling geometrically in £; (best partition met, its cost with
    penalties).
    """
    best, best_cost = state.body.copy(), state.tally[0]
    for move in range(moves):
        heat = hot * (cold / hot) ** (move / max(1, moves - 1))
        u = int(rng.random() * len(state.body))
        if rng.random() < TREE_SHARE:
            moved = merge_split(flat, state, work, u, heat, rng)
        else:
            moved = trade(flat, state, work, u, heat, rng)
        if moved and state.tally[0] < best_cost - 1e-7:
            best_cost = state.tally[0]
            for v in range(len(best)):
                best[v] = state.body[v]
    return best, best_cost


def run(
    problem: PartitionProblem,
    flat: Flat,
    rng: np.random.Generator,
    moves: int,
    start: NDArray[np.int32] | None,
    heat: float,
    see: Callable[[NDArray[np.int32]], None],
    over: Callable[[], bool] = never,
) -> NDArray[np.int32] | None:
    """One annealing run from `start` (or a greedy partition): the best valid partition met, or None.

    heat: first temperature as a share of a typical body's cost. see: called with partitions on the way.
    over: asked between legs; once it says True no further one is run.
    """
    body = (starting_partition(problem) if start is None else start).astype(np.int64)
    typical = _typical_cost(problem) if start is None else problem.objective(start) / len(np.unique(start))
    typical = max(1.0, typical)
    work = scratch(flat)
    best, best_cost = None, np.inf
    for leg in range(LEGS):
        hot, cold = (heat * typical * COOLING ** (x / LEGS) for x in (leg, leg + 1))
        state = fresh(flat, body)  # priced anew each leg, so that rounding never builds up
        found, cost = _anneal(flat, state, work, max(1, moves // LEGS), hot, cold, rng)
        body = state.body
        see(found.astype(np.int32))
        see(body.astype(np.int32))
        if cost < best_cost and not problem.violations(found.astype(np.int32)):
            best, best_cost = canonical(found.astype(np.int32)), cost
        if over():
            break
    return best


def _typical_cost(problem: PartitionProblem) -> float:
    """£ a year of one body of the cheapest size per head: sets the first temperature."""
    top = min(problem.hi, int(problem.weights.sum()))
    sizes = np.unique(np.linspace(max(1, min(problem.lo, top)), top, 500).astype(np.int64))
    cost = problem.size_cost(sizes)
    return float(cost[np.argmin(cost / sizes)])


def starting_partition(problem: PartitionProblem) -> NDArray[np.int32]:
    """A first partition: smallest bodies join the neighbour with which they cost least, until every size fits or none
    can.
    """
    n = problem.units
    graph = problem.graph().tolil()
    body = np.arange(n)
    size = problem.weights.astype(np.int64).copy()
    near = {u: set(graph.rows[u]) for u in range(n)}
    finite = np.where(np.isfinite(problem.costs), problem.costs, OUT_OF_REACH)
    own = sparse.coo_matrix((np.ones(len(problem.owner)), (problem.owner, np.arange(len(problem.owner)))))
    centre = own.tocsr().indices[own.tocsr().indptr[:-1]]
    members = {u: [u] for u in range(n)}
    forbidden = {frozenset(p) for p in problem.apart}
    stuck: set[int] = set()
    while True:
        small = [b for b in members if size[b] < problem.lo and b not in stuck]
        if not small:
            break
        b = min(small, key=lambda x: (size[x], x))
        options = [
            c
            for c in sorted(near[b])
            if size[b] + size[c] <= problem.hi
            and not any(frozenset((x, y)) in forbidden for x in members[b] for y in members[c])
        ]
        if not options:
            stuck.add(b)
            continue
        c = min(options, key=lambda x: (finite[members[b], centre[x]].sum(), size[x], x))
        for x in members[b]:
            body[x] = c
        members[c] += members.pop(b)
        size[c] += size[b]
        near[c] = (near[c] | near.pop(b)) - {b, c}
        for d in near[c]:
            near[d].discard(b)
            near[d].add(c)
        stuck.discard(c)
    return np.unique(body, return_inverse=True)[1].astype(np.int64)
