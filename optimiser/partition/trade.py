"""Boundary moves: one unit crosses to a body it touches, alone or in exchange for one that comes back."""

from __future__ import annotations

import numpy as np

from optimiser.partition.state import add, inner, may_join, minority, size_cost

SWAPS = 0.3  # share of boundary moves tried as exchanges


@inner
def trade(flat, state, scratch, u, heat, rng):
    """Try to move unit u next door; True when the state has changed."""
    degree = flat.indptr[u + 1] - flat.indptr[u]
    a = state.body[u]
    if degree == 0 or state.filled[a] == 1:
        return False
    b = state.body[flat.indices[flat.indptr[u] + int(rng.random() * degree)]]
    if a == b or state.filled[b] + 1 >= state.members.shape[1]:
        return False
    back = -1
    if rng.random() < SWAPS:
        back = _partner(flat, state, u, a, b, rng)
        if back < 0:
            return False
    shift = flat.weights[u] - (flat.weights[back] if back >= 0 else 0)
    size_a, size_b = state.size[a] - shift, state.size[b] + shift
    if back < 0 and (size_b > flat.hi >= state.size[b] or size_a < flat.lo <= state.size[a]):
        return False
    if not may_join(flat, state, u, b, back) or (back >= 0 and not may_join(flat, state, back, a, u)):
        return False
    cost_a = _changed(flat, state, a, u, back) + size_cost(flat, size_a)
    cost_b = _changed(flat, state, b, back, u) + size_cost(flat, size_b)
    change = cost_a + cost_b - state.cost[a] - state.cost[b]
    lost = state.tally[1]
    if flat.split_rate > 0:
        for t in range(len(scratch.new_a)):
            moved = flat.pieces[u, t] - (flat.pieces[back, t] if back >= 0 else 0.0)
            scratch.new_a[t] = state.held[a, t] - moved
            scratch.new_b[t] = state.held[b, t] + moved
        lost = minority(state, a, b, scratch.new_a, scratch.new_b)
        change += flat.split_rate * (lost - state.tally[1])
    if change > 0 and rng.random() >= np.exp(-change / heat):
        return False
    if flat.contiguous:
        if not _stays_whole(flat, state, scratch, a, u, back):
            return False
        if back >= 0 and not _stays_whole(flat, state, scratch, b, back, u):
            return False
    _cross(flat, state, u, a, b)
    if back >= 0:
        _cross(flat, state, back, b, a)
    state.cost[a], state.cost[b] = cost_a, cost_b
    state.tally[0] += change
    state.tally[1] = lost
    return True


@inner
def _partner(flat, state, u, a, b, rng):
    """A random unit of b that touches a elsewhere than at u; −1 when the one drawn does not."""
    w = state.members[b, int(rng.random() * state.filled[b])]
    for e in range(flat.indptr[w], flat.indptr[w + 1]):
        if state.body[flat.indices[e]] == a and flat.indices[e] != u:
            return w
    return -1


@inner
def _changed(flat, state, b, leaves, joins):
    """Assignment cost of body b after one unit leaves (−1: none) and one joins (−1: none)."""
    best = np.inf
    for m in range(state.filled[b]):
        owner = state.members[b, m]
        if owner == leaves:
            continue
        for e in range(flat.centre_start[owner], flat.centre_start[owner + 1]):
            j = flat.centres[e]
            total = state.sums[j]
            if leaves >= 0:
                total -= flat.costs[leaves, j]
            if joins >= 0:
                total += flat.costs[joins, j]
            best = min(best, total)
    if joins >= 0:
        for e in range(flat.centre_start[joins], flat.centre_start[joins + 1]):
            j = flat.centres[e]
            total = flat.costs[joins, j]
            for m in range(state.filled[b]):
                if state.members[b, m] != leaves:
                    total += flat.costs[state.members[b, m], j]
            best = min(best, total)
    return best


@inner
def _stays_whole(flat, state, scratch, b, leaves, joins):
    """Is body b still in one piece after `leaves` goes and `joins` (−1: none) comes?"""
    total = state.filled[b] - 1 + (1 if joins >= 0 else 0)
    if total <= 1:
        return True
    first = state.members[b, 0] if state.members[b, 0] != leaves else state.members[b, 1]
    if state.filled[b] == 1:
        first = joins
    head, tail = 0, 1
    scratch.queue[0] = first
    scratch.mark[first] = True
    while head < tail:
        u = scratch.queue[head]
        head += 1
        for e in range(flat.indptr[u], flat.indptr[u + 1]):
            v = flat.indices[e]
            if not scratch.mark[v] and v != leaves and (state.body[v] == b or v == joins):
                scratch.mark[v] = True
                scratch.queue[tail] = v
                tail += 1
    for k in range(tail):
        scratch.mark[scratch.queue[k]] = False
    return tail == total


@inner
def _cross(flat, state, x, a, b):
    """Unit x leaves a for b; members, sizes, pieces and sums follow (costs are the caller's)."""
    last = state.members[a, state.filled[a] - 1]
    state.members[a, state.where[x]] = last
    state.where[last] = state.where[x]
    state.filled[a] -= 1
    for m in range(state.filled[a]):
        owner = state.members[a, m]
        for e in range(flat.centre_start[owner], flat.centre_start[owner + 1]):
            state.sums[flat.centres[e]] -= flat.costs[x, flat.centres[e]]
    for m in range(state.filled[b]):
        owner = state.members[b, m]
        for e in range(flat.centre_start[owner], flat.centre_start[owner + 1]):
            state.sums[flat.centres[e]] += flat.costs[x, flat.centres[e]]
    state.members[b, state.filled[b]] = x
    state.where[x] = state.filled[b]
    state.filled[b] += 1
    state.body[x] = b
    state.size[a] -= flat.weights[x]
    state.size[b] += flat.weights[x]
    for e in range(flat.centre_start[x], flat.centre_start[x + 1]):
        total = 0.0
        for m in range(state.filled[b]):
            total += flat.costs[state.members[b, m], flat.centres[e]]
        state.sums[flat.centres[e]] = total
    if flat.split_rate > 0:
        add(state.held[a], flat.pieces[x], -1.0)
        add(state.held[b], flat.pieces[x], 1.0)
