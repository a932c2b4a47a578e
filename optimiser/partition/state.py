"""A partition being annealed: flat arrays for the compiled moves, and what it costs.

For every centre inside its own body, `sums[centre]` is what the body would pay with that centre, so a move costs
O(members). Sizes and numbers of bodies outside their bounds, and pairs out of reach, carry a steep penalty: a search
may start from an invalid partition and walk to a valid one.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from optimiser.partition.problem import PartitionProblem

OUT_OF_REACH = 1e9  # £: dearer than any body, small enough to keep pennies in a float64 sum
PER_PATIENT_OUT_OF_BOUNDS = 1e3  # £ per patient below lo or above hi
PER_BODY_OUT_OF_BOUNDS = 1e9  # £ per body too many or too few
MOST_MEMBERS = 1024  # of a body, unless the search starts from larger ones: bounds the memory


inner = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")


class Flat(NamedTuple):
    """The problem as arrays; none of it changes. centres of unit u: centres[centre_start[u] : centre_start[u + 1]];
    neighbours and kept-apart units alike. curve: g at every whole number of patients. fewest, most: −1 for no bound."""

    weights: NDArray[np.int64]
    costs: NDArray[np.float64]
    centre_start: NDArray[np.int64]
    centres: NDArray[np.int64]
    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]
    curve: NDArray[np.float64]
    lo: int
    hi: int
    contiguous: bool
    apart_start: NDArray[np.int64]
    apart: NDArray[np.int64]
    split_rate: float
    pieces: NDArray[np.float64]
    fewest: int
    most: int


class State(NamedTuple):
    """The partition now. By body: size, filled (members it has), live, members, cost (split charge apart), held
    (patients by label). By unit: body, where (its place in members). tally: [total cost, patients in minority pieces];
    number: [bodies, slots in use].
    """

    body: NDArray[np.int64]
    where: NDArray[np.int64]
    size: NDArray[np.int64]
    filled: NDArray[np.int64]
    live: NDArray[np.bool_]
    members: NDArray[np.int64]
    cost: NDArray[np.float64]
    held: NDArray[np.float64]
    sums: NDArray[np.float64]
    tally: NDArray[np.float64]
    number: NDArray[np.int64]


class Scratch(NamedTuple):
    """Work space of the moves, by unit or by label."""

    mark: NDArray[np.bool_]
    queue: NDArray[np.int64]
    side: NDArray[np.int64]
    place: NDArray[np.int64]
    parent: NDArray[np.int64]
    order: NDArray[np.int64]
    below: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    on_left: NDArray[np.bool_]
    best_left: NDArray[np.bool_]
    new_a: NDArray[np.float64]
    new_b: NDArray[np.float64]


def flatten(problem: PartitionProblem) -> Flat:
    """The problem as arrays. The size curve is tabulated at every whole number of patients up to the largest body."""
    n = problem.units
    graph = problem.graph()
    hi = min(problem.hi, int(problem.weights.sum()))
    both_ways = [(a, b) for a, b in problem.apart] + [(b, a) for a, b in problem.apart]
    apart = np.array(sorted(both_ways), dtype=np.int64).reshape(-1, 2)
    curve = np.empty(hi + 1)
    for first in range(0, hi + 1, 1_000_000):
        last = min(hi + 1, first + 1_000_000)
        curve[first:last] = problem.size_cost(np.maximum(np.arange(first, last), 1))
    splits = problem.splits
    return Flat(
        weights=problem.weights.astype(np.int64),
        costs=np.where(np.isfinite(problem.costs), problem.costs, OUT_OF_REACH),
        centre_start=_starts(problem.owner, n),
        centres=np.argsort(problem.owner, kind="stable").astype(np.int64),
        indptr=graph.indptr.astype(np.int64),
        indices=graph.indices.astype(np.int64),
        curve=curve,
        lo=problem.lo,
        hi=hi,
        contiguous=problem.contiguous,
        apart_start=_starts(apart[:, 0], n),
        apart=apart[:, 1].copy(),
        split_rate=float(splits.rate) if splits is not None else 0.0,
        pieces=np.ascontiguousarray(splits.patients, dtype=float) if splits is not None else np.zeros((n, 1)),
        fewest=-1 if problem.min_bodies is None else problem.min_bodies,
        most=-1 if problem.max_bodies is None else problem.max_bodies,
    )


def _starts(labels: NDArray, n: int) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(np.bincount(labels, minlength=n)))).astype(np.int64)


def scratch(flat: Flat) -> Scratch:
    """Fresh work space."""
    n, labels = flat.pieces.shape
    whole = [np.zeros(n + 1, np.int64) for _ in range(7)]
    flags = [np.zeros(n, np.bool_) for _ in range(3)]
    queue, side, parent, order, below, left, right = whole
    return Scratch(
        flags[0], queue, side, np.full(n, -1, np.int64), parent, order, below, left, right, flags[1], flags[2],
        np.zeros(labels), np.zeros(labels),
    )  # fmt: skip


def fresh(flat: Flat, body: NDArray[np.int64]) -> State:
    """The state of a partition (unit → body number, copied), priced from scratch."""
    n, labels = flat.pieces.shape
    slots = n + 2
    state = State(
        body=body.astype(np.int64).copy(),
        where=np.zeros(n, np.int64),
        size=np.zeros(slots, np.int64),
        filled=np.zeros(slots, np.int64),
        live=np.zeros(slots, np.bool_),
        members=np.full((slots, min(n, max(MOST_MEMBERS, np.bincount(body).max())) + 2), -1, np.int64),
        cost=np.zeros(slots),
        held=np.zeros((slots if flat.split_rate > 0 else 1, labels)),
        sums=np.zeros(flat.costs.shape[1]),
        tally=np.zeros(2),
        number=np.zeros(2, np.int64),
    )
    _fill(flat, state)
    return state


@numba.njit(cache=True)
def _fill(flat, state):
    for u in range(len(state.body)):
        enter(flat, state, u, state.body[u])
    for b in range(len(state.size)):
        if state.filled[b] > 0:
            state.live[b] = True
            state.number[0] += 1
            state.number[1] = b + 1
            reprice(flat, state, b)
    nothing = np.zeros(flat.pieces.shape[1])
    if flat.split_rate > 0:
        state.tally[1] = minority(state, -1, -1, nothing, nothing)
    state.tally[0] = flat.split_rate * state.tally[1] + miscount(flat, state.number[0])
    for b in range(len(state.cost)):
        state.tally[0] += state.cost[b]


@inner
def add(row, other, times):
    """row += times × other. A loop: whole-array expressions take seconds to compile."""
    for t in range(len(row)):
        row[t] += times * other[t]


@inner
def zero(row):
    """row = 0."""
    for t in range(len(row)):
        row[t] = 0.0


@inner
def enter(flat, state, u, b):
    """Unit u becomes body b's last member; costs are left to `reprice`."""
    state.body[u] = b
    state.where[u] = state.filled[b]
    state.members[b, state.filled[b]] = u
    state.filled[b] += 1
    state.size[b] += flat.weights[u]
    if flat.split_rate > 0:
        add(state.held[b], flat.pieces[u], 1.0)


