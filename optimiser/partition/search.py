"""The incumbent: annealed merge–split on random spanning trees, boundary moves and swaps (DESIGN 3.3), compiled.

State is kept so that one move costs O(members): for every centre inside its body, `sums[centre]` is the cost of the
body with that centre. Sizes outside [lo, hi] and pairs out of reach carry a steep penalty, so the search may start from
an invalid partition and walk to a valid one; only valid partitions are ever returned as incumbents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimiser.partition.problem import PartitionProblem, canonical

OUT_OF_REACH = 1e9  # £: dearer than any body, small enough to keep pennies in a float64 sum
PER_PATIENT_OUT_OF_BOUNDS = 1e3  # £ per patient below lo or above hi
PER_BODY_OUT_OF_BOUNDS = 1e9  # £ per body too many or too few
MOST_MEMBERS = 1024  # of a body, unless the search starts from larger ones: bounds the memory
LEGS = 8  # pieces of a run, between which partitions are reported
TREE_SHARE = 0.02  # share of moves that merge and split; each costs as much as fifty boundary moves
CUTS_TRIED = 12  # feasible cuts of a tree priced in full


@dataclass(frozen=True)
class Flat:
    """The problem as flat arrays for the compiled loops; none of it changes during a search."""

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

    def arrays(self) -> tuple:
        """Fields in the order the compiled functions take them."""
        return (
            self.weights,
            self.costs,
            self.centre_start,
            self.centres,
            self.indptr,
            self.indices,
            self.curve,
            self.lo,
            self.hi,
            self.contiguous,
            self.apart_start,
            self.apart,
            self.split_rate,
            self.pieces,
        )


def flatten(problem: PartitionProblem) -> Flat:
    """Flatten a problem for `anneal`. The size curve is tabulated at every whole number of patients."""
    n = problem.units
    order = np.argsort(problem.owner, kind="stable")
    counts = np.bincount(problem.owner, minlength=n)
    graph = problem.graph()
    hi = min(problem.hi, int(problem.weights.sum()))
    apart = np.array([(a, b) for a, b in problem.apart] + [(b, a) for a, b in problem.apart], dtype=np.int64)
    apart = apart.reshape(-1, 2)
    apart = apart[np.argsort(apart[:, 0], kind="stable")]
    curve = np.empty(hi + 1)
    for first in range(0, hi + 1, 1_000_000):
        last = min(hi + 1, first + 1_000_000)
        curve[first:last] = problem.size_cost(np.maximum(np.arange(first, last), 1))
    splits = problem.splits
    return Flat(
        weights=problem.weights.astype(np.int64),
        costs=np.where(np.isfinite(problem.costs), problem.costs, OUT_OF_REACH),
        centre_start=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        centres=order.astype(np.int64),
        indptr=graph.indptr.astype(np.int64),
        indices=graph.indices.astype(np.int64),
        curve=curve,
        lo=problem.lo,
        hi=hi,
        contiguous=problem.contiguous,
        apart_start=np.concatenate(([0], np.cumsum(np.bincount(apart[:, 0], minlength=n)))).astype(np.int64),
        apart=apart[:, 1].copy(),
        split_rate=splits.rate if splits is not None else 0.0,
        pieces=np.ascontiguousarray(splits.patients, dtype=float) if splits is not None else np.zeros((n, 1)),
    )


@numba.njit(cache=True)
def _size(patients, curve, lo, hi):
    if patients > hi:
        return curve[hi] + PER_PATIENT_OUT_OF_BOUNDS * (patients - hi)
    if patients < lo:
        return curve[patients] + PER_PATIENT_OUT_OF_BOUNDS * (lo - patients)
    return curve[patients]


@numba.njit(cache=True)
def _miscount(bodies, fewest, most):
    """£ for a number of bodies outside its bounds (−1: none)."""
    if most >= 0 and bodies > most:
        return PER_BODY_OUT_OF_BOUNDS * (bodies - most)
    if fewest >= 0 and bodies < fewest:
        return PER_BODY_OUT_OF_BOUNDS * (fewest - bodies)
    return 0.0


@numba.njit(cache=True)
def _side_cost(side, count, costs, centre_start, centres):
    """Min over centres owned by the side of the side's assignment cost."""
    best = np.inf
    for a in range(count):
        owner = side[a]
        for e in range(centre_start[owner], centre_start[owner + 1]):
            j = centres[e]
            total = 0.0
            for b in range(count):
                total += costs[side[b], j]
                if total >= best:
                    break
            best = min(best, total)
    return best


