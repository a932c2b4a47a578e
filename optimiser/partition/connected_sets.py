"""The best connected sets of one centre, found depth first; compiled.

A set S grows from the centre's own unit by one unit that touches it; a unit once tried is kept out of what follows at
that depth, so each connected set is met once. A branch is left when no completion can beat the best set known: for any
slope λ in £ per patient and any shape of g, whatever S becomes without the units kept out costs at least

    Σ_{i in S} (v_i − λ w_i) + Σ_{i free} min(0, v_i − λ w_i) + rest_λ(P(S)),
    rest_λ(P) = min over max(P, lo) ≤ P' ≤ hi of g(P') + λ P'

with v_i = c[i, j] − π_i (the Lagrangian bound of a knapsack: that the completion is connected is dropped). Each sum
changes by one term when a unit joins S or is kept out, so the bound costs an addition; three slopes in place of one
save a third of the sets and no time. Charges on S (triples.py) only grow with it, so they count as they fall due.
rest_λ never falls with P: it is tabulated at multiples of 64 patients and read at the one below. Work is counted in
sets met; when they run out, the bounds of the branches still open are taken.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from optimiser.partition.compiled import bare, inner

INF = np.inf
BIN = 64  # patients between the sizes at which rest_λ is tabulated


class ConnectedTables(NamedTuple):
    """One problem's frozen tables. start, unit, cost: candidates by centre (CSR), the centre's own unit first (none
    where that is out of its reach). weights: patients by unit. indptr, indices: who touches whom. size: g at every
    whole number of patients, inf outside lo … hi. slopes: λ, £ per patient. rest: slopes × bins. deepest: most units of
    a body.
    """

    start: NDArray[np.int64]
    unit: NDArray[np.int64]
    cost: NDArray[np.float64]
    weights: NDArray[np.int64]
    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]
    size: NDArray[np.float64]
    slopes: NDArray[np.float64]
    rest: NDArray[np.float64]
    deepest: int


class Charges(NamedTuple):
    """What sets pay besides (triples.py). start, triple: the triples that each unit is of (CSR). charge: £ by triple,
    for sets that hold two of its units or three.
    """

    start: NDArray[np.int64]
    triple: NDArray[np.int64]
    charge: NDArray[np.float64]


class Work(NamedTuple):
    """Work space of one thread. By unit: value v, excess v − λw, barred (in S, on the frontier, kept out or no
    candidate). front: the frontiers, one after another. By depth, the number of units in S: total (Σ v and charges),
    low (the bound without rest_λ), patients, chosen (the unit that joins next), at and end (places along the frontier).
    By triple: inside, its units in S.
    """

    value: NDArray[np.float64]
    excess: NDArray[np.float64]
    barred: NDArray[np.bool_]
    front: NDArray[np.int64]
    total: NDArray[np.float64]
    low: NDArray[np.float64]
    patients: NDArray[np.int64]
    chosen: NDArray[np.int64]
    at: NDArray[np.int64]
    end: NDArray[np.int64]
    inside: NDArray[np.int64]


def work_space(tables: ConnectedTables, charges: Charges) -> Work:
    """Fresh work space."""
    units, depths = len(tables.weights), tables.deepest + 2
    return Work(
        value=np.zeros(units),
        excess=np.zeros(units),
        barred=np.ones(units, np.bool_),
        front=np.zeros(units, np.int64),
        total=np.zeros(depths),
        low=np.zeros(depths),
        patients=np.zeros(depths, np.int64),
        chosen=np.zeros(depths, np.int64),
        at=np.zeros(depths, np.int64),
        end=np.zeros(depths, np.int64),
        inside=np.zeros(len(charges.charge), np.int64),
    )


@numba.njit(cache=True, nogil=True, error_model="numpy")
def price_some(first, every, tables, charges, work, pi, cut, sets, found):
    """Centres first, first + every, …: their rows of `found` (connected.PricedConnected)."""
    for j in range(first, len(found.least), every):
        a, b = tables.start[j], tables.start[j + 1]
        if a == b:
            continue
        for e in range(a, b):
            u = tables.unit[e]
            work.value[u] = tables.cost[e] - pi[u]
            work.barred[u] = False
        left, found.tried[j] = _search(
            tables, charges, work, a, b, cut, sets, found.cost[j], found.held[j], found.members[j]
        )  # fmt: skip
        found.unfinished[j] = left < INF
        found.least[j] = min(cut, left)
        for k in range(found.cost.shape[1]):
            found.least[j] = min(found.least[j], found.cost[j, k])
        for e in range(a, b):
            work.barred[tables.unit[e]] = True


@inner
def _search(tables, charges, work, a, b, cut, sets, cost, held, members):
    """The best sets of the centre with candidates a … b − 1. (The least bound of what was left open, inf when nothing
    was; sets tried.)
    """
    slope = _best_slope(tables, work, a, b)
    rest = tables.rest[slope]
    work.low[0] = 0.0
    for e in range(a, b):
        u = tables.unit[e]
        work.excess[u] = work.value[u] - tables.slopes[slope] * tables.weights[u]
        work.low[0] += min(0.0, work.excess[u])
    own = tables.unit[a]
    work.front[0], work.barred[own] = own, True
    work.at[0], work.end[0] = 0, 1
    worst, left, tried, kept, depth = cut, INF, 0, 0, 0
    while depth >= 0:
        done = work.at[depth] == work.end[depth]
        if not done:
            bound = work.low[depth] + rest[work.patients[depth] // BIN]
            done = bound >= worst
            if not done and tried >= sets:
                left, done = min(left, bound), True
        if done:
            for k in range(work.end[depth - 1] if depth > 0 else 0, work.end[depth]):
                work.barred[work.front[k]] = False
            depth -= 1
            if depth >= 0:
                _count(charges, work, work.chosen[depth], -1)
            continue
        u = work.front[work.at[depth]]
        work.at[depth] += 1
        below, patients = depth + 1, work.patients[depth] + tables.weights[u]
        low = work.low[depth] + max(0.0, work.excess[u])
        work.low[depth] -= min(0.0, work.excess[u])
        if patients >= len(tables.size):
            continue
        tried += 1
        work.chosen[depth] = u
        charge = _charge(charges, work, u)
        work.low[below], work.total[below] = low + charge, work.total[depth] + work.value[u] + charge
        work.patients[below] = patients
        value = work.total[below] + tables.size[patients]
        if value < worst:
            place = kept if kept < len(cost) else _dearest(cost)
            _keep(work, below, value, place, cost, held, members)
            kept += 1
            if kept >= len(cost):
                worst = cost[_dearest(cost)]
        if work.low[below] + rest[patients // BIN] < worst:
            work.at[below], work.end[below] = work.at[depth], _join_frontier(tables, work, u, work.end[depth])
            depth = below
            _count(charges, work, u, 1)
    return left, tried


@bare
def _charge(charges, work, u):
    """£ for the triples of which u would be the second unit in S."""
    total = 0.0
    for e in range(charges.start[u], charges.start[u + 1]):
        if work.inside[charges.triple[e]] == 1:
            total += charges.charge[charges.triple[e]]
    return total


@bare
def _count(charges, work, u, more):
    """Unit u enters S (1) or leaves it (−1)."""
    for e in range(charges.start[u], charges.start[u + 1]):
        work.inside[charges.triple[e]] += more


@bare
def _best_slope(tables, work, a, b):
    """The place of the slope whose bound is greatest while only the own unit is in S; the bound is concave in λ."""
    low, high = 0, len(tables.slopes) - 1
    while low < high:
        middle = (low + high) // 2
        if _at_slope(tables, work, a, b, middle) < _at_slope(tables, work, a, b, middle + 1):
            low = middle + 1
        else:
            high = middle
    return low


@bare
def _at_slope(tables, work, a, b, slope):
    """The bound at one tabulated slope while only the own unit is in S."""
    own, price = tables.unit[a], tables.slopes[slope]
    bound = work.value[own] - price * tables.weights[own] + tables.rest[slope, tables.weights[own] // BIN]
    for e in range(a + 1, b):
        u = tables.unit[e]
        bound += min(0.0, work.value[u] - price * tables.weights[u])
    return bound


@bare
def _join_frontier(tables, work, u, end):
    """Candidates that touch u, not barred yet, follow the frontier that ends at `end`; its new end."""
    for e in range(tables.indptr[u], tables.indptr[u + 1]):
        v = tables.indices[e]
        if not work.barred[v]:
            work.front[end], work.barred[v] = v, True
            end += 1
    return end


@bare
def _keep(work, units, value, place, cost, held, members):
    """The units chosen are kept at a place."""
    cost[place], held[place] = value, units
    for k in range(units):
        members[place, k] = work.chosen[k]


@bare
def _dearest(cost):
    """The place of the dearest set kept."""
    place = 0
    for k in range(len(cost)):
        if cost[k] > cost[place]:
            place = k
    return place


@numba.njit(cache=True)
def near(own, costs, weights, indptr, indices, path, queue, waiting, hi):
    """Units joined to `own` within reach by paths of at most hi patients, `own` first. path: hi + 1 everywhere and
    waiting: False, both left so. queue: of any content.
    """
    found = np.empty(len(weights), np.int64)
    count, head, tail = 0, 0, 0
    if costs[own] < INF and weights[own] <= hi:
        path[own], found[0], queue[0] = weights[own], own, own
        count, tail = 1, 1
    while head != tail:
        u = queue[head]
        waiting[u] = False
        head = (head + 1) % len(queue)
        for e in range(indptr[u], indptr[u + 1]):
            v = indices[e]
            through = path[u] + weights[v]
            if through < path[v] and costs[v] < INF:
                if path[v] > hi:
                    found[count] = v
                    count += 1
                path[v] = through
                if not waiting[v]:
                    waiting[v], queue[tail] = True, v
                    tail = (tail + 1) % len(queue)
    for k in range(count):
        path[found[k]] = hi + 1
    return found[:count]
