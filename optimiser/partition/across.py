"""Nested partitions annealed together, compiled: a move re-prices every scale that it touches.

A move at a scale takes one of its smaller bodies (at the smallest scale one unit) next door: into the body of that
scale that a neighbour is in, and so into the neighbour's bodies at every scale built over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from optimiser.partition.compiled import NONE, bare
from optimiser.partition.state import Flat, below, draw, fill, fresh, may_join, settle
from optimiser.partition.trade import cross, more_lost

LEAST_DIFFERENCE = 1e-6  # £: a partition this much cheaper is better


class Nest(NamedTuple):
    """How the scales nest, small to large; none of it changes. under: scale whose bodies each is made of (−1: units).
    over: scales × scales, whether the second is the first or is built over it. free: scales × units, whether a unit may
    change its body. least: fewest smaller bodies of a body.
    """

    under: NDArray[np.int64]
    over: NDArray[np.bool_]
    free: NDArray[np.bool_]
    least: NDArray[np.int64]


class Trip(NamedTuple):
    """Work space of moves. units: those that move; start: body by scale that they leave; end: that they join; held:
    smaller bodies by scale and body.
    """

    units: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    held: NDArray[np.int64]


def anneal(
    flats: Sequence[Flat],
    nest: Nest,
    bodies: Sequence[NDArray[np.int32]],
    moves: int,
    heats: tuple[float, float],
    seed: int,
) -> list[NDArray[np.int32]]:
    """The best nested partitions met: body number by unit, for each scale. bodies: those to begin with. moves: tried.
    heats: first and last temperature, £."""
    states = tuple(
        fresh(flat, np.unique(body, return_inverse=True)[1], seed) for flat, body in zip(flats, bodies, strict=True)
    )
    n = len(states[0].body)
    held = np.zeros((len(states), n + 2), np.int64)
    for s, (state, under) in enumerate(zip(states, nest.under, strict=True)):
        smaller = np.arange(n) if under < 0 else states[under].body
        first = np.unique(smaller, return_index=True)[1]
        held[s, : state.body.max() + 1] = np.bincount(state.body[first])
    start, end = np.zeros((2, len(states)), np.int64)
    _anneal(tuple(flats), states, nest, Trip(np.zeros(n, np.int64), start, end, held), moves, *heats)
    return [state.best.astype(np.int32) for state in states]


@numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)
def _anneal(flats, states, nest, trip, moves, hot, cold):
    total = 0.0
    for s in range(len(flats)):
        fill(flats[s], states[s])
        total += states[s].tally[0]
    best, heat, cooling = total, hot, (cold / hot) ** (1.0 / max(1, moves))
    first = states[0]
    for _ in range(moves):
        heat *= cooling
        s = below(first, len(flats))
        u = below(first, len(first.body))
        count = _leave(flats, states, nest, trip, s, u)
        if count == 0:
            continue
        change = _go(flats, states, nest, trip, s, count)
        keep = change < 0 or draw(first) < np.exp(-change / heat)
        if not keep or not _whole(flats, states, nest, trip, s):
            _back(flats, states, nest, trip, s, count)
            continue
        total += change
        trip.held[s, trip.start[s]] -= 1
        trip.held[s, trip.end[s]] += 1
        if total < best - LEAST_DIFFERENCE:
            best = total
            for state in states:
                for v in range(len(state.body)):
                    state.best[v] = state.body[v]


@bare
def _leave(flats, states, nest, trip, s, u):
    """Choose a neighbour of unit u to follow at scale s: how many units would move, 0 where a rule forbids it."""
    flat, state = flats[s], states[s]
    degree = flat.indptr[u + 1] - flat.indptr[u]
    if degree == 0:
        return 0
    v = flat.indices[flat.indptr[u] + below(states[0], degree)]
    a, b = state.body[u], state.body[v]
    if a == b or trip.held[s, a] <= max(1, nest.least[s]):
        return 0
    count = 1
    trip.units[0] = u
    if nest.under[s] >= 0:
        smaller = states[nest.under[s]]
        body = smaller.body[u]
        count = smaller.filled[body]
        for k in range(count):
            trip.units[k] = smaller.members[body, k]
    weight = 0
    for k in range(count):
        weight += flat.weights[trip.units[k]]
    for t in range(len(flats)):
        trip.start[t], trip.end[t] = states[t].body[u], states[t].body[v]
        if not nest.over[s, t] or trip.start[t] == trip.end[t]:
            continue
        a, b = trip.start[t], trip.end[t]
        if states[t].size[a] - weight < flats[t].lo or states[t].size[b] + weight > flats[t].hi:
            return 0
        if states[t].filled[b] + count >= states[t].members.shape[1]:
            return 0
        for k in range(count):
            if not nest.free[t, trip.units[k]] or not may_join(flats[t], states[t], trip.units[k], b, -1):
                return 0
    return count


@bare
def _go(flats, states, nest, trip, s, count):
    """Move them, at every scale that they touch; £ more a year."""
    change = 0.0
    for t in range(len(flats)):
        a, b = trip.start[t], trip.end[t]
        if nest.over[s, t] and a != b:
            flat, state = flats[t], states[t]
            change -= state.cost[a] + state.cost[b]
            for k in range(count):
                change += flat.split_rate * more_lost(flat, state, trip.units[k], NONE, a, b)
                cross(flat, state, trip.units[k], a, b)
            settle(flat, state, a)
            settle(flat, state, b)
            change += state.cost[a] + state.cost[b]
    return change


@bare
def _back(flats, states, nest, trip, s, count):
    """Undo `_go`."""
    for t in range(len(flats)):
        a, b = trip.start[t], trip.end[t]
        if nest.over[s, t] and a != b:
            for k in range(count):
                cross(flats[t], states[t], trip.units[k], b, a)
            settle(flats[t], states[t], a)
            settle(flats[t], states[t], b)


@bare
def _whole(flats, states, nest, trip, s):
    """Whether bodies that must touch are in one piece after the move."""
    for t in range(len(flats)):
        a, b = trip.start[t], trip.end[t]
        moved = nest.over[s, t] and a != b and flats[t].contiguous
        if moved and not (_in_one_piece(flats[t], states[t], a) and _in_one_piece(flats[t], states[t], b)):
            return False
    return True


@bare
def _in_one_piece(flat, state, b):
    state.number[2] += 1
    walk = state.number[2]
    first = state.members[b, 0]
    state.queue[0], state.mark[first] = first, walk
    head, tail = 0, 1
    while head < tail:
        u = state.queue[head]
        head += 1
        for e in range(flat.indptr[u], flat.indptr[u + 1]):
            v = flat.indices[e]
            if state.body[v] == b and state.mark[v] != walk:
                state.mark[v] = walk
                state.queue[tail] = v
                tail += 1
    return tail == state.filled[b]
