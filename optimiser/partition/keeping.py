"""Which labels a body keeps, compiled: the split charge in the price of a body.

For each label (a local authority) one body keeps its patients free of charge, and all others pay; with a multiplier
π_t on "exactly one keeps label t", a set S of one centre that holds h_t(S) £ of the W_t £ that the label's patients pay
when nobody keeps them is worth its knapsack value and

    Σ_t min(0, W_t − h_t(S) − π_t)  =  − Σ_t max(0, h_t(S) − μ_t),      μ_t = max(0, W_t − π_t)

A label kept returns every patient's charge to the set, for μ_t once; one let go returns nothing. Undecided, it returns
the part (H_t − μ_t) / H_t of every patient's charge, the chord of that concave cost up to H_t, all of the label that
the centre can reach: no set of the centre is worth less. So with any labels decided, a knapsack of changed values
bounds what is left, and branching decides the label that the chord flatters most.
"""

from __future__ import annotations

import numpy as np

from optimiser.partition.compiled import NONE, bare, inner
from optimiser.partition.knapsack import best_prefix, best_set, by_value, sizes_left, take
from optimiser.partition.lines import unpaid, weigh

INF = np.inf
OPEN, KEPT, LET_GO = 0, 1, 2
PER_DECISION = 100  # nodes of a knapsack’s branching for which one label may be decided


@bare
def open_labels(tables, work, pi, own, end):
    """Every label that a centre could keep is undecided, the others are let go."""
    units = len(tables.patients)
    for t in range(len(tables.whole)):
        work.reach[t] = 0.0
    if len(tables.whole) > 0:
        for e in range(own, end):
            i = tables.unit[e]
            for x in range(tables.piece_start[i], tables.piece_start[i + 1]):
                work.reach[tables.piece_label[x]] += tables.piece[x]
    for t in range(len(tables.whole)):
        work.due[t] = max(0.0, tables.whole[t] - pi[units + t])
        decide(work, t, OPEN if work.reach[t] > work.due[t] else LET_GO)


@bare
def decide(work, t, state):
    """Label t is kept, let go, or undecided."""
    work.state[t] = state
    work.returned[t] = 1.0 if state == KEPT else 0.0
    if state == OPEN:
        work.returned[t] = 1.0 - work.due[t] / work.reach[t]


@bare
def shift(tables, work, pi, own, end, lines, j):
    """Values of the candidates with the lines in force and the labels as decided; what these add whatever is taken."""
    constant = 0.0
    for e in range(own, end):
        i = tables.unit[e]
        value = tables.cost[e] - pi[i]
        if len(tables.whole) > 0:
            for x in range(tables.piece_start[i], tables.piece_start[i + 1]):
                value -= work.returned[tables.piece_label[x]] * tables.piece[x]
        work.value[i] = value
    for t in range(len(tables.whole)):
        if work.state[t] == KEPT:
            constant += work.due[t]
    return constant + weigh(lines, j, work.value)


@bare
def _flattered(tables, work, own, end, tolerance):
    """(£ by which the values as decided flatter the units taken, the undecided label that does most; −1: none does by
    more than the tolerance).
    """
    for t in range(len(tables.whole)):
        work.held[t] = 0.0
    for e in range(own, end):
        i = tables.unit[e]
        if work.taken[i]:
            for x in range(tables.piece_start[i], tables.piece_start[i + 1]):
                work.held[tables.piece_label[x]] += tables.piece[x]
    total, worst, most = 0.0, -1, tolerance
    for t in range(len(tables.whole)):
        now = work.returned[t] * work.held[t] - (work.due[t] if work.state[t] == KEPT else 0.0)
        more = now - max(0.0, work.held[t] - work.due[t])
        total += more
        if work.state[t] == OPEN and more > most:
            worst, most = t, more
    return total, worst


@inner
def best_kept(tables, charges, work, pi, own, end, cut, tolerance, rough, most_nodes, chosen, lines, j):
    """A lower bound of the least value over all sets of the centre and all they may keep, the lines in force included;
    the best set's flags. rough: part of what the value lies below the cut by which it may be understated.
    """
    met = np.empty(end - own, np.bool_)
    for k in range(end - own):
        chosen[k] = False
    best, lower, waiting, left = INF, INF, 1, max(1, most_nodes // PER_DECISION)
    for t in range(len(tables.whole)):
        work.decided[0, t] = work.state[t]
    while waiting > 0:
        waiting -= 1
        left -= 1
        for t in range(len(tables.whole)):
            decide(work, t, work.decided[waiting, t])
        constant = shift(tables, work, pi, own, end, lines, j)
        order = by_value(tables, work, own, end)
        target, worst = min(best, cut) - tolerance, -1
        if len(tables.whole) > 0:
            bound = sizes_left(tables, work, *order, INF)[2] + constant
            if best == INF and rough > 0 and cut < INF:
                tolerance = max(tolerance, rough * (cut - bound))
            if bound >= target:
                lower = min(lower, bound)
                continue
            length = best_prefix(tables, work, *order)[1]
            take(tables, work, own, end, NONE, length, tables.hi)
            worst = _flattered(tables, work, own, end, tolerance)[1]
        if worst < 0 or left <= waiting:
            below = min(best, cut) - constant
            bound = best_set(tables, charges, work, own, end, order, below, tolerance, most_nodes, met, lines, j)
            bound += constant
            worst = -1
            for e in range(own, end):
                work.taken[tables.unit[e]] = met[e - own]
            if work.taken[tables.unit[own]]:
                more, worst = _flattered(tables, work, own, end, tolerance)
                true = _worth(tables, charges, work, own, end, lines, j) + constant + more
                if true < best:
                    best = true
                    for k in range(end - own):
                        chosen[k] = met[k]
            if bound >= target or worst < 0 or left <= waiting:
                lower = min(lower, bound)
                continue
        for state in (LET_GO, KEPT):
            for t in range(len(tables.whole)):
                work.decided[waiting, t] = state if t == worst else work.state[t]
            waiting += 1
    return min(best, lower)


@bare
def _worth(tables, charges, work, own, end, lines, j):
    """Value of the units taken, at the values as shifted, and what they do not pay for triples."""
    value, patients = 0.0, 0
    for e in range(own, end):
        i = tables.unit[e]
        if work.taken[i]:
            value += work.value[i]
            patients += tables.patients[i]
    return value + tables.size[patients] + unpaid(lines, charges, j, work.taken)
