"""Which sets of units a bound lets bodies be.

sets: any within reach. touching sets: any, with prices for lying in pieces (separators.py). connected sets: only those,
all met one by one, where they are few.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from optimiser.partition.bound import price, pricing
from optimiser.partition.connected import connected_tables, price_connected, suits
from optimiser.partition.connected_sets import ConnectedTables
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.separators import Charge


class Bodies(Protocol):
    """What pricing found, by centre: r_j or a lower bound of it, and the units of its best body."""

    @property
    def least(self) -> NDArray[np.float64]:
        """£ a year by centre, inf where it has no body."""

    def body(self, centre: int) -> NDArray[np.int64]:
        """Units, ascending."""

    def charges(self) -> tuple[Charge, ...]:
        """What units paid for others' absence."""


Pricer = Callable[[NDArray[np.float64], float, float], Bodies]  # (π, cut, tolerance) → bodies; as in bound.price


@dataclass(frozen=True)
class Relaxation:
    """name: as certificates give it. price: every centre's best body. connected: tables of connected sets, if it is
    these."""

    name: str
    price: Pricer
    connected: ConnectedTables | None


def relax(problem: PartitionProblem, size: NDArray[np.float64]) -> Relaxation:
    """The relaxation that bounds a problem best. size: g at every whole number of patients up to the largest body."""
    if suits(problem):
        connected = connected_tables(problem, size)
        return Relaxation("connected sets", lambda pi, cut, _: price_connected(connected, pi, cut), connected)
    tables = pricing(problem, size)
    name = "touching sets" if problem.contiguous else "sets"
    return Relaxation(name, lambda pi, cut, tolerance: price(tables, pi, cut, tolerance), None)
