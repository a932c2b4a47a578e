"""Boundary moves: one unit crosses to a body it touches, alone or in exchange for one that comes back."""

from __future__ import annotations

import numpy as np

from optimiser.partition.compiled import bare
from optimiser.partition.state import below, draw, may_join, most_elsewhere, settle, short, size_cost

SWAPS = 0.3  # share of boundary moves tried as exchanges
FARTHER = 0.4  # chance of every step beyond a neighbour, where bodies need not touch


@bare
def trade(flat, state, u, heat):
    """Try to move unit u next door; True when the state has changed."""
    degree = flat.indptr[u + 1] - flat.indptr[u]
    a = state.body[u]
    if degree == 0 or state.filled[a] == 1:
        return False
    v = flat.indices[flat.indptr[u] + below(state, degree)]
    while not flat.contiguous and draw(state) < FARTHER:
        v = flat.indices[flat.indptr[v] + below(state, flat.indptr[v + 1] - flat.indptr[v])]
    b = state.body[v]
    if a == b or state.filled[b] + 1 >= state.members.shape[1]:
        return False
    back = -1
    if draw(state) < SWAPS:
        back = _partner(flat, state, u, a, b)
        if back < 0:
            return False
    shift = flat.weights[u] - (flat.weights[back] if back >= 0 else 0)
    size_a, size_b = state.size[a] - shift, state.size[b] + shift
    if back < 0 and (size_b > flat.hi >= state.size[b] or size_a < flat.lo <= state.size[a]):
        return False
    change = _changed(flat, state, a, u, back) + size_cost(flat, size_a) - state.cost[a]
    change += _changed(flat, state, b, back, u) + size_cost(flat, size_b) - state.cost[b]
    passed = flat.credit[u] - (flat.credit[back] if back >= 0 else 0)
    change += short(flat, state.credit[a] - passed) + short(flat, state.credit[b] + passed)
    split = flat.split_rate * more_lost(flat, state, u, back, a, b)
    change += split
    if change > 0 and draw(state) >= np.exp(-change / heat):
        return False
    if not may_join(flat, state, u, b, back) or (back >= 0 and not may_join(flat, state, back, a, u)):
        return False
    if flat.contiguous and not _stays_whole(flat, state, a, u, back):
        return False
    if flat.contiguous and back >= 0 and not _stays_whole(flat, state, b, back, u):
        return False
    before = state.cost[a] + state.cost[b]
    for step in range(2 if back >= 0 else 1):
        cross(flat, state, u if step == 0 else back, a if step == 0 else b, b if step == 0 else a)
    settle(flat, state, a)
    settle(flat, state, b)
    state.tally[0] += state.cost[a] + state.cost[b] - before + split
    return True


@bare
def _partner(flat, state, u, a, b):
    """A random unit of b; −1 when bodies must touch and the one drawn does not touch a elsewhere than at u."""
    w = state.members[b, below(state, state.filled[b])]
    if not flat.contiguous:
        return w
    for e in range(flat.indptr[w], flat.indptr[w + 1]):
        if state.body[flat.indices[e]] == a and flat.indices[e] != u:
            return w
    return -1


@bare
def _changed(flat, state, b, leaves, joins):
    """Assignment cost of body b after one unit leaves (−1: none) and one joins (−1: none), with the centre of now, or,
    when that leaves, with the best of the others."""
    j = state.centre[b]
    if flat.owner[j] != leaves:
        total = state.sums[j]
        if leaves >= 0:
            total -= flat.costs[leaves, j]
        if joins >= 0:
            total += flat.costs[joins, j]
        return total
    best = np.inf
    for m in range(state.filled[b]):
        owner = state.members[b, m]
        if owner != leaves:
            for e in range(flat.centre_start[owner], flat.centre_start[owner + 1]):
                j = flat.centres[e]
                total = state.sums[j] - flat.costs[leaves, j]
                if joins >= 0:
                    total += flat.costs[joins, j]
                best = min(best, total)
    if state.filled[b] == 1:  # one unit takes the place of another
        for e in range(flat.centre_start[joins], flat.centre_start[joins + 1]):
            best = min(best, flat.costs[joins, flat.centres[e]])
    return best


@bare
def more_lost(flat, state, u, back, a, b):
    """Patients more in minority pieces once u has left a for b, in exchange for `back` (−1: nothing)."""
    lost = 0.0
    for x in (u, back):
        if x < 0:
            continue
        for e in range(flat.piece_start[x], flat.piece_start[x + 1]):
            t = flat.label[e]
            leaving, coming = _patients(flat, u, t), _patients(flat, back, t)
            if x == back and leaving > 0:
                continue  # counted with u
            moved = leaving - coming
            rest = most_elsewhere(state, t, a, b)
            lost += max(rest, state.held[a, t], state.held[b, t])
            lost -= max(rest, state.held[a, t] - moved, state.held[b, t] + moved)
    return lost


@bare
def _patients(flat, u, t):
    """Patients of a label in unit u (−1: none)."""
    if u >= 0:
        for e in range(flat.piece_start[u], flat.piece_start[u + 1]):
            if flat.label[e] == t:
                return flat.piece[e]
    return 0.0


@bare
def _stays_whole(flat, state, b, leaves, joins):
    """Is body b, in one piece now, still so after `leaves` goes and `joins` (−1: none) comes? It is when a walk meets
    all that touched `leaves`, and `joins`."""
    walk = state.number[2] + 1
    state.number[2] = walk + 1
    sought, first = 0, -1
    for e in range(flat.indptr[leaves], flat.indptr[leaves + 1]):
        v = flat.indices[e]
        if state.body[v] == b:
            state.mark[v] = walk
            sought += 1
            first = v
    if joins >= 0:
        state.mark[joins] = walk
        sought += 1
        first = joins
    if sought <= 1:
        return True
    head, tail = 0, 1
    state.queue[0] = first
    state.mark[first] = walk + 1
    sought -= 1
    while head < tail and sought > 0:
        u = state.queue[head]
        head += 1
        for e in range(flat.indptr[u], flat.indptr[u + 1]):
            v = flat.indices[e]
            if state.mark[v] <= walk and v != leaves and (state.body[v] == b or v == joins):
                if state.mark[v] == walk:
                    sought -= 1
                state.mark[v] = walk + 1
                state.queue[tail] = v
                tail += 1
    return sought == 0


@bare
def cross(flat, state, x, a, b):
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
    state.credit[a] -= flat.credit[x]
    state.credit[b] += flat.credit[x]
    for e in range(flat.centre_start[x], flat.centre_start[x + 1]):
        total = 0.0
        for m in range(state.filled[b]):
            total += flat.costs[state.members[b, m], flat.centres[e]]
        state.sums[flat.centres[e]] = total
    for e in range(flat.piece_start[x], flat.piece_start[x + 1]):
        state.held[a, flat.label[e]] -= flat.piece[e]
        state.held[b, flat.label[e]] += flat.piece[e]
