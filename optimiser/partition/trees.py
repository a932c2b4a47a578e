"""Merge and split: two touching bodies are joined and cut anew along a random spanning tree, stay joined, or one is cut
in two.

After recombination (ReCom: DeFord, Duchin and Solomon 2021), but the best of the tree's feasible cuts is taken, not a
random one.
"""

from __future__ import annotations

import numpy as np

from optimiser.partition.state import add, clear, enter, inner, may_join, minority, miscount, reprice, size_cost, zero

PAIRS = 0.85  # share of tries that join two bodies; the rest cut one
CUTS_TRIED = 12  # feasible cuts of a tree priced in full


@inner
def merge_split(flat, state, scratch, u, heat, rng):
    """Try to merge and cut the body of unit u, with a neighbour or alone; True when the state has changed."""
    a = state.body[u]
    b = _neighbour(flat, state, u, rng) if rng.random() < PAIRS else -2
    if b == -1:
        return False
    total = _gather(state, scratch, a, b)
    if total < 2 or total + 1 >= state.members.shape[1]:
        return False
    if not _random_tree(flat, scratch, total, rng):
        return False
    whole = state.size[a] + (state.size[b] if b >= 0 else 0)
    bodies = state.number[0]
    now = state.cost[a] + (state.cost[b] if b >= 0 else 0.0) + miscount(flat, bodies)
    joined = np.inf
    if b >= 0 and whole <= flat.hi:
        joined = _joined(flat, state, scratch, a, b, total, whole) + miscount(flat, bodies - 1)
    after_cut = miscount(flat, bodies if b >= 0 else bodies + 1)
    parted = _best_cut(flat, state, scratch, a, b, total, whole, joined - after_cut, rng) + after_cut
    value = min(joined, parted)
    if value == np.inf:
        return False
    change = value - now
    if change > 0 and rng.random() >= np.exp(-change / heat):
        return False
    _apply(flat, state, scratch, a, b, total, joined <= parted)
    state.tally[0] += change
    return True


@inner
def _neighbour(flat, state, u, rng):
    """A random body that unit u touches, −1 when four draws find none."""
    degree = flat.indptr[u + 1] - flat.indptr[u]
    for _ in range(4 if degree > 0 else 0):
        b = state.body[flat.indices[flat.indptr[u] + int(rng.random() * degree)]]
        if b != state.body[u]:
            return b
    return -1


@inner
def _gather(state, scratch, a, b):
    """Members of a and b (negative: none) into scratch.side; their number."""
    total = 0
    for c in (a, b):
        if c >= 0:
            for m in range(state.filled[c]):
                scratch.side[total] = state.members[c, m]
                total += 1
    return total


@inner
def _random_tree(flat, scratch, total, rng):
    """Spanning tree of the side by Prim on random keys: order, parent, and the weight below each; False if not
    connected.
    """
    side, place = scratch.side, scratch.place
    for k in range(total):
        place[side[k]] = k
    key = np.full(total, np.inf)
    source = np.full(total, -1)
    done = np.zeros(total, np.bool_)
    key[int(rng.random() * total)] = 0.0
    reached = 0
    for _ in range(total):
        pick, least = -1, np.inf
        for k in range(total):
            if not done[k] and key[k] < least:
                pick, least = k, key[k]
        if pick < 0:
            break
        done[pick] = True
        scratch.order[reached] = pick
        scratch.parent[pick] = source[pick]
        reached += 1
        for e in range(flat.indptr[side[pick]], flat.indptr[side[pick] + 1]):
            k = place[flat.indices[e]]
            if k >= 0 and not done[k]:
                draw = rng.random()
                if draw < key[k]:
                    key[k] = draw
                    source[k] = pick
    for k in range(total):
        place[side[k]] = -1
        scratch.below[k] = flat.weights[side[k]]
    for k in range(reached - 1, 0, -1):
        scratch.below[scratch.parent[scratch.order[k]]] += scratch.below[scratch.order[k]]
    return reached == total


@inner
def _joined(flat, state, scratch, a, b, total, whole):
    """Cost of a and b as one body; inf when units kept apart would meet."""
    for m in range(state.filled[b]):
        if not may_join(flat, state, state.members[b, m], a, -1):
            return np.inf
    value = _least(flat, scratch.side, total) + size_cost(flat, whole)
    if flat.split_rate > 0:
        zero(scratch.new_a)
        zero(scratch.new_b)
        add(scratch.new_a, state.held[a], 1.0)
        add(scratch.new_a, state.held[b], 1.0)
        lost = minority(state, a, b, scratch.new_a, scratch.new_b)
        value += flat.split_rate * (lost - state.tally[1])
    return value


