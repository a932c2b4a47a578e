"""Whether any partition keeps the rules: shown possible, proved impossible, or neither.

Costs play no part. A body never leaves a piece of the ground: units that touch (where bodies must), and between which
reach leaves a centre in common. So each piece is judged by itself, by arithmetic first, then by trying every body (few
units), by the search, and by an integer programme. Only the number of bodies concerns all pieces at once.

`needed` asks less: units that are not needed may be left out of every body. What cannot be done for some units cannot
be done for all, and the units that cannot be placed explain why (optimiser/conflicts.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from optimiser.clock import never
from optimiser.errors import Infeasible, LimitReached
from optimiser.partition.oversize import set_aside
from optimiser.partition.possible_model import covered
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.run import Budget
from optimiser.partition.solve import solve

FEW = 12  # units of which every body is tried
SOME = 60  # units up to which an integer programme is asked
CENTRES = 1_500  # up to which what each can gather on foot is counted, not only what is within its reach
A_FEW = 12  # needed units around which bodies are grown at once
CENTRES_TRIED = 20  # for each of them
TRY = Budget(moves=40_000, rounds=0, branches=1, seconds=60.0)


@dataclass(frozen=True)
class Verdict:
    """possible: None when neither was shown. blame: needed units that cannot all be placed, where it is False."""

    possible: bool | None
    blame: tuple[int, ...] = ()


def possible(
    problem: PartitionProblem,
    needed: NDArray[np.bool_] | None = None,
    search: bool = True,
    stop: Callable[[], bool] = never,
) -> Verdict:
    """Whether the needed units (all of them when None) can be parted into bodies that keep every rule. False is proved,
    True is shown by bodies. search: False to ask only what is quick to answer; stop ends it with neither."""
    asked = np.ones(problem.units, bool) if needed is None else needed
    torn = [i for i in np.flatnonzero(problem.alone & asked) if not np.isfinite(problem.body_cost(np.array([i]))[0])]
    if torn:
        return Verdict(False, (int(torn[0]),))
    core, _, restore = set_aside(bare(problem))
    blamed = restore.kept
    if core is None:
        return _counted(problem, asked)
    need = asked[restore.kept]
    pieces = pieces_of(core)
    for judge in (_stranded, _uneven):
        for piece in pieces:
            if blame := judge(attainable(restricted(core, piece)), need[piece]):
                return Verdict(False, tuple(int(blamed[piece[i]]) for i in blame))
    if not _countable(core, pieces, need):
        return Verdict(False, tuple(int(i) for i in blamed[need]))
    if core.min_bodies is not None or core.max_bodies is not None:
        pieces = [np.arange(core.units)]
    known = True
    for piece in sorted(pieces, key=len):
        part, wanted = attainable(restricted(core, piece)), need[piece]
        shown = _judged(part, wanted, search, stop) if wanted.any() or core.min_bodies else True
        if shown is False:
            return Verdict(False, tuple(int(i) for i in blamed[piece[need[piece]]]))
        known = known and shown is True
    return Verdict(True if known else None)


def witness(problem: PartitionProblem, stop: Callable[[], bool] = never) -> NDArray[np.int32] | None:
    """A partition that keeps every rule, whatever it costs, found piece by piece; None where none was found."""
    core, _, restore = set_aside(bare(problem))
    if core is None:
        return restore(np.empty(0, np.int32))
    free = core.min_bodies is None and core.max_bodies is None
    assignment = np.full(core.units, -1, dtype=np.int32)
    for piece in pieces_of(core) if free else [np.arange(core.units)]:
        part = restricted(core, piece)
        try:
            bodies = solve(part, 0, replace(TRY, stop=stop), prove=False).assignment
        except (Infeasible, LimitReached):
            if part.units > SOME:
                return None
            bodies = np.full(part.units, -1, dtype=np.int32)
            for number, members in enumerate(covered(part, np.ones(part.units, bool), stop)[1]):
                bodies[members] = number
            if (bodies < 0).any():
                return None
        assignment[piece] = bodies + assignment.max() + 1
    return restore(assignment)


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


def _stranded(piece: PartitionProblem, need: NDArray[np.bool_]) -> list[int]:
    """A needed unit that no usable centre within its reach can gather a body around, or none."""
    reach = gatherings(piece, need)
    served = (reach[:, piece.weights @ reach >= piece.lo]).any(axis=1)
    return np.flatnonzero(need & ~served)[:1].tolist()


def _uneven(piece: PartitionProblem, need: NDArray[np.bool_]) -> list[int]:
    """The needed units where no number of bodies can hold them: too few patients, or sizes that do not divide."""
    if need.any() and _fewest(piece, need) > _most(piece):
        return np.flatnonzero(need).tolist()
    return []


def _fewest(piece: PartitionProblem, need: NDArray[np.bool_]) -> int:
    return max(int(need.any()), -(-int(piece.weights[need].sum()) // max(1, piece.hi)))


def _most(piece: PartitionProblem) -> int:
    return min(piece.units, int(piece.weights.sum()) // max(1, piece.lo))


def _countable(core: PartitionProblem, pieces: list[NDArray[np.int64]], need: NDArray[np.bool_]) -> bool:
    """Whether the limits on the number of bodies leave room for what sizes ask of all pieces together."""
    parts = [restricted(core, piece) for piece in pieces] if len(pieces) > 1 else [core]
    fewest = sum(_fewest(part, need[piece]) for part, piece in zip(parts, pieces, strict=True))
    most = sum(_most(part) for part in parts)
    return (core.min_bodies or 0) <= most and (core.max_bodies is None or fewest <= core.max_bodies)


def _counted(problem: PartitionProblem, asked: NDArray[np.bool_]) -> Verdict:
    """Where every unit stands alone, only their number can be wrong."""
    low, high = problem.min_bodies or 0, problem.units if problem.max_bodies is None else problem.max_bodies
    return Verdict(True) if low <= problem.units <= high else Verdict(False, tuple(np.flatnonzero(asked).tolist()))


def _judged(piece: PartitionProblem, need: NDArray[np.bool_], search: bool, stop: Callable[[], bool]) -> bool | None:
    """Whether bodies can hold the needed units of a piece, each unit at most once, in an allowed number."""
    if _grown(piece, need):
        return True
    if piece.units <= FEW:
        return _tried(piece, need)
    if search and need.all():
        try:
            solve(piece, 0, replace(TRY, stop=stop), prove=False)
            return True
        except Infeasible:
            return False
        except LimitReached:
            pass
    return covered(piece, need, stop)[0] if search and piece.units <= SOME else None


def _grown(piece: PartitionProblem, need: NDArray[np.bool_]) -> bool:
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
    size = 0
    for u in inside[order].tolist():
        near = not piece.contiguous or not body or bool(np.isin(graph[u].indices, body).any())
        if near and size + piece.weights[u] <= piece.hi and not any(frozenset((u, v)) in apart for v in body):
            body.append(u)
            size += int(piece.weights[u])
        if size >= piece.lo and piece.owner[centre] in body:
            return body
    return None


def _tried(piece: PartitionProblem, need: NDArray[np.bool_]) -> bool:
    """The same by trying every body, as sets of bits."""
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
    weights = piece.weights.tolist()
    found = []
    for body in range(1, 1 << piece.units):
        size = sum(w for i, w in enumerate(weights) if body >> i & 1)
        if (
            piece.lo <= size <= piece.hi
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
