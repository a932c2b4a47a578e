"""A partition being annealed: flat arrays for the compiled moves, and what it costs.

Every body has a centre, the best it owns. For every centre inside its own body, `sums[centre]` is what the body would
pay with that centre: a move is judged in O(1) at the centres of now, and once made its bodies find their best centres
in O(members). Sizes, members and numbers of bodies outside their bounds, and pairs out of reach, carry a steep penalty:
a search may start from an invalid partition and walk to a valid one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimiser.partition.compiled import bare
from optimiser.partition.problem import PartitionProblem

OUT_OF_REACH = 1e9  # £: dearer than any body, small enough to keep pennies in a float64 sum
PER_PATIENT_OUT_OF_BOUNDS = 1e3  # £ per patient below lo or above hi
PER_BODY_OUT_OF_BOUNDS = 1e9  # £ per body too many or too few
PER_MEMBER_SHORT = 1e8  # £ per member that a body has too few
MOST_MEMBERS = 1024  # of a body, unless the search starts from larger ones: bounds the memory
MOST_CELLS = 4_000_000  # units × centres of two bodies merged and split: bounds the memory


class Flat(NamedTuple):
    """The problem as arrays; none of it changes. centres of unit u: centres[centre_start[u] : centre_start[u + 1]];
    neighbours, kept-apart units and labels (label, with the patients in `piece`) alike. owner: unit of each centre.
    curve: g at every whole number of patients. labels: their number, 0 where no split is charged. fewest, most: −1 for
    no bound. credit: of each unit towards the `least` members of a body."""

    weights: NDArray[np.int64]
    costs: NDArray[np.float64]
    owner: NDArray[np.int64]
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
    labels: int
    piece_start: NDArray[np.int64]
    label: NDArray[np.int64]
    piece: NDArray[np.float64]
    fewest: int
    most: int
    credit: NDArray[np.int64]
    least: int


class State(NamedTuple):
    """The partition now, and work space. By body: size, filled (members it has, 0: a free slot), members, centre, cost
    (split charge apart), held (patients by label), credit (towards the least members). By unit: body, where (its place
    in members), mark (number of the walk that last met it), queue, best (body in the best partition met). By centre:
    sums. tally: [total cost, that of the best]; number: [bodies, slots in use, walks so far]; seed: of the draws.
    """

    body: NDArray[np.int64]
    where: NDArray[np.int64]
    size: NDArray[np.int64]
    filled: NDArray[np.int64]
    members: NDArray[np.int64]
    centre: NDArray[np.int64]
    cost: NDArray[np.float64]
    held: NDArray[np.float64]
    credit: NDArray[np.int64]
    sums: NDArray[np.float64]
    mark: NDArray[np.int64]
    queue: NDArray[np.int64]
    best: NDArray[np.int64]
    tally: NDArray[np.float64]
    number: NDArray[np.int64]
    seed: NDArray[np.uint64]


class Side(NamedTuple):
    """Work space of a merge and split, by place among the units of the two bodies, unless said otherwise. place: by
    unit. parent, order: of a spanning tree. below, credit: patients and credit of a subtree. cells: what a subtree
    would pay, by centre. present: labels that the two bodies hold, so many as number[0]. By label: rest (the most that
    another body holds), new_a, new_b (what the two may hold).
    """

    units: NDArray[np.int64]
    place: NDArray[np.int64]
    parent: NDArray[np.int64]
    order: NDArray[np.int64]
    below: NDArray[np.int64]
    credit: NDArray[np.int64]
    left: NDArray[np.bool_]
    best_left: NDArray[np.bool_]
    cells: NDArray[np.float64]
    number: NDArray[np.int64]
    present: NDArray[np.int64]
    rest: NDArray[np.float64]
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
        curve[first:last] = problem.size_cost(np.arange(first, last))
    if not np.isfinite(curve[0]):
        curve[0] = curve[min(1, hi)]  # a curve may not be defined where nobody is
    splits = problem.splits
    charged = splits is not None and problem.kept_labels > 0
    pieces = sparse.csr_matrix(splits.patients if splits is not None and charged else np.zeros((n, 0)))
    return Flat(
        weights=problem.weights.astype(np.int64),
        costs=np.where(np.isfinite(problem.costs), problem.costs, OUT_OF_REACH),
        owner=problem.owner.astype(np.int64),
        centre_start=starts(problem.owner, n),
        centres=np.argsort(problem.owner, kind="stable").astype(np.int64),
        indptr=graph.indptr.astype(np.int64),
        indices=graph.indices.astype(np.int64),
        curve=curve,
        lo=problem.lo,
        hi=hi,
        contiguous=problem.contiguous,
        apart_start=starts(apart[:, 0], n),
        apart=apart[:, 1].copy(),
        split_rate=float(splits.rate) if splits is not None and charged else 0.0,
        labels=problem.kept_labels,
        piece_start=pieces.indptr.astype(np.int64),
        label=pieces.indices.astype(np.int64),
        piece=pieces.data.astype(float),
        fewest=-1 if problem.min_bodies is None else problem.min_bodies,
        most=-1 if problem.max_bodies is None else problem.max_bodies,
        credit=problem.credit,
        least=problem.min_members,
    )


def starts(labels: NDArray, n: int) -> NDArray[np.int64]:
    """Where each of n labels begins among the sorted labels, and where the last ends."""
    return np.concatenate(([0], np.cumsum(np.bincount(labels, minlength=n)))).astype(np.int64)


def side(flat: Flat) -> Side:
    """Fresh work space of merges and splits."""
    n = len(flat.weights)
    units, parent, order, below, credit = (np.zeros(n, np.int64) for _ in range(5))
    left, best_left = (np.zeros(n, np.bool_) for _ in range(2))
    cells = np.empty(min(flat.costs.size, MOST_CELLS))
    rest, new_a, new_b = np.zeros((3, flat.labels))
    number, present = np.zeros(1, np.int64), np.zeros(flat.labels, np.int64)
    return Side(
        units, np.full(n, -1, np.int64), parent, order, below, credit, left, best_left, cells, number, present, rest,
        new_a, new_b,
    )  # fmt: skip


def fresh(flat: Flat, body: NDArray[np.int64], seed: int) -> State:
    """Room for the state of a partition (unit → body number, copied), which `fill` prices."""
    n = len(flat.weights)
    slots = n + 2
    return State(
        body=body.astype(np.int64).copy(),
        where=np.zeros(n, np.int64),
        size=np.zeros(slots, np.int64),
        filled=np.zeros(slots, np.int64),
        members=np.empty((slots, min(n, max(MOST_MEMBERS, np.bincount(body).max())) + 2), np.int64),
        centre=np.zeros(slots, np.int64),
        cost=np.zeros(slots),
        held=np.zeros((slots, flat.labels)),
        credit=np.zeros(slots, np.int64),
        sums=np.zeros(flat.costs.shape[1]),
        mark=np.zeros(n, np.int64),
        queue=np.zeros(n + 1, np.int64),
        best=body.astype(np.int64).copy(),
        tally=np.zeros(2),
        number=np.zeros(3, np.int64),
        seed=np.array([seed], np.uint64),
    )


@bare
def fill(flat, state):
    """Members, sizes and costs of a fresh state."""
    for u in range(len(state.body)):
        enter(flat, state, u, state.body[u])
    for b in range(len(state.size)):
        if state.filled[b] > 0:
            state.number[0] += 1
            state.number[1] = b + 1
            reprice(flat, state, b)
            state.tally[0] += state.cost[b]
    state.tally[0] += flat.split_rate * _minority(state) + miscount(flat, state.number[0])
    state.tally[1] = state.tally[0]


@bare
def draw(state):
    """A number of [0, 1): SplitMix64 (Steele, Lea and Flood 2014)."""
    state.seed[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state.seed[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53


@bare
def below(state, count):
    """A whole number of 0 … count − 1."""
    return int(draw(state) * count)


@bare
def enter(flat, state, u, b):
    """Unit u becomes body b's last member; costs are left to `reprice`."""
    state.body[u] = b
    state.where[u] = state.filled[b]
    state.members[b, state.filled[b]] = u
    state.filled[b] += 1
    state.size[b] += flat.weights[u]
    state.credit[b] += flat.credit[u]
    for e in range(flat.piece_start[u], flat.piece_start[u + 1]):
        state.held[b, flat.label[e]] += flat.piece[e]


