"""The best body of one centre: a knapsack with any size curve, solved in whole patients by branch and bound, compiled.

Units are sorted by value per patient. Taking them in that order, the last in part, is the linear relaxation F(P): no
set of P patients is worth less. So F(P) + g(P) bounds a body from below at every size at once, and sizes where it is
above the best body known drop out (after Martello and Toth 1990, chapter 2, where g is a limit on P alone). The search
then goes down the order, takes every unit that fits, and comes back to leave one out wherever the relaxation over the
units after it allows something better. Work is counted in nodes; those never opened count with their bounds, so what
is returned is a lower bound whatever happens.

g between two sizes l and l + width of a table is bounded by its chord and by its greatest dip below it (`dip`, over
every whole number of patients), so curves of any shape are safe.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimiser.partition.compiled import NONE, bare, inner
from optimiser.partition.lines import unpaid

INF = np.inf


class Tables(NamedTuple):
    """One problem's frozen tables. start, unit, cost: candidates by centre (CSR), the centre's own unit first (none
    where that is out of its reach). patients: by unit. size: g at every whole number of patients up to hi. width,
    chord, dip: g at the ends of slots of `width` patients, and the most that g dips below the line between them (≤ 0).
    indptr, indices: who touches whom (CSR) where bodies must touch, else empty. piece_start, piece_label, piece: the
    labels of every unit (CSR) and what its patients of each pay when it is split, £; whole: the same of all by label.
    """

    start: NDArray[np.int64]
    unit: NDArray[np.int32]
    cost: NDArray[np.float64]
    patients: NDArray[np.int64]
    lo: int
    hi: int
    size: NDArray[np.float64]
    width: int
    chord: NDArray[np.float64]
    dip: NDArray[np.float64]
    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]
    piece_start: NDArray[np.int64]
    piece_label: NDArray[np.int64]
    piece: NDArray[np.float64]
    whole: NDArray[np.float64]


class Work(NamedTuple):
    """Work space of one thread. By candidate in order: weight, worth (sums over the first of them), place (among the
    candidates). By unit: value, taken, candidate, piece; queue. By triple: marked. By node: at (the next candidate),
    patients, total (value so far), above (the node it came from); stack: nodes waiting. By label (keeping.py): state,
    returned (part of the charge), due (for keeping it), reach, held (£); decided: states of what is waiting.
    """

    weight: NDArray[np.int64]
    worth: NDArray[np.float64]
    place: NDArray[np.int64]
    value: NDArray[np.float64]
    taken: NDArray[np.bool_]
    candidate: NDArray[np.bool_]
    piece: NDArray[np.int64]
    queue: NDArray[np.int64]
    marked: NDArray[np.bool_]
    at: NDArray[np.int64]
    patients: NDArray[np.int64]
    total: NDArray[np.float64]
    above: NDArray[np.int64]
    stack: NDArray[np.int64]
    state: NDArray[np.int64]
    returned: NDArray[np.float64]
    due: NDArray[np.float64]
    reach: NDArray[np.float64]
    held: NDArray[np.float64]
    decided: NDArray[np.int64]


def work_space(tables: Tables, triples: int, nodes: int) -> Work:
    """Fresh work space for so many triples and at most so many nodes, besides one for every candidate."""
    longest, units = int(np.diff(tables.start).max(initial=0)) + 1, len(tables.patients)
    weight, place = np.zeros((2, longest), np.int64)
    at, patients, above, stack = np.zeros((4, nodes + longest), np.int64)
    taken, candidate = np.zeros((2, units), np.bool_)
    labels = len(tables.whole)
    returned, due, reach, held = np.zeros((4, labels))
    return Work(
        weight=weight,
        worth=np.zeros(longest),
        place=place,
        value=np.zeros(units),
        taken=taken,
        candidate=candidate,
        piece=np.zeros(units, np.int64),
        queue=np.zeros(3 * units, np.int64),
        marked=np.zeros(triples, np.bool_),
        at=at,
        patients=patients,
        total=np.zeros(len(at)),
        above=above,
        stack=stack,
        state=np.zeros(labels, np.int64),
        returned=returned,
        due=due,
        reach=reach,
        held=held,
        decided=np.zeros((labels + 2, labels), np.int64),
    )


@bare
def _over_stretch(tables, first, last, value, rate):
    """Lower bound of value + rate (P − first) + g(P) over first ≤ P ≤ last."""
    least = INF
    slot, left, width = first // tables.width, first, tables.width
    while True:
        right = min(last, (slot + 1) * width)
        tilt = (tables.chord[slot + 1] - tables.chord[slot]) / width
        flat = value + tables.chord[slot] + tables.dip[slot]
        least = min(least, flat + rate * (left - first) + tilt * (left - slot * width))
        least = min(least, flat + rate * (right - first) + tilt * (right - slot * width))
        if right >= last:
            return least
        slot, left = slot + 1, right


@bare
def _completion(tables, work, k, n, patients, value, fewest, most, enough):
    """Lower bound over every way to go on from (patients, value) with candidates k … n − 1 to a size in fewest … most.

    Returns as soon as it is below `enough`.
    """
    weight, worth = work.weight, work.worth
    if patients > most:
        return INF
    extra, dear = patients - weight[k], value - worth[k]
    low, high = k, n
    while low < high:
        middle = (low + high) // 2
        if weight[middle + 1] + extra >= fewest:
            high = middle
        else:
            low = middle + 1
    if low == n:
        return _over_stretch(tables, patients, patients, value, 0.0) if patients >= fewest else INF
    bound = INF
    for m in range(low, n):
        start = weight[m] + extra
        if start > most or bound < enough:
            break
        rate = (worth[m + 1] - worth[m]) / (weight[m + 1] - weight[m])
        first, last = max(start, fewest), min(weight[m + 1] + extra, most)
        bound = min(bound, _over_stretch(tables, first, last, worth[m] + dear + rate * (first - start), rate))
    return bound


@inner
def by_value(tables, work, own, end):
    """Candidates that may join the own unit, by value per patient: their number, and (patients, value) of what is in
    without a choice: the own unit, and those of no patients that are worth having.
    """
    unit, patients = tables.unit, tables.patients
    base, value, n = patients[unit[own]], work.value[unit[own]], 0
    ratio = np.empty(end - own)
    place = np.empty(end - own, np.int64)
    for e in range(own + 1, end):
        i = unit[e]
        if patients[i] == 0:
            value += min(0.0, work.value[i])
        elif patients[i] <= tables.hi - base:
            ratio[n], place[n] = work.value[i] / patients[i], e
            n += 1
    order = np.argsort(ratio[:n])
    for k in range(n):
        e = place[order[k]]
        work.place[k] = e
        work.weight[k + 1] = work.weight[k] + patients[unit[e]]
        work.worth[k + 1] = work.worth[k] + work.value[unit[e]]
    return n, base, value


@bare
def take(tables, work, own, end, node, last, most):
    """Mark what is taken at a node once candidates up to `last` are decided; no node: the first `last` of all."""
    for e in range(own, end):
        i = tables.unit[e]
        work.taken[i] = e == own or (tables.patients[i] == 0 and work.value[i] < 0)
    if node < 0:
        for m in range(last):
            work.taken[tables.unit[work.place[m]]] = True
    while node >= 0:
        total = work.patients[node]
        for m in range(work.at[node], last):
            step = work.weight[m + 1] - work.weight[m]
            if total + step <= most:
                work.taken[tables.unit[work.place[m]]] = True
                total += step
        node, last = work.above[node], work.at[node] - 1


@bare
def _keep(tables, work, own, end, chosen):
    for e in range(own, end):
        chosen[e - own] = work.taken[tables.unit[e]]


@bare
def best_prefix(tables, work, n, base, value):
    """(least value, its length) of the first candidates in order, of any size allowed."""
    best, length = INF, 0
    for k in range(n + 1):
        total = base + work.weight[k]
        if tables.lo <= total <= tables.hi and value + work.worth[k] + tables.size[total] < best:
            best, length = value + work.worth[k] + tables.size[total], k
    return best, length


@bare
def sizes_left(tables, work, n, base, value, target):
    """Sizes that may hold something below `target`: fewest and most patients; the relaxation's bound over all sizes,
    and over those that hold nothing below it.
    """
    fewest, most, bound, beyond = tables.hi + 1, tables.lo - 1, INF, INF
    for k in range(max(n, 1)):
        here = base + work.weight[k]
        there = base + work.weight[k + 1] if n > 0 else here
        if here > tables.hi:
            break
        left, right = max(here, tables.lo), min(there, tables.hi)
        if left <= right:
            rate = (work.worth[k + 1] - work.worth[k]) / (there - here) if n > 0 else 0.0
            least = _over_stretch(tables, left, right, value + work.worth[k] + rate * (left - here), rate)
            bound = min(bound, least)
            if least < target:
                fewest, most = min(fewest, left), max(most, right)
            else:
                beyond = min(beyond, least)
    return fewest, most, bound, beyond


@bare
def best_set(tables, charges, work, own, end, order, cut, tolerance, most_nodes, chosen, lines, j):
    """A lower bound of the least value over all sets of the centre with candidates own … end − 1; the best one's
    flags. order: what `by_value` gave.
    """
    for k in range(end - own):
        chosen[k] = False
    n, base, value = order
    best, length = best_prefix(tables, work, n, base, value)
    if best < INF:
        take(tables, work, own, end, NONE, length, tables.hi)
        _keep(tables, work, own, end, chosen)
        best += unpaid(lines, charges, j, work.taken)
    fewest, most, lower, beyond = sizes_left(tables, work, n, base, value, min(best, cut) - tolerance)
    nodes, waiting = 0, 0
    if lower < min(best, cut) - tolerance:
        work.at[0], work.patients[0], work.total[0], work.above[0] = 0, base, value, -1
        work.stack[0] = 0
        lower, nodes, waiting = beyond, 1, 1
    while waiting > 0:
        waiting -= 1
        node = work.stack[waiting]
        k, total, value = work.at[node], work.patients[node], work.total[node]
        target = min(best, cut) - tolerance
        enough = target if nodes - k < most_nodes else -INF  # going down to the end opens n − k at most
        if node > 0 or enough == -INF:
            bound = _completion(tables, work, k, n, total, value, fewest, most, enough)
            if bound >= enough:
                lower = min(lower, bound)
                continue
        while True:
            if tables.lo <= total <= tables.hi and value + tables.size[total] < best:
                take(tables, work, own, end, node, k, most)
                met = value + tables.size[total] + unpaid(lines, charges, j, work.taken)
                if met < best:
                    best = met
                    _keep(tables, work, own, end, chosen)
            if k == n:
                break
            target = min(best, cut) - tolerance
            without = _completion(tables, work, k + 1, n, total, value, fewest, most, target)
            step = work.weight[k + 1] - work.weight[k]
            if total + step > most:  # unit k does not fit: left out without a choice
                k += 1
                if without >= target:
                    lower = min(lower, without)
                    break
                continue
            if without < target:
                work.at[nodes], work.patients[nodes], work.total[nodes] = k + 1, total, value
                work.above[nodes] = node
                work.stack[waiting] = nodes
                waiting, nodes = waiting + 1, nodes + 1
            else:
                lower = min(lower, without)
            total, value, k = total + step, value + work.worth[k + 1] - work.worth[k], k + 1
    return min(best, lower)