@numba.njit(cache=True)
def _changed(members, count, leaves, joins, sums, costs, centre_start, centres):
    """Assignment cost of a body after one unit leaves (−1: none) and one joins (−1: none)."""
    best = np.inf
    for a in range(count):
        owner = members[a]
        if owner == leaves:
            continue
        for e in range(centre_start[owner], centre_start[owner + 1]):
            j = centres[e]
            total = sums[j]
            if leaves >= 0:
                total -= costs[leaves, j]
            if joins >= 0:
                total += costs[joins, j]
            best = min(best, total)
    if joins >= 0:
        for e in range(centre_start[joins], centre_start[joins + 1]):
            j = centres[e]
            total = costs[joins, j]
            for a in range(count):
                if members[a] != leaves:
                    total += costs[members[a], j]
            best = min(best, total)
    return best


@numba.njit(cache=True)
def _stays_connected(members, count, leaves, joins, body, b, indptr, indices, mark, queue):
    """Is the body still in one piece after `leaves` goes and `joins` (−1: none) comes?"""
    total = count - 1 + (1 if joins >= 0 else 0)
    if total <= 1:
        return True
    first = -1
    for a in range(count):
        if members[a] != leaves:
            first = members[a]
            break
    if first < 0:
        return True
    head, tail = 0, 1
    queue[0] = first
    mark[first] = True
    while head < tail:
        u = queue[head]
        head += 1
        for e in range(indptr[u], indptr[u + 1]):
            v = indices[e]
            if not mark[v] and v != leaves and (body[v] == b or v == joins):
                mark[v] = True
                queue[tail] = v
                tail += 1
    for a in range(tail):
        mark[queue[a]] = False
    return tail == total


@numba.njit(cache=True)
def _apart_ok(u, b, body, apart_start, apart, without):
    for e in range(apart_start[u], apart_start[u + 1]):
        v = apart[e]
        if v != without and body[v] == b:
            return False
    return True


@numba.njit(cache=True)
def _split_after(pieces_by_body, live, a, b, new_a, new_b, used):
    """Σ over labels of patients outside the largest piece, bodies a and b holding new_a and new_b."""
    lost = 0.0
    for t in range(pieces_by_body.shape[1]):
        top = max(new_a[t], new_b[t])
        total = new_a[t] + new_b[t]
        for c in range(used):
            if live[c] and c != a and c != b:
                total += pieces_by_body[c, t]
                top = max(top, pieces_by_body[c, t])
        lost += total - top
    return lost


@numba.njit(cache=True)
def _tree_cuts(side, count, body, in_side, indptr, indices, weights, rng, parent, order, below):
    """Random spanning tree of the side by Prim on random edge keys; fills parent, order and subtree weights.

    Returns the number of units reached (fewer than count when the side is not connected)."""
    best_key = np.full(count, np.inf)
    best_from = np.full(count, -1)
    done = np.zeros(count, np.bool_)
    root = int(rng.random() * count)
    best_key[root] = 0.0
    reached = 0
    for _ in range(count):
        pick, key = -1, np.inf
        for a in range(count):
            if not done[a] and best_key[a] < key:
                pick, key = a, best_key[a]
        if pick < 0:
            break
        done[pick] = True
        order[reached] = pick
        parent[pick] = best_from[pick]
        reached += 1
        u = side[pick]
        for e in range(indptr[u], indptr[u + 1]):
            a = in_side[indices[e]]
            if a >= 0 and not done[a]:
                draw = rng.random()
                if draw < best_key[a]:
                    best_key[a] = draw
                    best_from[a] = pick
    for a in range(count):
        below[a] = weights[side[a]]
    for k in range(reached - 1, 0, -1):
        below[parent[order[k]]] += below[order[k]]
    return reached


