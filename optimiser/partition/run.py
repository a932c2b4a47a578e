"""What one solve holds while it works, and the steps it takes: search, prove, recombine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimiser.clock import Clock, never
from optimiser.errors import Infeasible, LimitReached, Problem
from optimiser.partition import pool, search
from optimiser.partition.ascent import Branch, ascend, children, root
from optimiser.partition.bound import rough, starting_multipliers
from optimiser.partition.problem import steered
from optimiser.partition.state import flatten

HOTTER_TRIES = 3
RECOMBINING = 30.0  # seconds for an integer programme over the pool, at most
FEW_UNITS = 10  # so few that every body can be tried, which makes the integer programme exact


@dataclass(frozen=True)
class Budget:
    """How much work to do: counts, so that a seed gives the same bytes on any machine; `seconds` is only a last resort.

    moves: per unit, of each annealing run. rounds: pricings at the root and, half as many, in each branch. branches:
    most of them. gap: stop when proved this close. columns: most bodies offered to the integer programme. cells:
    knapsack cells spent on the published bound. stop: asked wherever the clock is; once it says True the work ends as
    at the limit.
    """

    moves: int = 5_000
    rounds: int = 40
    branches: int = 5
    gap: float = 1e-3
    seconds: float = 600.0
    columns: int = 5_000
    cells: float = 4e9
    stop: Callable[[], bool] = never


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


class Run:
    """What one solve holds while it works: the incumbent, the pool, the clock. `guide` is the problem the search sees
    (confidential wishes included); bounds and published objectives are those of `core`.
    """

    def __init__(self, problem, core, fixed, rng, budget, report):
        self.problem, self.core, self.fixed, self.guide = problem, core, fixed, steered(core)
        self.rng, self.budget, self.report = rng, budget, report
        self.clock = Clock(budget.seconds, budget.stop)
        self.pool = pool.Pool(self.guide)
        self.every_body = core.units <= FEW_UNITS
        if self.every_body:
            self.pool.add_every_body()
        self.flat = flatten(self.guide)
        self.best: NDArray[np.int32] | None = None
        self.lower = -np.inf
        self.late = False  # a clock ended an integer programme

    def search(self, start: NDArray[np.int32] | None, heat: float) -> None:
        """One annealing run; heat: as `search.run` takes it."""
        see, over = self.pool.add_partition, self.clock.over
        found = search.run(self.guide, self.flat, self.rng, self.budget.moves, start, heat, see, over)
        self._keep(found)
        self.tell("search", self.lower)

    def prove(self) -> list[Branch]:
        """The root's bound, then branches on the number of bodies, always the weakest next, while that can raise the
        least.
        """
        tables = rough(self.core, self.core.weight_step)
        start = starting_multipliers(self.core, self.incumbent())
        pi, height = self._ascend(self.core, tables, start, self.budget.rounds)
        branches = [root(self.core, pi, height)]
        while len(branches) < self.budget.branches and not self.clock.over() and not self._close(branches):
            weakest = min(branches, key=lambda b: (b.bound, b.fewest))
            if weakest.fewest == weakest.most:
                break
            branches.remove(weakest)
            for child in children(weakest, self.bodies()):
                pi, height = self._ascend(child.of(self.core), tables, child.pi, self.budget.rounds // 2)
                branches.append(replace(child, pi=pi, bound=max(height, weakest.bound)))
        return branches

    def recombine(self, branches: list[Branch]) -> None:
        """The best partition among the bodies seen, by integer programme."""
        keep: list[pool.Members] = []
        if self.best is not None:
            self.pool.add_partition(self.best)
            keep = [tuple(np.flatnonzero(self.best == b).tolist()) for b in np.unique(self.best)]
        weakest = min(branches, key=lambda b: (b.bound, b.fewest), default=None)
        slack = (
            np.inf
            if weakest is None or self.every_body
            else max(0.0, self.guide.objective(self.incumbent()) - weakest.bound)
        )
        columns, costs = self.pool.columns(weakest.pi if weakest else None, slack, self.budget.columns, keep)
        clock = Clock(max(1.0, min(RECOMBINING, self.clock.left())), self.budget.stop)
        self._keep(pool.recombine(self.guide, columns, costs, clock))
        self.late |= clock.over()
        self.tell("recombine", self.lower)

    def persist(self) -> None:
        """Where no valid partition was met yet: hotter searches, then the integer programme over every body seen.

        Raises Infeasible where every possible body was tried, LimitReached where one that was not may do.
        """
        for _ in range(HOTTER_TRIES):
            if self.best is None and not self.clock.over():
                self.search(None, heat=10.0)
        if self.best is None:
            self.recombine([])
        if self.best is None and self.every_body:
            raise Infeasible(
                Problem(
                    f"{self.problem.name}: {self.core.units} units can form {2**self.core.units - 1:,} bodies, "
                    f"{len(self.pool):,} of which keep the rules, and no set of these holds every unit exactly once",
                    mend="Widen the size bounds or reach, add links, or drop a pin.",
                )
            )
        if self.best is None:
            why = "the time limit was reached" if self.clock.over() else "the search is not a proof"
            raise LimitReached(
                Problem(
                    f"{self.problem.name}: no partition that keeps every rule was found",
                    rule=f"One may exist: {why}.",
                    mend="Widen the size bounds or reach, add links, drop a pin, or try another seed.",
                )
            )

    def incumbent(self) -> NDArray[np.int32]:
        """The best partition so far; call it only when there is one."""
        assert self.best is not None
        return self.best

    def bodies(self) -> int:
        """Bodies of the incumbent."""
        return len(np.unique(self.incumbent()))

    def tell(self, stage: str, lower: float) -> None:
        value = np.inf if self.best is None else self.core.objective(self.best) + self.fixed
        alone = self.problem.units - self.core.units
        count = alone + (0 if self.best is None else len(np.unique(self.best)))
        self.report(Progress(self.problem.name, stage, self.clock.elapsed(), lower + self.fixed, value, count))

    def _ascend(self, core, tables, start, rounds):
        value = self.core.objective(self.best)

        def see(bodies, height) -> bool:
            self.pool.add(bodies)
            return self.clock.over() or value - height <= self.budget.gap * abs(value)

        pi, height = ascend(core, tables, start, value, rounds, see)
        self.tell("bound", height)
        return pi, height

    def _close(self, branches: list[Branch]) -> bool:
        self.lower = min(b.bound for b in branches)
        value = self.core.objective(self.best)
        return value - self.lower <= self.budget.gap * abs(value)

    def _keep(self, found: NDArray[np.int32] | None) -> None:
        if found is None or self.guide.violations(found):
            return
        if self.best is None or self.guide.objective(found) < self.guide.objective(self.best) - 1e-6:
            self.best = found
