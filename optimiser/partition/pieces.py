"""The ground in pieces that no body can leave, and what arithmetic says of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from optimiser.partition.problem import PartitionProblem

SOME = 60  # units up to which the sizes of all their sets are listed
CENTRES = 1_500  # up to which what each can gather on foot is counted, not only what is within its reach


def bare(problem: PartitionProblem) -> PartitionProblem:
    """The rules alone: whoever is within reach costs nothing."""
    return replace(
        problem,
        costs=np.where(np.isfinite(problem.costs), 0.0, np.inf),
        curve=lambda patients: np.zeros(np.shape(patients)),
        splits=None,
        steer=None,
    )


def restricted(problem: PartitionProblem, units: NDArray[np.int64]) -> PartitionProblem:
    """The problem of some of its units; limits on the number of bodies stay as they are."""
    if len(units) == problem.units:
        return problem
    place = np.full(problem.units, -1, dtype=np.int64)
    place[units] = np.arange(len(units))
    centres = np.flatnonzero(place[problem.owner] >= 0)
    edges = place[problem.edges]
    return replace(
        problem,
        labels=tuple(problem.labels[i] for i in units),
        weights=problem.weights[units],
        owner=place[problem.owner[centres]].astype(np.int32),
        costs=problem.costs[np.ix_(units, centres)],
        edges=edges[(edges >= 0).all(axis=1)].astype(np.int32).reshape(-1, 2),
        apart=tuple((int(place[a]), int(place[b])) for a, b in problem.apart if min(place[a], place[b]) >= 0),
        frozen=tuple(int(place[i]) for i in problem.frozen if place[i] >= 0),
        members=None if problem.members is None else problem.members[units],
    )


def pieces_of(core: PartitionProblem) -> list[NDArray[np.int64]]:
    """Units by piece: no body can hold units of two. core: without oversize and frozen units."""
    n = core.units
    reach = np.isfinite(core.costs)
    usable = reach[core.owner, np.arange(len(core.owner))]
    label = np.zeros(n, np.int32)
    if not reach.all():
        i, j = np.nonzero(reach[:, usable])
        joint = sparse.coo_matrix((np.ones(len(i), np.int8), (i, n + j)), shape=(n + int(usable.sum()),) * 2)
        label = csgraph.connected_components(joint, directed=False)[1][:n]
    if core.contiguous:
        same = core.edges[label[core.edges[:, 0]] == label[core.edges[:, 1]]]
        ones = np.ones(len(same), np.int8)
        label = csgraph.connected_components(
            sparse.coo_matrix((ones, (same[:, 0], same[:, 1])), shape=(n, n)), directed=False
        )[1]
    return [np.flatnonzero(label == k) for k in range(int(label.max()) + 1)]


def attainable(piece: PartitionProblem) -> PartitionProblem:
    """The piece with the bounds of size drawn in to the nearest sizes that some set of its units has."""
    if piece.units > SOME:
        return piece
    within = (sizes_of(piece.weights) & ((1 << (piece.hi + 1)) - 1)) >> piece.lo
    if not within:
        return replace(piece, lo=piece.hi, hi=piece.hi) if piece.lo else piece
    least = (within & -within).bit_length() - 1
    return replace(piece, lo=piece.lo + least, hi=piece.lo + within.bit_length() - 1)


def sizes_of(weights: NDArray[np.int64]) -> int:
    """The sizes that sets of units can have, as bits: bit p where some set has p patients."""
    sums = 1
    for weight in weights.tolist():
        sums |= sums << weight
    return sums


def gatherings(piece: PartitionProblem, need: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """units × centres: who can be gathered around each centre that a needed unit reaches, on foot where bodies must
    touch and centres are not too many to ask; False for other centres, and for those out of their own reach."""
    reach = np.isfinite(piece.costs)
    reach[:, ~(reach[piece.owner, np.arange(len(piece.owner))] & reach[need].any(axis=0))] = False
    asked = np.flatnonzero(reach.any(axis=0))
    if piece.contiguous and len(asked) <= CENTRES and not reach[:, asked].all():
        graph = piece.graph()
        for j in asked:
            near = np.flatnonzero(reach[:, j])
            _, part = csgraph.connected_components(graph[near][:, near], directed=False)
            reach[near, j] = part == part[np.searchsorted(near, piece.owner[j])]
    return reach


def stranded(piece: PartitionProblem, need: NDArray[np.bool_]) -> list[int]:
    """A needed unit that no usable centre within its reach can gather a body around, or none."""
    reach = gatherings(piece, need)
    served = (reach[:, piece.weights @ reach >= piece.lo]).any(axis=1)
    return np.flatnonzero(need & ~served)[:1].tolist()


def uneven(piece: PartitionProblem, need: NDArray[np.bool_]) -> list[int]:
    """The needed units where no number of bodies can hold them: too few patients, or sizes that do not divide."""
    if need.any() and fewest(piece, need) > most(piece):
        return np.flatnonzero(need).tolist()
    return []


def fewest(piece: PartitionProblem, need: NDArray[np.bool_]) -> int:
    """Bodies that the needed units fill at least."""
    return max(int(need.any()), -(-int(piece.weights[need].sum()) // max(1, piece.hi)))


def most(piece: PartitionProblem) -> int:
    """Bodies that the piece can fill at most."""
    return min(piece.units, int(piece.weights.sum()) // max(1, piece.lo))
