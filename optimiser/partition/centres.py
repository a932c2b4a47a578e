"""Every centre's best body, compiled: a knapsack (knapsack.py), and where bodies must touch, or triples are charged,
lines below what sets pay (lines.py) that shift its values as long as they lift the bound.
"""

from __future__ import annotations

import numba
import numpy as np

from optimiser.partition.compiled import NONE, inner
from optimiser.partition.keeping import best_kept, open_labels, shift
from optimiser.partition.knapsack import best_prefix, by_value, sizes_left, take
from optimiser.partition.lines import climb, join_triples, keep_charges, put_back
from optimiser.partition.separators import separate

INF = np.inf
CLIMBS = 40  # steps of the charges for one centre
PATIENCE = 4  # climbs that lift it little before shorter steps
LITTLE = 0.02  # of the way to the cut
SEARCHES = 5  # by branch and bound for one centre, at most


@numba.njit(cache=True, nogil=True, error_model="numpy")
def price_some(first, every, tables, charges, work, pi, cut, tolerance, rough, most_nodes, least, chosen, lines):
    """Centres first, first + every, …: a lower bound of r_j into `least`, exact within `tolerance` where it is below
    `cut`, most_nodes sufficed and no line is below what sets pay; flags of the best set met into `chosen`, along the
    candidates; the lines that shifted values into `lines`.
    """
    lined = (len(tables.indptr) > 0 or len(charges.charge) > 0) and cut < INF
    for j in range(first, len(tables.start) - 1, every):
        own, end = tables.start[j], tables.start[j + 1]
        least[j] = INF
        for e in range(own, end):
            chosen[e] = False
        if own == end or tables.patients[tables.unit[own]] > tables.hi:
            continue
        for e in range(own, end):
            work.candidate[tables.unit[e]] = lined
        open_labels(tables, work, pi, own, end)
        shift(tables, work, pi, own, end, lines, j)
        least[j] = -INF
        if lined:
            least[j] = _climb(tables, charges, work, pi, j, cut, lines)
        if least[j] < cut:
            least[j] = _search(tables, charges, work, pi, j, cut, tolerance, rough, most_nodes, chosen[own:end], lines)
        for e in range(own, end):
            work.candidate[tables.unit[e]] = False
            work.taken[tables.unit[e]] = False


@inner
def _climb(tables, charges, work, pi, j, cut, lines):
    """Charge lines until the relaxation passes the cut or no rise is left. The relaxation at the charges left in force,
    the best met.
    """
    own, end = tables.start[j], tables.start[j + 1]
    kept = np.empty(lines.charge.shape[1])
    top, number, waited, share, constant = -INF, 0, 0, 1.0, 0.0
    for step in range(CLIMBS):
        n, base, value = by_value(tables, work, own, end)
        length = best_prefix(tables, work, n, base, value)[1]
        lower = sizes_left(tables, work, n, base, value, INF)[2] + constant
        if lower >= cut:
            return lower
        waited += 1
        if lower > top:
            waited = waited if lower - top < LITTLE * (cut - top) else 0
            top, number = lower, keep_charges(lines, j, kept)
        if waited > PATIENCE:
            waited, share = 0, 0.5 * share
            if share < 0.1:
                break
        take(tables, work, own, end, NONE, length, tables.hi)
        if step == 0:
            join_triples(lines, charges, j, tables.unit[own:end], work.candidate, work.taken, work.marked)
        _separate(tables, work, own, end, lines, j)
        fitted = step == 0 and len(charges.charge) > 0
        if not fitted and not climb(lines, charges, j, work.taken, share * (cut - lower)):
            break
        constant = shift(tables, work, pi, own, end, lines, j)
    put_back(lines, j, kept, number)
    return top


@inner
def _search(tables, charges, work, pi, j, cut, tolerance, rough, most_nodes, chosen, lines):
    """A lower bound of r_j by branch and bound, with the lines in force; while it is below the cut with what the best
    set met makes of them, and at last without any. lines: those that it holds for.
    """
    own, end = tables.start[j], tables.start[j + 1]
    met, kept = np.empty(end - own, np.bool_), np.empty(lines.charge.shape[1])
    best, number, last = -INF, 0, lines.number[j] == 0
    for search in range(SEARCHES):
        open_labels(tables, work, pi, own, end)
        found = best_kept(tables, charges, work, pi, own, end, cut, tolerance, rough, most_nodes, met, lines, j)
        if found > best:
            best, number = found, keep_charges(lines, j, kept)
            for k in range(end - own):
                chosen[k] = met[k]
        if best >= cut or last:
            break
        for e in range(own, end):
            work.taken[tables.unit[e]] = met[e - own]
        _separate(tables, work, own, end, lines, j)
        if search == SEARCHES - 2 or not climb(lines, charges, j, work.taken, cut - found):
            put_back(lines, j, kept, 0)
            last = True
    put_back(lines, j, kept, number)
    return best


@inner
def _separate(tables, work, own, end, lines, j):
    if len(tables.indptr) > 0:
        units = tables.unit[own:end]
        separate(tables.indptr, tables.indices, units, work.taken, work.candidate, work.piece, work.queue, lines, j)
