"""Merge and split: two touching bodies are joined and cut anew along a random spanning tree, stay joined, or one is cut
in two.

After recombination (ReCom: DeFord, Duchin and Solomon 2021), but the best of the tree's feasible cuts is taken, not a
random one: what every subtree would pay at every centre follows from the leaves up.
"""

from __future__ import annotations

import numpy as np

from optimiser.partition.compiled import bare
from optimiser.partition.state import (
    below,
    clear,
    draw,
    enter,
    may_join,
    miscount,
    most_elsewhere,
    reprice,
    short,
    size_cost,
)

PAIRS = 0.85  # share of tries that join two bodies; the rest cut one
STEPS = 60  # of the walk that draws a tree, per unit: bodies of the search may be in two pieces, and it would not end


@bare
def merge_split(flat, state, side, u, heat):
    """Try to merge and cut the body of unit u, with a neighbour or alone; True when the state has changed."""
    a, b = state.body[u], -1
    if draw(state) < PAIRS:
        b = _neighbour(flat, state, u)
        if b < 0:
            return False
    total, columns = _gather(flat, state, side, a, b)
    if total < 2 or total + 1 >= state.members.shape[1] or total * columns > len(side.cells):
        return False
    whole = state.size[a] + (state.size[b] if b >= 0 else 0)
    bodies = state.number[0]
    now = state.cost[a] + (state.cost[b] if b >= 0 else 0.0) + miscount(flat, bodies)
    after = miscount(flat, bodies if b >= 0 else bodies + 1)
    if b < 0 and (whole < 2 * flat.lo or after > miscount(flat, bodies)):
        return False
    credit = state.credit[a] + (state.credit[b] if b >= 0 else 0)
    if not _random_tree(flat, state, side, total):
        return False
    _price(flat, side, total, columns)
    _rivals(flat, state, side, a, b)
    joined = np.inf
    if b >= 0 and whole <= flat.hi:
        joined = _joined(flat, state, side, a, b, columns, whole) + miscount(flat, bodies - 1) + short(flat, credit)
    parted = _best_cut(flat, state, side, a, b, total, columns, whole, credit, joined - after) + after
    value = min(joined, parted)
    if value == np.inf:
        return False
    change = value - now
    if change > 0 and draw(state) >= np.exp(-change / heat):
        return False
    _apply(flat, state, side, a, b, total, joined <= parted)
    state.tally[0] += change
    return True


@bare
def _neighbour(flat, state, u):
    """A random body that unit u touches, −1 when four draws find none."""
    degree = flat.indptr[u + 1] - flat.indptr[u]
    for _ in range(4 if degree > 0 else 0):
        b = state.body[flat.indices[flat.indptr[u] + below(state, degree)]]
        if b != state.body[u]:
            return b
    return -1


@bare
def _gather(flat, state, side, a, b):
    """Units of a and b (−1: none) into side.units; their number and that of their centres."""
    total = columns = 0
    for c in (a, b):
        if c >= 0:
            for m in range(state.filled[c]):
                u = state.members[c, m]
                side.units[total] = u
                columns += flat.centre_start[u + 1] - flat.centre_start[u]
                total += 1
    return total, columns


@bare
def _random_tree(flat, state, side, total):
    """Uniform spanning tree of the side by loop-erased walks (Wilson 1996): order (parents first) and parent; False
    when a walk does not end."""
    units, place, parent, order = side.units, side.place, side.parent, side.order
    for k in range(total):
        place[units[k]] = k
        parent[k] = -2
    root = below(state, total)
    order[0], parent[root], reached, steps = root, -1, 1, 0
    state.number[2] += 1
    walk = state.number[2]
    state.mark[units[root]] = walk
    for first in range(total):
        k = first
        while state.mark[units[k]] != walk and steps < STEPS * total:
            steps += 1
            u = units[k]
            degree = flat.indptr[u + 1] - flat.indptr[u]
            if degree > 0:
                along = place[flat.indices[flat.indptr[u] + below(state, degree)]]
                if along >= 0:
                    parent[k] = along
                    k = along
        if steps >= STEPS * total:
            break
        length, k = 0, first
        while state.mark[units[k]] != walk:
            length += 1
            k = parent[k]
        k = first
        for back in range(length):
            state.mark[units[k]] = walk
            order[reached + length - 1 - back] = k
            k = parent[k]
        reached += length
    for k in range(total):
        place[units[k]] = -1
    return reached == total


@bare
def _price(flat, side, total, columns):
    """Patients, members and costs by centre of every subtree."""
    cells, order, parent = side.cells, side.order, side.parent
    for k in range(total):
        side.below[k] = flat.weights[side.units[k]]
        side.credit[k] = flat.credit[side.units[k]]
        at = k * columns
        for c in range(total):
            owner = side.units[c]
            for e in range(flat.centre_start[owner], flat.centre_start[owner + 1]):
                cells[at] = flat.costs[side.units[k], flat.centres[e]]
                at += 1
    for step in range(total - 1, 0, -1):
        k = order[step]
        side.below[parent[k]] += side.below[k]
        side.credit[parent[k]] += side.credit[k]
        up, down = parent[k] * columns, k * columns
        for c in range(columns):
            cells[up + c] += cells[down + c]