@numba.njit(cache=True)
def anneal(
    weights, costs, centre_start, centres, indptr, indices, curve, lo, hi, contiguous, apart_start, apart, split_rate,
    pieces, body, moves, hot, cold, rng, tree_share, cuts_tried, max_bodies, min_bodies,
):  # fmt: skip
    """Anneal `body` (unit → body number, changed in place) for a number of moves; returns (best partition, its cost).

    Temperatures fall geometrically from hot to cold, in £. Costs include penalties; a cost without penalty is valid.
    """
    n = len(weights)
    slots = n + 2
    labels = pieces.shape[1]
    size = np.zeros(slots, np.int64)
    count = np.zeros(slots, np.int64)
    live = np.zeros(slots, np.bool_)
    members = np.full((slots, min(n, max(MOST_MEMBERS, np.bincount(body).max())) + 2), -1, np.int64)
    where = np.zeros(n, np.int64)
    sums = np.zeros(costs.shape[1])
    cost = np.zeros(slots)
    held = np.zeros((slots if split_rate > 0 else 1, labels))
    for u in range(n):
        b = body[u]
        where[u] = count[b]
        members[b, count[b]] = u
        count[b] += 1
        size[b] += weights[u]
        live[b] = True
        if split_rate > 0:
            held[b] += pieces[u]
    used, bodies = 0, 0
    for b in range(slots):
        if live[b]:
            used = b + 1
            bodies += 1
            for a in range(count[b]):
                owner = members[b, a]
                for e in range(centre_start[owner], centre_start[owner + 1]):
                    j = centres[e]
                    total = 0.0
                    for c in range(count[b]):
                        total += costs[members[b, c], j]
                    sums[j] = total
            cost[b] = _changed(members[b], count[b], -1, -1, sums, costs, centre_start, centres) + _size(
                size[b], curve, lo, hi
            )
    lost = 0.0
    nothing = np.zeros(labels)
    if split_rate > 0:
        lost = _split_after(held, live, -1, -1, nothing, nothing, used)
    current = cost.sum() + split_rate * lost + _miscount(bodies, min_bodies, max_bodies)
    best, best_cost = body.copy(), current
    mark = np.zeros(n, np.bool_)
    queue = np.zeros(n + 1, np.int64)
    side = np.zeros(n, np.int64)
    in_side = np.full(n, -1, np.int64)
    parent = np.zeros(n, np.int64)
    order = np.zeros(n, np.int64)
    below = np.zeros(n, np.int64)
    left = np.zeros(n, np.int64)
    right = np.zeros(n, np.int64)
    best_left = np.zeros(n, np.bool_)
    on_left = np.zeros(n, np.bool_)
    new_a = np.zeros(labels)
    new_b = np.zeros(labels)
    width = members.shape[1]
    for move in range(moves):
        heat = hot * (cold / hot) ** (move / max(1, moves - 1))
        u = int(rng.random() * n)
        a = body[u]
        degree = indptr[u + 1] - indptr[u]
        if rng.random() >= tree_share:
            if degree == 0:
                continue
            v = indices[indptr[u] + int(rng.random() * degree)]
            b = body[v]
            if a == b or count[a] == 1 or count[b] + 1 >= width:
                continue
            back = -1
            if rng.random() < 0.3:
                # swap: a unit of b that touches a goes the other way
                w = members[b, int(rng.random() * count[b])]
                for e in range(indptr[w], indptr[w + 1]):
                    if body[indices[e]] == a and indices[e] != u:
                        back = w
                        break
                if back < 0:
                    continue
            wa, wb = weights[u], (weights[back] if back >= 0 else 0)
            pa, pb = size[a] - wa + wb, size[b] + wa - wb
            if back < 0 and (pb > hi >= size[b] or pa < lo <= size[a]):
                continue
            if not _apart_ok(u, b, body, apart_start, apart, back):
                continue
            if back >= 0 and not _apart_ok(back, a, body, apart_start, apart, u):
                continue
            ca = _changed(members[a], count[a], u, back, sums, costs, centre_start, centres) + _size(pa, curve, lo, hi)
            cb = _changed(members[b], count[b], back, u, sums, costs, centre_start, centres) + _size(pb, curve, lo, hi)
            delta = ca + cb - cost[a] - cost[b]
            new_lost = lost
            if split_rate > 0:
                for t in range(labels):
                    shift = pieces[u, t] - (pieces[back, t] if back >= 0 else 0.0)
                    new_a[t] = held[a, t] - shift
                    new_b[t] = held[b, t] + shift
                new_lost = _split_after(held, live, a, b, new_a, new_b, used)
                delta += split_rate * (new_lost - lost)
            if delta > 0 and rng.random() >= np.exp(-delta / heat):
                continue
            if contiguous:
                if not _stays_connected(members[a], count[a], u, back, body, a, indptr, indices, mark, queue):
                    continue
                if back >= 0 and not _stays_connected(
                    members[b], count[b], back, u, body, b, indptr, indices, mark, queue
                ):
                    continue
            for turn in range(2):
                x, src, dst = (u, a, b) if turn == 0 else (back, b, a)
                if x < 0:
                    continue
                last = members[src, count[src] - 1]
                members[src, where[x]] = last
                where[last] = where[x]
                count[src] -= 1
                members[dst, count[dst]] = x
                where[x] = count[dst]
                count[dst] += 1
                body[x] = dst
            for turn in range(2):
                x, src, dst = (u, a, b) if turn == 0 else (back, b, a)
                if x < 0:
                    continue
                other = back if turn == 0 else u
                for c in range(count[src]):
                    owner = members[src, c]
                    if owner == other:
                        continue
                    for e in range(centre_start[owner], centre_start[owner + 1]):
                        sums[centres[e]] -= costs[x, centres[e]]
                for c in range(count[dst]):
                    owner = members[dst, c]
                    if owner in (x, other):
                        continue
                    for e in range(centre_start[owner], centre_start[owner + 1]):
                        sums[centres[e]] += costs[x, centres[e]]
            for turn in range(2):
                x = u if turn == 0 else back
                if x < 0:
                    continue
                for e in range(centre_start[x], centre_start[x + 1]):
                    total = 0.0
                    for c in range(count[body[x]]):
                        total += costs[members[body[x], c], centres[e]]
                    sums[centres[e]] = total
            size[a], size[b] = pa, pb
            cost[a], cost[b] = ca, cb
            if split_rate > 0:
                held[a] = new_a
                held[b] = new_b
                lost = new_lost
            current += delta
        else:
            b = -1
            if rng.random() < 0.85 and degree > 0:
                for _ in range(4):
                    v = indices[indptr[u] + int(rng.random() * degree)]
                    if body[v] != a:
                        b = body[v]
                        break
                if b < 0:
                    continue
            total = count[a] + (count[b] if b >= 0 else 0)
            if total < 2 or total + 1 >= width:
                continue
            for c in range(count[a]):
                side[c] = members[a, c]
            if b >= 0:
                for c in range(count[b]):
                    side[count[a] + c] = members[b, c]
            for c in range(total):
                in_side[side[c]] = c
            reached = _tree_cuts(side, total, body, in_side, indptr, indices, weights, rng, parent, order, below)
            for c in range(total):
                in_side[side[c]] = -1
            if reached < total:
                continue
            whole = size[a] + (size[b] if b >= 0 else 0)
            before = cost[a] + (cost[b] if b >= 0 else 0.0)
            wrong = _miscount(bodies, min_bodies, max_bodies)
            best_value, found, merged = np.inf, False, False
            if b >= 0:
                fits = whole <= hi and (min_bodies < 0 or bodies > min_bodies)
                for c in range(count[b]):
                    if not _apart_ok(members[b, c], a, body, apart_start, apart, -1):
                        fits = False
                if fits:
                    best_value = _side_cost(side, total, costs, centre_start, centres) + _size(whole, curve, lo, hi)
                    best_value += _miscount(bodies - 1, min_bodies, max_bodies) - wrong
                    if split_rate > 0:
                        new_a[:] = held[a] + held[b]
                        new_b[:] = 0.0
                        best_value += split_rate * (_split_after(held, live, a, b, new_a, new_b, used) - lost)
                    found, merged = True, True
            may_split = b >= 0 or max_bodies < 0 or bodies < max_bodies
            feasible = 0
            if may_split:
                for k in range(1, total):
                    p = below[order[k]]
                    if lo <= p <= hi and lo <= whole - p <= hi:
                        feasible += 1
            tried = 0
            keep = 1.0 if feasible <= cuts_tried else cuts_tried / max(1, feasible)
            for k in range(1, total):
                if not may_split:
                    break
                cut = order[k]
                p = below[cut]
                ok = lo <= p <= hi and lo <= whole - p <= hi
                if not ok or (keep < 1.0 and rng.random() > keep):
                    continue
                tried += 1
                for c in range(total):
                    on_left[c] = False
                on_left[cut] = True
                for m in range(k + 1, total):
                    if on_left[parent[order[m]]]:
                        on_left[order[m]] = True
                nl, nr = 0, 0
                for c in range(total):
                    if on_left[c]:
                        left[nl] = side[c]
                        nl += 1
                    else:
                        right[nr] = side[c]
                        nr += 1
                value = _size(p, curve, lo, hi) + _size(whole - p, curve, lo, hi)
                if value >= best_value:
                    continue
                value += _side_cost(left, nl, costs, centre_start, centres)
                if value >= best_value:
                    continue
                value += _side_cost(right, nr, costs, centre_start, centres)
                if value >= best_value:
                    continue
                if split_rate > 0:
                    new_a[:] = 0.0
                    new_b[:] = 0.0
                    for c in range(nl):
                        new_a += pieces[left[c]]
                    for c in range(nr):
                        new_b += pieces[right[c]]
                    value += split_rate * (_split_after(held, live, a, b, new_a, new_b, used) - lost)
                    if value >= best_value:
                        continue
                clash = False
                for c in range(total):
                    for e in range(apart_start[side[c]], apart_start[side[c] + 1]):
                        for d in range(total):
                            if side[d] == apart[e] and on_left[c] == on_left[d]:
                                clash = True
                if clash:
                    continue
                best_value, found, merged = value, True, False
                for c in range(total):
                    best_left[c] = on_left[c]
            if not found:
                continue
            delta = best_value - before
            if b < 0:
                delta += _miscount(bodies + 1, min_bodies, max_bodies) - wrong
            if delta > 0 and rng.random() >= np.exp(-delta / heat):
                continue
            if b < 0:
                if merged:
                    continue
                b = 0
                while live[b]:
                    b += 1
                live[b] = True
                used = max(used, b + 1)
                bodies += 1
            count[a], count[b], size[a], size[b] = 0, 0, 0, 0
            if split_rate > 0:
                held[a] = 0.0
                held[b] = 0.0
            for c in range(total):
                x = side[c]
                dst = a if (merged or best_left[c]) else b
                body[x] = dst
                where[x] = count[dst]
                members[dst, count[dst]] = x
                count[dst] += 1
                size[dst] += weights[x]
                if split_rate > 0:
                    held[dst] += pieces[x]
            if merged:
                live[b] = False
                cost[b] = 0.0
                bodies -= 1
            for turn in range(2):
                d = a if turn == 0 else b
                if not live[d]:
                    continue
                for c in range(count[d]):
                    owner = members[d, c]
                    for e in range(centre_start[owner], centre_start[owner + 1]):
                        j = centres[e]
                        add = 0.0
                        for f in range(count[d]):
                            add += costs[members[d, f], j]
                        sums[j] = add
                cost[d] = _changed(members[d], count[d], -1, -1, sums, costs, centre_start, centres) + _size(
                    size[d], curve, lo, hi
                )
            if split_rate > 0:
                new_lost = _split_after(held, live, -1, -1, nothing, nothing, used)
                lost = new_lost
            current += delta
        if current < best_cost - 1e-7:
            best_cost = current
            best[:] = body
    return best, best_cost


