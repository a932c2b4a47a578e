"""Triples: of any three units, at most one body of a partition holds two or more.

A mixture of bodies that covers every unit once may break that: three bodies, each half taken, each with two of the
three units. Charging σ_T ≥ 0 for it keeps a bound a bound:

    LB(π, σ) = Σ π_i − Σ σ_T + (the sum of least r over units, as in bound.py),
    r_j with + Σ σ_T over the triples T of which S holds two units or three

since the bodies of a partition pay each σ_T once at most. Where bodies hold a few units this is nearly all that their
relaxation lacks: on 513 practices 90 triples take the gap from 0.15 % to 0.0004 %, on England's 6,124 some 3,000 take
it from 0.23 % to 0.01 %. (Subset-row inequalities of three rows: Jepsen, Petersen, Spoorendonk and Pisinger 2008,
Operations Research 56(2).)
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Members = tuple[int, ...]
Triple = tuple[int, int, int]
PER_UNIT = 2  # triples that a unit may join at one time: near ones say much the same
LEAST = 1e-3  # excess over 1 worth a charge


@dataclass(frozen=True)
class Triples:
    """units: t × 3 unit positions, ascending in each. charge: σ in £ a year, never negative."""

    units: NDArray[np.int64]
    charge: NDArray[np.float64]

    def by_unit(self, units: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(start, triple): the triples that each of so many units is of, in CSR form."""
        flat = self.units.ravel()
        start = np.concatenate(([0], np.cumsum(np.bincount(flat, minlength=units))))
        return start.astype(np.int64), np.argsort(flat, kind="stable") // 3


NONE = Triples(np.empty((0, 3), np.int64), np.empty(0))


class Holding:
    """Which triples hold which bodies, as both lists grow. A triple holds a body with two of its units or three."""

    def __init__(self) -> None:
        self._triples: defaultdict[int, list[int]] = defaultdict(list)
        self._bodies: defaultdict[int, list[int]] = defaultdict(list)
        self.triples: list[Triple] = []
        self.bodies: list[Members] = []

    def add_body(self, body: Members) -> list[int]:
        """Places of the triples that hold it, ascending."""
        for unit in body:
            self._bodies[unit].append(len(self.bodies))
        self.bodies.append(body)
        return _twice(self._triples[unit] for unit in body)

    def add_triple(self, triple: Triple) -> list[int]:
        """Places of the bodies that it holds, ascending."""
        for unit in triple:
            self._triples[unit].append(len(self.triples))
        self.triples.append(triple)
        return _twice(self._bodies[unit] for unit in triple)


def broken(bodies: Sequence[Members], share: NDArray[np.float64]) -> list[Triple]:
    """Triples that shares of bodies break, worst first, each unit in a few; share: of each body, 0 … 1."""
    of_unit: defaultdict[int, list[int]] = defaultdict(list)
    beside: defaultdict[int, set[int]] = defaultdict(set)
    for k, body in enumerate(bodies):
        for unit in body:
            of_unit[unit].append(k)
            beside[unit].update(body)
    found = []
    for a in sorted(of_unit):
        for b in sorted(v for v in beside[a] if v > a):
            for c in sorted(v for v in beside[a] & beside[b] if v > b):
                held = float(share[_twice((of_unit[a], of_unit[b], of_unit[c]))].sum())
                if held > 1 + LEAST:
                    found.append((-held, (a, b, c)))
    used: Counter[int] = Counter()
    chosen = []
    for _, triple in sorted(found):
        if all(used[unit] < PER_UNIT for unit in triple):
            used.update(triple)
            chosen.append(triple)
    return chosen


def _twice(lists: Iterable[Sequence[int]]) -> list[int]:
    """What is in two of the lists or more, ascending."""
    return sorted(k for k, times in Counter(k for places in lists for k in places).items() if times >= 2)
