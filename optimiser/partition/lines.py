"""Lines below what a set of units pays, as prices on its units: they make a knapsack of what is none, and never count
too much.

Two kinds, for the sets S that one centre prices. Where bodies must touch, a charge on unit i for the absence of units
A that part it from the centre's own (separators.py); and for a triple T (triples.py), of which a body that holds two
units or three pays σ once, a charge on every pair of its units:

    μ ([i in S] − |S ∩ A|) ≤ 0 for a connected S,    Σ over pairs {a, b} of λ_ab ([a in S] + [b in S] − 1) ≤ σ,
    μ ≥ 0, λ ≥ 0, Σ λ ≤ σ

So the least over all sets with these added to the values is a lower bound of r_j. The charges climb by Polyak's steps
towards the value that matters (the cut, beyond which nobody asks), while that value is not proved.

(Polyak 1969, USSR Computational Mathematics and Mathematical Physics 9(3).)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimiser.partition.compiled import bare
from optimiser.partition.triples import Triples

MOST = 64  # lines of one centre
WIDEST = 12  # units of a separator
OVERSHOOT = 1.2  # of the step that would reach the value if every charge counted in full


class Lines(NamedTuple):
    """Lines by centre. number: of them; unit, other: those that pay (other: −1 for a separator's); held: units of the
    separator (−1 beyond its last); charge: μ or λ in £ a year; triple: −1 for a separator's. centres × MOST, × WIDEST.
    """

    number: NDArray[np.int64]
    unit: NDArray[np.int32]
    other: NDArray[np.int32]
    held: NDArray[np.int32]
    charge: NDArray[np.float64]
    triple: NDArray[np.int32]


class Line(NamedTuple):
    """One line, of a centre (position among the centres): the one unit or two that pay, the units of the separator, £ a
    year, and the triple (−1: none).
    """

    centre: int
    units: tuple[int, ...]
    held: tuple[int, ...]
    charge: float
    triple: int


class Charges(NamedTuple):
    """Charges on triples. start, triple: the triples that each unit is of (CSR); units: three by triple; charge: £."""

    start: NDArray[np.int64]
    triple: NDArray[np.int64]
    units: NDArray[np.int64]
    charge: NDArray[np.float64]


def charges_of(triples: Triples, patients: NDArray[np.int64]) -> Charges:
    """Charges on triples by unit (patients: of each). None on triples with a unit of no patients, which every set takes
    where it is worth having: it could not leave it out for the sake of a charge.
    """
    borne = (patients[triples.units] > 0).all(axis=1)
    return Charges(*triples.by_unit(len(patients)), triples.units, np.where(borne, triples.charge, 0.0))


def no_lines(centres: int, most: int) -> Lines:
    """None yet."""
    unit, other, triple = np.empty((3, centres, most), np.int32)
    held, charge = np.empty((centres, most, WIDEST), np.int32), np.empty((centres, most))
    return Lines(np.zeros(centres, np.int64), unit, other, held, charge, triple)


def in_force(lines: Lines) -> tuple[Line, ...]:
    """Every line of a charge that is not 0, by centre."""
    return tuple(
        Line(
            int(j),
            tuple(int(u) for u in (lines.unit[j, k], lines.other[j, k]) if u >= 0),
            tuple(int(u) for u in lines.held[j, k] if u >= 0 and lines.other[j, k] < 0),
            float(lines.charge[j, k]),
            int(lines.triple[j, k]),
        )
        for j in np.flatnonzero(lines.number)
        for k in range(lines.number[j])
        if lines.charge[j, k] > 0
    )


@bare
def keep_charges(lines, j, kept):
    """Note the charges of centre j; their number."""
    for k in range(lines.number[j]):
        kept[k] = lines.charge[j, k]
    return lines.number[j]


@bare
def put_back(lines, j, kept, number):
    """The charges of centre j as they were noted; those that came later are 0."""
    for k in range(lines.number[j]):
        lines.charge[j, k] = kept[k] if k < number else 0.0


@bare
def weigh(lines, j, value):
    """Add the lines of centre j to the values of units; what they add whatever is taken."""
    constant = 0.0
    for k in range(lines.number[j]):
        charge = lines.charge[j, k]
        value[lines.unit[j, k]] += charge
        if lines.other[j, k] >= 0:
            value[lines.other[j, k]] += charge
            constant -= charge
        for x in range(WIDEST):
            if lines.held[j, k, x] < 0:
                break
            value[lines.held[j, k, x]] -= charge
    return constant


@bare
def climb(lines, charges, j, taken, missing):
    """One step up of the charges of centre j, `missing` £ below the value aimed at, the units taken being the
    relaxation's answer. False where none would change.
    """
    steep = 0.0
    for k in range(lines.number[j]):
        slope = _slope(lines, j, k, taken)
        if slope > 0 or lines.charge[j, k] > 0:
            steep += slope * slope
    if steep == 0:
        return False
    step = OVERSHOOT * missing / steep
    for k in range(lines.number[j]):
        lines.charge[j, k] = max(0.0, lines.charge[j, k] + step * _slope(lines, j, k, taken))
    _share_out(lines, charges, j)
    return True


@bare
def _slope(lines, j, k, taken):
    slope = 1 if taken[lines.unit[j, k]] else 0
    if lines.other[j, k] >= 0:
        slope += (1 if taken[lines.other[j, k]] else 0) - 1
    for x in range(WIDEST):
        if lines.held[j, k, x] < 0:
            break
        slope -= taken[lines.held[j, k, x]]
    return slope


@bare
def unpaid(lines, charges, j, taken):
    """£ by which the lines fall short of what the units taken pay for triples."""
    total, last = 0.0, -1
    for k in range(lines.number[j]):
        t = lines.triple[j, k]
        if t < 0:
            continue
        if t != last:
            last, count = t, 0
            for m in range(3):
                count += taken[charges.units[t, m]]
            if count > 1:
                total += charges.charge[t]
        total -= lines.charge[j, k] * _slope(lines, j, k, taken)
    return total


@bare
def _share_out(lines, charges, j):
    """Pairs of a triple, side by side, pay no more than the triple does."""
    k = 0
    while k < lines.number[j]:
        t, last, total = lines.triple[j, k], k, 0.0
        while last < lines.number[j] and lines.triple[j, last] == t and (t >= 0 or last == k):
            total += lines.charge[j, last]
            last += 1
        if t >= 0 and total > charges.charge[t]:
            for x in range(k, last):
                lines.charge[j, x] *= charges.charge[t] / total
        k = last


@bare
def join_triples(lines, charges, j, units, candidate, taken, marked):
    """Lines for the triples of which two units or three are candidates of centre j; what their pairs pay is exact for
    the units taken now. marked: by triple, all False.
    """
    for u in units:
        for x in range(charges.start[u], charges.start[u + 1]):
            t = charges.triple[x]
            if marked[t] or charges.charge[t] <= 0:
                continue
            marked[t] = True
            count = 0
            for m in range(3):
                count += taken[charges.units[t, m]]
            for m in range(3):
                a, b = charges.units[t, m], charges.units[t, (m + 1) % 3]
                k = lines.number[j]
                if k == lines.unit.shape[1]:
                    break
                if candidate[a] and candidate[b]:
                    paid = taken[a] and taken[b]
                    lines.unit[j, k], lines.other[j, k], lines.triple[j, k] = a, b, t
                    lines.held[j, k, 0] = -1
                    lines.charge[j, k] = charges.charge[t] / (3 if count == 3 else 1) if paid else 0.0
                    lines.number[j] += 1
    for u in units:
        for x in range(charges.start[u], charges.start[u + 1]):
            marked[charges.triple[x]] = False
