"""One problem being worked on, a whole one or a district of it: the incumbent, the bodies seen, the best multipliers;
and the steps that better them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimiser.clock import Clock
from optimiser.partition import search
from optimiser.partition.budget import Budget
from optimiser.partition.bundle import ascend
from optimiser.partition.mend import mend
from optimiser.partition.pool import Members, Pool, recombine
from optimiser.partition.problem import PartitionProblem, canonical, steered
from optimiser.partition.relaxation import Relaxation
from optimiser.partition.restrict import restrict
from optimiser.partition.state import flatten

HEAT = 3.0  # of a first annealing run, as search.run takes it
REHEAT = 4.0  # of a later annealing run, as search.run takes it
FEWER = 5  # times fewer moves that it makes
SEARCHING = 0.25  # of the time left, at most, for an annealing run that others will follow
SHAKE = 0.02  # of the multipliers around which more bodies are priced, as a share of each
RECOMBINING = 30.0  # seconds for an integer programme over the pool, at most
FEW_UNITS = 10  # so few that every body can be tried, which makes the integer programme exact


class Attempt:
    """`guide` is the problem the search sees (confidential wishes included); bounds are those of `core`. best: body by
    unit of the incumbent. pi, height: the best multipliers and their bound in £ a year. late: a clock ended a step,
    if not the work.
    """

    def __init__(self, core: PartitionProblem, rng: np.random.Generator, budget: Budget, clock: Clock):
        self.core, self.guide = core, steered(core)
        self.rng, self.budget, self.clock = rng, budget, clock
        self.flat = flatten(self.guide)
        self.relaxation = Relaxation(core, self.flat.curve)
        self.pool = Pool(self.guide)
        self.every_body = core.units <= FEW_UNITS
        if self.every_body:
            self.pool.add_every_body()
        self.best: NDArray[np.int32] | None = None
        self.pi: NDArray[np.float64] | None = None
        self.height = -np.inf
        self.late = False

    def incumbent(self) -> NDArray[np.int32]:
        """The best partition so far; call it only when there is one."""
        assert self.best is not None
        return self.best

    def bodies(self) -> int:
        """Bodies of the incumbent."""
        return int(self.incumbent().max()) + 1

    def search(self, start: NDArray[np.int32] | None, heat: float) -> None:
        """One annealing run; heat: as search.run takes it."""
        self._anneal(self.budget.moves, start, heat, SEARCHING)

    def ascend(
        self,
        problem: PartitionProblem,
        start: NDArray[np.float64],
        rounds: int,
        share: float = 1.0,
        told: Callable[[float], None] = lambda _: None,
    ) -> tuple[NDArray[np.float64], float]:
        """Better multipliers for the problem, or a branch of it, and their bound; the bodies priced join the pool.
        share: of the time left, at most. told: the best bound so far, every round.
        """
        value, clock = self.core.objective(self.incumbent()), self.clock.part(share)

        def see(bodies: list[Members], pi: NDArray[np.float64], height: float) -> bool:
            told(height)
            self.pool.add(bodies)
            if self.core.contiguous:
                self.pool.add(mend(self.flat, bodies, pi))
            return clock.over() or value - height <= self.budget.gap * abs(value)

        found = ascend(problem, self.relaxation, start, self.incumbent(), rounds, see)
        self.late |= clock.over()
        return found

    def look_around(self) -> None:
        """Anneal afresh and from the incumbent; price around the best multipliers, shaken, for bodies not met yet."""
        assert self.pi is not None
        self._anneal(self.budget.moves // FEWER, None, HEAT)
        self._anneal(self.budget.moves // FEWER, self.best, REHEAT)
        shaken = self.pi * (1 + self.rng.normal(0.0, SHAKE, len(self.pi)))
        pi, height = self.ascend(self.core, shaken, self.budget.rounds // 4)
        if height > self.height:
            self.pi, self.height = pi, height

    def recombine(self) -> None:
        """The best partition among the bodies seen, by integer programme."""
        keep: list[Members] = []
        slack = np.inf
        if self.best is not None:
            self.pool.add_partition(self.best)
            keep = [tuple(np.flatnonzero(self.best == b).tolist()) for b in range(self.bodies())]
            if not self.every_body:
                slack = max(0.0, self.guide.objective(self.best) - self.height)
        columns, costs = self.pool.columns(self.pi, slack, self.budget.columns, keep)
        clock = Clock(max(1.0, min(RECOMBINING, self.clock.left())), self.clock.stop)
        self.keep(recombine(self.guide, columns, costs, clock, set(keep)))
        self.late |= clock.over()

    def part(self, kept: NDArray[np.int64]) -> Attempt:
        """A district (units, ascending) as an attempt of its own, with what is known of it."""
        rng = np.random.default_rng(int(self.rng.integers(2**62)))
        best = canonical(self.incumbent()[kept])
        count = int(best.max()) + 1 if self.core.counted else None
        problem = replace(restrict(self.core, kept), min_bodies=count, max_bodies=count)
        part = Attempt(problem, rng, self.budget, self.clock)
        part.best = best
        part.pi = None if self.pi is None else self.pi[kept]
        part.pool.take(self.pool.within(kept), np.arange(len(kept)))
        return part

    def _anneal(self, moves: int, start: NDArray[np.int32] | None, heat: float, share: float = 1.0) -> None:
        see, clock = self.pool.add_partition, self.clock.part(share)
        self.keep(search.run(self.guide, self.flat, self.rng, moves, start, heat, see, clock.over))
        self.late |= clock.over()

    def keep(self, found: NDArray[np.int32] | None) -> None:
        """A partition becomes the incumbent if it is valid and cheaper."""
        if found is None or self.guide.violations(found):
            return
        if self.best is None or self.guide.objective(found) < self.guide.objective(self.best) - 1e-6:
            self.best = canonical(found)