@inner
def clear(flat, state, b):
    """Body b loses every member."""
    state.filled[b] = 0
    state.size[b] = 0
    if flat.split_rate > 0:
        zero(state.held[b])


@inner
def reprice(flat, state, b):
    """sums and cost of body b from its members."""
    best = np.inf
    for a in range(state.filled[b]):
        owner = state.members[b, a]
        for e in range(flat.centre_start[owner], flat.centre_start[owner + 1]):
            j = flat.centres[e]
            total = 0.0
            for c in range(state.filled[b]):
                total += flat.costs[state.members[b, c], j]
            state.sums[j] = total
            best = min(best, total)
    state.cost[b] = best + size_cost(flat, state.size[b])


@inner
def size_cost(flat, patients):
    """g(P), with the penalty for a size outside its bounds."""
    if patients > flat.hi:
        return flat.curve[flat.hi] + PER_PATIENT_OUT_OF_BOUNDS * (patients - flat.hi)
    if patients < flat.lo:
        return flat.curve[patients] + PER_PATIENT_OUT_OF_BOUNDS * (flat.lo - patients)
    return flat.curve[patients]


@inner
def miscount(flat, bodies):
    """£ for a number of bodies outside its bounds."""
    if flat.most >= 0 and bodies > flat.most:
        return PER_BODY_OUT_OF_BOUNDS * (bodies - flat.most)
    if flat.fewest >= 0 and bodies < flat.fewest:
        return PER_BODY_OUT_OF_BOUNDS * (flat.fewest - bodies)
    return 0.0


@inner
def minority(state, a, b, new_a, new_b):
    """Σ over labels of patients outside the largest piece, bodies a and b (−1: none) holding new_a and new_b."""
    lost = 0.0
    for t in range(len(new_a)):
        top = max(new_a[t], new_b[t])
        total = new_a[t] + new_b[t]
        for c in range(state.number[1]):
            if state.live[c] and c not in (a, b):
                total += state.held[c, t]
                top = max(top, state.held[c, t])
        lost += total - top
    return lost


@inner
def may_join(flat, state, u, b, without):
    """No unit that u is kept apart from is in body b (`without`: one that is leaving it)."""
    for e in range(flat.apart_start[u], flat.apart_start[u + 1]):
        v = flat.apart[e]
        if v != without and state.body[v] == b:
            return False
    return True
