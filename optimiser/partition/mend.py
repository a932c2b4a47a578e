"""Priced bodies made whole: where bodies must touch, the largest piece of one in pieces grows again, step by step.

Pricing asks for no contiguity (bound.py), so on a map many of its bodies cannot be used. From the piece with most
patients, the unit joins, leaves or takes another's place that lowers the reduced cost most, until none does. What comes
out is a body of low reduced cost that touches: what the integer programme over the pool needs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
from numpy.typing import NDArray

from optimiser.partition.compiled import bare, inner
from optimiser.partition.state import OUT_OF_REACH, Flat, size_cost

Members = tuple[int, ...]
STEPS = 60


def mend(flat: Flat, bodies: Sequence[Members], pi: NDArray[np.float64]) -> list[Members]:
    """Bodies (unit positions, ascending; none is empty) whole, of locally least reduced cost under multipliers π, £."""
    start = np.concatenate(([0], np.cumsum([len(b) for b in bodies]))).astype(np.int64)
    units = np.array([u for b in bodies for u in b], dtype=np.int64)
    whole = np.zeros((len(bodies), len(flat.weights)), np.bool_)
    _mend(flat, start, units, pi, whole)
    return [tuple(np.flatnonzero(row).tolist()) for row in whole]


@numba.njit(cache=True, nogil=True)
def _mend(flat, start, units, pi, whole):
    n = len(flat.weights)
    queue, member, frontier, removable = (
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.bool_),
    )
    for k in range(len(start) - 1):
        inside = whole[k]
        for e in range(start[k], start[k + 1]):
            inside[units[e]] = True
        _largest_piece(flat, inside, units[start[k] : start[k + 1]], queue)
        for _ in range(STEPS):
            if not _step(flat, inside, pi, queue, member, frontier, removable):
                break


@bare
def _spread(flat, inside, first, without, queue, seen):
    """Units of the piece that holds `first` but not `without` (it may be `first`: then all), into queue; their number.
    seen: left False.
    """
    queue[0], seen[first] = first, True
    head, tail = 0, 1
    while head < tail:
        u = queue[head]
        head += 1
        for e in range(flat.indptr[u], flat.indptr[u + 1]):
            v = flat.indices[e]
            if inside[v] and not seen[v] and v != without:
                queue[tail], seen[v] = v, True
                tail += 1
    for x in range(tail):
        seen[queue[x]] = False
    return tail


@inner
def _largest_piece(flat, inside, units, queue):
    """Keep the piece with most patients."""
    seen = np.zeros(len(inside), np.bool_)
    done = np.zeros(len(inside), np.bool_)
    best, root = -1, units[0]
    for u in units:
        if not done[u]:
            count = _spread(flat, inside, u, u, queue, seen)
            patients = 0
            for x in range(count):
                done[queue[x]] = True
                patients += flat.weights[queue[x]]
            if patients > best:
                best, root = patients, u
    count = _spread(flat, inside, root, root, queue, seen)
    for u in units:
        inside[u] = False
    for x in range(count):
        inside[queue[x]] = True


@inner
def _step(flat, inside, pi, queue, member, frontier, removable):
    """The best single change, if any lowers the reduced cost with the body's best centre."""
    n = len(inside)
    count, patients = 0, 0
    seen = np.zeros(n, np.bool_)
    for u in range(n):
        if inside[u]:
            member[count] = u
            count += 1
            patients += flat.weights[u]
    if count == 0:
        return False
    centre, owner, least = flat.centres[0], member[0], np.inf
    for a in range(count):
        for e in range(flat.centre_start[member[a]], flat.centre_start[member[a] + 1]):
            total = 0.0
            for b in range(count):
                total += flat.costs[member[b], flat.centres[e]]
            if total < least:
                centre, owner, least = flat.centres[e], member[a], total
    around = 0
    for a in range(count):
        u = member[a]
        removable[a] = u != owner and count > 1 and _spread(flat, inside, owner, u, queue, seen) == count - 1
        for e in range(flat.indptr[u], flat.indptr[u + 1]):
            v = flat.indices[e]
            if not inside[v] and not seen[v] and flat.costs[v, centre] < OUT_OF_REACH:
                frontier[around], seen[v] = v, True
                around += 1
    for x in range(around):
        seen[frontier[x]] = False
    now = size_cost(flat, patients)
    best, leaves, joins = -1e-6, -1, -1
    for a in range(-1, count):
        if a >= 0 and not removable[a]:
            continue
        gain = 0.0 if a < 0 else pi[member[a]] - flat.costs[member[a], centre]
        left = patients - (0 if a < 0 else flat.weights[member[a]])
        for x in range(-1, around):
            if a < 0 and x < 0:
                continue
            v = -1 if x < 0 else frontier[x]
            change = gain + (0.0 if x < 0 else flat.costs[v, centre] - pi[v])
            change += size_cost(flat, left + (0 if x < 0 else flat.weights[v])) - now
            if change < best and (a < 0 or x < 0 or _touches(flat, inside, v, member[a])):
                best, leaves, joins = change, -1 if a < 0 else member[a], v
    if leaves < 0 and joins < 0:
        return False
    if leaves >= 0:
        inside[leaves] = False
    if joins >= 0:
        inside[joins] = True
    return True


@bare
def _touches(flat, inside, v, without):
    """Whether v touches a member other than `without`."""
    for e in range(flat.indptr[v], flat.indptr[v + 1]):
        if inside[flat.indices[e]] and flat.indices[e] != without:
            return True
    return False
