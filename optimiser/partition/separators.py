"""What holds a body together, as prices: a unit that the centre's own reaches only past others pays for their absence.

Where bodies must touch, let A be units that part unit i from the centre's own unit o: every path of candidates from o
to i meets A. A connected set that holds i and o holds some of A, so for any charge μ ≥ 0

    r_j ≥ min over all sets S ∋ o of { Σ_{u in S} (c[u, j] − π_u) + g(P(S)) + μ ([i in S] − |S ∩ A|) }

and the knapsack goes on as before with i dearer and A cheaper. Sets A come from the pieces of the relaxation's own
solution: around the piece that i lies in, or around that of o, whichever is smaller. The charges climb by Polyak's
steps towards the value that matters (the cut, beyond which nobody asks), while that value is not proved.

(Separator inequalities of connected subgraphs: Carvajal, Constantino, Goycoolea, Vielma and Weintraub 2013, Operations
Research 61(4). Steps: Polyak 1969, USSR Computational Mathematics and Mathematical Physics 9(3).)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimiser.partition.compiled import inner

MOST = 64  # separated units of one centre
WIDEST = 12  # units of a separator
CLIMBS = 40  # steps of the charges
OVERSHOOT = 1.2  # of the step that would reach the value if every charge counted in full


class Apart(NamedTuple):
    """Charges in force, by centre. number: of them; unit: the one separated; held: units of the separator (−1 beyond
    its last); charge: μ in £ a year. centres × MOST, × WIDEST.
    """

    number: NDArray[np.int64]
    unit: NDArray[np.int32]
    held: NDArray[np.int32]
    charge: NDArray[np.float64]


class Charge(NamedTuple):
    """One charge, of a centre (position among the centres): the unit that pays, the units whose absence it pays for,
    and £ a year."""

    centre: int
    unit: int
    held: tuple[int, ...]
    charge: float


def in_force(apart: Apart) -> tuple[Charge, ...]:
    """Every charge that is not 0, by centre."""
    return tuple(
        Charge(int(j), int(apart.unit[j, k]), tuple(int(u) for u in apart.held[j, k] if u >= 0), float(charge))
        for j in np.flatnonzero(apart.number)
        for k in range(apart.number[j])
        if (charge := apart.charge[j, k]) > 0
    )


def no_charges(centres: int, most: int) -> Apart:
    """Nothing charged yet."""
    return Apart(
        np.zeros(centres, np.int64),
        np.empty((centres, most), np.int32),
        np.empty((centres, most, WIDEST), np.int32),
        np.empty((centres, most)),
    )


@inner
def keep_charges(apart, j, kept):
    """Note the charges of centre j; their number."""
    for k in range(apart.number[j]):
        kept[k] = apart.charge[j, k]
    return apart.number[j]


@inner
def put_back(apart, j, kept, number):
    """The charges of centre j as they were noted."""
    apart.number[j] = number
    for k in range(number):
        apart.charge[j, k] = kept[k]


@inner
def weigh(apart, j, value):
    """Add the charges of centre j to the values of units."""
    for k in range(apart.number[j]):
        value[apart.unit[j, k]] += apart.charge[j, k]
        for x in range(WIDEST):
            if apart.held[j, k, x] < 0:
                break
            value[apart.held[j, k, x]] -= apart.charge[j, k]


@inner
def climb(apart, j, taken, missing):
    """One step up of the charges of centre j, `missing` £ below the value aimed at, the units taken being the
    relaxation's answer. False where none would change.
    """
    steep = 0.0
    for k in range(apart.number[j]):
        slope = _slope(apart, j, k, taken)
        if slope > 0 or apart.charge[j, k] > 0:
            steep += slope * slope
    if steep == 0:
        return False
    step = OVERSHOOT * missing / steep
    for k in range(apart.number[j]):
        apart.charge[j, k] = max(0.0, apart.charge[j, k] + step * _slope(apart, j, k, taken))
    return True


@inner
def _slope(apart, j, k, taken):
    slope = 1 if taken[apart.unit[j, k]] else 0
    for x in range(WIDEST):
        if apart.held[j, k, x] < 0:
            break
        slope -= taken[apart.held[j, k, x]]
    return slope


@inner
def separate(indptr, indices, units, taken, candidate, piece, queue, apart, j):
    """Charges, 0 as yet, for the units taken that are not joined to the first of `units` (the centre's candidates) by
    units taken. True where all are.

    piece: by unit, queue: three times as long; work space. candidate: by unit.
    """
    own = units[0]
    for u in units:
        piece[u] = 0
    home = _spread(indptr, indices, own, taken, piece, 0, 1, queue, 0)  # piece 1: joined to own
    whole = True
    for u in units:
        if not taken[u] or piece[u] != 0:
            continue
        whole = False
        begin = home
        end = _spread(indptr, indices, u, taken, piece, 0, 2, queue, begin)  # piece 2: this one
        _charge_piece(indptr, indices, units, own, candidate, piece, queue, home, end, apart, j)
        for x in range(begin, end):
            piece[queue[x]] = 3
    return whole


@inner
def _charge_piece(indptr, indices, units, own, candidate, piece, queue, home, end, apart, j):
    """New charges for the units of one piece (in queue[home:end]): its own surroundings or those of home part it from
    `own`, of which only those count that the other side can reach past them. None, where no path joins the two.
    """
    near_it = _border(indptr, indices, candidate, piece, queue, home, end, own, end)
    near_home = _border(indptr, indices, candidate, piece, queue, 0, home, queue[home], near_it)
    first, last = end, near_it
    if near_home - near_it < near_it - end:
        first, last = near_it, near_home
    if last - first > WIDEST:
        return
    for x in range(home, end):
        k = apart.number[j]
        if k >= apart.unit.shape[1]:
            return
        if _known(apart, j, queue[x], queue, first, last):
            continue
        apart.unit[j, k] = queue[x]
        apart.charge[j, k] = 0.0
        for y in range(WIDEST):
            apart.held[j, k, y] = queue[first + y] if first + y < last else -1
        apart.number[j] += 1


@inner
def _known(apart, j, unit, queue, first, last):
    """Whether a charge on this unit and separator is there already."""
    for k in range(apart.number[j]):
        same = apart.unit[j, k] == unit and (last - first == WIDEST or apart.held[j, k, last - first] < 0)
        for y in range(last - first):
            same = same and apart.held[j, k, y] == queue[first + y]
        if same:
            return True
    return False


@inner
def _spread(indptr, indices, first, inside, piece, old, new, queue, begin):
    """Units `inside` of piece `old` joined to `first` become `new`, in queue from `begin`; where they end."""
    queue[begin], piece[first] = first, new
    head, tail = begin, begin + 1
    while head < tail:
        u = queue[head]
        head += 1
        for e in range(indptr[u], indptr[u + 1]):
            v = indices[e]
            if inside[v] and piece[v] == old:
                queue[tail], piece[v] = v, new
                tail += 1
    return tail


@inner
def _border(indptr, indices, candidate, piece, queue, begin, end, other, write):
    """Candidates that touch the units queue[begin:end] and can be reached from `other` without these, into queue from
    `write`; where they end. piece: those of the units are alike; 16 is added meanwhile to what has been reached.
    """
    mine = piece[queue[begin]]
    head, tail = write, write + 1
    queue[write] = other
    piece[other] += 16
    while head < tail:
        u = queue[head]
        head += 1
        for e in range(indptr[u], indptr[u + 1]):
            v = indices[e]
            if candidate[v] and piece[v] < 16 and piece[v] != mine:
                queue[tail] = v
                tail += 1
                piece[v] += 16
    last = write
    for x in range(write, tail):
        u = queue[x]
        piece[u] -= 16
        touches = False
        for e in range(indptr[u], indptr[u + 1]):
            touches |= candidate[indices[e]] and piece[indices[e]] % 16 == mine
        if touches:
            queue[last] = u
            last += 1
    return last
