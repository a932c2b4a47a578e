"""Which sets of units a bound lets bodies be.

sets: any within reach. touching sets: any, with prices for lying in pieces (separators.py). connected sets: only those,
all met one by one, where they are few.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from optimiser.partition.bound import NODES, last_counted, price, pricing
from optimiser.partition.connected import SETS, connected_tables, price_connected, suits
from optimiser.partition.lines import Line
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.triples import NONE, Triples

EXACT = 1e-6  # tolerance of pricing, as a share of a body's cost
BEYOND = 1e-3  # of a body's cost: how far past the last body counted reduced costs are known
ROUGH = 0.002  # of what a body costs less than the cut, by which pricing on the way may understate it
PATIENT = 10  # times the usual work for one centre where a bound is priced for good


class Bodies(Protocol):
    """What pricing found, by centre: r_j or a lower bound of it, and the units of its best body."""

    @property
    def least(self) -> NDArray[np.float64]:
        """£ a year by centre, inf where it has no body."""

    def body(self, centre: int) -> NDArray[np.int64]:
        """Units, ascending."""

    def bodies(self) -> list[tuple[int, ...]]:
        """Every body found, once, in a fixed order."""

    def lines(self) -> tuple[Line, ...]:
        """Lines below what sets pay."""


class Relaxation:
    """The relaxation that bounds a problem best. size: g at every whole number of patients up to the largest body.
    name: as certificates give it."""

    def __init__(self, problem: PartitionProblem, size: NDArray[np.float64]):
        self.connected = connected_tables(problem, size) if suits(problem) else None
        self._tables = None if self.connected else pricing(problem, size)
        self.name = "connected sets" if self.connected else "touching sets" if problem.contiguous else "sets"

    def price(
        self,
        pi: NDArray[np.float64],
        cut: float,
        tolerance: float,
        triples: Triples = NONE,
        most: int = 1,
        patience: int = 1,
    ) -> Bodies:
        """Every centre's best body, or the `most` best where sets are met one by one, at multipliers π and charges on
        triples, known where it is below the cut. patience: times the usual work.
        """
        if self.connected is not None:
            return price_connected(self.connected, pi, cut, most, patience * SETS, triples)
        assert self._tables is not None
        return price(self._tables, pi, cut, tolerance, patience * NODES, triples, ROUGH if patience == 1 else 0.0)

    def price_for_good(
        self, problem: PartitionProblem, pi: NDArray[np.float64], typical: float, triples: Triples = NONE
    ) -> Bodies:
        """Patiently, as far as the bodies that LB(π) of the problem counts. typical: a body's cost, £ a year."""
        cut, exact = 0.0, EXACT * typical
        if problem.counted:
            cut = max(0.0, last_counted(problem, self.price(pi, np.inf, exact).least)) + BEYOND * typical
        return self.price(pi, cut, exact, triples, patience=PATIENT)