@bare
def _joined(flat, state, side, a, b, columns, whole):
    """Cost of a and b as one body; inf when units kept apart would meet."""
    for m in range(state.filled[b]):
        if not may_join(flat, state, state.members[b, m], a, -1):
            return np.inf
    least, root = np.inf, side.order[0] * columns
    for c in range(columns):
        least = min(least, side.cells[root + c])
    value = least + size_cost(flat, whole)
    for x in range(side.number[0]):
        t = side.present[x]
        side.new_a[t], side.new_b[t] = state.held[a, t] + state.held[b, t], 0.0
    return value + flat.split_rate * _more_lost(state, side, a, b)


@bare
def _best_cut(flat, state, side, a, b, total, columns, whole, credit, beat):
    """Cost of the cheapest feasible cut below `beat`; inf when none is. Its left side: side.best_left."""
    best = np.inf
    for cut in range(1, total):
        part = side.below[side.order[cut]]
        if not (flat.lo <= part <= flat.hi and flat.lo <= whole - part <= flat.hi):
            continue
        if not flat.least <= side.credit[side.order[cut]] <= credit - flat.least:
            continue
        value = size_cost(flat, part) + size_cost(flat, whole - part) + _cut_cost(flat, side, total, columns, cut)
        if value >= min(best, beat) or _clash(flat, side, total):
            continue
        if flat.split_rate > 0:
            value += flat.split_rate * _cut_loss(flat, state, side, a, b, total)
        if value < min(best, beat):
            best = value
            for k in range(total):
                side.best_left[k] = side.left[k]
    return best


@bare
def _cut_cost(flat, side, total, columns, cut):
    """Assignment cost of the two bodies left by cutting above the cut-th unit of the tree; its subtree: side.left."""
    left, order, parent = side.left, side.order, side.parent
    for k in range(total):
        left[k] = False
    left[order[cut]] = True
    for step in range(cut + 1, total):
        left[order[step]] = left[parent[order[step]]]
    one = other = np.inf
    at, root, top = 0, order[0] * columns, order[cut] * columns
    for k in range(total):
        owner = side.units[k]
        for _ in range(flat.centre_start[owner + 1] - flat.centre_start[owner]):
            if left[k]:
                one = min(one, side.cells[top + at])
            else:
                other = min(other, side.cells[root + at] - side.cells[top + at])
            at += 1
    return one + other


@bare
def _rivals(flat, state, side, a, b):
    """Labels that bodies a and b (−1: none) hold, and the most of each that another holds."""
    side.number[0] = 0
    for t in range(flat.labels):
        if state.held[a, t] > 0 or (b >= 0 and state.held[b, t] > 0):
            side.present[side.number[0]] = t
            side.number[0] += 1
            side.rest[t] = most_elsewhere(state, t, a, b)


@bare
def _more_lost(state, side, a, b):
    """Patients more in minority pieces once a and b hold new_a and new_b."""
    lost = 0.0
    for x in range(side.number[0]):
        t = side.present[x]
        now = max(side.rest[t], state.held[a, t])
        if b >= 0:
            now = max(now, state.held[b, t])
        lost += now - max(side.rest[t], side.new_a[t], side.new_b[t])
    return lost


@bare
def _cut_loss(flat, state, side, a, b, total):
    """Patients more in minority pieces after the cut."""
    for x in range(side.number[0]):
        side.new_a[side.present[x]] = side.new_b[side.present[x]] = 0.0
    for k in range(total):
        held = side.new_a if side.left[k] else side.new_b
        for e in range(flat.piece_start[side.units[k]], flat.piece_start[side.units[k] + 1]):
            held[flat.label[e]] += flat.piece[e]
    return _more_lost(state, side, a, b)


@bare
def _clash(flat, side, total):
    """Units kept apart on the same side of the cut."""
    for k in range(total):
        for e in range(flat.apart_start[side.units[k]], flat.apart_start[side.units[k] + 1]):
            for d in range(total):
                if side.units[d] == flat.apart[e] and side.left[k] == side.left[d]:
                    return True
    return False


@bare
def _apply(flat, state, side, a, b, total, joined):
    """Put the side's units into a (and b, or a new body) as decided."""
    clear(flat, state, a)
    if b >= 0:
        clear(flat, state, b)
        if joined:
            state.number[0] -= 1
    else:
        b = 0
        while b == a or state.filled[b] > 0:
            b += 1
        state.number[0] += 1
        state.number[1] = max(state.number[1], b + 1)
    for k in range(total):
        enter(flat, state, side.units[k], a if joined or side.best_left[k] else b)
    reprice(flat, state, a)
    if not joined:
        reprice(flat, state, b)