def run(
    problem: PartitionProblem,
    flat: Flat,
    rng: np.random.Generator,
    moves: int,
    start: NDArray[np.int32] | None,
    heat: float,
    see: Callable[[NDArray[np.int32]], None],
) -> NDArray[np.int32] | None:
    """One annealing run from `start` (or a greedy partition): the best valid partition met, or None.

    heat: first temperature as a share of a typical body's cost; it falls fifty-fold. see: called with partitions on the
    way.
    """
    body = (starting_partition(problem) if start is None else start).astype(np.int64).copy()
    typical = _typical_cost(problem) if start is None else problem.objective(start) / len(np.unique(start))
    typical = max(1.0, typical)
    limits = [-1 if k is None else k for k in (problem.max_bodies, problem.min_bodies)]
    best, best_cost = None, np.inf
    for leg in range(LEGS):
        hot, cold = (heat * typical * 0.02 ** (x / LEGS) for x in (leg, leg + 1))
        found, cost = anneal(
            *flat.arrays(), body, max(1, moves // LEGS), hot, cold, rng, TREE_SHARE, CUTS_TRIED, *limits
        )
        see(found.astype(np.int32))
        see(body.astype(np.int32))
        if cost < best_cost and not problem.violations(found.astype(np.int32)):
            best, best_cost = canonical(found.astype(np.int32)), cost
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