@inner
def _best_cut(flat, state, scratch, a, b, total, whole, beat, rng):
    """Cost of the cheapest feasible cut tried, below `beat`; inf when none is. Its left side: scratch.best_left."""
    feasible = 0
    for k in range(1, total):
        if _fits(flat, scratch.below[scratch.order[k]], whole):
            feasible += 1
    keep = 1.0 if feasible <= CUTS_TRIED else CUTS_TRIED / feasible
    best = np.inf
    for k in range(1, total):
        if not _fits(flat, scratch.below[scratch.order[k]], whole) or (keep < 1.0 and rng.random() > keep):
            continue
        value = _cut_cost(flat, state, scratch, a, b, total, whole, k, min(best, beat))
        if value < min(best, beat):
            best = value
            for m in range(total):
                scratch.best_left[m] = scratch.on_left[m]
    return best


@inner
def _fits(flat, part, whole):
    return flat.lo <= part <= flat.hi and flat.lo <= whole - part <= flat.hi


@inner
def _cut_cost(flat, state, scratch, a, b, total, whole, k, beat):
    """Cost of the two bodies left by cutting above the k-th unit of the tree; inf once it cannot fall below `beat`."""
    on_left, order, parent = scratch.on_left, scratch.order, scratch.parent
    for m in range(total):
        on_left[m] = m == order[k]
    for m in range(k + 1, total):
        on_left[order[m]] = on_left[parent[order[m]]] or on_left[order[m]]
    lefts, rights = 0, 0
    for m in range(total):
        if on_left[m]:
            scratch.left[lefts] = scratch.side[m]
            lefts += 1
        else:
            scratch.right[rights] = scratch.side[m]
            rights += 1
    part = scratch.below[order[k]]
    value = size_cost(flat, part) + size_cost(flat, whole - part)
    if value >= beat:
        return np.inf
    value += _least(flat, scratch.left, lefts)
    if value >= beat:
        return np.inf
    value += _least(flat, scratch.right, rights)
    if value >= beat or _clash(flat, scratch, total):
        return np.inf
    if flat.split_rate > 0:
        zero(scratch.new_a)
        zero(scratch.new_b)
        for m in range(lefts):
            add(scratch.new_a, flat.pieces[scratch.left[m]], 1.0)
        for m in range(rights):
            add(scratch.new_b, flat.pieces[scratch.right[m]], 1.0)
        lost = minority(state, a, b, scratch.new_a, scratch.new_b)
        value += flat.split_rate * (lost - state.tally[1])
    return value


@inner
def _clash(flat, scratch, total):
    """Units kept apart on the same side of the cut."""
    for m in range(total):
        for e in range(flat.apart_start[scratch.side[m]], flat.apart_start[scratch.side[m] + 1]):
            for d in range(total):
                if scratch.side[d] == flat.apart[e] and scratch.on_left[m] == scratch.on_left[d]:
                    return True
    return False


@inner
def _least(flat, units, count):
    """Assignment cost of some units as one body: the least over the centres they own."""
    best = np.inf
    for a in range(count):
        owner = units[a]
        for e in range(flat.centre_start[owner], flat.centre_start[owner + 1]):
            j = flat.centres[e]
            total = 0.0
            for m in range(count):
                total += flat.costs[units[m], j]
                if total >= best:
                    break
            best = min(best, total)
    return best


@inner
def _apply(flat, state, scratch, a, b, total, joined):
    """Put the side's units into a (and b, or a new body) as decided."""
    clear(flat, state, a)
    if b >= 0:
        clear(flat, state, b)
    elif not joined:
        b = 0
        while state.live[b]:
            b += 1
        state.live[b] = True
        state.number[0] += 1
        state.number[1] = max(state.number[1], b + 1)
    for m in range(total):
        enter(flat, state, scratch.side[m], a if joined or scratch.best_left[m] else b)
    if joined and b >= 0:
        state.live[b] = False
        state.cost[b] = 0.0
        state.number[0] -= 1
    reprice(flat, state, a)
    if not joined:
        reprice(flat, state, b)
    if flat.split_rate > 0:
        zero(scratch.new_a)
        state.tally[1] = minority(state, -1, -1, scratch.new_a, scratch.new_a)
