"""Bodies for the needed units of a piece: grown around them, which is quick, or by trying all, which is exact."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from optimiser.partition.problem import PartitionProblem

A_FEW = 12  # needed units around which bodies are grown at once
CENTRES_TRIED = 20  # for each of them


def grown(piece: PartitionProblem, need: NDArray[np.bool_]) -> bool:
    """Whether bodies grown one after the other around needed units, the nearest units first, hold them all. Quick; that
    it fails means nothing."""
    if len(np.flatnonzero(need)) > A_FEW:
        return False
    graph = piece.graph()
    free, bodies = np.ones(piece.units, bool), 0
    for u in np.flatnonzero(need):
        if free[u]:
            body = next(filter(None, (_around(piece, graph, free, int(u), j) for j in _own_first(piece, int(u)))), None)
            if body is None:
                return False
            free[body] = False
            bodies += 1
    return (piece.min_bodies or 0) <= bodies and (piece.max_bodies is None or bodies <= piece.max_bodies)


def _own_first(piece: PartitionProblem, unit: int) -> list[int]:
    """Centres within reach of a unit, its own first."""
    reached = np.flatnonzero(np.isfinite(piece.costs[unit]))
    return sorted(reached.tolist(), key=lambda j: piece.owner[j] != unit)[:CENTRES_TRIED]


def _around(
    piece: PartitionProblem, graph: sparse.csr_matrix, free: NDArray[np.bool_], unit: int, centre: int
) -> list[int] | None:
    """A valid body of free units that holds the unit and the centre's owner, or None."""
    inside = np.flatnonzero(free & np.isfinite(piece.costs[:, centre]))
    if not np.isin((unit, piece.owner[centre]), inside).all():
        return None
    start = int(np.searchsorted(inside, unit))
    order = csgraph.breadth_first_order(graph[inside][:, inside], start, return_predecessors=False)
    if not piece.contiguous:
        order = np.concatenate([order, np.setdiff1d(np.arange(len(inside)), order)])
    apart = {frozenset(pair) for pair in piece.apart}
    body: list[int] = []
    size, credit, worth = 0, 0, piece.credit
    for u in inside[order].tolist():
        near = not piece.contiguous or not body or bool(np.isin(graph[u].indices, body).any())
        if near and size + piece.weights[u] <= piece.hi and not any(frozenset((u, v)) in apart for v in body):
            body.append(u)
            size += int(piece.weights[u])
            credit += int(worth[u])
        if size >= piece.lo and credit >= piece.min_members and piece.owner[centre] in body:
            return body
    return None


def tried(piece: PartitionProblem, need: NDArray[np.bool_]) -> bool:
    """Whether bodies can hold the needed units, each unit at most once, in an allowed number: by trying every body, as
    sets of bits."""
    bodies = _bodies(piece)
    least, most = piece.min_bodies or 0, piece.units if piece.max_bodies is None else piece.max_bodies
    holding = [[body for body in bodies if body >> i & 1] for i in range(piece.units)]
    needed = sum(1 << int(i) for i in np.flatnonzero(need))

    @cache
    def can(free: int, placed: int) -> bool:
        """Whether the needed ones of the free units can be placed, `placed` bodies being made already."""
        waiting = free & needed
        if not waiting and placed >= least:
            return True
        if placed >= most or not free:
            return False
        first = ((waiting or free) & -(waiting or free)).bit_length() - 1
        fitting: Iterator[int] = (body for body in holding[first] if body & free == body)
        if any(can(free & ~body, placed + 1) for body in fitting):
            return True
        return not waiting and can(free & ~(1 << first), placed)

    return can((1 << piece.units) - 1, 0)


def _bodies(piece: PartitionProblem) -> list[int]:
    """Every set of units that keeps the rules of one body, as bits."""
    touching = [sum(1 << int(v) for v in near.indices) for near in piece.graph()]
    reach = np.isfinite(piece.costs)
    within = [
        (1 << int(owner), sum(1 << int(i) for i in np.flatnonzero(reach[:, j]))) for j, owner in enumerate(piece.owner)
    ]
    apart = [1 << a | 1 << b for a, b in piece.apart]
    weights, credit = piece.weights.tolist(), piece.credit.tolist()
    found = []
    for body in range(1, 1 << piece.units):
        size = sum(w for i, w in enumerate(weights) if body >> i & 1)
        if (
            piece.lo <= size <= piece.hi
            and sum(c for i, c in enumerate(credit) if body >> i & 1) >= piece.min_members
            and not any(body & pair == pair for pair in apart)
            and any(body & owner and body & near == body for owner, near in within)
            and (not piece.contiguous or _in_one(body, touching))
        ):
            found.append(body)
    return found


def _in_one(body: int, touching: list[int]) -> bool:
    """Whether a body's units are reached from its first by touching one another."""
    reached = new = body & -body
    while new:
        around = 0
        while new:
            around |= touching[(new & -new).bit_length() - 1]
            new &= new - 1
        new = around & body & ~reached
        reached |= new
    return reached == body
