"""How much work a solve may do, and what it tells on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from optimiser.clock import never


@dataclass(frozen=True)
class Budget:
    """How much work to do: counts, so that a seed gives the same bytes on any machine; `seconds` is only a last resort.

    moves: per unit, of each annealing run. rounds: pricings at the root, half as many in each branch, a quarter in each
    turn. branches: most of them. turns: times that districts are dealt and improved, fewer where half as many in a row
    save nothing. gap: stop when proved this close. columns: most bodies offered to the integer programme. stop: asked
    wherever the clock is; once it says True the work ends as at the limit.
    """

    moves: int = 5_000
    rounds: int = 80
    branches: int = 3
    turns: int = 4
    gap: float = 1e-3
    seconds: float = 600.0
    columns: int = 5_000
    stop: Callable[[], bool] = never

    def thorough(self, gap: float) -> Budget:
        """Work until a gap is proved: up to twice the pricings and four times the turns."""
        return replace(self, gap=gap, rounds=2 * self.rounds, turns=4 * self.turns)


@dataclass(frozen=True)
class Progress:
    """One line of progress: seconds since the start, bound and incumbent in £ a year, number of bodies, what is going
    on.
    """

    name: str
    stage: str
    seconds: float
    bound: float
    incumbent: float
    bodies: int

    @property
    def gap(self) -> float:
        """(incumbent − bound) / incumbent, a fraction."""
        return (self.incumbent - self.bound) / self.incumbent if np.isfinite(self.incumbent) and self.incumbent else 1.0