@bare
def clear(flat, state, b):
    """Body b loses every member."""
    state.filled[b] = 0
    state.size[b] = 0
    state.credit[b] = 0
    state.cost[b] = 0.0
    for t in range(flat.labels):
        state.held[b, t] = 0.0


@bare
def reprice(flat, state, b):
    """sums, centre and cost of body b from its members."""
    for a in range(state.filled[b]):
        owner = state.members[b, a]
        for e in range(flat.centre_start[owner], flat.centre_start[owner + 1]):
            total = 0.0
            for c in range(state.filled[b]):
                total += flat.costs[state.members[b, c], flat.centres[e]]
            state.sums[flat.centres[e]] = total
    settle(flat, state, b)


@bare
def settle(flat, state, b):
    """Centre and cost of body b from its sums."""
    best = np.inf
    for a in range(state.filled[b]):
        owner = state.members[b, a]
        for e in range(flat.centre_start[owner], flat.centre_start[owner + 1]):
            if state.sums[flat.centres[e]] < best:
                best = state.sums[flat.centres[e]]
                state.centre[b] = flat.centres[e]
    state.cost[b] = best + size_cost(flat, state.size[b]) + short(flat, state.credit[b])


@bare
def size_cost(flat, patients):
    """g(P), with the penalty for a size outside its bounds."""
    if patients > flat.hi:
        return flat.curve[flat.hi] + PER_PATIENT_OUT_OF_BOUNDS * (patients - flat.hi)
    if patients < flat.lo:
        return flat.curve[patients] + PER_PATIENT_OUT_OF_BOUNDS * (flat.lo - patients)
    return flat.curve[patients]


@bare
def short(flat, credit):
    """£ for a body with fewer members than it must have."""
    return PER_MEMBER_SHORT * max(0, flat.least - credit)


@bare
def miscount(flat, bodies):
    """£ for a number of bodies outside its bounds."""
    if flat.most >= 0 and bodies > flat.most:
        return PER_BODY_OUT_OF_BOUNDS * (bodies - flat.most)
    if flat.fewest >= 0 and bodies < flat.fewest:
        return PER_BODY_OUT_OF_BOUNDS * (flat.fewest - bodies)
    return 0.0


@bare
def _minority(state):
    """Σ over labels of patients outside the largest piece."""
    lost = 0.0
    for t in range(state.held.shape[1]):
        top = total = 0.0
        for c in range(state.number[1]):
            total += state.held[c, t]
            top = max(top, state.held[c, t])
        lost += total - top
    return lost


@bare
def most_elsewhere(state, t, a, b):
    """The most patients of a label that a body other than a and b holds."""
    most = 0.0
    for c in range(state.number[1]):
        if c not in (a, b):
            most = max(most, state.held[c, t])
    return most


@bare
def may_join(flat, state, u, b, without):
    """No unit that u is kept apart from is in body b (`without`: one that is leaving it)."""
    for e in range(flat.apart_start[u], flat.apart_start[u + 1]):
        v = flat.apart[e]
        if v != without and state.body[v] == b:
            return False
    return True
