"""What holds a body together, as prices: a unit that the centre's own reaches only past others pays for their absence.

Where bodies must touch, let A be units that part unit i from the centre's own unit o: every path of candidates from o
to i meets A. A connected set that holds i and o holds some of A, so μ ([i in S] − |S ∩ A|) is no charge on it
(lines.py). Sets A come from the pieces of the relaxation's own solution: around the piece that i lies in, or around
that of o, whichever is smaller.

(Separator inequalities of connected subgraphs: Carvajal, Constantino, Goycoolea, Vielma and Weintraub 2013, Operations
Research 61(4).)
"""

from __future__ import annotations

from optimiser.partition.compiled import FIRST, bare
from optimiser.partition.lines import WIDEST


@bare
def separate(indptr, indices, units, taken, candidate, piece, queue, lines, j):
    """Charges, 0 as yet, for the units taken that are not joined to the first of `units` (the centre's candidates) by
    units taken.

    piece: by unit, queue: three times as long; work space. candidate: by unit.
    """
    for u in units:
        piece[u] = 0
    home = FIRST
    for u in units:
        if not taken[u] or piece[u] != 0:
            continue
        end = _spread(indptr, indices, u, taken, piece, queue, home)
        if home == 0:
            home = end
            continue
        _charge_piece(indptr, indices, units, units[0], candidate, piece, queue, home, end, lines, j)
        for x in range(home, end):
            piece[queue[x]] = 3


@bare
def _charge_piece(indptr, indices, units, own, candidate, piece, queue, home, end, lines, j):
    """New charges for the units of one piece (in queue[home:end]): its own surroundings or those of home part it from
    `own`, of which only those count that the other side can reach past them. None, where no path joins the two.
    """
    near_it = _border(indptr, indices, candidate, piece, queue, home, end, own, end)
    near_home = _border(indptr, indices, candidate, piece, queue, FIRST, home, queue[home], near_it)
    first, last = end, near_it
    if near_home - near_it < near_it - end:
        first, last = near_it, near_home
    if last - first > WIDEST:
        return
    for x in range(home, end):
        k = lines.number[j]
        if k >= lines.unit.shape[1]:
            return
        if _known(lines, j, queue[x], queue, first, last):
            continue
        lines.unit[j, k], lines.other[j, k], lines.triple[j, k] = queue[x], -1, -1
        lines.charge[j, k] = 0.0
        for y in range(WIDEST):
            lines.held[j, k, y] = queue[first + y] if first + y < last else -1
        lines.number[j] += 1


@bare
def _known(lines, j, unit, queue, first, last):
    """Whether a charge on this unit and separator is there already."""
    for k in range(lines.number[j]):
        same = (
            lines.unit[j, k] == unit
            and lines.other[j, k] < 0
            and (last - first == WIDEST or lines.held[j, k, last - first] < 0)
        )
        for y in range(last - first):
            same = same and lines.held[j, k, y] == queue[first + y]
        if same:
            return True
    return False


@bare
def _spread(indptr, indices, first, inside, piece, queue, begin):
    """Units `inside`, of no piece yet, joined to `first` go into queue from `begin`; where they end. They become
    piece 1, the centre's own, where the queue is empty, else 2.
    """
    new = 1 if begin == 0 else 2
    queue[begin], piece[first] = first, new
    head, tail = begin, begin + 1
    while head < tail:
        u = queue[head]
        head += 1
        for e in range(indptr[u], indptr[u + 1]):
            v = indices[e]
            if inside[v] and piece[v] == 0:
                queue[tail], piece[v] = v, new
                tail += 1
    return tail


@bare
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
